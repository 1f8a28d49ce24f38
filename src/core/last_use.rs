//! When something was last used, in memory and written to the store regularly, so that requests that only read don't
//! write.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::core::model::time::Millis;

/// The precision of "last used".
const GRAIN: Millis = 60_000;

/// When things were last used, since the last time this was written to the store.
pub struct LastUse<Id> {
    seen: RwLock<HashMap<Id, AtomicU64>>,
}

impl<Id> Default for LastUse<Id> {
    fn default() -> Self {
        Self { seen: RwLock::default() }
    }
}

impl<Id: Clone + Eq + Hash> LastUse<Id> {
    /// Records a use. Only the first use of a thing takes a lock that others wait for.
    pub fn record(&self, id: &Id, now: Millis) {
        let now = now - now % GRAIN;
        if let Some(seen) = self.seen.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            seen.fetch_max(now, Ordering::Relaxed);
            return;
        }
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        seen.insert(id.clone(), AtomicU64::new(now));
    }

    /// When it was last used since then, if at all.
    pub fn latest(&self, id: &Id) -> Option<Millis> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.get(id).map(|when| when.load(Ordering::Relaxed))
    }

    /// Takes everything that was recorded, to write it to the store.
    pub fn take(&self) -> Vec<(Id, Millis)> {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        seen.drain().map(|(id, when)| (id, when.into_inner())).collect()
    }
}
