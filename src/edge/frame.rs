//! The frame around every request: its id, its line in the access log, the headers that every answer has, and
//! the envelope for what a handler did not answer itself. Knows no path.

use std::any::Any;
use std::cell::OnceCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use actix_http::{ConnectionType, HttpMessage, Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, apply_fn_factory};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error as WebError, HttpResponse};
use futures_util::FutureExt;

use super::cors::Cors;
use super::error_response;
use super::record::{RECORD, Record, RequestId};
use crate::app::keys::without_keys;
use crate::app::members::without_tokens;
use crate::error::{Code, Error};

/// The header that carries the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What only our own answers are written in: the envelope, and pages for people.
const OURS: [&[u8]; 2] = [b"application/json", b"text/html"];

/// Puts the frame around an application. What comes out answers every request, also when a handler panics.
pub fn frame<I, S, B>(
    application: I,
    cors: Cors,
) -> impl ServiceFactory<Request, Config = AppConfig, Response = Response<BoxBody>, Error = WebError, InitError = ()>
where
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = WebError,
            InitError = (),
        >,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let cors = Rc::new(cors);
    apply_fn_factory(application, move |request: Request, service: &S::Service| {
        answer(request, service, Rc::clone(&cors))
    })
}

/// Answers one request.
fn answer<S, B>(
    request: Request,
    service: &S,
    cors: Rc<Cors>,
) -> impl Future<Output = Result<Response<BoxBody>, WebError>> + use<S, B>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = WebError>,
    B: MessageBody + 'static,
{
    let started = Instant::now();
    let record = Rc::new(Record { id: RequestId::random(), key: OnceCell::new() });
    let line = Line::of(request.method(), request.path());
    let origin = cors.origin(request.headers());
    let preflight = cors.preflight(&request, origin.as_ref());
    // The router itself runs within `call`, so a panic there is caught, too.
    let running = preflight.is_none().then(|| catch_unwind(AssertUnwindSafe(|| service.call(request))));
    RECORD.scope(Rc::clone(&record), async move {
        let mut answer = match (preflight, running) {
            (Some(answer), _) => answer,
            (None, Some(Ok(running))) => match AssertUnwindSafe(running).catch_unwind().await {
                Ok(outcome) => enveloped(outcome),
                Err(panic) => panicked(panic.as_ref()),
            },
            (None, Some(Err(panic))) => panicked(panic.as_ref()),
            (None, None) => error_response(&Error::internal("a request was neither answered nor run")),
        };
        cors.allow(answer.headers_mut(), origin);
        set_headers(answer.headers_mut(), record.id);
        line.write(answer.status(), started, &record);
        Ok(answer.into())
    })
}

/// The answer to a request that is refused before any handler has it, in the frame that every answer is in. Its
/// body will not be read, so the connection ends.
pub fn refused(request: &Request, error: &Error) -> Response<BoxBody> {
    let started = Instant::now();
    let record = Rc::new(Record { id: RequestId::random(), key: OnceCell::new() });
    let line = Line::of(request.method(), request.path());
    RECORD.sync_scope(Rc::clone(&record), || {
        let mut answer = error_response(error);
        set_headers(answer.headers_mut(), record.id);
        line.write(answer.status(), started, &record);
        let mut answer: Response<BoxBody> = answer.into();
        answer.head_mut().set_connection_type(ConnectionType::Close);
        answer
    })
}

/// What the access log says of the request.
struct Line {
    method: Method,
    path: String,
}

impl Line {
    fn of(method: &Method, path: &str) -> Self {
        Self { method: method.clone(), path: without_tokens(&without_keys(path)).into_owned() }
    }

    fn write(&self, status: StatusCode, started: Instant, record: &Record) {
        tracing::info!(
            target: "rasterd::access",
            method = self.method.as_str(),
            path = self.path,
            status = status.as_u16(),
            ms = (started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0,
            request = record.id.as_str(),
            key = record.key.get().map(tracing::field::display),
        );
    }
}

/// The answer of the application, or in its place the envelope when the framework refused the request itself.
fn enveloped<B: MessageBody + 'static>(outcome: Result<ServiceResponse<B>, WebError>) -> HttpResponse {
    let answer = match outcome {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => HttpResponse::from_error(error),
    };
    let kind = answer.headers().get(CONTENT_TYPE);
    let is_ours = kind.is_some_and(|kind| OURS.iter().any(|ours| kind.as_bytes().starts_with(ours)));
    match refusal(answer.status()) {
        Some(error) if !is_ours => replaced(&answer, &error),
        Some(_) | None => answer,
    }
}

