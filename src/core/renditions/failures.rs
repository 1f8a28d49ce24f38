//! Files that could not be decoded, so that a hostile one is not tried again with every request. Only in memory: after a
//! restart, each is tried again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::key::{LibraryFile, RenditionKey};
use crate::core::model::time::Millis;
use crate::pictures::Failure;

/// How long a failure is remembered.
const LIFETIME: Millis = 10 * 60 * 1000;
/// How many are remembered; each takes about 100 bytes.
const MAX_FAILURES: usize = 10_000;

/// Failures by the key of a file or of a rendition.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<[u8; 32], (Millis, Failure)>>);

impl Failures {
    /// Why there is no such rendition, if that is known.
    pub fn find(&self, file: LibraryFile, key: RenditionKey, now: Millis) -> Option<Failure> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, failure) = failures.get(&file.key().0).or_else(|| failures.get(&key.0))?;
        (now < *until).then(|| failure.clone())
    }

    /// Records a failure. A fault of the file holds for all its renditions; any other only for this one, so that nobody
    /// can block a thumbnail by asking for something too large.
    pub fn record(&self, file: LibraryFile, key: RenditionKey, failure: &Failure, now: Millis) {
        let of = match failure {
            Failure::Unsupported(_) | Failure::Damaged(_) => file.key().0,
            Failure::TooLarge(_) | Failure::TooSlow(_) | Failure::Crashed => key.0,
            Failure::Unavailable(_) => return,
        };
        self.insert(of, failure, now);
    }

    /// Records that a file could not be opened, for all its renditions.
    pub fn record_for_file(&self, file: LibraryFile, failure: &Failure, now: Millis) {
        match failure {
            Failure::Unsupported(_)
            | Failure::Damaged(_)
            | Failure::TooLarge(_)
            | Failure::TooSlow(_)
            | Failure::Crashed => self.insert(file.key().0, failure, now),
            Failure::Unavailable(_) => {}
        }
    }

    /// Lets a file be tried again.
    pub fn clear(&self, file: LibraryFile) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&file.key().0);
    }

    fn insert(&self, of: [u8; 32], failure: &Failure, now: Millis) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_FAILURES {
            failures.retain(|_, (until, _)| now < *until);
        }
        if failures.len() >= MAX_FAILURES {
            failures.clear();
        }
        failures.insert(of, (now + LIFETIME, failure.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::ContentHash;
    use crate::core::model::id::LibraryId;

    const FILE: LibraryFile = LibraryFile { library: LibraryId(1), hash: ContentHash([1; 32]) };
    /// The same bytes in another library.
    const ELSEWHERE: LibraryFile = LibraryFile { library: LibraryId(2), ..FILE };
    const SMALL: RenditionKey = RenditionKey([2; 32]);
    const LARGE: RenditionKey = RenditionKey([3; 32]);

    #[test]
    fn a_fault_of_the_file_holds_for_all_its_renditions_for_a_while() {
        let failures = Failures::default();
        failures.record(FILE, SMALL, &Failure::Damaged("x".into()), 1000);
        assert!(failures.find(FILE, LARGE, 1000 + LIFETIME - 1).is_some());
        assert_eq!(failures.find(ELSEWHERE, SMALL, 1000), None);
        assert_eq!(failures.find(FILE, SMALL, 1000 + LIFETIME), None);
    }

    #[test]
    fn a_rendition_that_was_too_much_work_fails_alone() {
        let failures = Failures::default();
        failures.record(FILE, LARGE, &Failure::TooSlow(10), 1000);
        assert_eq!(failures.find(FILE, LARGE, 1000), Some(Failure::TooSlow(10)));
        assert_eq!(failures.find(FILE, SMALL, 1000), None);
    }

    #[test]
    fn a_cleared_failure_lets_the_file_be_tried_again() {
        let failures = Failures::default();
        failures.record_for_file(FILE, &Failure::Crashed, 1000);
        assert_eq!(failures.find(FILE, LARGE, 1000), Some(Failure::Crashed));
        failures.clear(FILE);
        assert_eq!(failures.find(FILE, LARGE, 1000), None);
    }

    #[test]
    fn temporary_failures_are_not_remembered() {
        let failures = Failures::default();
        failures.record(FILE, SMALL, &Failure::Unavailable("x".into()), 1000);
        assert_eq!(failures.find(FILE, SMALL, 1000), None);
    }
}
