//! What the operations do, whichever transport calls them.
//!
//! [`Core`] is the handle that transports hold. An operation takes a [`Caller`](access::Caller) and the ids that
//! the client sent, and is the only place that turns them into grants. `core` knows no HTTP, JSON-RPC or GraphQL.

use std::sync::Arc;

use crate::error::Result;
use crate::fetch::Fetcher;
use crate::telemetry::metrics::Metrics;

pub mod access;
pub mod approvals;
pub mod assets;
pub mod audit;
pub mod backup;
pub mod browse;
pub mod budget;
pub mod cancellation;
mod changes;
pub mod clock;
pub mod data_dir;
pub mod data_dir_lock;
pub mod disk;
pub mod doctor;
pub mod duplicates;
mod file_check;
pub mod folders;
pub mod growth;
mod health;
pub mod history;
mod index;
pub mod keys;
mod last_use;
pub mod libraries;
mod library_order;
pub mod long_work;
pub mod maintenance;
mod measurements;
pub mod members;
pub mod model;
mod newest_first;
mod observed_time;
mod opening;
pub mod organizations;
pub mod preview;
pub mod processing;
pub mod public_file;
pub mod quotas;
pub mod renditions;
pub mod request_rate;
pub mod restore;
pub mod scans;
mod scrub;
pub mod search;
pub mod selection;
pub mod settings;
mod store;
pub mod stored_file;
pub mod test_control;
pub mod trash;
pub mod uploads;
pub mod variants;

use audit::Refusals;
use browse::window::CachedResults;
use budget::Budget;
use clock::Clock;
use health::Health;
pub use health::HealthCheck;
use index::Indexer;
use last_use::LastUse;
use library_order::LibraryOrder;
use members::{Passkeys, Passwords, Throttle};
use model::id::KeyId;
use model::time::Millis;
use model::token::SessionDigest;
use observed_time::TimeObserver;
use processing::Processing;
use renditions::Renditions;
use scans::{ClientId, Scans};
use settings::Settings;
use store::Store;
use store::files::Blobs;
use test_control::TestControl;
use uploads::ActiveUploads;

pub use store::files::FileMismatches;
pub(crate) use store::in_words as panic_in_words;

/// An open data directory. Cheap to clone.
#[derive(Clone)]
pub struct Core(Arc<Inner>);

struct Inner {
    settings: Settings,
    metrics: Arc<Metrics>,
    clock: Clock,
    observed: TimeObserver,
    health: Health,
    store: Store,
    blobs: Blobs,
    indexer: Indexer,
    fetcher: Fetcher,
    renditions: Renditions,
    processing: Processing,
    scans: Scans,
    library_order: LibraryOrder,
    cached_results: CachedResults,
    key_use: LastUse<KeyId>,
    session_use: LastUse<SessionDigest>,
    refusals: Refusals,
    passkeys: Passkeys,
    passwords: Passwords,
    throttle: Throttle,
    budget: Arc<Budget>,
    active_uploads: ActiveUploads,
    /// None on an ordinary server.
    test_control: Option<Arc<TestControl>>,
}

impl Core {
    /// The configuration.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What this server counts.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// The clock, which tests move.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.0.clock.now()
    }

    /// Whether the store accepts changes: not after its disk failed, until it was opened again.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.store.recovery().is_writable()
    }

    /// Runs a small write that must succeed when the disk is full, too: the reserve makes room for it.
    ///
    /// # Errors
    /// Those of `write`, when the reserve is used up.
    pub fn with_room<T>(&self, write: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
        self.0.store.reserve().with_room(write)
    }

    /// Limits on what is in use at the same time.
    #[must_use]
    pub fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
    }

    /// What tests may do to this server; none on an ordinary one.
    #[must_use]
    pub fn test_control(&self) -> Option<&Arc<TestControl>> {
        self.0.test_control.as_ref()
    }

    fn observed(&self) -> &TimeObserver {
        &self.0.observed
    }

    fn health(&self) -> &Health {
        &self.0.health
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    fn indexer(&self) -> &Indexer {
        &self.0.indexer
    }

    fn fetcher(&self) -> &Fetcher {
        &self.0.fetcher
    }

    fn renditions(&self) -> &Renditions {
        &self.0.renditions
    }

    fn processing(&self) -> &Processing {
        &self.0.processing
    }

    fn library_order(&self) -> &LibraryOrder {
        &self.0.library_order
    }

    fn cached_results(&self) -> &CachedResults {
        &self.0.cached_results
    }

    fn scans(&self) -> &Scans {
        &self.0.scans
    }

    /// Runs a read that may take long away from the threads that answer requests; see [`Scans`].
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn run_scan<T: Send + 'static>(
        &self,
        client: ClientId,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.scans().run(client, work).await
    }

    fn key_use(&self) -> &LastUse<KeyId> {
        &self.0.key_use
    }

    fn session_use(&self) -> &LastUse<SessionDigest> {
        &self.0.session_use
    }

    fn active_uploads(&self) -> &ActiveUploads {
        &self.0.active_uploads
    }

    fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    fn passkeys(&self) -> &Passkeys {
        &self.0.passkeys
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }
}

#[cfg(test)]
mod tests;
