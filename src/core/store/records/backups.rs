//! When the server was backed up.

use crate::core::model::time::Millis;
use crate::error::Result;

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
