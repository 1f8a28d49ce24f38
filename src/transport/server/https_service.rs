//! What answers on each listener: TLS, then HTTP, then the application. The same on a port and on a Unix socket.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_rt::net::{TcpStream, UnixStream};
use actix_server::GracefulShutdownSignal;
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;

use super::acceptor::Acceptor;
use super::connection::Connection;
use super::{LINGER, Mounts, may_continue};

/// The parts from which each worker builds its services.
#[derive(Clone)]
pub(super) struct HttpsService {
    pub acceptor: Arc<Acceptor>,
    pub mounts: Mounts,
    /// How long a connection is kept between two requests.
    pub idle: Duration,
    pub drain: GracefulShutdownSignal,
}

impl HttpsService {
    /// Answers the connections to a port.
    pub fn on_port(
        &self,
    ) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<> {
        let acceptor = Arc::clone(&self.acceptor);
        fn_service(move |tcp: TcpStream| Arc::clone(&acceptor).accept_tcp(tcp)).and_then(self.http())
    }

    /// Answers the connections to a Unix socket.
    pub fn on_unix_socket(
        &self,
    ) -> impl ServiceFactory<UnixStream, Config = (), Response = (), Error = (), InitError = ()> + use<> {
        let acceptor = Arc::clone(&self.acceptor);
        fn_service(move |unix: UnixStream| Arc::clone(&acceptor).accept_unix(unix)).and_then(self.http())
    }

    fn http(
        &self,
    ) -> impl ServiceFactory<
        (Connection, Option<SocketAddr>),
        Config = (),
        Response = (),
        Error = (),
        InitError = (),
    > + use<> {
        let Self { mounts, idle, drain, .. } = self.clone();
        let (core, security) = (mounts.core.clone(), mounts.security);
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
            .h1(map_config(mounts.application(), |()| AppConfig::default()))
            .map_err(|error| tracing::debug!(%error, "a connection ended early"))
    }
}
