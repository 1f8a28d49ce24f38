//! Requests: how many, how long, and who they came from, as far as it concerns those who run the server.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::label::{Counters, LabelValue};
use super::label_values;

/// The bounds of the buckets, in seconds: most answers take a few milliseconds, uploads and pictures seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// The operation of a request that runs none.
const NO_OPERATION: &str = "none";

label_values! {
    /// The interface that answers a request.
    Transport of "transport" {
        /// REST.
        Rest = "rest",
        /// GraphQL.
        GraphQl = "graphql",
        /// MCP.
        Mcp = "mcp",
        /// The public urls of files.
        Files = "files",
        /// The web app.
        WebApp = "webapp",
        /// `/livez`, `/readyz` and `/metrics`.
        Monitoring = "monitoring",
        /// Everything else: documents, paths that don't exist, and what is refused before it has a path.
        Other = "other",
    }
}

label_values! {
    /// How a request with a key authenticated itself.
    Authentication of "result" {
        /// With a live key.
        Accepted = "ok",
        /// It has no `Authorization`.
        Missing = "missing",
        /// `Authorization` is not `Bearer` and a token, or the token does not have the form of a key.
        Malformed = "malformed",
        /// No key has this value, or none any more.
        Unknown = "unknown",
        /// The key has expired.
        Expired = "expired",
        /// The key belongs to another organization than the request names.
        OtherOrganization = "other_organization",
        /// The key is live, and sends too many requests.
        RateLimited = "rate_limited",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    transport: &'static str,
    operation: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    transport: &'static str,
    operation: &'static str,
}

/// A request that is answered.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredRequest {
    /// What answers it.
    pub transport: Transport,
    /// The operation that it ran, by the name of its declaration.
    pub operation: Option<&'static str>,
    /// The status of the answer, or of the error in it.
    pub status: u16,
    /// How long it took until the answer began.
    pub duration: Duration,
}

/// The metrics of requests. Each clone counts for the same.
#[derive(Debug, Clone)]
pub struct RequestMetrics {
    answered: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    running: Gauge,
    /// How requests authenticated themselves.
    pub authentications: Counters<Authentication>,
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            answered: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            running: Gauge::default(),
            authentications: Counters::register(
                registry,
                "authentications",
                "Requests that need a key, by how they authenticated themselves",
            ),
        };
        registry.register(
            "requests",
            "Answered requests, by interface, operation and status; an error in an answer of GraphQL or MCP counts with its own status",
            metrics.answered.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "How long requests took until their answer began",
            metrics.durations.clone(),
        );
        registry.register("requests_running", "Requests that are being answered", metrics.running.clone());
        metrics
    }

    /// A request that runs until this is dropped.
    #[must_use]
    pub fn begin(&self) -> RunningGuard {
        self.running.inc();
        RunningGuard(self.running.clone())
    }

    /// Counts an answer.
    pub fn answered(&self, request: AnsweredRequest) {
        let AnsweredRequest { transport, operation, status, duration } = request;
        let (transport, operation) = (transport.as_str(), operation.unwrap_or(NO_OPERATION));
        self.answered.get_or_create(&RequestLabels { transport, operation, status }).inc();
        let duration_labels = DurationLabels { transport, operation };
        self.durations.get_or_create(&duration_labels).observe(duration.as_secs_f64());
    }

    /// Counts a request that was refused before its head was read.
    pub fn refused(&self, status: u16) {
        let (transport, operation) = (Transport::Other.as_str(), NO_OPERATION);
        self.answered.get_or_create(&RequestLabels { transport, operation, status }).inc();
    }
}

/// A request that is being answered. It counts as running until this is dropped.
#[derive(Debug)]
pub struct RunningGuard(Gauge);

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
