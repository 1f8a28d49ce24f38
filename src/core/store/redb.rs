//! The store in redb: the only room that names its types and tables. Snapshots to read, and one queue of writes that
//! share an fsync.
//!
//! A write is a closure that may run more than once. Those that wait together run in one transaction
//! and share its fsync; one that fails leaves no trace, because a transaction that it had already
//! changed is thrown away and the others run again without it.

use std::io::ErrorKind;
use std::ops::{Bound, ControlFlow};
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::watch;

use crate::core::data_folder::{RESTORE, refusal};
use crate::error::{Error, Result};

mod assets;
mod audit;
mod blobs;
mod changes;
mod guard;
mod keys;
mod libraries;
mod members;
mod migrate;
mod older;
mod seen;
mod tables;
mod tags;
mod trash;
mod work;
mod write;

pub use guard::in_words;
pub use write::Tx;

use guard::guarded;

/// What is read of the database and kept by it, cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Arc<Database>,
    writer: write::Writer,
}

/// A consistent snapshot to read from. Short-lived: an old one keeps the database from reusing its pages.
pub struct Snapshot {
    tx: ReadTransaction,
}

impl Store {
    /// Opens the database, and brings its schema up to date.
    ///
    /// # Errors
    /// When the file is another process's, damaged, or of a newer rasterd.
    pub fn open(path: &Path, cache_bytes: usize) -> Result<Self> {
        guarded(|| {
            let db = Database::builder().set_cache_size(cache_bytes).open(path).map_err(storage)?;
            migrate::run(&db)?;
            Self::of(db)
        })
    }

    /// Makes a database. It is made at `unfinished` and moved to `path` when it is whole.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn create(path: &Path, unfinished: &Path, cache_bytes: usize) -> Result<Self> {
        super::files::remove_if_there(unfinished)?;
        let db = Database::builder().set_cache_size(cache_bytes).create(unfinished).map_err(storage)?;
        migrate::run(&db)?;
        std::fs::rename(unfinished, path)?;
        path.parent().map_or(Ok(()), super::files::sync_dir)?;
        Self::of(db)
    }

    fn of(db: Database) -> Result<Self> {
        let db = Arc::new(db);
        Ok(Self { writer: write::Writer::start(Arc::clone(&db))?, db })
    }

    /// A snapshot of everything committed so far.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn snapshot(&self) -> Result<Snapshot> {
        guarded(|| Ok(Snapshot { tx: self.db.begin_read().map_err(storage)? }))
    }

    /// Runs `work` in the next transaction and returns after its fsync. The closure may run more than once.
    ///
    /// # Errors
    /// What `work` answers; `SERVICE_UNAVAILABLE` after the disk failed once.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// [`Store::write`] for threads that may block.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run_blocking(work)
    }

    /// Sets a stamp of the database while it is being opened, when nothing else writes.
    fn stamp(&self, name: &'static str, value: u64) -> Result<()> {
        guarded(|| {
            let tx = self.db.begin_write().map_err(storage)?;
            tx.open_table(tables::META).map_err(storage)?.insert(name, value).map_err(storage)?;
            tx.commit().map_err(storage)
        })
    }

    /// Is notified of every commit from now on that changed something.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.writer.commits()
    }

    /// Whether the store still takes writes; it closes to them for good when a commit fails.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writer.is_open()
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
        guarded(|| lookup_in(&self.tx.open_table(table).map_err(storage)?, key, read))
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
            keys.map(|key| lookup_in(&table, key, &mut read)).collect()
        })
    }
}

fn lookup_in<K: redb::Key + 'static, V: redb::Value + 'static, R>(
    table: &impl ReadableTable<K, V>,
    key: K::SelfType<'_>,
    read: impl FnOnce(V::SelfType<'_>) -> Result<R>,
) -> Result<Option<R>> {
    table.get(key).map_err(storage)?.map(|value| read(value.value())).transpose()
}

fn scan_in<'a, K: redb::Key + 'static, V: redb::Value + 'static>(
    table: &impl ReadableTable<K, V>,
    range: (Bound<K::SelfType<'a>>, Bound<K::SelfType<'a>>),
    mut visit: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    for entry in table.range::<K::SelfType<'a>>(range).map_err(storage)? {
        let (key, value) = entry.map_err(storage)?;
        if visit(key.value(), value.value())?.is_break() {
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
