//! The open database: its file as redb's storage, and how it is opened again after its disk failed.
//!
//! redb answers nothing after an error of its disk until it is opened again. When that is not possible for writing, it is
//! opened for reading: what it would write stays in memory then and is thrown away.

use std::fmt::{self, Debug};
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use redb::backends::FileBackend;
use redb::{
    BackendError, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageBackend, WriteTransaction,
};
use rustix::fs::{Advice, fadvise};

use super::overlay::Overlay;
use super::tables::META;
use super::{guarded, storage};
use crate::core::disk::Disk;
use crate::core::store::reserve::Reserve;
use crate::error::{Error, Result, io_error_at};

/// How often the database was opened again after its disk failed: something to commit, to see whether that works.
const REOPENED: &str = "reopened";

/// The identity of a file, beyond its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    number: u64,
}

impl FileIdentity {
    fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::metadata(path)?;
        Ok(Self { device: found.dev(), number: found.ino() })
    }
}

/// The database, which may be opened again while others hold this.
pub struct OpenDatabase {
    path: PathBuf,
    identity: FileIdentity,
    cache_bytes: usize,
    disk: Arc<dyn Disk>,
    reserve: Reserve,
    /// None only while it is opened again, and when even reading failed.
    opened: RwLock<Option<Database>>,
}

impl OpenDatabase {
    /// Opens the database at this path, or makes one in an empty file.
    ///
    /// # Errors
    /// When the file is another process's or damaged; when the disk fails.
    pub fn open(path: &Path, cache_bytes: usize, disk: Arc<dyn Disk>, reserve: Reserve) -> Result<Self> {
        let (path, opened) = (path.to_owned(), RwLock::new(None));
        let mut database =
            Self { path, identity: FileIdentity::default(), cache_bytes, disk, reserve, opened };
        let opened = database.opened_for(Purpose::Writing)?;
        // Only now: on some file systems of containers, opening a file for writing makes another one of it.
        database.identity = FileIdentity::of(&database.path)?;
        *database.opened.write().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        Ok(database)
    }

    /// The disk that it is on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The reserve of its disk.
    pub fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// Checks that the file which was opened is still at its path: what is written to another one is lost.
    ///
    /// # Errors
    /// When it was moved away, deleted or replaced.
    pub fn expect_in_place(&self) -> io::Result<()> {
        let found = FileIdentity::of(&self.path).map_err(|cause| io_error_at(&self.path, &cause))?;
        if found == self.identity {
            return Ok(());
        }
        Err(io::Error::other(format!("{} is another file now", self.path.display())))
    }

    /// Begins to read what was committed so far.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn begin_read(&self) -> Result<ReadTransaction> {
        guarded(|| self.opened().as_ref().ok_or_else(not_open)?.begin_read().map_err(storage))
    }

    /// Begins a durable transaction.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn begin_write(&self) -> Result<WriteTransaction> {
        guarded(|| {
            let mut tx = self.opened().as_ref().ok_or_else(not_open)?.begin_write().map_err(storage)?;
            tx.set_durability(Durability::Immediate).map_err(storage)?;
            // Opens a large database at once after a crash; brings two-phase commit, which values from strangers call
            // for.
            tx.set_quick_repair(true);
            Ok(tx)
        })
    }

    /// Opens the database again after its disk failed, and commits something to see whether it works. When it does not,
    /// the database is open for reading, if possible.
    ///
    /// # Errors
    /// When it does not work.
    pub fn reopen(&self) -> Result<()> {
        // Another file would take the place of the one that is open.
        self.expect_in_place()?;
        let outcome = self.replace(Purpose::Writing).and_then(|()| self.commit_something());
        if outcome.is_err()
            && let Err(error) = self.replace(Purpose::Reading)
        {
            tracing::error!(cause = ?error.cause(), "the database can't even be read");
        }
        outcome
    }

    /// Closes the database and opens it again.
    fn replace(&self, purpose: Purpose) -> Result<()> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        // Before it is opened again, because it holds the lock of its file.
        drop(opened.take());
        *opened = Some(self.opened_for(purpose)?);
        Ok(())
    }

    fn commit_something(&self) -> Result<()> {
        let tx = self.begin_write()?;
        guarded(|| {
            let mut meta = tx.open_table(META).map_err(storage)?;
            let times = meta.get(REOPENED).map_err(storage)?.map_or(0, |times| times.value());
            meta.insert(REOPENED, times.saturating_add(1)).map_err(storage)?;
            drop(meta);
            tx.commit().map_err(storage)
        })
    }

    fn opened_for(&self, purpose: Purpose) -> Result<Database> {
        let file = match purpose {
            Purpose::Writing => OpenOptions::new().read(true).write(true).open(&self.path)?,
            Purpose::Reading => File::open(&self.path)?,
        };
        // After a failed sync the system may show bytes that never reached the disk. Read it from there.
        let _only_a_hint = fadvise(&file, 0, None, Advice::DontNeed);
        let backend = DatabaseFile {
            locks: FileBackend::new(file.try_clone()?).map_err(storage)?,
            file,
            path: self.path.clone(),
            disk: Arc::clone(&self.disk),
            reserve: self.reserve.clone(),
            overlay: match purpose {
                Purpose::Writing => None,
                Purpose::Reading => Some(Mutex::default()),
            },
        };
        guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(self.cache_bytes).create_with_backend(backend).map_err(storage)
        })
    }

    fn opened(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_open() -> Error {
    Error::internal(DatabaseError::from(redb::StorageError::PreviousIo))
}

#[derive(Debug, Clone, Copy)]
enum Purpose {
    Writing,
    Reading,
}

/// The file of the database.
struct DatabaseFile {
    file: File,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    reserve: Reserve,
    /// redb's own way to lock the file against other processes.
    locks: FileBackend,
    /// What was written, where the file may only be read.
    overlay: Option<Mutex<Overlay>>,
}

impl Debug for DatabaseFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the database {}", self.path.display())
    }
}

impl DatabaseFile {
    /// What is written in memory, where the file may only be read.
    fn overlay(&self) -> Option<std::sync::MutexGuard<'_, Overlay>> {
        self.overlay.as_ref().map(|overlay| overlay.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl StorageBackend for DatabaseFile {
    fn len(&self) -> io::Result<u64> {
        match self.overlay() {
            Some(overlay) => overlay.len(&self.file),
            None => Ok(self.file.metadata()?.len()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.overlay() {
            Some(overlay) => overlay.read(&self.file, offset, out),
            None => self.locks.read(offset, out),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        match self.overlay() {
            Some(mut overlay) => {
                overlay.set_len(len);
                Ok(())
            }
            None => self.reserve.with_room(|| self.disk.set_len(&self.file, &self.path, len)),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.overlay.is_some() { Ok(()) } else { self.disk.sync(&self.file, &self.path) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match self.overlay() {
            Some(mut overlay) => overlay.write(&self.file, offset, data),
            None => self.reserve.with_room(|| self.disk.write(&self.file, &self.path, offset, data)),
        }
    }

    fn close(&self) -> io::Result<()> {
        self.locks.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        // A file that is only open for reading can't be locked against readers; the data directory is ours anyway.
        if self.overlay.is_some() {
            Err(BackendError::Unsupported)
        } else {
            self.locks.try_lock_range(start, end)
        }
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.locks.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locks.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locks.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locks.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.locks.query_lock_range(start, end)
    }
}
