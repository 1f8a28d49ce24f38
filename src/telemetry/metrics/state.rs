//! The state of the server, measured when somebody asks: sizes, room, what waits, when things happened last.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::label::{ByLabel, LabelValue, label};
use super::label_values;

type Number = Gauge<u64, AtomicU64>;
type Fraction = Gauge<f64, AtomicU64>;

label_values! {
    /// A check of whether the server is ready.
    Check of "check" {
        /// The database can be read and written.
        Store = "store",
        /// The disk has room, beside the reserve.
        Disk = "disk",
        /// The folder of files is the right one, and can be written and read.
        Files = "files",
        /// The search index is open and in step.
        Index = "index",
        /// The work after uploads goes on.
        Queue = "queue",
        /// The server is not stopping.
        Shutdown = "shutdown",
    }
}

label_values! {
    /// A folder with a file system.
    MeasuredFolder of "folder" {
        /// The data directory.
        Data = "data",
        /// The folder of files, which may be on a file system of its own.
        Files = "files",
    }
}

/// The metrics of the state. Each clone is the same.
#[derive(Debug, Clone, Default)]
pub struct StateMetrics {
    ready: Number,
    checks: ByLabel<Number>,
    disk_size: ByLabel<Number>,
    disk_available: ByLabel<Number>,
    /// How much of the disk is kept free, in bytes.
    pub disk_reserve: Number,
    /// The size of the database, in bytes.
    pub database_size: Number,
    /// The assets, with variants and trash.
    pub assets: Number,
    /// The bytes of their files.
    pub asset_bytes: Number,
    /// The files that wait for the work after their upload.
    pub jobs_waiting: Number,
    /// The files whose work failed for good.
    pub jobs_failed: Number,
    /// The bytes of cached renditions.
    pub cache_bytes: Number,
    /// The most of them.
    pub cache_limit: Number,
    /// The files that are known to be damaged or missing.
    pub damaged_files: Number,
    /// How far the regular check of files is, from 0 to 1.
    pub scrub_position: Fraction,
    /// When the last backup was made, in unix seconds; 0: never.
    pub backup_made: Number,
    /// When the last backup failed, if none was made since, in unix seconds; 0: it did not.
    pub backup_failed: Number,
    /// How often backups are scheduled, in seconds; 0: not at all.
    pub backup_interval: Number,
    /// When the certificate expires, in unix seconds.
    pub certificate_expiry: Number,
}

impl StateMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let state = Self::default();
        state.register_health(registry);
        state.register_disk(registry);
        let numbers = [
            ("jobs_waiting", "Files that wait for the work after their upload", &state.jobs_waiting),
            ("jobs_failed", "Files whose work after the upload failed for good", &state.jobs_failed),
            ("rendition_cache_bytes", "Bytes of cached pictures on the disk", &state.cache_bytes),
            ("rendition_cache_limit_bytes", "The most bytes of cached pictures", &state.cache_limit),
            ("damaged_files", "Files that are known to be damaged or missing", &state.damaged_files),
            (
                "backup_last_success_timestamp_seconds",
                "When the last backup was made; 0 if never",
                &state.backup_made,
            ),
            (
                "backup_last_failure_timestamp_seconds",
                "When the last backup failed; 0 if one was made since",
                &state.backup_failed,
            ),
            (
                "backup_interval_seconds",
                "How often backups are scheduled; 0 if they are not",
                &state.backup_interval,
            ),
            (
                "certificate_expiry_timestamp_seconds",
                "When the certificate expires that new connections get",
                &state.certificate_expiry,
            ),
        ];
        for (name, help, number) in numbers {
            registry.register(name, help, number.clone());
        }
        registry.register(
            "scrub_position_ratio",
            "How far the regular check of all files is, from 0 to 1",
            state.scrub_position.clone(),
        );
        state
    }

    fn register_health(&self, registry: &mut Registry) {
        for check in Check::ALL {
            drop(self.checks.get_or_create(&label(*check)));
        }
        registry.register("ready", "Whether the server is ready: 1, or 0", self.ready.clone());
        registry.register("check_ok", "Whether a check of `/readyz` succeeds: 1, or 0", self.checks.clone());
    }

    fn register_disk(&self, registry: &mut Registry) {
        registry.register(
            "disk_size_bytes",
            "The size of the file system of a folder",
            self.disk_size.clone(),
        );
        registry.register(
            "disk_available_bytes",
            "What may still be written to the file system of a folder",
            self.disk_available.clone(),
        );
        registry.register(
            "disk_reserve_bytes",
            "How much of the disk is kept free: with less, only what frees space is written",
            self.disk_reserve.clone(),
        );
        registry.register("database_size_bytes", "The size of the database", self.database_size.clone());
        registry.register("assets", "Assets, with variants and trash", self.assets.clone());
        registry.register(
            "asset_bytes",
            "Bytes of the files of assets; those that several assets share count for each",
            self.asset_bytes.clone(),
        );
    }

    /// Sets whether a check succeeds.
    pub fn set_check(&self, check: Check, is_ok: bool) {
        self.checks.get_or_create(&label(check)).set(u64::from(is_ok));
    }

    /// Sets whether all checks succeed.
    pub fn set_ready(&self, is_ready: bool) {
        self.ready.set(u64::from(is_ready));
    }

    /// Sets the size of the file system of a folder and what may still be written to it, in bytes.
    pub fn set_disk(&self, folder: MeasuredFolder, size: u64, available: u64) {
        self.disk_size.get_or_create(&label(folder)).set(size);
        self.disk_available.get_or_create(&label(folder)).set(available);
    }
}
