//! Copies of all records, and when the server was backed up.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::core::model::time::Millis;
use crate::error::Result;

/// How many records of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordCounts {
    /// Organizations.
    pub organizations: u64,
    /// Libraries.
    pub libraries: u64,
    /// Assets, with variants and the trash.
    pub assets: u64,
    /// API keys.
    pub keys: u64,
    /// People.
    pub members: u64,
}

/// Copies of all records.
pub trait CopyQueries {
    /// How many records of each kind there are.
    fn record_counts(&self) -> Result<RecordCounts>;

    /// How many entries [`CopyQueries::copy_to`] copies.
    fn entries(&self) -> Result<u64>;

    /// Writes everything into a new database at `path`, except for sessions and links.
    ///
    /// # Errors
    /// When the disk fails, the database is damaged, or `report`, which is called with numbers of entries, answers an
    /// error.
    fn copy_to(&self, path: &Path, report: &mut (dyn FnMut(u64) -> Result<()> + '_)) -> Result<()>;
}

/// Reads of when backups ended.
pub trait BackupQueries {
    /// When the last backup was made, and when the last one failed.
    fn backup_ends(&self) -> Result<(Option<Millis>, Option<Millis>)>;
}

/// Records when backups end.
pub trait BackupCommands {
    /// Records that a backup was made, or failed.
    fn put_backup_end(&self, now: Millis, made: bool) -> Result<()>;
}
