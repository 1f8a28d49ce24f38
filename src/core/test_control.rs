//! What tests may do to a server that was started for them: faults, a record of the requests, states to go back to, and
//! organizations of their own. An ordinary server has none of it.
//!
//! A request is known here by its id from before its handler runs until it is answered. The operations that it runs are
//! announced by the transports.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::model::id::KeyId;
use super::store::files::FilesHold;

mod call;
mod copies;
mod effects;
mod faults;
mod organization;
mod recorder;
mod running;
mod saved_file;
mod states;

pub use call::{BeginningOperation, OperationCall};
pub use effects::AnswerEffect;
pub use faults::{Fault, FaultEffect, FaultMatch, FaultState};
pub use organization::{KeyIds, NewOrganization, TestKeys, TestLibrary, TestOrganization, TestOwner};
pub use recorder::{RecordedRequest, RequestFilter, Requests};
pub use running::TestedRequest;
pub use saved_file::unpack;
pub use states::START;

use faults::Faults;
use recorder::Recorder;
use running::FollowedRequest;
use states::SavedState;

/// The state of the control endpoint.
#[derive(Default)]
pub struct TestControl {
    faults: Mutex<Faults>,
    recorder: Mutex<Recorder>,
    running: Mutex<HashMap<String, FollowedRequest>>,
    states: Mutex<BTreeMap<String, Arc<SavedState>>>,
    /// Keys that are deleted when so many bytes of files have arrived from them.
    doomed_keys: Mutex<HashMap<KeyId, u64>>,
    /// Files that saved states need are never deleted.
    files: OnceLock<FilesHold>,
    /// What the server began with.
    first: OnceLock<TestOrganization>,
}

impl fmt::Debug for TestControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestControl").finish_non_exhaustive()
    }
}

impl TestControl {
    /// Adds a fault.
    #[must_use]
    pub fn add_fault(&self, fault: Fault) -> FaultState {
        lock(&self.faults).add(fault)
    }

    /// The faults that are left.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultState> {
        lock(&self.faults).list()
    }

    /// Deletes one fault, or all, and returns how many.
    pub fn delete_faults(&self, id: Option<&str>) -> usize {
        lock(&self.faults).delete(id)
    }

    /// The recorded requests that pass the filter, oldest first, and how many older ones were dropped.
    #[must_use]
    pub fn requests(&self, filter: &RequestFilter) -> Requests {
        lock(&self.recorder).list(filter)
    }

    /// Deletes the recorded requests that pass the filter, and returns how many.
    pub fn delete_requests(&self, filter: &RequestFilter) -> usize {
        lock(&self.recorder).delete(filter)
    }

    /// What the server began with; set once.
    fn set_first(&self, first: TestOrganization) {
        let _set_before = self.first.set(first);
    }

    /// The organization that the server began with.
    #[must_use]
    pub fn first(&self) -> Option<&TestOrganization> {
        self.first.get()
    }
}

/// Whether something is what a test named, or the test named nothing.
fn fits(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
