//! Ids and keys that come out the same in each run, for tests: each kind of thing has a sequence of its own, so that one
//! more key does not change the ids of assets.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::BASE62;

/// Sets the sequences apart from everything else that is hashed.
const CONTEXT: &str = "rasterd 2026-11 seeded ids v1";
/// The last byte that is used: with those above it, some characters would be more frequent than others.
const FAIR: u8 = 247;

/// How many ids of each kind were made.
pub type IdCounts = BTreeMap<String, u64>;

static THIS_PROCESS: OnceLock<SeededIds> = OnceLock::new();

/// The sequences of ids of one seed.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    counts: Mutex<IdCounts>,
}

impl SeededIds {
    fn new(seed: u64) -> Self {
        Self { seed, counts: Mutex::default() }
    }

    /// Makes all ids and keys of this process from a seed, from now on. Only for tests: anyone who knows the seed knows
    /// the keys. A later call changes nothing.
    pub fn start(seed: u64) {
        let _earlier_one_stays = THIS_PROCESS.set(Self::new(seed));
    }

    /// The sequences of this process, if it has any.
    pub(super) fn of_this_process() -> Option<&'static Self> {
        THIS_PROCESS.get()
    }

    /// How many ids of each kind this process made; empty where they are random.
    #[must_use]
    pub fn counts() -> IdCounts {
        THIS_PROCESS.get().map(|seeded| seeded.lock().clone()).unwrap_or_default()
    }

    /// Continues the sequences of this process after these ids.
    pub fn restore(counts: &IdCounts) {
        if let Some(seeded) = THIS_PROCESS.get() {
            seeded.lock().clone_from(counts);
        }
    }

    /// The next `N` characters of a kind.
    pub(super) fn next<const N: usize>(&self, kind: &str) -> [u8; N] {
        let mut counts = self.lock();
        let count = counts.entry(kind.to_owned()).or_default();
        *count += 1;
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&self.seed.to_le_bytes()).update(&count.to_le_bytes()).update(kind.as_bytes());
        let mut bytes = hasher.finalize_xof();
        std::array::from_fn(|_| {
            let mut byte = [u8::MAX];
            while byte[0] > FAIR {
                bytes.fill(&mut byte);
            }
            BASE62[usize::from(byte[0]) % BASE62.len()]
        })
    }

    fn lock(&self) -> MutexGuard<'_, IdCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_sequence_that_depends_on_the_seed_alone() {
        let [one, same, other] = [7, 7, 8].map(SeededIds::new);
        let first: [u8; 16] = one.next("asset");
        let key: [u8; 16] = one.next("key");
        let second: [u8; 16] = one.next("asset");
        assert_eq!([first, second], [same.next("asset"), same.next("asset")]);
        assert!(first != second && first != key && first != other.next("asset"));
        assert!(first.iter().all(u8::is_ascii_alphanumeric));
    }
}
