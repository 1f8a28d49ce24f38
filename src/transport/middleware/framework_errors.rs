//! Errors of the framework and panics of handlers, in the envelope of our own errors.

use std::any::Any;

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{Error as WebError, HttpResponse};

use crate::error::{Code, Error};
use crate::transport::error_response;

/// The media types of our own answers: the envelope, and pages for people. The framework answers in neither.
const OUR_MEDIA_TYPES: [&[u8]; 2] = [b"application/json", b"text/html"];

/// The application's answer, or the envelope instead when the framework itself refused the request.
pub(super) fn enveloped<B: MessageBody + 'static>(
    outcome: Result<ServiceResponse<B>, WebError>,
) -> HttpResponse {
    let answer = match outcome {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => HttpResponse::from_error(error),
    };
    let media_type = answer.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let is_ours = OUR_MEDIA_TYPES.iter().any(|ours| media_type.starts_with(ours));
    match framework_error(answer.status()) {
        Some(error) if !is_ours => replaced(&answer, &error),
        Some(_) | None => answer,
    }
}

/// The envelope instead of the framework's plain answer.
fn replaced(answer: &HttpResponse, error: &Error) -> HttpResponse {
    let mut envelope = error_response(error);
    for (name, value) in answer.headers() {
        if name != CONTENT_TYPE {
            envelope.headers_mut().append(name.clone(), value.clone());
        }
    }
    envelope
}

/// The error for a status that the framework answered by itself; `None` for an answer that is not an error.
fn framework_error(status: StatusCode) -> Option<Error> {
    // The framework never answers these by itself, and they have no body.
    let is_ours = matches!(status, StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED);
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(match status {
        StatusCode::NOT_FOUND => {
            Error::new(Code::EndpointNotFound, "There is no such endpoint. Check the path.")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::new(Code::MethodNotAllowed, "This endpoint does not support this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(Code::PayloadTooLarge, "The body is larger than this endpoint takes.")
        }
        status if status.is_client_error() => {
            Error::bad_input("The request is malformed. Check its path, its headers and its body.")
        }
        status => Error::internal(format!("the framework answered {status}")),
    })
}

/// The answer to a request whose handler panicked.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> HttpResponse {
    let message =
        panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    error_response(&Error::internal(format!(
        "a handler panicked: {}",
        message.unwrap_or("without a message")
    )))
}
