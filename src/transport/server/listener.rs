//! A listener: its connections, and the application that answers their requests. The same on a port and on a Unix socket.

use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request, Response};
use actix_rt::net::{TcpStream, UnixStream};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::AppConfig;

use super::LINGER;
use super::acceptor::Acceptor;
use super::connection::Connection;
use crate::core::Core;
use crate::transport::{self, StrictTransportSecurity, rest, uploads};

/// What every connection of a listener has in common.
#[derive(Clone)]
pub struct Listening {
    pub core: Core,
    pub security: StrictTransportSecurity,
    pub acceptor: Arc<Acceptor>,
    /// How long a connection is kept open between two requests.
    pub idle: Duration,
}

/// An application as a listener takes it.
pub trait Application:
    ServiceFactory<
        Request,
        Config = AppConfig,
        Response = Response<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >
{
}

impl<T> Application for T where
    T: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = Response<BoxBody>,
            Error = actix_web::Error,
            InitError = (),
        >
{
}

impl Listening {
    /// Answers the requests to a port by the applications that `application` makes, one for each worker.
    ///
    /// # Errors
    /// When the socket can't be used.
    pub fn add_port<F, A>(
        self,
        builder: ServerBuilder,
        name: &str,
        listener: TcpListener,
        application: F,
    ) -> std::io::Result<ServerBuilder>
    where
        F: Fn() -> A + Send + Clone + 'static,
        A: Application + 'static,
        A::Service: 'static,
        A::Future: 'static,
    {
        let drain = builder.graceful_shutdown_signal();
        builder.listen(name, listener, move || {
            let acceptor = Arc::clone(&self.acceptor);
            let http = self.http(drain.clone(), application());
            fn_service(move |tcp: TcpStream| Arc::clone(&acceptor).accept_tcp(tcp)).and_then(http)
        })
    }

    /// The same for a Unix socket.
    ///
    /// # Errors
    /// When the socket can't be used.
    pub fn add_unix_socket<F, A>(
        self,
        builder: ServerBuilder,
        name: &str,
        listener: UnixListener,
        application: F,
    ) -> std::io::Result<ServerBuilder>
    where
        F: Fn() -> A + Send + Clone + 'static,
        A: Application + 'static,
        A::Service: 'static,
        A::Future: 'static,
    {
        let drain = builder.graceful_shutdown_signal();
        builder.listen_uds(name, listener, move || {
            let acceptor = Arc::clone(&self.acceptor);
            let http = self.http(drain.clone(), application());
            fn_service(move |unix: UnixStream| Arc::clone(&acceptor).accept_unix(unix)).and_then(http)
        })
    }

    fn http<A>(
        &self,
        drain: GracefulShutdownSignal,
        application: A,
    ) -> impl ServiceFactory<
        (Connection, Option<SocketAddr>),
        Config = (),
        Response = (),
        Error = (),
        InitError = (),
    > + use<A>
    where
        A: Application + 'static,
        A::Service: 'static,
        A::Future: 'static,
    {
        let Self { core, security, idle, .. } = self.clone();
        HttpService::build()
            .keep_alive(KeepAlive::Timeout(idle))
            // The head of every request is timed by the connection, not only that of the first.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let drain = drain.clone();
                async move { drain.notified().await }
            })
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(connection.cancellation());
                data.insert(connection.origin().clone());
            })
            .expect(fn_service(move |request| ready(may_continue(&core, request, security))))
            .h1(map_config(application, |()| AppConfig::default()))
            .map_err(|error| tracing::debug!(%error, "a connection ended early"))
    }
}

/// Answers `Expect: 100-continue`: the client may send its body, or the request is refused without it.
fn may_continue(
    core: &Core,
    request: Request,
    security: StrictTransportSecurity,
) -> Result<Request, Response<BoxBody>> {
    let (method, uri, headers) = (request.method(), request.uri(), request.head().headers());
    let checked = rest::may_continue(core, method, uri, headers)
        .and_then(|()| uploads::may_continue(core, method, uri, headers));
    match checked {
        Ok(()) => Ok(request),
        Err(error) => Err(transport::refused_response(core, &request, &error, security)),
    }
}
