//! Times as they are stored and sent.

use std::time::Duration;

/// Unix time in milliseconds, as on the wire.
pub type Millis = u64;

/// A duration in whole milliseconds; one of more than 500 million years counts as that.
#[must_use]
pub fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Converts a time to a key part that sorts newest first, and back.
#[must_use]
pub const fn newest_first(time: u64) -> u64 {
    u64::MAX - time
}

/// The clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct ClockReading {
    /// The wall clock, which people set.
    pub wall: Millis,
    /// The machine's steady clock, since it booted.
    pub steady: Millis,
    /// The boot of the machine.
    pub boot: u64,
}

/// The time observed up to a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct ObservedTime {
    /// The time that the server believes it is.
    pub time: Millis,
    /// The clocks at that moment.
    pub at: ClockReading,
    /// The difference to the wall clock, if there is one.
    pub difference: Option<ClockDifference>,
}

/// The difference between the wall clock and the observed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct ClockDifference {
    /// How far the clock is ahead; negative when it is behind.
    pub ahead: i64,
    /// For how long that has been observed.
    pub since: Millis,
}
