//! Backups at the configured interval. The time of the last one is in the store, so a restart does not start the interval again.

use std::time::Duration;

use super::{BackupOptions, Core};
use crate::core::access::Administrator;
use crate::core::long_work::Reporter;
use crate::core::model::time::millis;
use crate::core::store::files::DAMAGE_PAGE;
use crate::error::Result;

/// Where the documentation is about backups.
pub const BACKUPS_PAGE: &str = "/docs/back-up-and-restore#make-one";
/// How often it is checked whether a backup is due.
const CHECK_EVERY: Duration = Duration::from_mins(1);
/// After a failure, the next one is tried after this time, unless the interval is shorter.
const RETRY_AFTER: Duration = Duration::from_hours(1);

impl Core {
    /// Backs up at the configured interval, as long as it is polled.
    pub(in crate::core) async fn repeat_backups(&self) {
        loop {
            if let Err(error) = self.backup_if_due().await {
                tracing::error!(cause = ?error.cause(), docUrl = BACKUPS_PAGE, "the scheduled backup failed: {error}");
            }
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }

    /// Makes the scheduled backup if it is due.
    ///
    /// # Errors
    /// Those of [`Core::backup`].
    pub async fn backup_if_due(&self) -> Result<()> {
        let settings = &self.settings().backup;
        let Some(target) = settings.dir.clone() else { return Ok(()) };
        let latest = self.latest_backups()?;
        let passed = |since: Option<u64>, wait: Duration| {
            since.is_none_or(|since| self.now().abs_diff(since) >= millis(wait))
        };
        let is_due = passed(latest.made, settings.every);
        if !is_due || !passed(latest.failed, settings.every.min(RETRY_AFTER)) {
            return Ok(());
        }
        let keep = (settings.keep > 0).then_some(settings.keep);
        let options = BackupOptions { target, keep, authority: true };
        let summary = self.backup(&Administrator::local(), options, &Reporter::default()).await?;
        tracing::info!(
            snapshot = summary.snapshot,
            files = summary.files,
            new = summary.new_files,
            "backed up to {}",
            summary.target.display()
        );
        if let Some(why) = &summary.not_removed {
            tracing::error!(docUrl = BACKUPS_PAGE, "older snapshots were not removed: {why}");
        }
        if summary.unreadable > 0 {
            tracing::error!(
                files = summary.unreadable,
                lost = summary.lost.len(),
                docUrl = DAMAGE_PAGE,
                "files were missing or damaged when they were backed up"
            );
        }
        Ok(())
    }
}
