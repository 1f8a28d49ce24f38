//! How much time the server itself has observed. Age-based deletion uses this and not the clock alone, because a clock
//! that is 40 days ahead for a minute must not empty the trash.
//!
//! While the machine runs, its steady clock says how much time passed, also while the server did not run. Across a
//! restart of the machine, at most a day is believed. A clock that then shows another time is followed only after a
//! week: by then it was corrected, or it is right.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Core;
use super::clock::Clock;
use super::model::time::{ClockDifference, ClockReading, ObservedTime};
use super::store::{ObservedTimeCommands, ObservedTimeQueries, Store, Tx};
use crate::core::model::time::Millis;
use crate::error::Result;

const MINUTE: Millis = 60 * 1000;
const DAY: Millis = 24 * 60 * MINUTE;
/// The difference between clocks that is ignored.
const TOLERANCE: u64 = 10 * MINUTE;
/// How long a clock that jumped must keep its time until it is followed.
const TRUST: Millis = 7 * DAY;
/// How much time is believed to have passed while the machine was off.
const MAX_TIME_OFF: Millis = DAY;
/// How often the observed time is recorded.
const SAVE_EVERY: Millis = 10 * MINUTE;

/// What is worth a line in the log.
#[derive(Debug, PartialEq, Eq)]
enum Notice {
    Different(i64),
    Together,
    Followed,
}

impl ObservedTime {
    fn first(at: ClockReading) -> Self {
        Self { time: at.wall, at, difference: None }
    }

    /// The observed time at a later reading of the clocks.
    fn then(self, at: ClockReading) -> (Self, Option<Notice>) {
        let passed = if at.boot == self.at.boot && at.steady >= self.at.steady {
            at.steady - self.at.steady
        } else {
            at.wall.saturating_sub(self.at.wall).min(MAX_TIME_OFF)
        };
        let time = self.time.saturating_add(passed);
        let ahead = at.wall.cast_signed().wrapping_sub(time.cast_signed());
        if ahead.unsigned_abs() <= TOLERANCE {
            return (Self::first(at), self.difference.map(|_| Notice::Together));
        }
        let since = match self.difference {
            Some(before) if before.ahead.abs_diff(ahead) <= TOLERANCE => before.since.saturating_add(passed),
            Some(_) | None => 0,
        };
        if since >= TRUST {
            return (Self::first(at), Some(Notice::Followed));
        }
        let is_news = since == 0 || since / DAY > since.saturating_sub(passed) / DAY;
        let seen = Self { time, at, difference: Some(ClockDifference { ahead, since }) };
        (seen, is_news.then_some(Notice::Different(ahead)))
    }
}

/// The observed time of a server.
pub(super) struct TimeObserver {
    state: Mutex<State>,
}

struct State {
    seen: ObservedTime,
    saved: Option<ObservedTime>,
}

impl TimeObserver {
    /// Continues from the record of an earlier run.
    pub fn open(store: &Store, clock: &Clock) -> Result<Self> {
        let saved = store.snapshot()?.observed_time()?;
        let now = clock.reading();
        let (seen, notice) = saved.map_or((ObservedTime::first(now), None), |saved| saved.then(now));
        notice.iter().for_each(log);
        Ok(Self { state: Mutex::new(State { seen, saved }) })
    }

    /// The observed time and the clock's: the earlier and the later.
    fn times(&self, clock: &Clock) -> (Millis, Millis) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, notice) = state.seen.then(clock.reading());
        notice.iter().for_each(log);
        state.seen = seen;
        (seen.time.min(seen.at.wall), seen.time.max(seen.at.wall))
    }

    /// What should be recorded, if that is due.
    fn to_save(&self, at_once: bool) -> Option<ObservedTime> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = state.seen;
        let is_old = state.saved.is_none_or(|saved| {
            saved.difference.is_some() != seen.difference.is_some()
                || saved.at.boot != seen.at.boot
                || seen.at.steady.abs_diff(saved.at.steady) >= SAVE_EVERY
        });
        (is_old || at_once).then_some(seen)
    }

    fn saved(&self, seen: ObservedTime) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).saved = Some(seen);
    }
}

impl Core {
    /// The time by which age is measured for deletion: the observed time, and never later than the clock.
    pub(super) fn time_to_delete(&self) -> Millis {
        self.observed().times(self.clock()).0
    }

    /// The observed time and the clock's: the earlier and the later.
    pub(super) fn seen_times(&self) -> (Millis, Millis) {
        self.observed().times(self.clock())
    }

    /// The time from which the age of something is measured that will be deleted one day.
    pub(super) fn time_to_keep_from(&self) -> Millis {
        self.observed().times(self.clock()).1
    }

