//! Accepts TCP connections: counts them, looks at the first byte, makes the TLS handshake. Knows no HTTP but the one
//! answer for clients that come without TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_rt::net::TcpStream;
use rustls::ServerConfig;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection::Connection;
use super::connection_limits::ConnectionLimits;
use super::plain_http;
use crate::core::Core;
use crate::core::settings::{ProxySettings, Timeouts};
use crate::transport::{ConnectionOrigin, StrictTransportSecurity};

/// The first byte of every TLS connection: the type of a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// Accepts every connection.
pub struct Acceptor {
    tls: TlsAcceptor,
    core: Core,
    timeouts: Timeouts,
    limits: ConnectionLimits,
    proxies: Arc<ProxySettings>,
    security: StrictTransportSecurity,
}

impl Acceptor {
    pub fn new(
        tls: ServerConfig,
        core: Core,
        timeouts: Timeouts,
        proxies: ProxySettings,
        security: StrictTransportSecurity,
    ) -> Self {
        let limits = ConnectionLimits::new(timeouts.connections, timeouts.connections_per_address);
        Self {
            tls: TlsAcceptor::from(Arc::new(tls)),
            core,
            timeouts,
            limits,
            proxies: Arc::new(proxies),
            security,
        }
    }

    /// Accepts a connection, or closes it: with an answer when it speaks plain HTTP, otherwise without one. The framework
    /// gets no address: that of a client is in [`transport::client_address`](crate::transport::client_address).
    pub async fn accept(self: Arc<Self>, tcp: TcpStream) -> Result<(Connection, Option<SocketAddr>), ()> {
        let peer = tcp.peer_addr().map_err(drop)?;
        let origin = ConnectionOrigin::new(peer.ip(), Arc::clone(&self.proxies));
        let slot = self.limits.acquire();
        let slot = if origin.is_proxy() { slot } else { slot.and_then(|slot| slot.of_client(origin.peer())) };
        let slot = slot.ok_or(())?;
        tcp.set_nodelay(true).map_err(drop)?;
        let handshake = async {
            let mut first = [0];
            tcp.peek(&mut first).await.ok().filter(|count| *count > 0)?;
            if first == [TLS_HANDSHAKE] {
                return self.tls.accept(tcp).await.ok();
            }
            plain_http::refuse(tcp, &self.core, peer).await;
            None
        };
        let tls = timeout(self.timeouts.head, handshake).await.ok().flatten().ok_or(())?;
        Ok((Connection::new(tls, slot, origin, self.timeouts.clone(), self.security), None))
    }
}
