//! Commits of the database.

use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::label::Counters;
use super::label_values;

/// The bounds of the buckets, in seconds: a commit takes an fsync.
const SECONDS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
/// The bounds of the buckets, in writes.
const WRITES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

label_values! {
    /// How a commit ended.
    Committed of "result" {
        /// It is on the disk.
        Done = "ok",
        /// The disk failed.
        Failed = "failed",
    }
}

/// The metrics of the database. Each clone counts for the same.
#[derive(Debug, Clone)]
pub struct StoreMetrics {
    commits: Counters<Committed>,
    durations: Histogram,
    writes: Histogram,
}

impl StoreMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let commits =
            Counters::register(registry, "commits", "Commits of the database that changed something");
        let metrics = Self { commits, durations: Histogram::new(SECONDS), writes: Histogram::new(WRITES) };
        registry.register(
            "commit_duration_seconds",
            "How long commits took, with their fsync",
            metrics.durations.clone(),
        );
        registry.register("commit_writes", "How many writes shared a commit", metrics.writes.clone());
        metrics
    }

    /// Metrics that nobody reads, for databases that are not a server's.
    #[must_use]
    pub fn unread() -> Self {
        Self::register(&mut Registry::default())
    }

    /// Counts a commit of so many writes.
    pub fn committed(&self, result: Committed, writes: usize, duration: Duration) {
        self.commits.inc(result);
        self.durations.observe(duration.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.writes.observe(writes as f64);
    }
}
