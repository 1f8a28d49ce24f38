//! What happens after a commit failed: the store takes no writes until the database was opened again. That is tried in the
//! background: for as long as it takes when the disk is full, and else for a limited time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::database::OpenDatabase;
use crate::error::{Code, Error, is_out_of_space};

/// The pause before the first attempt to open a database again. Each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many attempts there are, about six minutes, unless the disk is full.
const MAX_ATTEMPTS: u32 = 20;

/// Whether the store takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreState {
    /// It does.
    Writable,
    /// Its disk is full, and not even the reserve is left. It is tried again.
    Full,
    /// Its disk failed. It is tried again.
    Failed,
    /// Its disk failed, and all attempts failed, too.
    GivenUp,
}

/// The state of a store. Cheap to clone.
#[derive(Clone)]
pub struct Recovery {
    state: Arc<Mutex<StoreState>>,
    database: Weak<OpenDatabase>,
}

impl Recovery {
    /// That of a database which was just opened.
    pub(super) fn of(database: &Arc<OpenDatabase>) -> Self {
        Self { state: Arc::new(Mutex::new(StoreState::Writable)), database: Arc::downgrade(database) }
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> StoreState {
        *self.lock()
    }

    /// Whether writes are taken.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.state() == StoreState::Writable
    }

    /// The answer for a write that was not begun.
    #[must_use]
    pub(super) fn refusal(&self) -> Error {
        match self.state() {
            StoreState::Full => Error::storage_full(),
            StoreState::Failed => unavailable(
                "The server takes no changes for the moment, because its disk failed. It tries again by itself; try again in a minute.",
            ),
            StoreState::Writable | StoreState::GivenUp => unavailable(
                "The server takes no changes, because its disk failed or it is stopping. Its administrator has to restart it.",
            ),
        }
    }

    /// The answer for a write whose commit failed.
    #[must_use]
    pub(super) fn unknown_outcome() -> Error {
        unavailable(
            "The server's disk failed while this was written. See whether it was done before you try again.",
        )
    }

    /// Takes no more writes, and tries to open the database again.
    pub(super) fn begin(&self, error: &Error) {
        tracing::error!(cause = ?error.cause(), "the store failed and takes no changes until it is opened again");
        self.enter(state_after(error));
        let recovery = self.clone();
        let started = std::thread::Builder::new().name("store-recovery".into()).spawn(move || recovery.run());
        if let Err(error) = started {
            tracing::error!(%error, "the store can't be opened again; restart rasterd");
            self.enter(StoreState::GivenUp);
        }
    }

    fn run(&self) {
        let mut attempts = 0;
        while attempts < MAX_ATTEMPTS || self.state() == StoreState::Full {
            std::thread::sleep(pause_before(attempts));
            // A store that was closed meanwhile needs no recovery.
            let Some(database) = self.database.upgrade() else { return };
            match database.reopen() {
                Ok(()) => {
                    tracing::info!("the store was opened again and takes changes");
                    return self.enter(StoreState::Writable);
                }
                Err(error) => self.enter(state_after(&error)),
            }
            attempts += 1;
        }
        tracing::error!("the store could not be opened again; see to its disk and restart rasterd");
        self.enter(StoreState::GivenUp);
    }

    fn enter(&self, state: StoreState) {
        *self.lock() = state;
    }

    fn lock(&self) -> MutexGuard<'_, StoreState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause_before(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.min(20)).min(LONGEST_PAUSE)
}

/// The error for a store that takes no changes.
pub(super) fn unavailable(message: &'static str) -> Error {
    Error::new(Code::ServiceUnavailable, message)
}

fn state_after(error: &Error) -> StoreState {
    let full = match error.cause().and_then(|cause| cause.downcast_ref::<redb::Error>()) {
        Some(redb::Error::Io(cause)) => is_out_of_space(cause),
        Some(_) | None => error.code() == Code::StorageFull,
    };
    if full { StoreState::Full } else { StoreState::Failed }
}
