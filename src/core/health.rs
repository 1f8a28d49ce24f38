//! Checks whether the server can work: files can be written and read, and the folders are still the ones that it
//! opened. Checked from time to time, away from the threads that answer requests; changes are logged.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Core;
use super::store::{ChangeQueries, Store, StoreState};
use crate::core::store::files::Blobs;
use crate::error::{Code, Error, Result, is_out_of_space};

/// For how long a result is valid.
const FRESH: Duration = Duration::from_secs(5);
/// How long the disk may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The reason when the disk is full.
const FULL: &str = "its disk is full";

/// What is wrong.
#[derive(Debug, Clone)]
struct Fault {
    /// For clients: without a path.
    reason: &'static str,
    /// For the log.
    detail: String,
}

/// The last check of the disk.
#[derive(Default)]
pub(super) struct Health {
    last: Mutex<Last>,
    is_looking: Arc<AtomicBool>,
    database: Option<Identity>,
}

#[derive(Default)]
struct Last {
    looked: Option<Instant>,
    fault: Option<Fault>,
}

/// The identity of a file, beyond its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    path: PathBuf,
    device: u64,
    number: u64,
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), number: found.ino() })
    }
}

impl Health {
    /// Records the identity of the database file.
    pub fn of_database(path: &Path) -> io::Result<Self> {
        Ok(Self { database: Some(Identity::of(path)?), ..Self::default() })
    }

    /// Whether the last result is still valid.
    fn is_fresh(&self) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.looked.is_some_and(|looked| looked.elapsed() < FRESH)
    }

    /// The last result.
    fn last(&self) -> Option<Fault> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).fault.clone()
    }

    /// Keeps a result, and logs it when the state changed.
    fn keep(&self, fault: Option<Fault>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (&last.fault, &fault) {
            (Some(_), None) => tracing::info!("ready again: files can be written and read"),
            (before, Some(fault)) if before.as_ref().is_none_or(|before| before.reason != fault.reason) => {
                tracing::error!("not ready: {}: {}", fault.reason, fault.detail);
            }
            (Some(_), Some(_)) | (None, Some(_) | None) => {}
        }
        *last = Last { looked: Some(Instant::now()), fault };
    }
}

impl Core {
    /// Checks that the server can work. Checks the disk unless that was done within the last seconds.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` with the reason.
    pub async fn check_ready(&self) -> Result<()> {
        match self.store().recovery().state() {
            StoreState::Writable => {}
            StoreState::Full => return Err(not_ready(FULL)),
            StoreState::Failed => {
                return Err(not_ready("its disk failed and it accepts no changes; it tries again by itself"));
            }
            StoreState::GivenUp => {
                return Err(not_ready(
                    "its disk failed and it accepts no more changes; it must be restarted",
                ));
            }
        }
        let fault = if self.health().is_fresh() { self.health().last() } else { self.look_at_disk().await };
        fault.map_or(Ok(()), |fault| Err(not_ready(fault.reason)))
    }

    /// Whether only a restart can help: the disk failed, and all attempts to open the database again failed, too.
    #[must_use]
    pub fn needs_restart(&self) -> bool {
        self.store().recovery().state() == StoreState::GivenUp
    }

    /// Checks the disk, unless another check is running.
    async fn look_at_disk(&self) -> Option<Fault> {
        let health = self.health();
        if health.is_looking.swap(true, Ordering::AcqRel) {
            return health.last();
        }
        let (blobs, store) = (self.blobs().clone(), self.store().clone());
        let (database, is_looking) = (health.database.clone(), Arc::clone(&health.is_looking));
        let looked = spawn_blocking(move || {
            let fault = look(&blobs, &store, database.as_ref()).err();
            is_looking.store(false, Ordering::Release);
            fault
        });
        let fault = match timeout(PATIENCE, looked).await {
            Ok(Ok(fault)) => fault,
            Ok(Err(error)) => {
                health.is_looking.store(false, Ordering::Release);
                Some(Fault { reason: "its disk could not be checked", detail: error.to_string() })
            }
            Err(_) => Some(Fault {
                reason: "its disk does not answer",
                detail: format!("nothing was written within {} seconds", PATIENCE.as_secs()),
            }),
        };
        health.keep(fault.clone());
        fault
    }
}

fn look(blobs: &Blobs, store: &Store, database: Option<&Identity>) -> Result<(), Fault> {
    if let Some(database) = database {
        let found = Identity::of(&database.path);
        if found.as_ref().ok() != Some(database) {
            let reason = "its database was moved away or replaced while it ran";
            let cause = found.map_or_else(|error| error.to_string(), |_| "it is another file now".to_owned());
            return Err(Fault { reason, detail: format!("{}: {cause}", database.path.display()) });
        }
    }
    let number = store.snapshot().and_then(|snapshot| snapshot.database()).map_err(|error| Fault {
        reason: "its database can't be read",
        detail: error.cause().map_or_else(|| error.to_string(), ToString::to_string),
    })?;
    let files = blobs.folder().display();
    match blobs.marked_with() {
        Ok(Some(found)) if found == number => {}
        Ok(_) => {
            let reason = "the folder of its files is missing, empty, or a different one";
            return Err(Fault { reason, detail: format!("no marker of this database in {files}") });
        }
        Err(error) => {
            return Err(Fault { reason: "its files can't be read", detail: format!("{files}: {error}") });
        }
    }
    blobs.try_out().map_err(|error| {
        let reason = match error.kind() {
            _full if is_out_of_space(&error) => FULL,
            ErrorKind::InvalidData => "its disk returns other bytes than were written",
            ErrorKind::ReadOnlyFilesystem => "its disk can only be read",
            _other => "files can't be written",
        };
        Fault { reason, detail: format!("{files}: {error}") }
    })?;
    if store.reserve().is_short() {
        let detail = "only what frees space, revokes, or lets someone in is written; reading goes on";
        return Err(Fault { reason: FULL, detail: detail.to_owned() });
    }
    Ok(())
}

fn not_ready(reason: &str) -> Error {
    Error::new(Code::ServiceUnavailable, format!("The server is not ready: {reason}."))
}
