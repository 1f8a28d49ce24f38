//! When the server was backed up, in the tables.

use super::tables::META;
use super::{Reader, Snapshot, Tx};
use crate::core::model::time::Millis;
use crate::core::store::records::{BackupCommands, BackupQueries};
use crate::error::Result;

const MADE: &str = "backup_made";
const FAILED: &str = "backup_failed";

impl BackupQueries for Snapshot {
    fn backup_ends(&self) -> Result<(Option<Millis>, Option<Millis>)> {
        Ok((self.lookup(META, MADE, Ok)?, self.lookup(META, FAILED, Ok)?))
    }
}

impl BackupCommands for Tx<'_> {
    fn put_backup_end(&self, now: Millis, made: bool) -> Result<()> {
        self.put(META, if made { MADE } else { FAILED }, now)
    }
}
