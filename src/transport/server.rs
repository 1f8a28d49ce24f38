//! Puts the server together: one listener, one actix server, all transports. Runs the server and drains it.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_server::ServerBuilder;
use futures_util::future::join3;

use crate::core::Core;
use crate::core::clock::Clock;
use crate::core::settings::{ProxySettings, Timeouts};
use crate::telemetry::traces::Traces;
use crate::transport;
use crate::transport::test_control::TestControlOptions;
use crate::transport::tls::challenges::Challenges;
use crate::transport::tls::development::CertificateRenewer;
use crate::transport::tls::{self, Certificates, ClientAuthority, TlsError};

mod acceptor;
mod body_framing;
mod closing;
mod connection;
mod connection_limits;
mod head;
mod health;
mod http_challenges;
mod listener;
mod live;
mod metrics;
mod mounts;
mod plain_http;
mod proxy_protocol;
mod read_ahead;
mod refusal;
mod renewal;
mod signals;
mod timer;
mod transfer_rate;
pub mod unix_socket;

use acceptor::Acceptor;
use listener::Listening;
use live::CertificateOnly;
pub use live::{Lifecycle, LiveOptions};
use metrics::MetricsEndpoint;
pub use metrics::{MetricsOptions, MetricsToken, MetricsTokenError};
use mounts::Listeners;
use renewal::Renewal;
use signals::Signal;
pub use signals::{ServerControl, Signals};
use transfer_rate::MinimumRate;
use unix_socket::{SocketFile, UnixSocket};

/// How many bytes are read from a connection at a time where no body is expected.
const HEAD_READ: usize = 4096;
/// How long a client may take to read the last bytes of a connection that is being closed.
const LINGER: Duration = Duration::from_secs(2);
/// The most threads that the server framework can run.
const MAX_WORKERS: usize = 512;

/// How the server listens, and the limits for its clients.
pub struct ServerOptions {
    /// The socket; bound already, so that its port is known.
    pub listener: TcpListener,
    /// A Unix socket on which it listens, too.
    pub unix_socket: Option<UnixSocket>,
    /// The certificate chain, PEM.
    pub cert_file: PathBuf,
    /// The certificate's private key, PEM.
    pub key_file: PathBuf,
    /// Host names (without port) for which `/mcp` answers.
    pub allowed_hosts: Vec<String>,
    /// Origins (scheme, host, port) whose pages may call, by CORS and on `/mcp`; `*` allows all by CORS.
    pub allowed_origins: Vec<String>,
    /// Renews the certificate when it is a development one, whose authority each client has to trust first; `None`
    /// for a certificate that clients trust already.
    pub development: Option<Arc<CertificateRenewer>>,
    /// The authority that clients have to trust first, as the web app shows it: that of the development certificate, or
    /// the one of a certificate that clients see at a proxy. `None` where they trust it already.
    pub authority: Option<ClientAuthority>,
    /// Host names for which `/` is the MCP endpoint, too.
    pub mcp_hosts: Vec<String>,
    /// Whether GraphQL answers introspection queries.
    pub graphql_introspection: bool,
    /// How many values one GraphQL request may ask for.
    pub graphql_cost: usize,
    /// How many threads answer; 0 is one per core.
    pub workers: usize,
    /// The limits for slow or greedy clients.
    pub timeouts: Timeouts,
    /// The proxies before the server.
    pub proxies: ProxySettings,
    /// The control endpoint of a server that was started for tests; none on an ordinary one.
    pub test_control: Option<TestControlOptions>,
    /// Where an ACME server finds its proofs, when the certificate comes from one.
    pub acme: Option<AcmeOptions>,
    /// Where the metrics are, and who may read them.
    pub metrics: MetricsOptions,
    /// Sends a span for each request to a collector; none where that is turned off.
    pub traces: Option<Traces>,
}

/// Where an ACME server finds the proofs that domains are this server's.
pub struct AcmeOptions {
    /// The proofs.
    pub challenges: Challenges,
    /// The socket for those over plain HTTP; the others are in TLS handshakes.
    pub http: Option<TcpListener>,
}

/// How long the bytes of a body are counted before their rate is judged.
const BODY_WINDOW: Duration = Duration::from_secs(10);

fn minimum_body_rate(timeouts: &Timeouts) -> MinimumRate {
    MinimumRate { total: timeouts.body, window: BODY_WINDOW, bytes_per_second: timeouts.body_rate }
}

