//! What every HTTP answer has in common: the bearer key, the JSON envelope, the headers, the request id.
//! Knows `app` and `error`; transports build on it and never on each other.

use std::borrow::Cow;

use actix_web::http::header::{ALLOW, AUTHORIZATION, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Serialize;

use crate::app::App;
use crate::app::access::Caller;
use crate::error::{Code, Error, Result};

pub mod cors;
pub mod files;
mod frame;
mod record;

pub use frame::{frame, refused};
pub use record::{RequestId, request_id};

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

/// Who a request comes from.
///
/// # Errors
/// `UNAUTHENTICATED` or `INVALID_API_KEY`.
pub fn authenticate(app: &App, request: &HttpRequest) -> Result<Caller> {
    let token = bearer_token(request.headers())?;
    let address = request.peer_addr().map(|peer| peer.ip());
    let caller = app.authenticate(token).inspect_err(|_| app.note_refused_key(address))?;
    caller.key_id().into_iter().for_each(record::note_key);
    Ok(caller.from_address(address))
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

/// The sentence for the client: the error's own, with the id of the request where only the log tells more.
#[must_use]
pub fn message_for_client(error: &Error) -> Cow<'_, str> {
    message_about(error, request_id())
}

/// [`message_for_client`] for an error of another task's request.
#[must_use]
pub fn message_about(error: &Error, request: Option<RequestId>) -> Cow<'_, str> {
    match request {
        Some(id) if error.code() == Code::Internal => {
            Cow::Owned(format!("{} Request id: {id}.", error.message()))
        }
        Some(_) | None => Cow::Borrowed(error.message()),
    }
}

/// Writes the cause of an error to the log, with the request's id. Called once for each error, where it is
/// turned into an answer.
pub fn log_cause(error: &Error) {
    log_cause_about(error, request_id());
}

/// [`log_cause`] for an error of another task's request.
pub fn log_cause_about(error: &Error, request: Option<RequestId>) {
    if let Some(cause) = error.cause() {
        let request = request.as_ref().map(RequestId::as_str);
        tracing::error!(request, code = error.code().name(), %cause, "request failed");
    }
}

/// The answer for an error, in the envelope `{"error":{"code","message"}}`. Writes the cause to the log.
#[must_use]
pub fn error_response(error: &Error) -> HttpResponse {
    log_cause(error);
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

/// Handlers answer `Result<HttpResponse, Error>`, and `?` is enough.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        error_response(self)
    }
}

/// The error for a body that did not come as a whole.
pub fn broken_off(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::bad_input("The body broke off before its end. Send the request again.").caused_by(cause)
}

/// The answer for a path that is not there.
pub async fn no_such_path() -> HttpResponse {
    error_response(&Error::new(Code::EndpointNotFound, "There is no such endpoint. Check the path."))
}

/// A path that answers to these methods and to no other: 405 with `Allow` for the rest.
///
/// Add the routes to what comes back: `resource("/x", &[Method::GET]).route(web::get().to(handler))`.
#[must_use]
pub fn resource(path: &str, methods: &'static [Method]) -> actix_web::Resource {
    web::resource(path.to_owned()).default_service(web::to(move || async move { wrong_method(methods) }))
}

/// The answer to a method that a path does not take: 405, with those that it does in `Allow`.
#[must_use]
pub fn wrong_method(allowed: &[Method]) -> HttpResponse {
    let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("This endpoint takes {allowed} only.");
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
    fn a_token_is_what_follows_bearer_in_any_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER   abc ", " Bearer abc"] {
            assert_eq!(token_in(value), Some("abc"), "{value}");
        }
        for value in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc"] {
            assert_eq!(token_in(value), None, "{value}");
        }
    }
}
