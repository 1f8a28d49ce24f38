//! Opens a data directory.

use std::sync::Arc;

use super::audit::Refusals;
use super::browse::window::CachedResults;
use super::budget::Budget;
use super::clock::Clock;
use super::data_dir::{DataDir, Database, INDEX, Opening};
use super::disk::{Disk, LocalDisk};
use super::health::Health;
use super::index::Indexer;
use super::last_use::LastUse;
use super::library_order::LibraryOrder;
use super::members::{Passkeys, Passwords, Throttle};
use super::observed_time::TimeObserver;
use super::processing::Processing;
use super::renditions::Renditions;
use super::scans::Scans;
use super::settings::Settings;
use super::store::files::Blobs;
use super::store::{self, Reserve, Store, StoreOptions};
use super::test_control::TestControl;
use super::uploads::ActiveUploads;
use super::{Core, Inner};
use crate::error::Result;
use crate::fetch::Fetcher;
use crate::telemetry::metrics::Metrics;

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
        let folder = DataDir::make(&settings.data_dir)?;
        let reserve = Reserve::open(Arc::clone(&disk), &settings.data_dir, settings.reserve_bytes)?;
        let metrics = Arc::new(Metrics::default());
        let options =
            StoreOptions { cache_bytes: settings.cache_bytes, disk, reserve, metrics: metrics.store.clone() };
        let store = open_store(&folder, &options, opening)?;
        let blobs = Blobs::open(&settings.data_dir, &store, opening.accept_files)?;
        let observed = TimeObserver::open(&store, &clock)?;
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
            health: Health::default(),
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
}

fn open_store(folder: &DataDir, options: &StoreOptions, opening: Opening) -> Result<Store> {
    let path = folder.database_path();
    match folder.check()? {
        Database::Present => Store::open(&path, options).map_err(|error| store::not_opened(&path, error)),
        found @ (Database::Missing | Database::Empty) => {
            folder.check_new(found, opening)?;
            Store::create(&path, &folder.new_database_path(), options)
        }
    }
}
