//! What the operations do, whichever transport calls them.
//!
//! [`Core`] is the handle that transports hold. An operation takes a [`Caller`](access::Caller) and the ids that
//! the client sent, and is the only place that turns them into grants. `core` knows no HTTP, JSON-RPC or GraphQL.

use std::sync::Arc;

use crate::core::store::AssetCommands;
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
pub mod clock;
pub mod data_dir;
pub mod data_folder;
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
mod observed;
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

use access::{Administrator, WriteGrant};
use audit::Refusals;
use browse::window::CachedResults;
use budget::Budget;
use clock::Clock;
use data_folder::{DataFolder, Database, INDEX, Opening};
use disk::{Disk, LocalDisk};
use health::Health;
pub use health::HealthCheck;
use index::Indexer;
use last_use::LastUse;
use library_order::LibraryOrder;
use members::{Passkeys, Passwords, Throttle};
use model::id::KeyId;
use model::time::Millis;
use model::token::SessionDigest;
use observed::Observed;
use processing::Processing;
use renditions::Renditions;
use scans::{ClientId, Scans};
use settings::Settings;
use store::files::Blobs;
use store::{Reserve, ReserveUse, Store, StoreOptions, Tx};
use test_control::TestControl;
use uploads::ActiveUploads;

pub use store::files::Misfits;
pub(crate) use store::in_words as panic_in_words;

/// An open data directory. Cheap to clone.
#[derive(Clone)]
pub struct Core(Arc<Inner>);

struct Inner {
    settings: Settings,
    metrics: Arc<Metrics>,
    clock: Clock,
    observed: Observed,
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
    /// Opens the data directory, or creates it, and migrates everything in it to the current format.
    ///
    /// # Errors
    /// Those of [`Core::open_as`].
    pub fn open(settings: Settings, clock: Clock) -> Result<Self> {
        Self::open_as(settings, clock, Opening { may_create: true, accept_files: false })
    }

    /// Opens the data directory in a certain way.
    ///
    /// # Errors
    /// When another process holds it, the disk fails, or a newer rasterd wrote it; when something in it is missing or
    /// invalid. The message says what to do.
    pub fn open_as(settings: Settings, clock: Clock, opening: Opening) -> Result<Self> {
        Self::open_on(settings, clock, opening, Arc::new(LocalDisk))
    }

    /// Opens the data directory on a disk that a test may have made.
    ///
    /// # Errors
    /// Those of [`Core::open_as`].
    pub fn open_on(settings: Settings, clock: Clock, opening: Opening, disk: Arc<dyn Disk>) -> Result<Self> {
        Self::open_with(settings, clock, opening, disk, None)
    }

    /// Opens the data directory of a server that tests control.
    ///
    /// # Errors
    /// Those of [`Core::open_as`].
    pub fn open_for_tests(
        settings: Settings,
        clock: Clock,
        disk: Arc<dyn Disk>,
        control: TestControl,
    ) -> Result<Self> {
        let opening = Opening { may_create: true, accept_files: false };
        Self::open_with(settings, clock, opening, disk, Some(Arc::new(control)))
    }

    fn open_with(
        settings: Settings,
        clock: Clock,
        opening: Opening,
        disk: Arc<dyn Disk>,
        test_control: Option<Arc<TestControl>>,
    ) -> Result<Self> {
        let folder = DataFolder::make(&settings.data_dir)?;
        let reserve = Reserve::open(Arc::clone(&disk), &settings.data_dir, settings.reserve_bytes)?;
        let metrics = Arc::new(Metrics::default());
        let options =
            StoreOptions { cache_bytes: settings.cache_bytes, disk, reserve, metrics: metrics.store.clone() };
        let store = open_store(&folder, &options, opening)?;
        let blobs = Blobs::open(&settings.data_dir, &store, opening.accept_files)?;
        let health = Health::of_database(&folder.database_path())?;
        let observed = Observed::open(&store, &clock)?;
        let indexer = Indexer::start(store.clone(), settings.data_dir.join(INDEX))?;
        let fetcher = Fetcher::new(settings.fetch.clone(), settings.limits.of_fetches());
        let renditions = Renditions::open(&settings, store.reserve().clone())?;
        let passkeys = Passkeys::at(&settings.public_url);
        let budget = Arc::new(Budget::of(&settings));
        let passwords = Passwords::of(settings.members.password_cost);
        let throttle = Throttle::new(settings.members.limit_sign_ins);
        let processing = Processing::since(clock.now());
        let core = Self(Arc::new(Inner {
            settings,
            metrics,
            clock,
            observed,
            health,
            store,
            blobs,
            indexer,
            fetcher,
            renditions,
            processing,
            scans: Scans::default(),
            library_order: LibraryOrder::default(),
            cached_results: CachedResults::default(),
            key_use: LastUse::default(),
            session_use: LastUse::default(),
            refusals: Refusals::default(),
            passkeys,
            passwords,
            throttle,
            budget,
            active_uploads: ActiveUploads::default(),
            test_control,
        }));
        core.load_damaged()?;
        Ok(core)
    }

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

    fn observed(&self) -> &Observed {
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

    /// Runs `work` in a write transaction, after checking again that the key may still change the library.
    async fn change<T, F>(&self, grant: &WriteGrant, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &WriteGrant, Millis) -> Result<T> + Send + 'static,
    {
        self.change_as(ReserveUse::Never, grant, work).await
    }

    /// [`Core::change`] that goes on when the disk is full: for what frees space.
    async fn change_always<T, F>(&self, grant: &WriteGrant, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &WriteGrant, Millis) -> Result<T> + Send + 'static,
    {
        self.change_as(ReserveUse::Allowed, grant, work).await
    }

    async fn change_as<T, F>(&self, reserve_use: ReserveUse, grant: &WriteGrant, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &WriteGrant, Millis) -> Result<T> + Send + 'static,
    {
        let (grant, now) = (grant.clone(), self.now());
        self.store()
            .write_as(reserve_use, move |tx| {
                grant.confirm(tx, now)?;
                tx.expect_library(&grant)?;
                work(tx, &grant, now)
            })
            .await
    }

    /// Runs `work` in a write transaction, after checking again that the administrator still is one.
    async fn administrate<T, F>(&self, by: Administrator, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &Administrator, Millis) -> Result<T> + Send + 'static,
    {
        self.administrate_as(ReserveUse::Never, by, work).await
    }

    /// [`Core::administrate`] that goes on when the disk is full: for what frees space, revokes, or lets someone in.
    async fn administrate_always<T, F>(&self, by: Administrator, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &Administrator, Millis) -> Result<T> + Send + 'static,
    {
        self.administrate_as(ReserveUse::Allowed, by, work).await
    }

    async fn administrate_as<T, F>(
        &self,
        reserve_use: ReserveUse,
        by: Administrator,
        mut work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &Administrator, Millis) -> Result<T> + Send + 'static,
    {
        let now = self.now();
        self.store()
            .write_as(reserve_use, move |tx| {
                by.confirm(tx, now)?;
                work(tx, &by, now)
            })
            .await
    }
}

fn open_store(folder: &DataFolder, options: &StoreOptions, opening: Opening) -> Result<Store> {
    let path = folder.database_path();
    match folder.check()? {
        Database::Present => Store::open(&path, options).map_err(|error| store::not_opened(&path, error)),
        found @ (Database::Missing | Database::Empty) => {
            folder.check_new(found, opening)?;
            Store::create(&path, &folder.new_database_path(), options)
        }
    }
}

#[cfg(test)]
mod tests;
