//! The answer to a request that never reaches a handler, written byte by byte.

use std::net::IpAddr;

use crate::error::{Code, Error};
use crate::transport::{self, RequestId, StrictTransportSecurity};

/// The body of an answer.
pub struct AnswerBody {
    /// Its media type.
    pub media_type: &'static str,
    /// The text.
    pub body: String,
}

/// A whole HTTP/1.1 answer with an error in its envelope; the connection closes after it. Logged like a request.
pub fn answer(error: &Error, peer: Option<IpAddr>, security: StrictTransportSecurity) -> Vec<u8> {
    let body = transport::error_json(error.code(), error.message());
    answer_with(error, &AnswerBody { media_type: "application/json", body }, peer, security)
}

/// The same with another body.
pub fn answer_with(
    error: &Error,
    content: &AnswerBody,
    peer: Option<IpAddr>,
    security: StrictTransportSecurity,
) -> Vec<u8> {
    let (status, id) = (error.code().status(), RequestId::random());
    tracing::info!(
        target: "rasterd::access",
        address = peer.map(tracing::field::display), status, request = id.as_str(), code = error.code().name(), "refused before its head was read",
    );
    let AnswerBody { media_type, body } = content;
    let strict =
        security.header().map_or_else(String::new, |value| format!("Strict-Transport-Security: {value}\r\n"));
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\
         Vary: Api-Version\r\nCache-Control: private, no-store\r\nX-Request-Id: {id}\r\n{strict}\
         Connection: close\r\n\r\n{body}",
        reason = reason(error.code()),
        length = body.len(),
    )
    .into_bytes()
}

fn reason(code: Code) -> &'static str {
    actix_web::http::StatusCode::from_u16(code.status())
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("")
}
