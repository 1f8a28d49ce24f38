//! Measures the state of the server for `/metrics`, when somebody asks for it: sizes, room, what waits, when things
//! happened last.

use std::fs;

use tokio::task::spawn_blocking;

use super::Core;
use super::data_dir::DataDir;
use crate::core::access::Administrator;
use crate::core::store::{ScrubQueries, WorkQueries};
use crate::error::{Error, Result};
use crate::telemetry::metrics::MeasuredFolder;

impl Core {
    /// Measures everything. What can't be measured keeps its last value, and the checks say why.
    pub async fn measure(&self) {
        let checks = self.health_checks().await;
        let state = &self.metrics().state;
        for check in &checks {
            state.set_check(check.check, check.problem.is_none());
        }
        state.set_ready(checks.iter().all(|check| check.problem.is_none()));
        let core = self.clone();
        let measured = spawn_blocking(move || core.measure_store()).await.map_err(Error::internal);
        if let Err(error) = measured.and_then(|outcome| outcome) {
            tracing::debug!(cause = ?error.cause(), "not everything could be measured: {error}");
        }
    }

    /// Blocks.
    fn measure_store(&self) -> Result<()> {
        let state = &self.metrics().state;
        self.measure_disks();
        let by = Administrator::local();
        let snapshot = self.store().snapshot()?;
        let work = snapshot.work_counts(&by)?;
        state.jobs_waiting.set(work.waiting);
        state.jobs_failed.set(work.failed);
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more digits")]
        state.scrub_position.set(snapshot.scrub_position()? as f64 / u64::MAX as f64);
        drop(snapshot);
        let used = self.list_quotas(&by)?;
        state.assets.set(used.iter().map(|organization| organization.used.assets).sum());
        state.asset_bytes.set(used.iter().map(|organization| organization.used.storage).sum());
        state.damaged_files.set(self.blobs().damaged().len() as u64);
        let backups = self.latest_backups()?;
        state.backup_made.set(backups.made.unwrap_or(0) / 1000);
        state.backup_failed.set(backups.failed.unwrap_or(0) / 1000);
        let schedule = &self.settings().backup;
        state.backup_interval.set(schedule.dir.as_ref().map_or(0, |_| schedule.every.as_secs()));
        let (cached, limit) = self.renditions().cache_use()?;
        state.cache_bytes.set(cached);
        state.cache_limit.set(limit);
        Ok(())
    }

    fn measure_disks(&self) {
        let state = &self.metrics().state;
        let folders = [
            (MeasuredFolder::Data, self.settings().data_dir.as_path()),
            (MeasuredFolder::Files, self.blobs().folder()),
        ];
        for (folder, path) in folders {
            if let Ok(room) = self.store().disk().room(path) {
                state.set_disk(folder, room.total, room.available);
            }
        }
        state.disk_reserve.set(self.store().reserve().size());
        let database = DataDir::new(&self.settings().data_dir).database_path();
        if let Ok(database) = fs::metadata(database) {
            state.database_size.set(database.len());
        }
    }
}
