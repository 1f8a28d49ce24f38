//! States of the server that a test goes back to. A saved state is a snapshot of the database that is kept open; going
//! back to it changes the records that differ, in one transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::{TestControl, TestOrganization, lock};
use crate::core::Core;
use crate::core::clock::ClockState;
use crate::core::model::ContentHash;
use crate::core::model::id::{IdCounts, SeededIds};
use crate::core::model::time::Millis;
use crate::core::store::{
    FileQueries, Next, ObservedTimeCommands, ObservedTimeQueries, RewindCommands, Snapshot,
};
use crate::error::{Code, Error, Result, excerpt};

/// The name of the state in which the server began.
pub const START: &str = "start";
/// How many states can be kept.
const MAX: usize = 1000;
/// The most characters of a name.
const LONGEST_NAME: usize = 100;

/// A state to go back to.
pub struct SavedState {
    pub snapshot: Snapshot,
    clock: ClockState,
    pub ids: IdCounts,
}

impl TestControl {
    /// The names of the saved states.
    #[must_use]
    pub fn state_names(&self) -> Vec<String> {
        lock(&self.states).keys().cloned().collect()
    }
}

impl Core {
    /// Saves the state under a name, in place of an earlier one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for the name, or too many states; when the store fails.
    pub fn save_state(&self, name: &str) -> Result<()> {
        let control = self.expect_test_control()?;
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(Error::bad_input(format!("A snapshot's name has 1 to {LONGEST_NAME} characters.")));
        }
        control.files.get_or_init(|| self.blobs().hold());
        let state = Arc::new(self.state()?);
        let mut states = lock(&control.states);
        if states.len() >= MAX && !states.contains_key(name) {
            return Err(Error::bad_input(format!("There are {MAX} snapshots already. Use a name again.")));
        }
        states.insert(name.to_owned(), state);
        Ok(())
    }

    pub(super) fn state(&self) -> Result<SavedState> {
        let snapshot = self.store().snapshot()?;
        Ok(SavedState { snapshot, clock: self.clock().state(), ids: SeededIds::counts() })
    }

    /// Goes back to a saved state: records, files, the clock and the sequences of ids. Faults and recorded requests are
    /// deleted.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is no such state; when the store fails.
    pub async fn rewind(&self, name: &str) -> Result<()> {
        let control = self.expect_test_control()?;
        let state = lock(&control.states).get(name).cloned().ok_or_else(|| no_such_state(name))?;
        control.delete_faults(None);
        lock(&control.doomed_keys).clear();
        self.clock().restore(state.clock);
        let (target, seen) = (Arc::clone(&state), self.trust_clock());
        let rewound = self.store().write_always(move |tx| {
            tx.put_observed_time(&seen)?;
            tx.rewind(&target.snapshot)
        });
        let dropped = rewound.await?;
        SeededIds::restore(&state.ids);
        control.delete_requests(&super::RequestFilter::default());
        if dropped.is_empty() { Ok(()) } else { self.remove_dropped_files(dropped).await }
    }

    /// Removes files that no record of this or of any saved state names.
    async fn remove_dropped_files(&self, dropped: Vec<ContentHash>) -> Result<()> {
        let states: Vec<Arc<SavedState>> =
            lock(&self.expect_test_control()?.states).values().cloned().collect();
        let (blobs, store) = (self.blobs().clone(), self.store().clone());
        let removed = spawn_blocking(move || {
            for hash in dropped {
                let mut is_needed = false;
                for state in &states {
                    is_needed |= state.snapshot.blob_is_known(hash)?;
                }
                if !is_needed {
                    blobs.remove_unknown(&store, hash)?;
                }
            }
            Ok(())
        });
        removed.await.map_err(Error::internal)?
    }

    /// Sets the clock to a time at which it stands still from now on, and does what is due then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_test_clock(&self, now: Millis) -> Result<()> {
        self.clock().set(now);
        self.do_what_is_due().await
    }

    /// Lets time pass, and does what is due then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance_test_clock(&self, by: Duration) -> Result<()> {
        self.clock().advance(by);
        self.do_what_is_due().await
    }

    async fn do_what_is_due(&self) -> Result<()> {
        let seen = self.trust_clock();
        self.store().write_always(move |tx| tx.put_observed_time(&seen)).await?;
        self.maintenance_pass().await;
        Ok(())
    }

    /// Saves the state in which the server began, to which tests go back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_tests(&self, first: TestOrganization) -> Result<()> {
        self.expect_test_control()?.set_first(first);
        if self.store().snapshot()?.observed_time()?.is_some() {
            // It was observed by the server that saved this state, at another time.
            let seen = self.trust_clock();
            self.store().write_always(move |tx| tx.put_observed_time(&seen)).await?;
        }
        self.save_state(START)
    }

    /// Whether nothing is left to do in the background for the uploads so far, except for what has to wait for a later time.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_idle(&self) -> Result<bool> {
        let is_working = !self.processing().claimed().is_empty();
        Ok(!is_working
            && match self.next_work()? {
                Next::Now(_) => false,
                Next::At(_) | Next::Nothing => true,
            })
    }

    pub(super) fn expect_test_control(&self) -> Result<&Arc<TestControl>> {
        self.test_control().ok_or_else(|| Error::internal("this server was not started for tests"))
    }
}

fn no_such_state(name: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no snapshot \"{}\".", excerpt(name)))
}
