//! The plain HTTP listener for an ACME server, which has to see a text at a known path. Everything else is refused there
//! as plain HTTP is on the TLS port.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::net::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::either::Either;

use super::read_ahead::read_ahead;
use super::{AcmeOptions, plain_http};
use crate::core::Core;
use crate::transport::tls::challenges::Challenges;

/// The path of a proof, before its token: RFC 8555, section 8.3.
const PATH: &str = "/.well-known/acme-challenge/";
/// How long a connection may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at a time. The others wait in the queue of the operating system.
const MAX_CONNECTIONS: usize = 64;
/// How much of a request is looked at to find out whether it is one of an ACME server.
const MAX_HEAD: usize = 4096;
/// The pause after the system could not accept a connection, such as for a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers an ACME server over plain HTTP, if that was configured. Runs as long as it is polled.
pub async fn serve(acme: Option<AcmeOptions>, core: Core) -> Infallible {
    match acme {
        Some(AcmeOptions { challenges, http: Some(listener) }) => listen(listener, challenges, core).await,
        Some(AcmeOptions { http: None, .. }) | None => std::future::pending().await,
    }
}

async fn listen(listener: std::net::TcpListener, challenges: Challenges, core: Core) -> Infallible {
    let listener = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("the listener of tls.acme.http_bind can't be used: {error}");
            return std::future::pending().await;
        }
    };
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&free).acquire_owned().await else { return std::future::pending().await };
        let Ok((tcp, peer)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (challenges, core) = (challenges.clone(), core.clone());
        actix_rt::spawn(async move {
            // A client that is too slow gets no answer.
            let _answered = timeout(TIMEOUT, answer(tcp, peer, &challenges, &core)).await;
            drop(slot);
        });
    }
}

async fn answer(mut tcp: TcpStream, peer: SocketAddr, challenges: &Challenges, core: &Core) {
    let Some(token) = token(&tcp).await else {
        return plain_http::refuse(read_ahead(Either::Left(tcp)), core, peer.ip()).await;
    };
    let found = challenges.text(&token);
    let (status, text) = found.map_or(("404 Not Found", String::new()), |text| ("200 OK", text));
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // What is left unread when a connection is closed would reset it before the answer arrives.
    let mut head = [0; MAX_HEAD];
    let _head = tcp.read(&mut head).await;
    if tcp.write_all(answer.as_bytes()).await.is_ok() {
        let _closed = tcp.shutdown().await;
    }
}

/// The token in the path of a whole request head that is one of an ACME server. Leaves the request unread.
async fn token(tcp: &TcpStream) -> Option<String> {
    let (mut head, mut seen) = ([0; MAX_HEAD], 0);
    loop {
        let count = tcp.peek(&mut head).await.ok()?;
        let text = head.get(..count).unwrap_or_default();
        let beginning = text.get(..text.len().min(PATH.len() + 4)).unwrap_or_default();
        if count == 0 || !format!("GET {PATH}").as_bytes().starts_with(beginning) {
            return None;
        }
        if text.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            let target = std::str::from_utf8(text).ok()?.strip_prefix("GET ")?.split(' ').next()?;
            return target.strip_prefix(PATH).map(str::to_owned);
        }
        if count == MAX_HEAD {
            return None;
        }
        if count == seen {
            // Nothing new: the rest is on its way.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        seen = count;
    }
}
