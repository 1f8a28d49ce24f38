//! Checks whether the server can work, by parts: the database, the disk, the files, the search index, the work after
//! uploads. Checked from time to time, away from the threads that answer requests; changes are logged.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Core;
use super::store::{ChangeQueries, Store, StoreState};
use crate::core::store::files::Blobs;
use crate::error::{Code, Error, Result, is_out_of_space};
use crate::telemetry::metrics::Check;

/// For how long a result is valid.
const FRESH: Duration = Duration::from_secs(5);
/// How long the disk may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is checked here, in the order in which the first failure is reported.
const CHECKS: [Check; 5] = [Check::Store, Check::Disk, Check::Files, Check::Index, Check::Queue];
/// The reason when the disk is full.
const FULL: &str = "its disk is full";

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthCheck {
    /// What was checked.
    pub check: Check,
    /// What is wrong, without a path or a name; none when it is fine.
    pub problem: Option<&'static str>,
}

/// What is wrong.
#[derive(Debug, Clone)]
struct FailedCheck {
    check: Check,
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
}

#[derive(Default)]
struct Last {
    looked: Option<Instant>,
    faults: Vec<FailedCheck>,
}

impl Health {
    /// Whether the last result is still valid.
    fn is_fresh(&self) -> bool {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.looked.is_some_and(|looked| looked.elapsed() < FRESH)
    }

    /// The last result.
    fn last(&self) -> Vec<FailedCheck> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).faults.clone()
    }

    /// Keeps a result, and logs it when the state changed.
    fn keep(&self, faults: Vec<FailedCheck>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (last.faults.first(), faults.first()) {
            (Some(_), None) => tracing::info!("ready again: files can be written and read"),
            (before, Some(fault)) if before.is_none_or(|before| before.reason != fault.reason) => {
                tracing::error!("not ready: {}: {}", fault.reason, fault.detail);
            }
            (Some(_), Some(_)) | (None, Some(_) | None) => {}
        }
        *last = Last { looked: Some(Instant::now()), faults };
    }
}

impl Core {
    /// Checks that the server can work. Checks the disk unless that was done within the last seconds.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` with the reason.
    pub async fn check_ready(&self) -> Result<()> {
        let problem = self.health_checks().await.into_iter().find_map(|check| check.problem);
        problem.map_or(Ok(()), |reason| Err(not_ready(reason)))
    }

    /// The result of each check. Checks the disk unless that was done within the last seconds.
    pub async fn health_checks(&self) -> Vec<HealthCheck> {
        let mut faults: Vec<FailedCheck> = store_fault(self.store().recovery().state()).into_iter().collect();
        faults.extend(if self.health().is_fresh() || !faults.is_empty() {
            self.health().last()
        } else {
            self.look_at_disk().await
        });
        let problem = |check| faults.iter().find(|fault| fault.check == check).map(|fault| fault.reason);
        CHECKS.map(|check| HealthCheck { check, problem: problem(check) }).to_vec()
    }

    /// Whether only a restart can help: the disk failed, and all attempts to open the database again failed, too.
    #[must_use]
    pub fn needs_restart(&self) -> bool {
        self.store().recovery().state() == StoreState::GivenUp
    }

    /// Checks the disk, unless another check is running.
    async fn look_at_disk(&self) -> Vec<FailedCheck> {
        let health = self.health();
        if health.is_looking.swap(true, Ordering::AcqRel) {
            return health.last();
        }
        let (core, is_looking) = (self.clone(), Arc::clone(&health.is_looking));
        let looked = spawn_blocking(move || {
            let faults = core.find_faults();
            is_looking.store(false, Ordering::Release);
            faults
        });
        let faults = match timeout(PATIENCE, looked).await {
            Ok(Ok(faults)) => faults,
            Ok(Err(error)) => {
                health.is_looking.store(false, Ordering::Release);
                let reason = "its disk could not be checked";
                vec![FailedCheck { check: Check::Disk, reason, detail: error.to_string() }]
            }
            Err(_) => vec![FailedCheck {
                check: Check::Disk,
                reason: "its disk does not answer",
                detail: format!("nothing was written within {} seconds", PATIENCE.as_secs()),
            }],
        };
        health.keep(faults.clone());
        faults
    }

