//! The progress of long work on standard error: a line that is written again on a terminal, otherwise a line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::output::hint;
use crate::core::long_work::{Progress, Stage};

/// How often the progress is looked at.
pub(super) const PULSE: Duration = Duration::from_millis(200);
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// After how long a speed means something.
const MEASURABLE: Duration = Duration::from_secs(1);
/// The width of the bar.
const BAR: u64 = 24;
/// Clears the rest of a terminal's line.
const CLEAR: &str = "\x1b[K";

/// Shows progress until dropped.
pub(super) struct ProgressLine {
    is_terminal: bool,
    stage: Stage,
    started: Instant,
    printed: Option<Instant>,
}

impl ProgressLine {
    pub fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
            stage: Stage::Starting,
            started: Instant::now(),
            printed: None,
        }
    }

    /// Shows how far the work is, if it is time to.
    pub fn show(&mut self, progress: Progress) {
        if progress.stage == Stage::Starting {
            return;
        }
        let is_new = progress.stage != self.stage;
        if is_new {
            (self.stage, self.started) = (progress.stage, Instant::now());
        }
        if self.is_terminal {
            let line = bar(progress, self.started.elapsed());
            // A failure can't be reported anywhere.
            let _unread = write!(std::io::stderr(), "\r{line}{CLEAR}");
            self.printed = Some(Instant::now());
        } else if is_new || self.printed.is_none_or(|printed| printed.elapsed() >= LINE_EVERY) {
            hint(&progress_text(progress, self.started.elapsed()));
            self.printed = Some(Instant::now());
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.is_terminal && self.printed.is_some() {
            let _unread = write!(std::io::stderr(), "\r{CLEAR}");
        }
    }
}

fn bar(progress: Progress, elapsed: Duration) -> String {
    let full = progress.done.min(progress.total).saturating_mul(BAR) / progress.total.max(1);
    let bar: String = (0..BAR).map(|position| if position < full { '#' } else { '.' }).collect();
    format!("[{bar}] {}", progress_text(progress, elapsed))
}

/// What is done, how much of how much, how fast, and how long it still takes.
fn progress_text(progress: Progress, elapsed: Duration) -> String {
    let Progress { stage, done, total } = progress;
    let amount = |number: u64| if stage.is_in_bytes() { bytes(number) } else { number.to_string() };
    if total == 0 {
        return stage.title().to_owned();
    }
    let text = format!("{}: {} of {}", stage.title(), amount(done.min(total)), amount(total));
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1000) / milliseconds;
    if elapsed >= MEASURABLE && rate > 0 && done < total {
        format!("{text}, {}/s, {} left", amount(rate), duration((total - done) / rate))
    } else {
        text
    }
}

/// A number of bytes for people, in units of 1000.
pub(super) fn bytes(number: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut whole, mut tenths, mut unit) = (number, 0, 0);
    while whole >= 1000 && unit + 1 < units.len() {
        tenths = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit == 0 || whole >= 100 { format!("{whole} {name}") } else { format!("{whole}.{tenths} {name}") }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600.. => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_the_rate_and_the_time_left() {
        let progress = Progress { stage: Stage::Files, done: 250_000_000, total: 1_000_000_000 };
        let text = bar(progress, Duration::from_secs(5));
        assert_eq!(text, "[######..................] copying files: 250 MB of 1.0 GB, 50.0 MB/s, 15 s left");
        let progress = Progress { stage: Stage::Metadata, done: 10, total: 10 };
        assert_eq!(progress_text(progress, Duration::from_secs(1)), "copying the metadata: 10 of 10");
    }

    #[test]
    fn bytes_and_times_are_for_people() {
        for (number, text) in [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456_789, "123 MB")] {
            assert_eq!(bytes(number), text);
        }
        assert!(bytes(u64::MAX).ends_with(" PB"));
        for (seconds, text) in [(59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
