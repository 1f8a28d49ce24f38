//! The composition root: one listener, one actix server, all transports; run and drain.

use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request, Response};
use actix_rt::net::TcpStream;
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::AppConfig;
use actix_web::web;
use futures_util::future::join;

use crate::app::App;
use crate::edge::cors::Cors;
use crate::mcp::McpOptions;
use crate::tls::{self, Certificates, TlsError};
use crate::{cdn, edge, graphql, http, mcp, web as pages};

mod connection;
mod door;
mod framing;
mod health;
mod orders;
mod pace;
mod plain;
mod refusal;

use door::Door;
use orders::Order;
pub use orders::{Control, Orders};

/// How long a connection that is being closed may take to take its last bytes.
const LINGER: Duration = Duration::from_secs(2);
/// The most threads that the server framework runs.
const MOST_WORKERS: usize = 512;

/// How the server listens and what it allows a client to take of it.
pub struct Options {
    /// Where it listens; bound already, so that its port is known.
    pub listener: TcpListener,
    /// The certificate chain, PEM.
    pub cert_file: PathBuf,
    /// The certificate's private key, PEM.
    pub key_file: PathBuf,
    /// Host names (without port) that `/mcp` answers to.
    pub allowed_hosts: Vec<String>,
    /// Origins (scheme, host, port) whose pages may call, by CORS and on `/mcp`; `*` allows all by CORS.
    pub allowed_origins: Vec<String>,
    /// The certificate, PEM, of the authority that clients have to be told to trust; none when the world trusts the
    /// server's already.
    pub authority: Option<PathBuf>,
    /// Host names where `/` is the MCP endpoint, too.
    pub mcp_hosts: Vec<String>,
    /// Whether GraphQL tells its schema.
    pub graphql_introspection: bool,
    /// How many threads answer; 0 is one a core.
    pub workers: usize,
    /// What slow or greedy clients may take.
    pub patience: Patience,
}

/// Limits against slow and greedy clients.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Until the head of a request is there, and until a TLS handshake is done.
    pub head: Duration,
    /// Until a body is there as a whole.
    pub body: Duration,
    /// The least bytes per second of a body, measured over ten seconds.
    pub body_rate: u64,
    /// How long an idle connection is kept.
    pub idle: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub drain: Duration,
    /// Connections at a time, in all.
    pub connections: usize,
    /// Connections at a time from one address.
    pub connections_per_address: usize,
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

/// A server that has its socket and its certificate and is ready to run.
pub struct Server {
    actix: actix_server::Server,
    address: SocketAddr,
    app: App,
    certificates: Arc<Certificates>,
    draining: Arc<AtomicBool>,
}

