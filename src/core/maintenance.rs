//! Maintenance in the background: deletes expired trash and unused files, and records the use of keys. The age of what
//! it deletes is measured by `observed`. No answer depends on it.

use std::time::Duration;

use futures_util::future::join3;
use tokio::task::spawn_blocking;

use super::trash::purge_due;
use super::{Core, FileMismatches};
use crate::core::access::Administrator;
use crate::core::model::time::millis;
use crate::core::store::TrashQueries;
use crate::core::store::files::IncomingFile;
use crate::error::{Error, Result};

/// How often maintenance runs.
const EVERY: Duration = Duration::from_mins(1);
/// How many trashed assets one transaction deletes.
const PURGE_BATCH: usize = 200;

impl Core {
    /// Runs maintenance regularly, and the work after uploads, as long as it is polled.
    pub async fn run_maintenance(&self) {
        join3(self.repeat_maintenance(), self.process_uploads(), self.repeat_backups()).await;
    }

    async fn repeat_maintenance(&self) {
        self.reclaim_files().await;
        log_failure("delete ended uploads", self.sweep_open_uploads().await);
        loop {
            tokio::time::sleep(EVERY).await;
            self.maintenance_pass().await;
            // The result is in the log.
            let _said = self.check_ready().await;
        }
    }

    /// Does all maintenance that is due, once. Failures are tried again the next time.
    pub async fn maintenance_pass(&self) {
        let done = [
            ("record how much time passed", self.save_seen(false).await),
            ("record when keys were used", self.save_key_use().await),
            ("record when sessions were used", self.save_session_use().await),
            ("record refused attempts", self.save_refusals().await),
            ("delete expired sessions and links", self.sweep_sessions().await),
            ("delete ended uploads", self.sweep_open_uploads().await),
            ("delete old events", self.prune_events().await),
            ("empty the trash", self.purge_trash().await),
            ("delete unused files", self.sweep_files().await),
            ("check files", self.scrub_pass().await),
            ("delete files that are not in the database", self.tend_unnamed_files().await),
        ];
        for (what, outcome) in done {
            log_failure(what, outcome);
        }
    }

    /// Records what is only in memory, and stops background work. Called when no request is running any more.
    pub async fn close(&self) {
        self.renditions().close();
        log_failure("record how much time passed", self.save_seen(true).await);
        log_failure("record when keys were used", self.save_key_use().await);
        log_failure("record when sessions were used", self.save_session_use().await);
        log_failure("record refused attempts", self.save_refusals().await);
    }

    async fn purge_trash(&self) -> Result<()> {
        let by = Administrator::local();
        loop {
            let now = self.now();
            let until = self.time_to_delete().saturating_sub(millis(self.settings().trash_keep));
            let due = self.store().snapshot()?.trash_due(&by, until, PURGE_BATCH)?;
            let count = due.len();
            if count > 0 {
                let by = by.clone();
                self.store().write_always(move |tx| purge_due(tx, &by, &due, now)).await?;
            }
            if count < PURGE_BATCH {
                return Ok(());
            }
        }
    }

    async fn sweep_files(&self) -> Result<()> {
        let core = self.clone();
        spawn_blocking(move || {
            if core.store().reserve().is_short() {
                return core.free_space();
            }
            core.blobs().sweep(core.store(), core.time_to_delete()).map(drop)
        })
        .await
        .map_err(Error::internal)?
    }

    /// Frees what can be spared of a full disk: first renditions, which can be made again, then the files of assets that
    /// were deleted permanently. Blocks.
    ///
    /// # Errors
    /// When the disk fails.
    fn free_space(&self) -> Result<()> {
        self.renditions().empty_cache()?;
        while self.store().reserve().is_short()
            && self.blobs().sweep(self.store(), self.time_to_delete())? > 0
        {}
        Ok(())
    }

    /// [`Core::free_space`] after assets were deleted permanently, if the disk is full. A failure is tried again by the
    /// next maintenance.
    pub(super) async fn free_space_if_full(&self) {
        if self.store().reserve().is_short() {
            log_failure("free space", self.sweep_files().await);
        }
    }

    /// Begins a file of an upload, after making room for it if the disk is full. Blocks.
    ///
    /// # Errors
    /// `STORAGE_FULL`; when the disk fails.
    pub(super) fn begin_incoming_file(&self) -> Result<IncomingFile> {
        if self.store().reserve().is_short() {
            self.free_space()?;
        }
        self.blobs().begin()
    }

    /// The files that don't match the database, for the owners of the first organization, who run the server; nothing
    /// for others.
    ///
    /// # Errors
    /// When the store fails.
    pub fn mismatches(&self, by: &Administrator) -> Result<FileMismatches> {
        Ok(if self.runs_server(by)? { *self.blobs().mismatches() } else { FileMismatches::default() })
    }

    /// Whether these are owners of the first organization, who run the server, or the administrator of the machine.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn runs_server(&self, by: &Administrator) -> Result<bool> {
        let organizations = self.list_organizations(&Administrator::local())?;
        let first = organizations.iter().map(|organization| organization.id).min();
        Ok(first.is_some_and(|first| by.reaches(first)))
    }

    /// Sets aside files that are not in the database: uploads of an earlier run that were stored but not committed.
    async fn reclaim_files(&self) {
        let (blobs, store) = (self.blobs().clone(), self.store().clone());
        let (since, now) = (self.time_to_keep_from(), self.time_to_delete());
        let keep = self.settings().unnamed_keep;
        let reclaimed =
            spawn_blocking(move || blobs.reclaim(&store, since, now, keep)).await.map_err(Error::internal);
        log_failure("find files that are not in the database", reclaimed.and_then(|outcome| outcome));
    }

    async fn tend_unnamed_files(&self) -> Result<()> {
        if !self.blobs().has_unnamed() {
            return Ok(());
        }
        let (blobs, store, now) = (self.blobs().clone(), self.store().clone(), self.time_to_delete());
        let keep = self.settings().unnamed_keep;
        spawn_blocking(move || blobs.tend_unnamed(&store, now, keep)).await.map_err(Error::internal)?
    }
}

/// Logs a failure of background work, which will be tried again.
pub(super) fn log_failure(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(cause = ?error.cause(), "could not {what}: {error}");
    }
}
