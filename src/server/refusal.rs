//! The answer to a request that never reaches a handler, written byte by byte.

use crate::edge::{self, RequestId};
use crate::error::{Code, Error};

/// A whole HTTP/1.1 answer with the envelope of an error, after which the connection closes. Logged like a request.
pub fn answer(error: &Error) -> Vec<u8> {
    let (status, id) = (error.code().status(), RequestId::random());
    tracing::info!(
        target: "rasterd::access",
        status, request = id.as_str(), code = error.code().name(), "refused before its head was read",
    );
    let body = edge::error_json(error.code(), error.message());
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Vary: Api-Version\r\nCache-Control: private, no-store\r\nX-Request-Id: {id}\r\nConnection: close\r\n\r\n{body}",
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
