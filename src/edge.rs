//! What every HTTP answer has in common: the bearer key, the JSON envelope, the headers, the request id.
//! Knows `app` and `error`; transports build on it and never on each other.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::App;
use crate::app::access::Caller;
use crate::error::{Code, Error, Result};

/// The bearer token of a request.
///
/// # Errors
/// `UNAUTHENTICATED` when there is no `Authorization`, or it is not `Bearer` (in any case) and a token.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str> {
    let missing = || {
        Error::new(Code::Unauthenticated, "Send your API key in the header `Authorization: Bearer <key>`.")
    };
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, token) = value.trim().split_once(' ').ok_or_else(missing)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(token) } else { Err(missing()) }
}

/// Who a request comes from.
///
/// # Errors
/// `UNAUTHENTICATED` or `INVALID_API_KEY`.
pub fn authenticate(app: &App, request: &HttpRequest) -> Result<Caller> {
    app.authenticate(bearer_token(request.headers())?)
}

#[derive(Serialize)]
struct ErrorEnvelope<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'static str,
    message: &'a str,
}

/// The answer for an error, in the envelope `{"error":{"code","message"}}`. Writes the cause to the log.
#[must_use]
pub fn error_response(error: &Error) -> HttpResponse {
    if let Some(cause) = error.cause() {
        tracing::error!(code = error.code().name(), %cause, "request failed");
    }
    let status = StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    answer.insert_header((CACHE_CONTROL, "private, no-store"));
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
    }
    answer.json(ErrorEnvelope { error: ErrorBody { code: error.code().name(), message: error.message() } })
}
