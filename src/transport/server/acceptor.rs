//! Accepts connections: counts them, reads what a proxy announces, looks at the first byte, makes the TLS handshake. Knows
//! no HTTP except the one answer for clients that come without TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_rt::net::{TcpStream, UnixStream};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::io::AsyncBufReadExt;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

use super::connection::Connection;
use super::connection_limits::{ConnectionLimits, ConnectionSlot, MostConnections};
use super::plain_http;
use super::proxy_protocol::{self, Announced, ProxyProtocolError};
use super::read_ahead::{Socket, read_ahead};
use crate::core::Core;
use crate::core::settings::{ProxySettings, Timeouts};
use crate::telemetry::metrics::ConnectionResult;
use crate::transport::tls::challenges::CHALLENGE_PROTOCOL;
use crate::transport::{ConnectionOrigin, StrictTransportSecurity};

/// The first byte of every TLS connection: the type of a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// Accepts every connection.
pub struct Acceptor {
    tls: TlsAcceptor,
    core: Core,
    timeouts: Arc<ArcSwap<Timeouts>>,
    limits: ConnectionLimits,
    proxies: Arc<ProxySettings>,
    security: StrictTransportSecurity,
}

impl Acceptor {
    /// `timeouts` may be replaced at any time; each connection keeps those that it began with.
    pub fn new(
        tls: ServerConfig,
        core: Core,
        timeouts: Arc<ArcSwap<Timeouts>>,
        proxies: ProxySettings,
        security: StrictTransportSecurity,
    ) -> Self {
        let (tls, limits) = (TlsAcceptor::from(Arc::new(tls)), ConnectionLimits::default());
        Self { tls, core, timeouts, limits, proxies: Arc::new(proxies), security }
    }

    /// Accepts a connection to the port, or closes it: with an answer when it speaks plain HTTP, otherwise without one.
    /// The framework gets no address; that of a client is in [`client_address`](crate::transport::client_address).
    pub async fn accept_tcp(self: Arc<Self>, tcp: TcpStream) -> Result<(Connection, Option<SocketAddr>), ()> {
        let peer = tcp.peer_addr().map_err(drop)?;
        tcp.set_nodelay(true).map_err(drop)?;
        let origin = ConnectionOrigin::new(peer.ip(), Arc::clone(&self.proxies));
        self.accept(Either::Left(tcp), origin).await
    }

    /// Accepts a connection to the Unix socket in the same way.
    pub async fn accept_unix(
        self: Arc<Self>,
        unix: UnixStream,
    ) -> Result<(Connection, Option<SocketAddr>), ()> {
        let origin = ConnectionOrigin::of_unix_socket(Arc::clone(&self.proxies));
        self.accept(Either::Right(unix), origin).await
    }

    async fn accept(
        &self,
        stream: Either<TcpStream, UnixStream>,
        origin: ConnectionOrigin,
    ) -> Result<(Connection, Option<SocketAddr>), ()> {
        let timeouts = self.timeouts.load_full();
        let most =
            MostConnections { total: timeouts.connections, per_address: timeouts.connections_per_address };
        let opened = match self.limits.acquire(most) {
            Some(slot) => {
                let opening = self.open(read_ahead(stream), origin, slot, &timeouts);
                timeout(timeouts.head, opening).await.unwrap_or(Err(ConnectionResult::Failed))
            }
            None => Err(ConnectionResult::Limited),
        };
        let result = opened.as_ref().err().copied().unwrap_or(ConnectionResult::Accepted);
        self.core.metrics().connections.results.inc(result);
        opened.map(|connection| (connection, None)).map_err(drop)
    }

    /// What comes before the first request. The time for all of it is limited.
    async fn open(
        &self,
        mut socket: Socket,
        mut origin: ConnectionOrigin,
        mut slot: ConnectionSlot,
        timeouts: &Timeouts,
    ) -> Result<Connection, ConnectionResult> {
        const FAILED: ConnectionResult = ConnectionResult::Failed;
        if self.proxies.protocol {
            origin = announced(&mut socket, origin).await.ok_or(FAILED)?;
        }
        if let Some(client) = origin.only_client() {
            slot = slot.of_client(client).ok_or(ConnectionResult::Limited)?;
        }
        let first = socket.fill_buf().await.ok().and_then(|read| read.first().copied()).ok_or(FAILED)?;
        if first != TLS_HANDSHAKE {
            plain_http::refuse(socket, &self.core, origin.peer()).await;
            return Err(ConnectionResult::PlainHttp);
        }
        let tls = self.tls.accept(socket).await.map_err(|_| FAILED)?;
        if tls.get_ref().1.alpn_protocol() == Some(CHALLENGE_PROTOCOL) {
            // The ACME server has seen the certificate, and that was all.
            return Err(FAILED);
        }
        let metrics = Arc::clone(self.core.metrics());
        Ok(Connection::new(tls, slot, origin, timeouts.clone(), self.security, metrics))
    }
}

/// Whose connection it is, as its proxy says. `None` when nobody may say so, or nobody does.
async fn announced(socket: &mut Socket, origin: ConnectionOrigin) -> Option<ConnectionOrigin> {
    let address = origin.peer();
    if !origin.is_proxy() {
        tracing::debug!(%address, "refused a connection that is not from server.trusted_proxies");
        return None;
    }
    match proxy_protocol::read(socket).await {
        Ok(Announced::Client(client)) => Some(origin.announced(client)),
        Ok(Announced::Own) => Some(origin),
        // As when a proxy checks whether somebody listens.
        Err(error @ ProxyProtocolError::Ended(_)) => {
            tracing::debug!(%address, "refused a connection of a proxy: {error}");
            None
        }
        Err(error) => {
            tracing::warn!(%address, "refused a connection of a proxy: {error}");
            None
        }
    }
}
