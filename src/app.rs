//! The operations: what can be asked of the server, whichever transport asks.
//!
//! [`App`] is the handle that transports hold. An operation takes a [`Caller`](access::Caller) and the ids that
//! the client sent, and is the only place that turns them into grants. `app` knows no HTTP, JSON-RPC or GraphQL.

use std::sync::Arc;

use crate::error::Result;

pub mod access;
pub mod arrangement;
pub mod assets;
pub mod audit;
pub mod clock;
mod fetch;
pub mod id;
mod index;
pub mod jobs;
pub mod keys;
mod last_use;
pub mod libraries;
pub mod media;
pub mod members;
pub mod model;
pub mod name;
pub mod organizations;
pub mod page;
pub mod pictures;
pub mod preview;
pub mod processing;
pub mod published;
pub mod renditions;
mod scans;
pub mod search;
pub mod settings;
mod store;
pub mod trash;
pub mod uploads;
pub mod variants;

use access::{Administrator, WriteGrant};
use audit::Refusals;
use clock::{Clock, Millis};
use fetch::Fetcher;
use id::KeyId;
use index::Indexer;
use last_use::LastUse;
use members::{Passkeys, Passwords, SessionDigest, Throttle};
use processing::Processing;
use renditions::Renditions;
use scans::Scans;
use settings::Settings;
use store::blobs::Blobs;
use store::{Store, Tx};

/// One data directory, opened. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    settings: Settings,
    clock: Clock,
    store: Store,
    blobs: Blobs,
    indexer: Indexer,
    fetcher: Fetcher,
    renditions: Renditions,
    processing: Processing,
    scans: Scans,
    key_use: LastUse<KeyId>,
    session_use: LastUse<SessionDigest>,
    refusals: Refusals,
    passkeys: Passkeys,
    passwords: Passwords,
    throttle: Throttle,
}

impl App {
    /// Opens the data directory, or makes it, and brings everything in it up to date.
    ///
    /// # Errors
    /// When another process holds it, or the disk fails, or a newer rasterd wrote it.
    pub fn open(settings: Settings, clock: Clock) -> Result<Self> {
        std::fs::create_dir_all(&settings.data_dir)?;
        let store = Store::open(&settings.data_dir.join("rasterd.redb"), settings.cache_bytes)?;
        let blobs = Blobs::open(&settings.data_dir)?;
        let indexer = Indexer::start(store.clone(), settings.data_dir.join("index"))?;
        let fetcher = Fetcher::new(settings.fetch.clone(), &settings.limits);
        let renditions = Renditions::open(&settings)?;
        let passkeys = Passkeys::at(&settings.public_url);
        Ok(Self(Arc::new(Parts {
            settings,
            clock,
            store,
            blobs,
            indexer,
            fetcher,
            renditions,
            processing: Processing::default(),
            scans: Scans::default(),
            key_use: LastUse::default(),
            session_use: LastUse::default(),
            refusals: Refusals::default(),
            passkeys,
            passwords: Passwords::default(),
            throttle: Throttle::default(),
        })))
    }

    /// The configuration.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
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

    /// Whether changes are taken: not after the disk failed.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.store.is_writable()
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

    fn scans(&self) -> &Scans {
        &self.0.scans
    }

    fn key_use(&self) -> &LastUse<KeyId> {
        &self.0.key_use
    }

    fn session_use(&self) -> &LastUse<SessionDigest> {
        &self.0.session_use
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

    /// Runs `work` in a write transaction, after looking again whether the key may still change the library.
    async fn change<T, F>(&self, grant: &WriteGrant, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &WriteGrant, Millis) -> Result<T> + Send + 'static,
    {
        let (grant, now) = (grant.clone(), self.now());
        self.store()
            .write(move |tx| {
                grant.confirm(tx, now)?;
                tx.expect_library(&grant)?;
                work(tx, &grant, now)
            })
            .await
    }

    /// Runs `work` in a write transaction, after looking again whether the administrator still is one.
    async fn administrate<T, F>(&self, by: Administrator, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>, &Administrator, Millis) -> Result<T> + Send + 'static,
    {
        let now = self.now();
        self.store()
            .write(move |tx| {
                by.confirm(tx, now)?;
                work(tx, &by, now)
            })
            .await
    }
}
