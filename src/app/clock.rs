//! The time as the operations see it. Tests set it; nothing in `app` asks the system directly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix time in milliseconds, as on the wire.
pub type Millis = u64;

/// The clock of one server: the system's, moved forward by what a test asked for.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now(&self) -> Millis {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(system) + self.ahead.load(Ordering::Relaxed)
    }

    /// Moves this clock forward, for tests of what happens later.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(millis(by), Ordering::Relaxed);
    }
}

/// A duration in whole milliseconds; one of more than 500 million years counts as that.
#[must_use]
pub fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
