//! How much time the server has seen pass, in the tables.

use super::tables::META;
use super::{Reader, Snapshot, Tx};
use crate::core::model::time::{ClockDifference, ClockReading, Millis, ObservedTime};
use crate::core::store::records::{ObservedTimeCommands, ObservedTimeQueries};
use crate::error::Result;

const TIME: &str = "seen_time";
const WALL: &str = "seen_wall";
const STEADY: &str = "seen_steady";
const BOOT: &str = "seen_boot";
/// The two's complement of how far the clock is ahead; 0 when it is right.
const AHEAD: &str = "seen_ahead";
const APART: &str = "seen_apart";

impl ObservedTimeQueries for Snapshot {
    fn observed_time(&self) -> Result<Option<ObservedTime>> {
        let read = |name: &'static str| self.lookup(META, name, Ok);
        let (Some(time), Some(wall), Some(steady), Some(boot)) =
            (read(TIME)?, read(WALL)?, read(STEADY)?, read(BOOT)?)
        else {
            return Ok(None);
        };
        let (ahead, since) = (read(AHEAD)?.unwrap_or(0).cast_signed(), read(APART)?.unwrap_or(0));
        let difference = (ahead != 0).then_some(ClockDifference { ahead, since });
        Ok(Some(ObservedTime { time, at: ClockReading { wall, steady, boot }, difference }))
    }
}

impl ObservedTimeCommands for Tx<'_> {
    fn put_observed_time(&self, seen: &ObservedTime) -> Result<()> {
        let difference = seen.difference.unwrap_or(ClockDifference { ahead: 0, since: 0 });
        for (name, value) in [
            (TIME, seen.time),
            (WALL, seen.at.wall),
            (STEADY, seen.at.steady),
            (BOOT, seen.at.boot),
            (AHEAD, difference.ahead.cast_unsigned()),
            (APART, difference.since),
        ] {
            self.put(META, name, value)?;
        }
        Ok(())
    }
}

impl Tx<'_> {
    /// From when on the age of something counts that happens now: not from a time that a clock shows that is behind
    /// what was seen to pass, since once it is right again, that would be long ago.
    pub(super) fn counted_from(&self, now: Millis) -> Result<Millis> {
        Ok(self.lookup(META, TIME, Ok)?.map_or(now, |seen| now.max(seen)))
    }
}
