//! The time for the operations. Tests can set it; nothing else in `core` asks the system.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::timeout;

use super::model::time::{Millis, millis};
use crate::core::model::time::ClockReading;

/// The clock of one server: the system's clock plus an offset that tests set. A test may also make it stand still.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    moved: Arc<watch::Sender<ClockState>>,
}

/// How a test moved a clock; times in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ClockState {
    /// The difference to the system's clock.
    ahead: i64,
    /// The difference to the steady clock.
    passed: u64,
    /// The times of the system at which it stands still, if it does.
    stands: Option<SystemClocks>,
}

/// The clocks of the system.
#[derive(Debug, Clone, Copy)]
struct SystemClocks {
    wall: Millis,
    steady: Millis,
}

impl SystemClocks {
    fn read() -> Self {
        let steady = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Self { wall: system_time(), steady: Duration::try_from(steady).map(millis).unwrap_or_default() }
    }
}

impl ClockState {
    fn wall(&self) -> Millis {
        let system = self.stands.map_or_else(system_time, |stands| stands.wall);
        system.saturating_add_signed(self.ahead)
    }
}

impl Clock {
    /// A clock that stands still at this time, until it is moved.
    #[must_use]
    pub fn standing_at(now: Millis) -> Self {
        let clock = Self::default();
        clock.set(now);
        clock
    }

    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.moved.borrow().wall()
    }

    /// Whether it stands still.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.moved.borrow().stands.is_some()
    }

    /// The time of all clocks.
    pub(super) fn reading(&self) -> ClockReading {
        let state = *self.moved.borrow();
        let system = state.stands.unwrap_or_else(SystemClocks::read);
        let wall = system.wall.saturating_add_signed(state.ahead);
        ClockReading { wall, steady: system.steady + state.passed, boot: *BOOT }
    }

    /// Sets the clock to a time, at which it stands still from now on. A later time counts as time that passed.
    pub fn set(&self, now: Millis) {
        self.moved.send_modify(|state| {
            state.stands.get_or_insert_with(SystemClocks::read);
            let by = now.cast_signed().wrapping_sub(state.wall().cast_signed());
            state.ahead = state.ahead.saturating_add(by);
            state.passed = state.passed.saturating_add(u64::try_from(by).unwrap_or(0));
        });
    }

    /// How it was moved so far.
    pub(super) fn state(&self) -> ClockState {
        *self.moved.borrow()
    }

    /// Moves it back to where it was.
    pub(super) fn restore(&self, state: ClockState) {
        self.moved.send_replace(state);
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

fn system_time() -> Millis {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A number that identifies this boot of the machine.
static BOOT: LazyLock<u64> = LazyLock::new(|| {
    let id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let hash = blake3::hash(&id);
    hash.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_moves_only_when_it_is_told() {
        let clock = Clock::standing_at(1_767_225_600_000);
        let before = clock.reading();
        assert_eq!((clock.now(), clock.reading(), clock.stands()), (1_767_225_600_000, before, true));
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now(), 1_767_225_690_000);
        assert_eq!(clock.reading().steady, before.steady + 90_000);
        clock.set(1_767_225_600_001);
        assert_eq!((clock.now(), clock.reading().steady), (1_767_225_600_001, before.steady + 90_000));
    }

    #[test]
    fn a_clock_goes_back_to_where_it_was() {
        let clock = Clock::default();
        let state = clock.state();
        clock.set(0);
        assert!(clock.stands() && clock.now() == 0);
        clock.restore(state);
        assert!(!clock.stands() && clock.now() > 1_700_000_000_000);
    }
}
