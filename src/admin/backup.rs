//! Backups and examinations, for the administrator of the machine.

use super::Reply;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::backup::{BACKUPS_PAGE, BackupOptions};
use crate::core::doctor::DoctorOptions;
use crate::core::long_work::Reporter;
use crate::core::restore::SelectedRestoreOptions;
use crate::error::Result;

/// Makes a backup.
pub(super) async fn perform(
    core: &Core,
    by: &Administrator,
    options: BackupOptions,
    reporter: &Reporter,
) -> Result<Reply> {
    let outcome = core.backup(by, options, reporter).await;
    // The Overview shows that it failed, and refers to the log.
    let outcome = outcome.inspect_err(|error| {
        tracing::error!(docUrl = BACKUPS_PAGE, "a backup failed: {error}");
    });
    outcome.map(Reply::Backup)
}

/// Examines everything.
pub(super) async fn examine(
    core: &Core,
    by: &Administrator,
    options: DoctorOptions,
    reporter: &Reporter,
) -> Result<Reply> {
    core.run_doctor(by, options, reporter).await.map(Reply::Diagnosis)
}

/// Takes libraries and assets out of a backup.
pub(super) async fn restore_selected(
    core: &Core,
    by: &Administrator,
    options: SelectedRestoreOptions,
    reporter: &Reporter,
) -> Result<Reply> {
    core.restore_selected(by, options, reporter).await.map(Reply::RestoreSelected)
}
