//! Connections, and the bytes of requests and answers in them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::label::Counters;
use super::label_values;

label_values! {
    /// What became of a connection.
    ConnectionResult of "result" {
        /// It speaks TLS.
        Accepted = "ok",
        /// There were too many, in all or from its address.
        Limited = "limited",
        /// It does not speak TLS, so it was refused.
        PlainHttp = "plain_http",
        /// The handshake failed, or took too long.
        Failed = "failed",
    }
}

/// The metrics of connections. Each clone counts for the same.
#[derive(Debug, Clone)]
pub struct ConnectionMetrics {
    /// Connections so far.
    pub results: Counters<ConnectionResult>,
    open: Gauge,
    /// Bytes of requests.
    pub received: Counter,
    /// Bytes of answers.
    pub sent: Counter,
}

impl ConnectionMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let results = Counters::register(registry, "connections", "Connections, by what became of them");
        let metrics =
            Self { results, open: Gauge::default(), received: Counter::default(), sent: Counter::default() };
        registry.register("connections_open", "Connections that are open", metrics.open.clone());
        registry.register("received_bytes", "Bytes of requests, inside of TLS", metrics.received.clone());
        registry.register("sent_bytes", "Bytes of answers, inside of TLS", metrics.sent.clone());
        metrics
    }

    /// A connection that is open until this is dropped.
    #[must_use]
    pub fn open(&self) -> OpenConnection {
        self.open.inc();
        OpenConnection(self.open.clone())
    }
}

/// An open connection. It counts until this is dropped.
#[derive(Debug)]
pub struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
