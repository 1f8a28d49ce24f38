//! The middleware around every request: its id, its line in the access log, the headers of every answer, and the
//! envelope for errors of the framework. Knows no paths.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_http::{ConnectionType, HttpMessage, Request, Response};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, apply_fn_factory};
use actix_web::Error as WebError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY, VARY,
};
use futures_util::FutureExt;

mod access_log;
mod framework_errors;

use access_log::LogLine;
use framework_errors::{enveloped, panicked};

use super::client_address::{ConnectionOrigin, client_of};
use super::cors::Cors;
use super::metered::metered;
use super::request_state::{CURRENT_REQUEST, RequestId, RequestState, record_authentication};
use super::tested_answer::tested;
use super::{error_response, expect_token};
use crate::core::Core;
use crate::core::budget::Budget;
use crate::core::cancellation::Cancellation;
use crate::error::{Code, Error};
use crate::telemetry::metrics::{AnsweredRequest, LabelValue, Metrics, Transport};
use crate::telemetry::traces::{TraceParent, TracedRequest, Traces};

/// The header that carries the request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether answers carry `Strict-Transport-Security`.
#[derive(Debug, Clone, Copy, Default)]
pub struct StrictTransportSecurity {
    /// Whether browsers should use only HTTPS from now on. Not with a development certificate: they would offer no way
    /// around a warning, on any port of that host.
    pub is_on: bool,
}

impl StrictTransportSecurity {
    /// As it is on a connection. Behind a proxy, browsers see the certificate of the proxy, which they trust.
    #[must_use]
    pub fn for_connection(self, origin: &ConnectionOrigin) -> Self {
        Self { is_on: self.is_on || origin.is_proxy() }
    }

    fn for_request(self, request: &Request) -> Self {
        request.conn_data().map_or(self, |origin| self.for_connection(origin))
    }

    /// The header's value, where there is one.
    #[must_use]
    pub fn header(self) -> Option<&'static str> {
        self.is_on.then_some(ONE_YEAR)
    }
}

/// Browsers remember for a year to use only HTTPS.
const ONE_YEAR: &str = "max-age=31536000";

/// Who follows the requests.
#[derive(Clone)]
pub struct Observers {
    /// Counts each request.
    pub metrics: Arc<Metrics>,
    /// Sends a span for each, if that is turned on.
    pub traces: Option<Traces>,
    /// The core of a server that was started for tests, which follows each request.
    pub followed: Option<Core>,
}

/// Wraps an application. The result answers every request, also when a handler panics.
pub fn wrap<I, S, B>(
    application: I,
    cors: Cors,
    budget: Arc<Budget>,
    observers: Observers,
    security: StrictTransportSecurity,
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
        answer(request, service, Rc::clone(&cors), Arc::clone(&budget), &observers, security)
    })
}

/// Answers one request.
fn answer<S, B>(
    request: Request,
    service: &S,
    cors: Rc<Cors>,
    budget: Arc<Budget>,
    observers: &Observers,
    security: StrictTransportSecurity,
) -> impl Future<Output = Result<Response<BoxBody>, WebError>> + use<S, B>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = WebError>,
    B: MessageBody + 'static,
{
    let started = Instant::now();
    let (address, security) = (client_of(&request), security.for_request(&request));
    let cancellation = request.conn_data::<Cancellation>().cloned().unwrap_or_default();
    let state = Rc::new(RequestState::new(address, cancellation, budget));
    let line = LogLine::new(request.method(), request.path());
    let followed = observers.followed.as_ref().and_then(|core| line.follow(core, state.id));
    let traced = observers.traces.clone().map(|traces| (traces, parent(&request)));
    let metrics = Arc::clone(&observers.metrics);
    let running_request = metrics.requests.begin();
    let origin = cors.origin(request.headers());
    let preflight = cors.preflight(&request, origin.as_ref());
    // The router itself runs inside `call`, so a panic there is caught, too.
    let running = preflight.is_none().then(|| catch_unwind(AssertUnwindSafe(|| service.call(request))));
    CURRENT_REQUEST.scope(Rc::clone(&state), async move {
        let mut answer = match (preflight, running) {
            (Some(answer), _) => answer,
            (None, Some(Ok(running))) => match AssertUnwindSafe(running).catch_unwind().await {
                Ok(outcome) => enveloped(outcome),
                Err(panic) => panicked(panic.as_ref()),
            },
            (None, Some(Err(panic))) => panicked(panic.as_ref()),
            (None, None) => error_response(&Error::internal("a request was neither answered nor run")),
        };
        answer = metered(answer, &state);
        cors.allow(answer.headers_mut(), origin);
        set_headers(answer.headers_mut(), state.id, security);
        line.write(answer.status(), started, &state);
        let answered = count(&metrics, answer.status(), started, &state);
        if let Some((traces, parent)) = traced {
            trace(&traces, &parent, answered);
        }
        drop(running_request);
        if let Some(followed) = followed {
            answer = tested(answer, followed, &state);
        }
        Ok(answer.into())
    })
}

