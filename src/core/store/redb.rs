//! The store in redb: the only module that names its types and tables. Snapshots to read, and one queue of writes that
//! share an fsync.
//!
//! A write is a closure that may run more than once. Those that wait together run in one transaction
//! and share its fsync; one that fails leaves no trace, because a transaction that it had already
//! changed is thrown away and the others run again without it.

use std::io::ErrorKind;
use std::ops::{Bound, ControlFlow};
use std::path::Path;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, TableHandle};
use tokio::sync::watch;

use super::reserve::Reserve;
use crate::core::data_dir::{RESTORE, refusal};
use crate::core::disk::{Disk, LocalDisk};
use crate::error::{Error, Result};
use crate::file_mode;
use crate::telemetry::metrics::StoreMetrics;

mod asset_events;
mod assets;
mod audit;
mod backups;
mod blobs;
mod changes;
mod check;
mod copy;
mod database;
mod guard;
mod import;
mod keys;
mod libraries;
mod members;
mod migrate;
mod observed_time;
mod older;
mod open_uploads;
mod order;
mod overlay;
mod pages;
mod quotas;
mod rebuild;
mod recovery;
mod rewind;
mod scrub;
mod tables;
mod tags;
mod transaction;
mod trash;
mod upgrade;
mod work;
mod write;

pub use guard::in_words;
pub use migrate::SCHEMA;
pub use pages::{PageCheck, check_pages};
pub use recovery::StoreState;
pub use transaction::Tx;
pub use write::ReserveUse;

use database::OpenDatabase;
use guard::guarded;
use recovery::Recovery;
use tables::located;

/// What is read of the database and kept by it, cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: Arc<OpenDatabase>,
    writer: write::Writer,
}

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The size of its cache in memory, in bytes.
    pub cache_bytes: usize,
    /// The disk that it is on.
    pub disk: Arc<dyn Disk>,
    /// The reserve of that disk.
    pub reserve: Reserve,
    /// Counts its commits.
    pub metrics: StoreMetrics,
}

/// A consistent snapshot to read from. Short-lived: an old one keeps the database from reusing its pages.
pub struct Snapshot {
    tx: ReadTransaction,
}

impl StoreOptions {
    /// Those of a copy of a database in a folder, which needs no reserve of its own.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of_a_copy(folder: &Path, cache_bytes: usize) -> Result<Self> {
        let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
        let reserve = Reserve::open(Arc::clone(&disk), folder, 1)?;
        Ok(Self { cache_bytes, disk, reserve, metrics: StoreMetrics::unread() })
    }

    fn open(&self, path: &Path) -> Result<OpenDatabase> {
        let Self { cache_bytes, disk, reserve, .. } = self.clone();
        OpenDatabase::open(path, cache_bytes, disk, reserve)
    }
}

impl Store {
    /// Opens the database, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file is another process's, damaged, or of a newer rasterd.
    pub fn open(path: &Path, options: &StoreOptions) -> Result<Self> {
        guarded(|| {
            let mut database = options.open(path)?;
            if upgrade::is_due(&database)? {
                drop(database);
                upgrade::keep_copy(path, options.disk.as_ref())?;
                database = options.open(path)?;
            }
            migrate::run(&database)?;
            Self::of(database, options)
        })
    }

    /// Makes a database. It is made at `unfinished` and moved to `path` when it is whole.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn create(path: &Path, unfinished: &Path, options: &StoreOptions) -> Result<Self> {
        options.disk.remove(unfinished)?;
        // The file's mode must not depend on the umask.
        file_mode::create_file(unfinished)?;
        let database = options.open(unfinished)?;
        migrate::run(&database)?;
        drop(database);
        options.disk.rename(unfinished, path)?;
        path.parent().map_or(Ok(()), |folder| options.disk.sync_folder(folder))?;
        Self::of(options.open(path)?, options)
    }

    fn of(database: OpenDatabase, options: &StoreOptions) -> Result<Self> {
        let database = Arc::new(database);
        let writer = write::Writer::start(Arc::clone(&database), options.metrics.clone())?;
        Ok(Self { database, writer })
    }

    /// Checks that the file of the database is still where it was opened. Without it, no change is taken.
    ///
    /// # Errors
    /// When it was moved away, deleted or replaced.
    pub fn expect_in_place(&self) -> std::io::Result<()> {
        self.database.expect_in_place()
    }

    /// A snapshot of everything committed so far.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot { tx: self.database.begin_read()? })
    }

    /// Runs `work` in the next transaction and returns after its fsync. The closure may run more than once.
    ///
    /// # Errors
    /// What `work` answers; `STORAGE_FULL` when the disk is full; `SERVICE_UNAVAILABLE` after it failed.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(ReserveUse::Never, work).await
    }

    /// [`Store::write`] that goes on when the disk is full: for what frees space, revokes, or lets someone in.
    ///
    /// # Errors
    /// What `work` answers; `SERVICE_UNAVAILABLE` after the disk failed.
    pub async fn write_always<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(ReserveUse::Allowed, work).await
    }

    /// [`Store::write`] with the choice between the two.
    ///
    /// # Errors
    /// As there.
    pub async fn write_as<T, F>(&self, reserve_use: ReserveUse, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(reserve_use, work).await
    }

    /// [`Store::write`] for threads that may block.
    ///
    /// # Errors
    /// As there.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run_blocking(ReserveUse::Never, work)
    }

    /// [`Store::write_always`] for threads that may block.
    ///
    /// # Errors
    /// As there.
    pub fn write_always_blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run_blocking(ReserveUse::Allowed, work)
    }

    /// Sets a stamp of the database while it is being opened, when nothing else writes.
    fn stamp(&self, name: &'static str, value: u64) -> Result<()> {
        let tx = self.database.begin_write()?;
        guarded(|| {
            tx.open_table(tables::META).map_err(storage)?.insert(name, value).map_err(storage)?;
            tx.commit().map_err(storage)
        })
    }

    /// Is notified of every commit from now on that changed something.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.writer.commits()
    }

    /// Whether the store takes writes, and if not, what happens next.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        self.writer.recovery()
    }

    /// The disk that the database is on.
    #[must_use]
    pub fn disk(&self) -> &Arc<dyn Disk> {
        self.database.disk()
    }

    /// The reserve of that disk.
    #[must_use]
    pub fn reserve(&self) -> &Reserve {
        self.database.reserve()
    }
}

