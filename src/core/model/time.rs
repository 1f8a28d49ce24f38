//! Times as they are stored and sent.

use std::time::Duration;

/// Unix time in milliseconds, as on the wire.
pub type Millis = u64;

/// A duration in whole milliseconds; one of more than 500 million years counts as that.
#[must_use]
pub fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Turns a time into a key part that sorts newest first, and back.
#[must_use]
pub const fn newest_first(time: u64) -> u64 {
    u64::MAX - time
}

/// What clocks show at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Reading {
    /// The clock that people set.
    pub wall: Millis,
    /// The machine's steady clock, since it was started.
    pub steady: Millis,
    /// Which start of the machine that was.
    pub boot: u64,
}

/// What was seen up to a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Seen {
    /// The time that the server believes it is.
    pub time: Millis,
    /// What the clocks showed then.
    pub at: Reading,
    /// A clock that shows another time, if it does.
    pub apart: Option<Apart>,
}

/// A clock that shows another time than the one that was seen to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) struct Apart {
    /// How far it is ahead; negative when it is behind.
    pub ahead: i64,
    /// For how long that has been seen.
    pub since: Millis,
}