fn minimum_answer_rate(timeouts: &Timeouts) -> MinimumRate {
    MinimumRate { total: Duration::MAX, window: timeouts.idle, bytes_per_second: timeouts.answer_rate }
}

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A certificate or a key can't be used.
    #[error(transparent)]
    Certificate(#[from] TlsError),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The socket can't be used.
    #[error("the listening socket can't be used: {0}")]
    Socket(#[from] std::io::Error),
}

/// A server with its socket and its certificate, ready to run.
pub struct Server {
    actix: actix_server::Server,
    address: SocketAddr,
    core: Core,
    renewal: Renewal,
    live: LiveOptions,
    acme: Option<AcmeOptions>,
    token: Option<Arc<MetricsToken>>,
    traces: Option<Traces>,
    draining: Arc<AtomicBool>,
    /// Of the Unix socket; removed when the server has stopped.
    socket_file: Option<SocketFile>,
}

impl Server {
    /// Reads the certificate and sets everything up. Clients can connect from now on; [`Server::run`] answers them.
    ///
    /// # Errors
    /// When the certificate or the socket can't be used.
    pub fn start(mut options: ServerOptions, core: Core) -> Result<Self, StartError> {
        let address = options.listener.local_addr()?;
        let certificates = Certificates::load(&options.cert_file, &options.key_file)?;
        let acme = options.acme.take();
        let in_handshakes = acme.as_ref().filter(|acme| acme.http.is_none());
        let challenges = in_handshakes.map(|acme| acme.challenges.clone());
        let tls = tls::server_config(Arc::clone(&certificates), challenges)?;
        let live = LiveOptions::taken_from(&mut options, &certificates);
        let renewal = Renewal {
            certificates,
            renewer: options.development.clone(),
            host: host_of(&core.settings().public_url),
            authority: options.authority.clone(),
            is_shown_to_clients: options.proxies.show_our_certificate(options.unix_socket.is_some()),
            clock: certificate_clock(&options, &core),
        };
        let draining = Arc::new(AtomicBool::new(false));
        let security = transport::StrictTransportSecurity { is_on: options.development.is_none() };
        let idle = options.timeouts.idle;
        let listening = |tls, proxies| {
            let timeouts = Arc::clone(&live.timeouts);
            let acceptor = Arc::new(Acceptor::new(tls, core.clone(), timeouts, proxies, security));
            Listening { core: core.clone(), security, acceptor, idle }
        };
        // No proxy is between the metrics and who reads them.
        let monitor = listening(tls.clone(), ProxySettings::default());
        let main = listening(tls, options.proxies.clone());
        let builder = builder(&options);
        let unix_socket = options.unix_socket.take();
        let addresses = live.addresses.clone();
        let (token, traces) = (options.metrics.token.clone(), options.traces.clone());
        let metrics = MetricsEndpoint {
            core: core.clone(),
            certificates: Arc::clone(&renewal.certificates),
            token: token.clone(),
            draining: Arc::clone(&draining),
        };
        let listeners = Listeners::new(options, addresses, core.clone(), security, metrics);
        let (builder, socket_file) = listeners.add_to(builder, main, monitor, unix_socket)?;
        let actix = builder.run();
        Ok(Self { actix, address, core, renewal, live, acme, token, traces, draining, socket_file })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The parts that can be replaced while it runs.
    #[must_use]
    pub fn live(&self) -> &LiveOptions {
        &self.live
    }

    /// [`Server::run_with`], for a program that reloads nothing but the certificate.
    ///
    /// # Errors
    /// When the listening socket fails.
    pub async fn run(self, signals: Signals) -> std::io::Result<()> {
        self.run_with(signals, &CertificateOnly).await
    }

    /// Serves until it gets the signal to stop; then accepts no new connections, finishes the requests in flight and
    /// writes what is only in memory. A second signal to stop ends this at once; the process is expected to end
    /// then, too. Runs on an actix system.
    ///
    /// # Errors
    /// When the listening socket fails.
    pub async fn run_with(self, mut signals: Signals, lifecycle: &dyn Lifecycle) -> std::io::Result<()> {
        let Self { actix, core, renewal, live, acme, token, traces, draining, socket_file, .. } = self;
        let handle = actix.handle();
        let mut serving = pin!(actix);
        {
            let mut maintenance = pin!(join3(
                renewal.run(),
                core.run_maintenance(),
                http_challenges::serve(acme, core.clone())
            ));
            loop {
                tokio::select! {
                    outcome = &mut serving => return outcome,
                    _ = &mut maintenance => {}
                    signal = signals.next() => match signal {
                        Signal::Reload => {
                            lifecycle.reload(&live);
                            if let Some(token) = &token {
                                token.reload_and_log();
                            }
                        }
                        Signal::Stop => break,
                    },
                }
            }
        }
        draining.store(true, Ordering::Relaxed);
        lifecycle.stopping();
        tracing::info!("stopping: no new connections, requests in flight finish");
        // The server gets this at once; the future only resolves when it has stopped, as `serving` does.
        drop(handle.stop(true));
        let outcome = tokio::select! {
            outcome = &mut serving => outcome,
            () = signals.stop() => {
                tracing::warn!("asked to stop again: requests in flight are cut off");
                Ok(())
            }
        };
        drop(socket_file);
        core.close().await;
        if let Some(traces) = traces {
            // Whether or not they were sent, the server ends.
            let _ended = actix_rt::task::spawn_blocking(move || traces.finish()).await;
        }
        outcome
    }
}

/// The clock by which the certificate is renewed. Clients of a server that was started for tests check it by their own
/// clock, wherever the server's stands.
fn certificate_clock(options: &ServerOptions, core: &Core) -> Clock {
    if options.test_control.is_some() { Clock::default() } else { core.clock().clone() }
}

/// The host of an origin; IPv6 addresses without brackets.
fn host_of(origin: &str) -> String {
    let url = url::Url::parse(origin).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn builder(options: &ServerOptions) -> ServerBuilder {
    let builder = actix_server::Server::build()
        .disable_signals()
        // Whole seconds, and at least one.
        .shutdown_timeout(
            options.timeouts.drain.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1),
        )
        // A worker with this many stops accepting, and clients would wait; the acceptor closes connections instead.
        .max_concurrent_connections(usize::MAX >> 1);
    match options.workers {
        0 => builder,
        workers => builder.workers(workers.min(MAX_WORKERS)),
    }
}