/// The answer to a request that is refused before a handler gets it, with the headers that every answer has. Its body
/// is not read, so the connection closes.
pub fn refused_response(
    core: &Core,
    request: &Request,
    error: &Error,
    security: StrictTransportSecurity,
) -> Response<BoxBody> {
    let started = Instant::now();
    let (address, security) = (client_of(request), security.for_request(request));
    let state = Rc::new(RequestState::new(address, Cancellation::default(), Arc::clone(core.budget())));
    let line = LogLine::new(request.method(), request.path());
    CURRENT_REQUEST.sync_scope(Rc::clone(&state), || {
        let mut answer = error_response(error);
        set_headers(answer.headers_mut(), state.id, security);
        line.write(answer.status(), started, &state);
        if matches!(error.code(), Code::Unauthenticated | Code::InvalidApiKey)
            && let Ok(token) = expect_token(request.headers())
        {
            record_authentication(core.why_refused(token));
        }
        count(core.metrics(), answer.status(), started, &state);
        let mut answer: Response<BoxBody> = answer.into();
        answer.head_mut().set_connection_type(ConnectionType::Close);
        answer
    })
}

/// Counts an answered request.
fn count(metrics: &Metrics, status: StatusCode, started: Instant, state: &RequestState) -> AnsweredRequest {
    // GraphQL and MCP answer 200 with an error inside.
    let inside = state.code().filter(|_| status.is_success()).and_then(Code::from_name).map(Code::status);
    let answered = AnsweredRequest {
        transport: state.transport(),
        operation: state.operation(),
        status: inside.unwrap_or(status.as_u16()),
        duration: started.elapsed(),
    };
    metrics.requests.answered(answered);
    if let Some(authentication) = state.authentication() {
        metrics.requests.authentications.inc(authentication);
    }
    answered
}

/// The trace that a client says its request belongs to.
fn parent(request: &Request) -> TraceParent {
    Traces::parent(|name| request.headers().get(name)?.to_str().ok())
}

/// Sends a span about an answered request. Monitors ask every few seconds, and are left out.
fn trace(traces: &Traces, parent: &TraceParent, answered: AnsweredRequest) {
    let AnsweredRequest { transport, operation, status, duration } = answered;
    if transport != Transport::Monitoring {
        traces.record(&TracedRequest { transport: transport.as_str(), operation, status, duration }, parent);
    }
}

/// Sets the headers that every answer has.
pub fn set_headers(headers: &mut HeaderMap, id: RequestId, security: StrictTransportSecurity) {
    if let Some(strict) = security.header() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(strict));
    }
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
    use actix_web::http::header::CONTENT_TYPE;
    use actix_web::{App, HttpResponse, web};

    use super::*;
    use crate::transport::allowed_addresses::{AddressLists, AllowedAddresses};
    use crate::transport::no_such_path;

    /// The answer to a request of this path: status, headers, and the JSON body.
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
        let observers = Observers { metrics: Arc::default(), traces: None, followed: None };
        let security = StrictTransportSecurity::default();
        let cors = Cors::new(AllowedAddresses::new(AddressLists::default()));
        let wrapped = wrap(application, cors, budget(), observers, security)
            .new_service(AppConfig::default())
            .await
            .unwrap();
        let request = TestRequest::with_uri(path).set_payload("too long a body").finish();
        let answer = wrapped.call(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body).await.unwrap();
        (head.status(), head.headers().clone(), serde_json::from_slice(&body).unwrap_or_default())
    }

    fn budget() -> Arc<Budget> {
        let settings = crate::testing::settings(std::path::Path::new("unused"), "https://localhost");
        Arc::new(Budget::of(&settings))
    }

    #[expect(clippy::panic, reason = "that is what is tested")]
    fn boom(what: &str) -> HttpResponse {
        panic!("no {what} was expected")
    }

    #[actix_web::test]
    async fn a_panic_is_an_internal_error_that_names_only_the_request_id() {
        for path in ["/panic/handler", "/internal"] {
            let (status, headers, body) = answered(path).await;
            assert_eq!((status.as_u16(), &body["error"]["code"]), (500, &"INTERNAL_SERVER_ERROR".into()));
            let message = body["error"]["message"].as_str().unwrap();
            assert!(message.contains(headers.get(REQUEST_ID).unwrap().to_str().unwrap()), "{message}");
            assert!(!message.contains("expected") && !message.contains("secret"), "{message}");
        }
    }

    #[actix_web::test]
    async fn refusals_of_the_framework_are_in_the_envelope() {
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
    async fn the_answer_of_a_handler_stays_as_it_is() {
        let (status, headers, _) = answered("/number/7").await;
        assert_eq!(status.as_u16(), 200);
        assert_eq!(headers.get(CONTENT_TYPE).unwrap(), "text/plain; charset=utf-8");
    }
}
