//! Whether a client sends its body fast enough. Counts only the time spent waiting for the client: what we take
//! ourselves, to write to a disk, is not the client's fault. Pure: the caller tells the time.

use std::time::{Duration, Instant};

use super::Patience;

/// How long bytes are counted before their rate is judged.
const WINDOW: Duration = Duration::from_secs(10);

/// The pace of one body.
#[derive(Debug, Default)]
pub struct Pace {
    /// Since when we wait, if we do.
    since: Option<Instant>,
    /// How long we waited for this body before.
    waited: Duration,
    /// How long we waited in the present window.
    in_window: Duration,
    /// How many bytes came in the present window.
    bytes: u64,
}

/// The client is too slow.
#[derive(Debug, PartialEq, Eq)]
pub struct TooSlow;

impl Pace {
    /// We have to wait from now on. Answers when to look again.
    pub fn wait(&mut self, now: Instant, patience: &Patience) -> Result<Instant, TooSlow> {
        self.count_waiting(now);
        self.since = Some(now);
        if self.waited >= patience.body {
            return Err(TooSlow);
        }
        if self.in_window >= WINDOW {
            if self.bytes < patience.body_rate.saturating_mul(WINDOW.as_secs()) {
                return Err(TooSlow);
            }
            (self.in_window, self.bytes) = (Duration::ZERO, 0);
        }
        let left = patience.body.saturating_sub(self.waited).min(WINDOW.saturating_sub(self.in_window));
        Ok(now + left)
    }

    /// So many bytes came.
    pub fn received(&mut self, bytes: usize, now: Instant) {
        self.count_waiting(now);
        self.bytes += bytes as u64;
    }

    fn count_waiting(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            let waited = now.saturating_duration_since(since);
            self.waited += waited;
            self.in_window += waited;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience() -> Patience {
        Patience {
            head: SECOND,
            body: SECOND * 100,
            body_rate: 10,
            idle: SECOND,
            drain: SECOND,
            connections: 1,
            connections_per_address: 1,
        }
    }

    /// Waits this long for each piece of this many bytes; tells after how many seconds the client is given up.
    fn given_up_after(wait: Duration, bytes: usize) -> Option<u64> {
        let (mut pace, begin, patience) = (Pace::default(), Instant::now(), patience());
        let mut now = begin;
        for _ in 0..200 {
            let Ok(look_again) = pace.wait(now, &patience) else { return Some((now - begin).as_secs()) };
            now = look_again.min(now + wait);
            pace.received(bytes, now);
        }
        None
    }

    #[test]
    fn a_trickle_is_given_up_after_a_window_and_a_stream_after_the_whole_time() {
        assert_eq!(given_up_after(SECOND, 9), Some(10));
        assert_eq!(given_up_after(SECOND, 10), Some(100));
    }

    #[test]
    fn our_own_time_does_not_count() {
        let (mut pace, mut now, patience) = (Pace::default(), Instant::now(), patience());
        for _ in 0..1000 {
            pace.wait(now, &patience).unwrap();
            now += Duration::from_millis(50);
            pace.received(1, now);
            now += SECOND * 60;
        }
        assert_eq!(pace.waited, SECOND * 50);
    }

    #[test]
    fn nothing_at_all_is_given_up_after_a_window() {
        let (mut pace, now, patience) = (Pace::default(), Instant::now(), patience());
        assert_eq!(pace.wait(now, &patience), Ok(now + WINDOW));
        assert_eq!(pace.wait(now + WINDOW, &patience), Err(TooSlow));
    }
}
