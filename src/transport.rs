//! What all HTTP transports share: the bearer key, the JSON envelope, the headers, the request id. Knows `core` and
//! `error`. Transports use this module, and never each other.

use std::borrow::Cow;

use actix_web::http::header::{ALLOW, AUTHORIZATION, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Serialize;

use crate::core::Core;
use crate::core::access::Caller;
use crate::error::{Code, Error, Result};
use crate::telemetry::metrics::Authentication;

pub mod allowed_addresses;
pub mod body;
pub mod cdn;
mod client_address;
pub mod compression;
pub mod cors;
pub mod docs;
pub mod files;
pub mod form;
pub mod graphql;
pub mod mcp;
pub mod media_type;
mod metered;
mod middleware;
mod operation_start;
mod request_state;
pub mod rest;
pub mod server;
pub mod test_control;
mod tested_answer;
pub mod tls;
pub mod tus;
pub mod uploads;
pub mod wire;

pub use crate::telemetry::metrics::Transport;
pub use client_address::ConnectionOrigin;
pub use middleware::{Observers, StrictTransportSecurity, refused_response, wrap};
pub use operation_start::begin_operation;
pub use request_state::{
    RequestId, cancellation, client_address, record_code, record_operation, record_transport, request_id,
};
pub use tested_answer::CONTROL_PATH;

/// The bearer token of a request.
///
/// # Errors
/// `UNAUTHENTICATED` when there is no `Authorization`, or it is not `Bearer` (in any case) and a token.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(token_in).ok_or_else(|| {
        Error::new(Code::Unauthenticated, "Send your API key in the header `Authorization: Bearer <key>`.")
    })
}

/// The token in the value of an `Authorization` header.
#[must_use]
pub fn token_in(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The caller of a request.
///
/// # Errors
/// `UNAUTHENTICATED` or `INVALID_API_KEY`; `RATE_LIMITED` when the key has too many requests running.
pub fn authenticate(core: &Core, request: &HttpRequest) -> Result<Caller> {
    let token = expect_token(request.headers())?;
    let address = client_address();
    let caller = core.authenticate(token).inspect_err(|_| {
        request_state::record_authentication(core.why_refused(token));
        core.record_refused_key(address);
    })?;
    let limited = |_: &Error| request_state::record_authentication(Authentication::RateLimited);
    request_state::record_caller(&caller).inspect_err(limited)?;
    request_state::record_authentication(Authentication::Accepted);
    Ok(caller.from_address(address).until(cancellation()))
}

/// [`bearer_token`] of a request that needs a key: it is counted when there is none.
///
/// # Errors
/// Those of [`bearer_token`].
pub fn expect_token(headers: &HeaderMap) -> Result<&str> {
    let authentication =
        if headers.contains_key(AUTHORIZATION) { Authentication::Malformed } else { Authentication::Missing };
    bearer_token(headers).inspect_err(|_| request_state::record_authentication(authentication))
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

/// The JSON of `{"error":{"code","message"}}`.
#[must_use]
pub fn error_json(code: Code, message: &str) -> String {
    let envelope = ErrorEnvelope { error: ErrorBody { code: code.name(), message } };
    serde_json::to_string(&envelope).unwrap_or_default()
}

/// The message for the client: the error's own, with the request's id where only the log has details.
#[must_use]
pub fn message_for_client(error: &Error) -> Cow<'_, str> {
    message_for_request(error, request_id())
}

/// [`message_for_client`] for an error of another task's request.
#[must_use]
pub fn message_for_request(error: &Error, request: Option<RequestId>) -> Cow<'_, str> {
    match request {
        Some(id) if error.code() == Code::Internal => {
            Cow::Owned(format!("{} Request id: {id}.", error.message()))
        }
        Some(_) | None => Cow::Borrowed(error.message()),
    }
}

/// Writes the cause of an error to the log, with the request's id. Called once for each error, where it is turned into
/// an answer.
pub fn log_cause(error: &Error) {
    log_cause_for_request(error, request_id());
}

/// [`log_cause`] for an error of another task's request.
pub fn log_cause_for_request(error: &Error, request: Option<RequestId>) {
    if let Some(cause) = error.cause() {
        let request = request.as_ref().map(RequestId::as_str);
        let (code, page) = (error.code().name(), error.code().documentation());
        // What a client does wrong is not a problem of the operator, however often it happens.
        if error.code().status() < 500 {
            tracing::info!(request, code, docUrl = page, %cause, "request refused");
        } else {
            tracing::error!(request, code, docUrl = page, %cause, "request failed");
        }
    }
}

/// Adds the code of an error at the end of a streamed answer to the access log, which had its line at the beginning.
pub fn log_late_code(request: Option<RequestId>, code: &'static str) {
    let request = request.as_ref().map(RequestId::as_str);
    tracing::info!(target: "rasterd::access", request, code, "the streamed answer ended with an error");
}

/// The answer for an error, with the envelope `{"error":{"code","message"}}`. Writes the cause to the log.
#[must_use]
pub fn error_response(error: &Error) -> HttpResponse {
    log_cause(error);
    record_code(error.code().name());
    let status = StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
    }
    if let Some(seconds) = error.seconds_to_wait() {
        answer.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    answer.content_type("application/json").body(error_json(error.code(), &message_for_client(error)))
}

/// Lets handlers return `Result<HttpResponse, Error>`.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        error_response(self)
    }
}

/// The error for a body that did not arrive completely.
pub fn incomplete_body(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::bad_input("The body is incomplete. Send the request again.").caused_by(cause)
}

/// The answer for a path that does not exist.
pub async fn no_such_path() -> HttpResponse {
    error_response(&Error::new(Code::EndpointNotFound, "There is no such endpoint. Check the path."))
}

/// A path that accepts only these methods, and answers 405 with `Allow` to the others.
///
/// Add the routes to it: `resource("/x", &[Method::GET]).route(web::get().to(handler))`.
#[must_use]
pub fn resource(path: &str, methods: &'static [Method]) -> actix_web::Resource {
    web::resource(path.to_owned()).default_service(web::to(move || async move { wrong_method(methods) }))
}

/// The answer to a method that a path does not accept: 405, with the accepted ones in `Allow`.
#[must_use]
pub fn wrong_method(allowed: &[Method]) -> HttpResponse {
    let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("This endpoint accepts only {allowed}.");
    let mut answer = error_response(&Error::new(Code::MethodNotAllowed, message));
    if let Ok(allowed) = allowed.try_into() {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_follows_bearer_in_any_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER   abc ", " Bearer abc"] {
            assert_eq!(token_in(value), Some("abc"), "{value}");
        }
        for value in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc"] {
            assert_eq!(token_in(value), None, "{value}");
        }
    }
}
