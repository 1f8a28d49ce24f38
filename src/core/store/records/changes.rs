//! The change log: what changed that search can see, in the order of the commits.

use crate::core::model::Asset;
use crate::core::model::id::AssetId;
use crate::error::Result;

/// A change that search can see.
pub struct Changed {
    /// Its number in the log.
    pub sequence: u64,
    /// The library, by number.
    pub library: u64,
    /// The asset.
    pub id: AssetId,
    /// The asset as it is in this library now; `None` when it is not there any more.
    pub asset: Option<Asset>,
}

/// Reads of the change log, which the search index follows.
pub trait ChangeQueries {
    /// The number that tells this database from any other, drawn when it was made.
    fn database(&self) -> Result<u64>;

    /// The number of the last change.
    fn sequence(&self) -> Result<u64>;

    /// The number of the last change in any of these libraries; 0 when there was none.
    fn last_change_in(&self, libraries: &[u64]) -> Result<u64>;

    /// What changed after `sequence`, at most `most` changes, and the number of the last of them.
    /// `None` when the log does not reach back that far.
    fn changes_after(&self, sequence: u64, most: usize) -> Result<Option<(Vec<Changed>, u64)>>;

    /// The assets of the whole server in the order of their keys, from after `after`, at most `most`:
    /// for an index that starts from nothing.
    fn every_asset(&self, after: Option<&Asset>, most: usize) -> Result<Vec<Asset>>;
}

/// Pruning of the change log. Entries are added with the changes themselves.
pub trait ChangeCommands {
    /// Cuts off the old end of the log, up to and with `sequence`, at most `most` entries at a time.
    fn prune_changes(&self, sequence: u64, most: usize) -> Result<()>;
}