impl Server {
    /// Reads the certificate and sets everything up. Clients may connect already; they are answered by
    /// [`Server::run`].
    ///
    /// # Errors
    /// When the certificate or the socket can't be used.
    pub fn start(options: Options, app: App) -> Result<Self, StartError> {
        let address = options.listener.local_addr()?;
        let certificates = Certificates::load(&options.cert_file, &options.key_file)?;
        let tls = tls::server_config(Arc::clone(&certificates))?;
        let draining = Arc::new(AtomicBool::new(false));
        let door = Arc::new(Door::new(tls, app.clone(), options.patience.clone()));
        let builder = builder(&options);
        let idle = options.patience.idle;
        let (listener, site) = Site::of(options, app.clone(), Arc::clone(&draining));
        let drain = builder.graceful_shutdown_signal();
        let actix = builder
            .listen("https", listener, move || {
                let (drain, site) = (drain.clone(), site.clone());
                let waiting = site.app.clone();
                let http = HttpService::build()
                    .keep_alive(KeepAlive::Timeout(idle))
                    // The head of every request is timed by the connection, not only that of the first.
                    .client_request_timeout(Duration::ZERO)
                    .client_disconnect_timeout(LINGER)
                    .graceful_shutdown_signal(move || {
                        let drain = drain.clone();
                        async move { drain.notified().await }
                    })
                    .expect(fn_service(move |request| ready(may_continue(&waiting, request))))
                    .h1(map_config(site.application(), |()| AppConfig::default()))
                    .map_err(|error| tracing::debug!(%error, "a connection ended early"));
                let door = Arc::clone(&door);
                fn_service(move |tcp: TcpStream| Arc::clone(&door).admit(tcp)).and_then(http)
            })?
            .run();
        Ok(Self { actix, address, app, certificates, draining })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is ordered to stop; then takes no new connections, finishes the requests in flight and
    /// writes down what is only in memory. A second order to stop ends this at once; the process is expected to
    /// end then, too. Runs on an actix system.
    ///
    /// # Errors
    /// When the listening socket fails.
    pub async fn run(self, mut orders: Orders) -> std::io::Result<()> {
        let Self { actix, app, certificates, draining, .. } = self;
        let handle = actix.handle();
        let mut serving = pin!(actix);
        {
            let mut upkeep = pin!(join(certificates.watch(), app.keep_up()));
            loop {
                tokio::select! {
                    outcome = &mut serving => return outcome,
                    _ = &mut upkeep => {}
                    order = orders.next() => match order {
                        Order::Reload => certificates.reload_and_log(),
                        Order::Stop => break,
                    },
                }
            }
        }
        draining.store(true, Ordering::Relaxed);
        tracing::info!("stopping: no new connections, requests in flight finish");
        // The order is given now; what comes back only tells that it was carried out, as `serving` does.
        drop(handle.stop(true));
        let outcome = tokio::select! {
            outcome = &mut serving => outcome,
            () = orders.stop() => {
                tracing::warn!("asked to stop again: requests in flight are cut off");
                Ok(())
            }
        };
        app.close().await;
        outcome
    }
}

/// Lets a client that waits for leave to send its body send it, or refuses the request unread.
fn may_continue(app: &App, request: Request) -> Result<Request, Response<BoxBody>> {
    match http::may_continue(app, request.method(), request.uri(), request.head().headers()) {
        Ok(()) => Ok(request),
        Err(error) => Err(edge::refused(&request, &error)),
    }
}

fn builder(options: &Options) -> actix_server::ServerBuilder {
    let builder = actix_server::Server::build()
        .disable_signals()
        // Whole seconds, and at least one.
        .shutdown_timeout(
            options.patience.drain.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1),
        )
        // A worker that has this many stops accepting, and clients would wait; the door closes them instead.
        .max_concurrent_connections(usize::MAX >> 1);
    match options.workers {
        0 => builder,
        workers => builder.workers(workers.min(MOST_WORKERS)),
    }
}

/// Everything that is mounted, once for each worker.
#[derive(Clone)]
struct Site {
    app: App,
    draining: Arc<AtomicBool>,
    allowed_origins: Vec<String>,
    mcp: McpOptions,
    graphql: graphql::Options,
    pages: pages::Options,
}

impl Site {
    /// The site, and the listener beside it: a copy of that would keep the port open while requests finish, and
    /// clients would wait for nobody.
    fn of(options: Options, app: App, draining: Arc<AtomicBool>) -> (TcpListener, Self) {
        let Options {
            listener,
            authority,
            allowed_hosts,
            allowed_origins,
            mcp_hosts,
            graphql_introspection,
            ..
        } = options;
        let graphql = graphql::Options { introspection: graphql_introspection, mcp_hosts: mcp_hosts.clone() };
        let mcp = McpOptions { allowed_hosts, allowed_origins: allowed_origins.clone(), mcp_hosts };
        let pages = pages::Options { authority };
        (listener, Self { app, draining, allowed_origins, mcp, graphql, pages })
    }

    fn application(
        &self,
    ) -> impl ServiceFactory<
        actix_http::Request,
        Config = AppConfig,
        Response = actix_http::Response<actix_web::body::BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    > + use<> {
        let site = self.clone();
        let cors = Cors::new(&self.allowed_origins);
        let application = actix_web::App::new()
            .app_data(web::Data::new(self.app.clone()))
            .configure(move |routes| site.mount(routes))
            .default_service(web::to(edge::no_such_path));
        edge::frame(application, cors)
    }

    /// The transports, in one place.
    fn mount(&self, routes: &mut web::ServiceConfig) {
        health::configure(routes, &self.app, &self.draining);
        cdn::configure(routes, &self.app);
        http::configure(routes);
        mcp::configure(routes, &self.app, self.mcp.clone());
        graphql::configure(routes, &self.app, &self.graphql);
        pages::configure(routes, &self.app, &self.pages);
    }
}
