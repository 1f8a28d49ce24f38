//! Times on pages: exact for machines, in UTC for those who read without a script. Scripts show the visitor's own.

use std::time::{Duration, UNIX_EPOCH};

use crate::core::model::time::Millis;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Millis);

impl Time {
    /// As `<time datetime>` wants it: `2026-11-24T11:46:59Z`.
    #[must_use]
    pub fn iso(self) -> String {
        // The last second that the format has a name for.
        let seconds = (self.0 / 1000).min(253_402_300_799);
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
    }

    /// To the millisecond: `2026-11-24T11:46:59.999Z`.
    #[must_use]
    pub fn exact(self) -> String {
        let whole = self.iso();
        format!("{}.{:03}Z", whole.trim_end_matches('Z'), self.0 % 1000)
    }

    /// As people read it: `2026-11-24 11:46 UTC`.
    #[must_use]
    pub fn text(self) -> String {
        let iso = self.iso();
        let (day, time) = iso.split_once('T').unwrap_or((&iso, ""));
        format!("{day} {} UTC", time.get(..5).unwrap_or_default())
    }

    /// The day alone: `2026-11-24`.
    #[must_use]
    pub fn day(self) -> String {
        self.iso().split('T').next().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_by_machines_and_by_people() {
        let when = Time(1_795_520_819_999);
        assert_eq!(
            (when.iso().as_str(), when.text().as_str()),
            ("2026-11-24T11:46:59Z", "2026-11-24 11:46 UTC")
        );
        assert_eq!((when.day().as_str(), when.exact().as_str()), ("2026-11-24", "2026-11-24T11:46:59.999Z"));
        assert_eq!(Time(Millis::MAX).text(), "9999-12-31 23:59 UTC");
    }
}
