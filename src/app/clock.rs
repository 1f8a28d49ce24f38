//! The time as the operations see it. Tests set it; nothing in `app` asks the system directly.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::timeout;

/// Unix time in milliseconds, as on the wire.
pub type Millis = u64;

/// The clock of one server: the system's, moved forward by what a test asked for.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<watch::Sender<Millis>>,
}

impl Clock {
    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now(&self) -> Millis {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(system) + *self.ahead.borrow()
    }

    /// Moves this clock forward, for tests of what happens later.
    pub fn advance(&self, by: Duration) {
        self.ahead.send_modify(|ahead| *ahead += millis(by));
    }

    /// Waits until this clock shows `when`, which may be because somebody moved it.
    pub async fn reach(&self, when: Millis) {
        let mut moves = self.ahead.subscribe();
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

/// A duration in whole milliseconds; one of more than 500 million years counts as that.
#[must_use]
pub fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
