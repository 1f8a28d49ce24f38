//! Backups, and what is taken out of them, for the administrator of the machine.

use super::Reply;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::backup::BackupOptions;
use crate::core::long_work::Reporter;
use crate::error::Result;

/// Makes a backup.
pub(super) async fn perform(
    core: &Core,
    by: &Administrator,
    options: BackupOptions,
    reporter: &Reporter,
) -> Result<Reply> {
    core.backup(by, options, reporter).await.map(Reply::Backup)
}
