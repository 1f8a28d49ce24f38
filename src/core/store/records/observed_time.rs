//! How much time the server has seen pass.

use crate::core::model::time::ObservedTime;
use crate::error::Result;

/// How much time earlier runs of the server have seen pass.
pub trait ObservedTimeQueries {
    /// What an earlier run wrote down.
    fn observed_time(&self) -> Result<Option<ObservedTime>>;
}

/// Records how much time the server has seen pass.
pub trait ObservedTimeCommands {
    /// Records what was seen.
    fn put_observed_time(&self, seen: &ObservedTime) -> Result<()>;
}
