//! Whether a client sends its body, or reads its answer, fast enough. Counts only the time that we wait for the
//! client: the time that we need ourselves, to write to a disk, is not the client's fault. Pure: the caller passes the
//! time.

use std::time::{Duration, Instant};

/// The least that is expected of a client.
#[derive(Debug, Clone, Copy)]
pub struct MinimumRate {
    /// How long we wait for it in all.
    pub total: Duration,
    /// How long bytes are counted before their rate is judged.
    pub window: Duration,
    /// Bytes per second, measured over a window.
    pub bytes_per_second: u64,
}

/// The measured rate of one body, or of the answers on one connection.
#[derive(Debug, Default)]
pub struct TransferRate {
    /// Since when we are waiting, if we are.
    waiting_since: Option<Instant>,
    /// How long we have waited, without that.
    waited: Duration,
    /// How long we have waited in the current window.
    waited_in_window: Duration,
    /// How many bytes were transferred in the current window.
    bytes_in_window: u64,
}

/// The client is too slow.
#[derive(Debug, PartialEq, Eq)]
pub struct TooSlow;

impl TransferRate {
    /// Called when we have to wait from now on. Returns when to check again.
    pub fn wait(&mut self, now: Instant, minimum: &MinimumRate) -> Result<Instant, TooSlow> {
        self.count_waiting(now);
        self.waiting_since = Some(now);
        if self.waited >= minimum.total {
            return Err(TooSlow);
        }
        if self.waited_in_window >= minimum.window {
            let least = u128::from(minimum.bytes_per_second) * minimum.window.as_millis() / 1000;
            if u128::from(self.bytes_in_window) < least {
                return Err(TooSlow);
            }
            (self.waited_in_window, self.bytes_in_window) = (Duration::ZERO, 0);
        }
        let left = minimum.total.saturating_sub(self.waited);
        Ok(now + left.min(minimum.window.saturating_sub(self.waited_in_window)))
    }

    /// Called when so many bytes were transferred.
    pub fn transferred(&mut self, bytes: usize, now: Instant) {
        self.count_waiting(now);
        self.bytes_in_window += bytes as u64;
    }

    fn count_waiting(&mut self, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            let waited = now.saturating_duration_since(since);
            self.waited += waited;
            self.waited_in_window += waited;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    const WINDOW: Duration = Duration::from_secs(10);
    const MINIMUM: MinimumRate =
        MinimumRate { total: Duration::from_secs(100), window: WINDOW, bytes_per_second: 10 };

    /// Waits this long for each piece of this many bytes; returns after how many seconds the client is too slow.
    fn too_slow_after(wait: Duration, bytes: usize) -> Option<u64> {
        let (mut rate, begin) = (TransferRate::default(), Instant::now());
        let mut now = begin;
        for _ in 0..200 {
            let Ok(check_again) = rate.wait(now, &MINIMUM) else { return Some((now - begin).as_secs()) };
            now = check_again.min(now + wait);
            rate.transferred(bytes, now);
        }
        None
    }

    #[test]
    fn a_trickle_is_too_slow_after_one_window_and_a_stream_after_the_total_time() {
        assert_eq!(too_slow_after(SECOND, 9), Some(10));
        assert_eq!(too_slow_after(SECOND, 10), Some(100));
    }

    #[test]
    fn our_own_time_does_not_count() {
        let (mut rate, mut now) = (TransferRate::default(), Instant::now());
        for _ in 0..1000 {
            rate.wait(now, &MINIMUM).unwrap();
            now += Duration::from_millis(50);
            rate.transferred(1, now);
            now += SECOND * 60;
        }
        assert_eq!(rate.waited, SECOND * 50);
    }

    #[test]
    fn no_bytes_at_all_are_too_slow_after_one_window() {
        let (mut rate, now) = (TransferRate::default(), Instant::now());
        assert_eq!(rate.wait(now, &MINIMUM), Ok(now + WINDOW));
        assert_eq!(rate.wait(now + WINDOW, &MINIMUM), Err(TooSlow));
    }
}
