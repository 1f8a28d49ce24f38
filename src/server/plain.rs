//! Plain HTTP on the TLS port: refused with one answer, never processed. A key that came along is exposed.

use std::net::SocketAddr;

use actix_rt::net::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::refusal;
use crate::app::App;
use crate::edge;
use crate::error::{Code, Error};

/// How much of a head is looked at.
const MOST_HEAD: u64 = 16 * 1024;
/// How much of what follows is read and thrown away, so that the answer arrives before the connection is reset.
const MOST_REST: u64 = 64 * 1024;
/// The most header fields that are looked at.
const MOST_FIELDS: usize = 100;

/// Answers a connection that did not begin with TLS and closes it. The caller limits the time.
pub async fn refuse(mut tcp: TcpStream, app: &App, peer: SocketAddr) {
    let Some(head) = head(&mut tcp).await else { return };
    if let Some(token) = bearer_token(&head)
        && let Err(error) = app.key_exposed(&token, peer).await
    {
        tracing::error!(cause = ?error.cause(), "could not deal with a key sent over plain HTTP: {error}");
    }
    let answer = refusal::answer(&Error::new(
        Code::HttpsRequired,
        "This server speaks HTTPS only. Send the request to an https:// url; a key sent without is exposed.",
    ));
    if tcp.write_all(&answer).await.is_ok() && tcp.shutdown().await.is_ok() {
        // The client may still be sending; what it sends is not looked at.
        let _ = tokio::io::copy(&mut tcp.take(MOST_REST), &mut tokio::io::sink()).await;
    }
}

/// The head of a request, or what there is of it. `None` when it is no HTTP at all.
async fn head(tcp: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    let mut limited = tcp.take(MOST_HEAD);
    while limited.read_buf(&mut head).await.ok()? > 0 {
        if !head.first()?.is_ascii_alphabetic() {
            return None;
        }
        if head.windows(4).any(|bytes| bytes == b"\r\n\r\n") || head.windows(2).any(|bytes| bytes == b"\n\n")
        {
            break;
        }
    }
    (!head.is_empty()).then_some(head)
}

/// The bearer token in a head that need not be complete.
fn bearer_token(head: &[u8]) -> Option<String> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    // What was parsed before an error or the end is there to see.
    let _ = request.parse(head);
    request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("authorization")).and_then(|field| {
        let value = std::str::from_utf8(field.value).ok()?;
        edge::token_in(value).map(str::to_owned)
    })
}