    /// Everything that is wrong, in the order of [`CHECKS`]. Blocks.
    fn find_faults(&self) -> Vec<FailedCheck> {
        let (blobs, store) = (self.blobs(), self.store());
        let (number, unreadable) = match database_number(store) {
            Ok(number) => (Some(number), None),
            Err(fault) => (None, Some(fault)),
        };
        let mut faults: Vec<FailedCheck> = [
            unreadable,
            check_marker(blobs, number).err(),
            check_writes(blobs).err(),
            check_room(store).err(),
            self.check_index().err(),
            self.check_queue().err(),
        ]
        .into_iter()
        .flatten()
        .collect();
        faults.sort_by_key(|fault| CHECKS.iter().position(|check| *check == fault.check));
        faults
    }

    fn check_index(&self) -> Result<(), FailedCheck> {
        if self.indexer().is_working() {
            return Ok(());
        }
        let (reason, detail) =
            ("its search index failed", "it is opened again; the log has the cause".to_owned());
        Err(FailedCheck { check: Check::Index, reason, detail })
    }

    fn check_queue(&self) -> Result<(), FailedCheck> {
        let reason = "the work after uploads does not go on";
        match self.is_work_stuck() {
            Ok(false) => Ok(()),
            Ok(true) => {
                let detail = "files wait for their pictures, and none is finished".to_owned();
                Err(FailedCheck { check: Check::Queue, reason, detail })
            }
            Err(error) => Err(FailedCheck { check: Check::Queue, reason, detail: cause_of(&error) }),
        }
    }
}

/// What is wrong with a store in this state.
fn store_fault(state: StoreState) -> Option<FailedCheck> {
    let (check, reason) = match state {
        StoreState::Writable => return None,
        StoreState::Full => (Check::Disk, FULL),
        StoreState::Failed => {
            (Check::Store, "its disk failed and it accepts no changes; it tries again by itself")
        }
        StoreState::GivenUp => {
            (Check::Store, "its disk failed and it accepts no more changes; it must be restarted")
        }
    };
    Some(FailedCheck { check, reason, detail: String::new() })
}

/// The number of the database, which is still the file that was opened.
fn database_number(store: &Store) -> Result<u64, FailedCheck> {
    let check = Check::Store;
    store.expect_in_place().map_err(|error| {
        let reason = "its database was moved away or replaced while it ran";
        FailedCheck { check, reason, detail: error.to_string() }
    })?;
    let number = store.snapshot().and_then(|snapshot| snapshot.database());
    number.map_err(|error| FailedCheck {
        check,
        reason: "its database can't be read",
        detail: cause_of(&error),
    })
}

/// Checks that the folder of files is that of the database, as far as its number is known.
fn check_marker(blobs: &Blobs, database: Option<u64>) -> Result<(), FailedCheck> {
    let (check, files) = (Check::Files, blobs.folder().display());
    match blobs.marked_with() {
        Ok(Some(found)) if database.is_none_or(|number| number == found) => Ok(()),
        Ok(_) => {
            let reason = "the folder of its files is missing, empty, or a different one";
            Err(FailedCheck { check, reason, detail: format!("no marker of this database in {files}") })
        }
        Err(error) => {
            Err(FailedCheck { check, reason: "its files can't be read", detail: format!("{files}: {error}") })
        }
    }
}

fn check_writes(blobs: &Blobs) -> Result<(), FailedCheck> {
    blobs.try_out().map_err(|error| {
        let (check, reason) = match error.kind() {
            _full if is_out_of_space(&error) => (Check::Disk, FULL),
            ErrorKind::InvalidData => (Check::Files, "its disk returns other bytes than were written"),
            ErrorKind::ReadOnlyFilesystem => (Check::Files, "its disk can only be read"),
            _other => (Check::Files, "files can't be written"),
        };
        FailedCheck { check, reason, detail: format!("{}: {error}", blobs.folder().display()) }
    })
}

fn check_room(store: &Store) -> Result<(), FailedCheck> {
    if !store.reserve().is_short() {
        return Ok(());
    }
    let detail = "only what frees space, revokes, or lets someone in is written; reading goes on".to_owned();
    Err(FailedCheck { check: Check::Disk, reason: FULL, detail })
}

fn cause_of(error: &Error) -> String {
    error.cause().map_or_else(|| error.to_string(), ToString::to_string)
}

fn not_ready(reason: &str) -> Error {
    Error::new(Code::ServiceUnavailable, format!("The server is not ready: {reason}."))
}
