//! What the server counts, for `/metrics`. The values of every label are listed in the code, so that no key, name or id of
//! a customer can become one, and their number is bounded. Depends on nothing else in the crate.

use std::fmt;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

mod connections;
mod label;
mod process;
mod requests;
mod state;
mod store;
mod work;

pub use connections::{ConnectionMetrics, ConnectionResult, OpenConnection};
pub use label::{Counters, LabelValue};
pub use requests::{AnsweredRequest, Authentication, RequestMetrics, RunningGuard, Transport};
pub use state::{Check, MeasuredFolder, StateMetrics};
pub use store::{Committed, StoreMetrics};
pub use work::{
    CacheResult, FileResult, JobResult, RenditionResult, SignIn, SignInMethod, SignInResult, UploadResult,
    WorkMetrics,
};

use label::label_values;
use process::ProcessCollector;

/// The media type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;
/// What the names of our metrics begin with; those of the process have the names that all programs use.
const PREFIX: &str = "rasterd";

/// All metrics of one server.
pub struct Metrics {
    registry: Registry,
    /// Requests and their authentication.
    pub requests: RequestMetrics,
    /// Connections and their bytes.
    pub connections: ConnectionMetrics,
    /// Uploads, pictures, the check of files, signing in.
    pub work: WorkMetrics,
    /// Commits of the database.
    pub store: StoreMetrics,
    /// What is measured when it is asked for.
    pub state: StateMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let ours = registry.sub_registry_with_prefix(PREFIX);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        ours.register("build", "The version of the program, as a label", build);
        let metrics = (
            RequestMetrics::register(ours),
            ConnectionMetrics::register(ours),
            WorkMetrics::register(ours),
            StoreMetrics::register(ours),
            StateMetrics::register(ours),
        );
        registry.register_collector(Box::new(ProcessCollector::default()));
        let (requests, connections, work, store, state) = metrics;
        Self { registry, requests, connections, work, store, state }
    }
}

impl Metrics {
    /// All of them in the text format of Prometheus.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a text can't fail.
        let _written = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_help_and_a_type_and_starts_at_zero() {
        let text = Metrics::default().encode();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let is_described = |name: &str| {
                text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} "))
            };
            assert!(is_described(name) || family.is_some_and(is_described), "{line}");
        }
        assert!(
            text.contains(&format!("rasterd_build_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION")))
        );
        assert!(text.contains("rasterd_authentications_total{result=\"unknown\"} 0\n"), "{text}");
        assert!(
            text.contains("\nprocess_start_time_seconds ") && text.contains("\nprocess_cpu_seconds_total ")
        );
    }
}
