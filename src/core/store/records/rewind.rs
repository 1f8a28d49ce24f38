//! Going back to an earlier snapshot, on a server that was started for tests.

use crate::core::model::ContentHash;
use crate::core::store::Snapshot;
use crate::error::Result;

/// Changes of all records at once.
pub trait RewindCommands {
    /// Makes all records what they are in a snapshot. What the search index follows goes on instead, so that the index
    /// sees the difference. Returns the files that were known before and are not in the snapshot.
    fn rewind(&self, to: &Snapshot) -> Result<Vec<ContentHash>>;
}