    /// Takes the time that the clock shows now for the right one, whatever was observed: a test moved it.
    /// The caller records it.
    pub(super) fn trust_clock(&self) -> ObservedTime {
        let seen = ObservedTime::first(self.clock().reading());
        let mut state = self.observed().state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { seen, saved: Some(seen) };
        seen
    }

    /// Records the observed time, regularly or `at_once`.
    pub(super) async fn save_seen(&self, at_once: bool) -> Result<()> {
        let _looked = self.time_to_delete();
        let Some(seen) = self.observed().to_save(at_once) else { return Ok(()) };
        self.store().write_always(move |tx: &Tx<'_>| tx.put_observed_time(&seen)).await?;
        self.observed().saved(seen);
        Ok(())
    }
}

fn log(notice: &Notice) {
    match notice {
        Notice::Different(ahead) => {
            let by = humantime::format_duration(Duration::from_secs(ahead.unsigned_abs() / 1000));
            let (side, days) = (if *ahead < 0 { "behind" } else { "ahead of" }, TRUST / DAY);
            tracing::warn!(
                "the clock of this machine is {by} {side} the time that rasterd has observed. If it is wrong, correct it; it does not affect what is deleted for its age until it has stayed so for {days} days"
            );
        }
        Notice::Together => {
            tracing::info!("the clock agrees again with the time that rasterd has observed");
        }
        Notice::Followed => {
            tracing::warn!("the clock has kept its time for days and is followed from now on");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = 1_800_000_000_000;

    /// The observed time after these readings: days by the wall clock, days that really passed, the boot.
    fn seen(readings: &[(i64, u64, u64)]) -> Vec<i64> {
        let reading = |&(wall, steady, boot): &(i64, u64, u64)| ClockReading {
            wall: START.saturating_add_signed(wall * DAY.cast_signed()),
            steady: steady * DAY,
            boot,
        };
        let mut now = ObservedTime::first(reading(&(0, 0, 1)));
        let days = |time: Millis| (time.cast_signed() - START.cast_signed()) / DAY.cast_signed();
        readings
            .iter()
            .map(|read| {
                now = now.then(reading(read)).0;
                days(now.time)
            })
            .collect()
    }

    #[test]
    fn time_is_observed_when_the_steady_clock_agrees() {
        assert_eq!(seen(&[(1, 1, 1), (31, 31, 1), (400, 400, 1)]), [1, 31, 400]);
    }

    #[test]
    fn a_jump_is_followed_after_a_week() {
        assert_eq!(seen(&[(40, 0, 1), (41, 1, 1), (2, 2, 1)]), [0, 1, 2], "ahead and back");
        assert_eq!(seen(&[(-40, 0, 1), (-39, 1, 1), (2, 2, 1)]), [0, 1, 2], "behind and back");
        assert_eq!(seen(&[(40, 0, 1), (46, 6, 1), (47, 7, 1)]), [0, 6, 47], "ahead for good");
        assert_eq!(seen(&[(-40, 0, 1), (-34, 6, 1), (-33, 7, 1)]), [0, 6, -33], "behind for good");
        assert_eq!(seen(&[(40, 0, 1), (86, 6, 1), (87, 7, 1)]), [0, 6, 7], "one jump after another");
    }

    #[test]
    fn at_most_a_day_is_believed_across_a_reboot() {
        assert_eq!(seen(&[(1, 0, 2)]), [1], "off for a day");
        assert_eq!(seen(&[(40, 0, 2), (40, 0, 3), (41, 1, 3)]), [1, 1, 2], "again and again");
        assert_eq!(seen(&[(40, 0, 2), (47, 7, 2)]), [1, 47], "off for weeks");
        assert_eq!(seen(&[(-40, 0, 2), (1, 1, 2)]), [0, 1], "behind after it");
    }

    #[test]
    fn a_difference_of_the_clock_is_reported_once() {
        let at = |wall, steady| ClockReading { wall: START + wall, steady, boot: 1 };
        let (seen, notice) = ObservedTime::first(at(0, 0)).then(at(40 * DAY, 0));
        assert_eq!(notice, Some(Notice::Different(40 * DAY.cast_signed())));
        let (seen, notice) = seen.then(at(40 * DAY + MINUTE, MINUTE));
        assert_eq!(notice, None);
        let (seen, notice) = seen.then(at(41 * DAY, DAY));
        assert_eq!(notice, Some(Notice::Different(40 * DAY.cast_signed())));
        assert_eq!(seen.then(at(DAY + MINUTE, DAY + MINUTE)).1, Some(Notice::Together));
    }
}
