//! The HTTP side of MCP: one POST endpoint without sessions, over rmcp's own transport.
//!
//! Ours is what comes before the protocol (host, origin, identity, size) and the form of refusals; rmcp's is the
//! protocol. Made for any handler, so that the conformance suite's fixture runs on this very code.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use rmcp::handler::server::ServerHandler;
use rmcp::model::{ErrorData, JsonRpcError};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde::de::IgnoredAny;

use super::direct::{DirectCall, DirectTools};
use super::gate::{Gate, check_media_types};
use crate::edge;
use crate::error::{Code, Error, Result};

/// How long a body may take before the caller is let go of, and looked up again after it.
const PROMPT: Duration = Duration::from_millis(50);
const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream";

/// What the endpoint checks before the protocol begins.
#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// Host names (without port) that it answers to.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call; `*` is all.
    pub allowed_origins: Vec<String>,
    /// The largest body, in bytes.
    pub body_limit: usize,
}

/// An MCP endpoint over a handler `H`, which finds the `C` that each request was admitted as among the extensions
/// of its [`http::request::Parts`].
pub struct Endpoint<H, C>(Rc<Parts<H, C>>);

/// Who a request is from, or why it is refused.
type Admit<C> = Box<dyn Fn(&HttpRequest) -> Result<C>>;

struct Parts<H, C> {
    gate: Gate,
    body_limit: usize,
    admit: Admit<C>,
    handler: H,
    service: StreamableHttpService<H, NeverSessionManager>,
}

impl<H, C> Endpoint<H, C>
where
    H: ServerHandler + DirectTools<C> + Clone + Send + Sync + 'static,
    C: Clone + Send + Sync + 'static,
{
    /// An endpoint that admits requests by `admit`: who is it, or why not.
    pub fn new(
        handler: H,
        options: EndpointOptions,
        admit: impl Fn(&HttpRequest) -> Result<C> + 'static,
    ) -> Self {
        let EndpointOptions { allowed_hosts, allowed_origins, body_limit } = options;
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(body_limit)
            // Host and origin are checked by our own gate, which answers in the envelope.
            .disable_allowed_hosts()
            .disable_allowed_origins();
        let factory = handler.clone();
        let service = StreamableHttpService::new(move || Ok(factory.clone()), Arc::default(), config);
        let gate = Gate::new(allowed_hosts, allowed_origins);
        Self(Rc::new(Parts { gate, body_limit, admit: Box::new(admit), handler, service }))
    }

    /// The endpoint as a resource at a path.
    #[must_use]
    pub fn resource(&self, path: &str) -> Resource {
        let parts = Rc::clone(&self.0);
        let post = move |request: HttpRequest, payload: web::Payload| {
            let parts = Rc::clone(&parts);
            async move { parts.answer(&request, payload).await.unwrap_or_else(|refusal| refusal) }
        };
        edge::resource(path, &[Method::POST]).route(web::post().to(post))
    }
}

impl<H, C> Parts<H, C>
where
    H: ServerHandler + DirectTools<C> + Send + 'static,
    C: Clone + Send + Sync + 'static,
{
    async fn answer(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<HttpResponse, HttpResponse> {
        let refusal = |error: Error| edge::error_response(&error);
        self.gate.check(request.headers()).map_err(refusal)?;
        let mut admitted = (self.admit)(request).map_err(refusal)?;
        check_media_types(request.headers()).map_err(|(status, message)| refused(status, message))?;
        let reading = read(request, payload, self.body_limit);
        tokio::pin!(reading);
        let body = if let Ok(body) = tokio::time::timeout(PROMPT, &mut reading).await {
            body.map_err(refusal)?
        } else {
            // What admits may hold a snapshot of the store, which must not wait for a client. And who was
            // admitted when the body began may have been shut out before its end.
            drop(admitted);
            let body = reading.await.map_err(refusal)?;
            admitted = (self.admit)(request).map_err(refusal)?;
            body
        };
        let direct = DirectCall::read(request.headers(), &body);
        if let Some(call) = direct.filter(|call| self.handler.answers_directly(&call.tool)) {
            return self.answer_directly(call, admitted).await.map_err(refusal);
        }
        let response = self.service.handle(translated(request, body.clone(), admitted)).await;
        Ok(reply(response, &body).await)
    }

    async fn answer_directly(&self, mut call: DirectCall, admitted: C) -> Result<HttpResponse> {
        let arguments = std::mem::take(&mut call.arguments);
        let result = self.handler.answer(&call.tool, arguments, call.revision.clone(), admitted).await;
        Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, JSON)).body(call.answered(result)?))
    }
}

