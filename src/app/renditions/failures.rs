//! Which files could not be opened, so that a hostile one is not tried again with every request. Only in memory:
//! after a restart, each gets another chance.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::order::Key;
use crate::app::clock::Millis;
use crate::app::model::ContentHash;
use crate::app::pictures::Failure;

/// How long a failure stands.
const STANDS: Millis = 10 * 60 * 1000;
/// How many are kept; about 100 bytes each.
const MOST: usize = 10_000;

/// What failed, by the file's hash or by the rendition's key.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<[u8; 32], (Millis, Failure)>>);

impl Failures {
    /// Why there is no such rendition, if that is known.
    pub fn recall(&self, hash: ContentHash, key: Key, now: Millis) -> Option<Failure> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, failure) = failures.get(&hash.0).or_else(|| failures.get(&key.0))?;
        (now < *until).then(|| failure.clone())
    }

    /// Remembers a failure. One that lies in the file holds for all its renditions; another only for this one, so
    /// that nobody can spoil a thumbnail by asking for something too large.
    pub fn remember(&self, hash: ContentHash, key: Key, failure: &Failure, now: Millis) {
        let of = match failure {
            Failure::Unsupported(_) | Failure::Damaged(_) => hash.0,
            Failure::TooLarge(_) | Failure::TooSlow(_) | Failure::Crashed => key.0,
            Failure::Unavailable(_) => return,
        };
        self.insert(of, failure, now);
    }

    /// Remembers that a file could not be opened, whatever is to be made of it.
    pub fn remember_file(&self, hash: ContentHash, failure: &Failure, now: Millis) {
        match failure {
            Failure::Unsupported(_)
            | Failure::Damaged(_)
            | Failure::TooLarge(_)
            | Failure::TooSlow(_)
            | Failure::Crashed => self.insert(hash.0, failure, now),
            Failure::Unavailable(_) => {}
        }
    }

    /// Gives a file another chance.
    pub fn forget_file(&self, hash: ContentHash) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash.0);
    }

    fn insert(&self, of: [u8; 32], failure: &Failure, now: Millis) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST {
            failures.retain(|_, (until, _)| now < *until);
        }
        if failures.len() >= MOST {
            failures.clear();
        }
        failures.insert(of, (now + STANDS, failure.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: ContentHash = ContentHash([1; 32]);
    const SMALL: Key = Key([2; 32]);
    const LARGE: Key = Key([3; 32]);

    #[test]
    fn what_lies_in_the_file_holds_for_all_its_renditions_for_a_while() {
        let failures = Failures::default();
        failures.remember(FILE, SMALL, &Failure::Damaged("x".into()), 1000);
        assert!(failures.recall(FILE, LARGE, 1000 + STANDS - 1).is_some());
        assert_eq!(failures.recall(FILE, SMALL, 1000 + STANDS), None);
    }

    #[test]
    fn what_was_too_much_holds_for_one_rendition() {
        let failures = Failures::default();
        failures.remember(FILE, LARGE, &Failure::TooSlow(10), 1000);
        assert_eq!(failures.recall(FILE, LARGE, 1000), Some(Failure::TooSlow(10)));
        assert_eq!(failures.recall(FILE, SMALL, 1000), None);
    }

    #[test]
    fn a_file_that_could_not_be_opened_gets_another_chance_when_it_is_given_one() {
        let failures = Failures::default();
        failures.remember_file(FILE, &Failure::Crashed, 1000);
        assert_eq!(failures.recall(FILE, LARGE, 1000), Some(Failure::Crashed));
        failures.forget_file(FILE);
        assert_eq!(failures.recall(FILE, LARGE, 1000), None);
    }

    #[test]
    fn what_was_not_the_files_fault_is_tried_again() {
        let failures = Failures::default();
        failures.remember(FILE, SMALL, &Failure::Unavailable("x".into()), 1000);
        assert_eq!(failures.recall(FILE, SMALL, 1000), None);
    }
}
