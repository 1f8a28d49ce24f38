//! The time for the operations. Tests can set it; nothing else in `core` asks the system.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::timeout;

use super::model::time::{Millis, millis};
use crate::core::model::time::ClockReading;

/// The clock of one server: the system's clock plus an offset that tests set.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    moved: Arc<watch::Sender<Moved>>,
}

/// The offsets that a test set, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    /// The difference to the system's clock.
    ahead: i64,
    /// The difference to the steady clock.
    passed: u64,
}

impl Clock {
    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now(&self) -> Millis {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(system).saturating_add_signed(self.moved.borrow().ahead)
    }

    /// The time of all clocks.
    pub(super) fn reading(&self) -> ClockReading {
        let steady = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let steady = Duration::try_from(steady).map(millis).unwrap_or_default();
        ClockReading { wall: self.now(), steady: steady + self.moved.borrow().passed, boot: *BOOT }
    }

    /// Lets time pass, for tests of what happens later.
    pub fn advance(&self, by: Duration) {
        self.moved.send_modify(|moved| {
            moved.ahead += millis(by).cast_signed();
            moved.passed += millis(by);
        });
    }

    /// Sets the clock forward without any time passing, like a mistake of an administrator.
    pub fn set_ahead(&self, by: Duration) {
        self.moved.send_modify(|moved| moved.ahead += millis(by).cast_signed());
    }

    /// Sets the clock back.
    pub fn set_back(&self, by: Duration) {
        self.moved.send_modify(|moved| moved.ahead -= millis(by).cast_signed());
    }

    /// Waits until this clock shows `when`, also when a test moves it.
    pub async fn reach(&self, when: Millis) {
        let mut moves = self.moved.subscribe();
        loop {
            let left = when.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            // Never fails: `self` keeps the sender alive.
            let _moved = timeout(Duration::from_millis(left), moves.changed()).await;
        }
    }
}

/// A number that identifies this boot of the machine.
static BOOT: LazyLock<u64> = LazyLock::new(|| {
    let id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let hash = blake3::hash(&id);
    hash.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
});