/// Reads a body up to its limit.
async fn read(request: &HttpRequest, mut payload: web::Payload, limit: usize) -> Result<Bytes> {
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    let unreadable = |error: PayloadError| {
        Error::bad_input("The body did not arrive as a whole.").caused_by(error.to_string())
    };
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(unreadable)?;
    if announced == Some(first.len()) {
        return Ok(first);
    }
    let mut body = BytesMut::from(first);
    while let Some(bytes) = payload.next().await {
        let bytes = bytes.map_err(unreadable)?;
        if body.len() + bytes.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body.freeze())
}

fn too_large(limit: usize) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!(
            "The body is larger than {limit} bytes. Send fewer files in a call, or upload them from urls."
        ),
    )
}

/// The request as rmcp reads it: the protocol's own headers and nothing that identifies anybody.
fn translated<C: Clone + Send + Sync + 'static>(
    request: &HttpRequest,
    body: Bytes,
    admitted: C,
) -> http::Request<Full<Bytes>> {
    let mut translated = http::Request::new(Full::new(body));
    *translated.method_mut() = http::Method::POST;
    let headers = translated.headers_mut();
    headers.insert(http::header::HOST, http::HeaderValue::from_static("rasterd"));
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(JSON));
    headers
        .insert(http::header::ACCEPT, http::HeaderValue::from_static("application/json, text/event-stream"));
    let protocol = request.headers().iter().filter(|(name, _)| name.as_str().starts_with("mcp-"));
    for (name, value) in protocol {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes());
        let value = http::HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    translated.extensions_mut().insert(admitted);
    translated
}

/// The response as actix sends it; what rmcp refuses in plain text goes into the envelope.
async fn reply(
    response: http::Response<BoxBody<Bytes, std::convert::Infallible>>,
    body: &Bytes,
) -> HttpResponse {
    let (head, answer) = response.into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = head.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut builder = HttpResponse::build(status);
    if kind == Some(EVENT_STREAM) {
        builder.insert_header((CONTENT_TYPE, EVENT_STREAM)).insert_header(("X-Accel-Buffering", "no"));
        return builder.streaming(answer.into_data_stream());
    }
    let answer = answer.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if kind == Some(JSON) {
        return builder.insert_header((CONTENT_TYPE, JSON)).body(answer);
    }
    if status.is_success() {
        return builder.finish();
    }
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // The media type was checked before, so this is rmcp's word for a body that it can't read.
        return not_a_message(body);
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    if status.is_server_error() {
        return edge::error_response(&Error::internal(text));
    }
    refused(status, text)
}

fn refused(status: StatusCode, message: impl Into<std::borrow::Cow<'static, str>>) -> HttpResponse {
    let mut response = edge::error_response(&Error::bad_input(message));
    *response.status_mut() = status;
    response
}

/// The JSON-RPC error for a body that is not a message of the protocol.
fn not_a_message(body: &Bytes) -> HttpResponse {
    let error = match serde_json::from_slice::<IgnoredAny>(body) {
        Err(error) => ErrorData::parse_error(format!("Parse error: {error}"), None),
        Ok(IgnoredAny) => ErrorData::invalid_request(
            "Invalid Request: the body must be one JSON-RPC 2.0 message; batches are not taken",
            None,
        ),
    };
    HttpResponse::BadRequest().json(JsonRpcError::new(None, error))
}
