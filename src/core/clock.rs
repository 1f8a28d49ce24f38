//! The time as the operations see it. Tests set it; nothing in `core` asks the system directly.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::timeout;

use super::model::time::{Millis, millis};
use crate::core::model::time::Reading;

/// The clock of one server: the system's, moved by what a test asked for.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    moved: Arc<watch::Sender<Moved>>,
}

/// How far a test moved a clock, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    /// What it shows more than the system's.
    ahead: i64,
    /// The time that is said to have passed.
    passed: u64,
}

impl Clock {
    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now(&self) -> Millis {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(system).saturating_add_signed(self.moved.borrow().ahead)
    }

    /// What all clocks show.
    pub(super) fn reading(&self) -> Reading {
        let steady = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let steady = Duration::try_from(steady).map(millis).unwrap_or_default();
        Reading { wall: self.now(), steady: steady + self.moved.borrow().passed, boot: *BOOT }
    }

    /// Has time pass while the server runs, for tests of what happens later.
    pub fn advance(&self, by: Duration) {
        self.moved.send_modify(|moved| {
            moved.ahead += millis(by).cast_signed();
            moved.passed += millis(by);
        });
    }

    /// Sets the clock ahead, as somebody may by mistake: it shows a later time, and none has passed.
    pub fn set_ahead(&self, by: Duration) {
        self.moved.send_modify(|moved| moved.ahead += millis(by).cast_signed());
    }

    /// Sets the clock back.
    pub fn set_back(&self, by: Duration) {
        self.moved.send_modify(|moved| moved.ahead -= millis(by).cast_signed());
    }

    /// Waits until this clock shows `when`, which may be because somebody moved it.
    pub async fn reach(&self, when: Millis) {
        let mut moves = self.moved.subscribe();
        loop {
            let left = when.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            // That nobody moves it any more is not possible as long as this one is there.
            let _moved = timeout(Duration::from_millis(left), moves.changed()).await;
        }
    }
}

/// Which start of this machine it is: a number that another start does not have.
static BOOT: LazyLock<u64> = LazyLock::new(|| {
    let id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let hash = blake3::hash(&id);
    hash.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
});