impl Snapshot {
    /// How many entries a table has.
    fn count<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<u64> {
        guarded(|| self.tx.open_table(table).map_err(storage)?.len().map_err(storage))
    }
}

/// The reads that a snapshot and a write transaction have in common. Queries are implemented once, over this.
pub trait Reader {
    /// Reads the value under `key`, if there is one.
    ///
    /// # Errors
    /// When the disk fails.
    fn lookup<K: redb::Key + 'static, V: redb::Value + 'static, R>(
        &self,
        table: TableDefinition<'_, K, V>,
        key: K::SelfType<'_>,
        read: impl FnOnce(V::SelfType<'_>) -> Result<R>,
    ) -> Result<Option<R>>;

    /// Visits the entries of a range in order, until it is asked to stop.
    ///
    /// # Errors
    /// When the disk fails, or what `visit` answers.
    fn scan<'a, K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
        range: (Bound<K::SelfType<'a>>, Bound<K::SelfType<'a>>),
        visit: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()>;

    /// Reads the values under several keys in one go; `None` where there is none.
    ///
    /// # Errors
    /// When the disk fails, or what `read` answers.
    fn lookup_each<'k, K: redb::Key + 'static, V: redb::Value + 'static, R>(
        &self,
        table: TableDefinition<'_, K, V>,
        keys: impl Iterator<Item = K::SelfType<'k>>,
        read: impl FnMut(V::SelfType<'_>) -> Result<R>,
    ) -> Result<Vec<Option<R>>>;
}

impl Reader for Snapshot {
    fn lookup<K: redb::Key + 'static, V: redb::Value + 'static, R>(
        &self,
        table: TableDefinition<'_, K, V>,
        key: K::SelfType<'_>,
        read: impl FnOnce(V::SelfType<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        guarded(|| lookup_in(&self.tx.open_table(table).map_err(storage)?, &key, read))
    }

    fn scan<'a, K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
        range: (Bound<K::SelfType<'a>>, Bound<K::SelfType<'a>>),
        visit: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        guarded(|| scan_in(&self.tx.open_table(table).map_err(storage)?, range, visit))
    }

    fn lookup_each<'k, K: redb::Key + 'static, V: redb::Value + 'static, R>(
        &self,
        table: TableDefinition<'_, K, V>,
        keys: impl Iterator<Item = K::SelfType<'k>>,
        mut read: impl FnMut(V::SelfType<'_>) -> Result<R>,
    ) -> Result<Vec<Option<R>>> {
        guarded(|| {
            let table = self.tx.open_table(table).map_err(storage)?;
            keys.map(|key| lookup_in(&table, &key, &mut read)).collect()
        })
    }
}

fn lookup_in<K: redb::Key + 'static, V: redb::Value + 'static, R>(
    table: &(impl ReadableTable<K, V> + TableHandle),
    key: &K::SelfType<'_>,
    read: impl FnOnce(V::SelfType<'_>) -> Result<R>,
) -> Result<Option<R>> {
    let Some(value) = table.get(key).map_err(storage)? else { return Ok(None) };
    read(value.value()).map(Some).map_err(|error| located(error, table.name(), key))
}

fn scan_in<'a, K: redb::Key + 'static, V: redb::Value + 'static>(
    table: &(impl ReadableTable<K, V> + TableHandle),
    range: (Bound<K::SelfType<'a>>, Bound<K::SelfType<'a>>),
    mut visit: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    for entry in table.range::<K::SelfType<'a>>(range).map_err(storage)? {
        let (key, value) = entry.map_err(storage)?;
        let visited = visit(key.value(), value.value());
        if visited.map_err(|error| located(error, table.name(), &key.value()))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The range from `first` to `last`, both included.
fn between<K>(first: K, last: K) -> (Bound<K>, Bound<K>) {
    (Bound::Included(first), Bound::Included(last))
}

/// The whole table.
fn everything<K>() -> (Bound<K>, Bound<K>) {
    (Bound::Unbounded, Bound::Unbounded)
}

/// Any failure of the database, as the client sees it.
fn storage(cause: impl Into<redb::Error>) -> Error {
    Error::internal(cause.into())
}

/// Why a database could not be opened, and what to do.
pub fn not_opened(path: &Path, error: Error) -> Error {
    let Some(cause) = error.cause() else { return error };
    let (wrong, advice) = match cause.downcast_ref::<redb::Error>() {
        Some(redb::Error::DatabaseAlreadyOpen) => {
            ("is open in another process".to_owned(), "Stop that first")
        }
        Some(redb::Error::Io(cause))
            if !matches!(cause.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            (
                format!("can't be read and written: {cause}"),
                "See that rasterd may do both, and that its disk works",
            )
        }
        Some(cause) => (format!("is damaged: {cause}"), RESTORE),
        None => (format!("can't be used: {cause}"), RESTORE),
    };
    refusal(path, &wrong, advice)
}

#[cfg(test)]
mod tests;