/// The envelope in place of a plain answer of the framework.
fn replaced(answer: &HttpResponse, error: &Error) -> HttpResponse {
    let mut envelope = error_response(error);
    for (name, value) in answer.headers() {
        if name != CONTENT_TYPE {
            envelope.headers_mut().append(name.clone(), value.clone());
        }
    }
    envelope
}

/// What an error status of the framework's own means on the wire; `None` for an answer that is no error.
fn refusal(status: StatusCode) -> Option<Error> {
    // The framework never says these by itself, and they have no body.
    let is_ours = matches!(status, StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED);
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(match status {
        StatusCode::NOT_FOUND => {
            Error::new(Code::EndpointNotFound, "There is no such endpoint. Check the path.")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            Error::new(Code::MethodNotAllowed, "This endpoint does not take this method.")
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

fn panicked(panic: &(dyn Any + Send)) -> HttpResponse {
    let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    error_response(&Error::internal(format!("a handler panicked: {}", said.unwrap_or("it did not say why"))))
}

/// The headers that every answer has, whoever wrote it.
pub fn set_headers(headers: &mut HeaderMap, id: RequestId) {
    headers.append(VARY, HeaderValue::from_static("Api-Version"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
}

#[cfg(test)]
mod tests {
    use actix_http::test::TestRequest;
    use actix_web::body::to_bytes;
    use actix_web::{App, web};

    use super::*;
    use crate::edge::no_such_path;

    /// What a request of this path gets: status, headers, and the error in the envelope.
    async fn answered(path: &str) -> (StatusCode, HeaderMap, serde_json::Value) {
        let application = App::new()
            .app_data(web::PayloadConfig::new(2))
            .route("/panic/{what}", web::get().to(|what: web::Path<String>| async move { boom(&what) }))
            .route("/number/{number}", web::get().to(|_: web::Path<u8>| async { "a number" }))
            .route("/body", web::get().to(|_: String| async { "a body" }))
            .route(
                "/internal",
                web::get().to(|| async { Err::<String, _>(Error::internal("the secret reason")) }),
            )
            .default_service(web::to(no_such_path));
        let framed = frame(application, Cors::new(&[])).new_service(AppConfig::default()).await.unwrap();
        let request = TestRequest::with_uri(path).set_payload("too long a body").finish();
        let answer = framed.call(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body).await.unwrap();
        (head.status(), head.headers().clone(), serde_json::from_slice(&body).unwrap_or_default())
    }

    #[expect(clippy::panic, reason = "that is what is tested")]
    fn boom(what: &str) -> HttpResponse {
        panic!("no {what} was expected")
    }

    #[actix_web::test]
    async fn a_panic_is_an_internal_error_that_names_the_request_and_nothing_else() {
        for path in ["/panic/handler", "/internal"] {
            let (status, headers, body) = answered(path).await;
            assert_eq!((status.as_u16(), &body["error"]["code"]), (500, &"INTERNAL_SERVER_ERROR".into()));
            let message = body["error"]["message"].as_str().unwrap();
            assert!(message.contains(headers.get(REQUEST_ID).unwrap().to_str().unwrap()), "{message}");
            assert!(!message.contains("expected") && !message.contains("secret"), "{message}");
        }
    }

    #[actix_web::test]
    async fn what_the_framework_refuses_is_in_the_envelope() {
        for (path, status, code) in [
            ("/number/many", 404, "ENDPOINT_NOT_FOUND"),
            ("/body", 413, "PAYLOAD_TOO_LARGE"),
            ("/nowhere", 404, "ENDPOINT_NOT_FOUND"),
        ] {
            let (answered, headers, body) = answered(path).await;
            assert_eq!((answered.as_u16(), &body["error"]["code"]), (status, &code.into()), "{path}");
            assert_eq!(headers.get(CONTENT_TYPE).unwrap(), "application/json");
            assert_eq!(headers.get(VARY).unwrap(), "Api-Version");
        }
    }

    #[actix_web::test]
    async fn an_answer_of_a_handler_stays_as_it_is() {
        let (status, headers, _) = answered("/number/7").await;
        assert_eq!(status.as_u16(), 200);
        assert_eq!(headers.get(CONTENT_TYPE).unwrap(), "text/plain; charset=utf-8");
    }
}
