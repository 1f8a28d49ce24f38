//! The HTTP side of MCP: one POST endpoint without sessions, over rmcp's own transport.
//!
//! We do what comes before the protocol (host, origin, authentication, size) and write refusals; rmcp does the protocol.
//! It is generic over the handler, so that the fixture of the conformance suite runs on this code.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use rmcp::handler::server::ServerHandler;
use rmcp::model::JsonRpcError;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::address_check::{AddressCheck, check_media_types};
use super::direct::{DirectCall, DirectTools};
use super::inspection::{InspectedMessage, check_repeatable, not_a_message};
use super::outcome::{code_in_stream, code_of_message, code_of_result, of_protocol};
use super::running::{RequestSender, RunningRequest, RunningRequests};
use crate::core::cancellation::Cancellation;
use crate::error::{Code, Error, Result};
use crate::transport::allowed_addresses::AllowedAddresses;
use crate::transport::{self, Transport};

/// How long a body may take before the caller is dropped, and authenticated again once the body is complete.
const PROMPT_BODY: Duration = Duration::from_millis(50);
const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream";

/// What the endpoint checks before the protocol begins.
#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// The host names that it answers to, and the origins whose pages may call.
    pub addresses: AllowedAddresses,
    /// The largest body, in bytes.
    pub body_limit: usize,
}

/// An MCP endpoint over a handler `H`, which finds the `C` that each request was admitted as among the extensions
/// of its [`http::request::Parts`].
pub struct McpEndpoint<H, C>(Rc<EndpointState<H, C>>);

/// Authenticates a request: who sent it, and who may cancel it; or why it is refused.
type Admit<C> = Box<dyn Fn(&HttpRequest, Cancellation) -> Result<(C, Option<RequestSender>)>>;

struct EndpointState<H, C> {
    addresses: AddressCheck,
    body_limit: usize,
    admit: Admit<C>,
    running: RunningRequests,
    handler: H,
    service: StreamableHttpService<H, NeverSessionManager>,
}

impl<H, C> McpEndpoint<H, C>
where
    H: ServerHandler + DirectTools<C> + Clone + Send + Sync + 'static,
    C: Clone + Send + Sync + 'static,
{
    /// An endpoint that authenticates requests with `admit`. A sender can cancel only their own requests in `running`.
    pub fn new(
        handler: H,
        options: EndpointOptions,
        running: RunningRequests,
        admit: impl Fn(&HttpRequest, Cancellation) -> Result<(C, Option<RequestSender>)> + 'static,
    ) -> Self {
        let EndpointOptions { addresses, body_limit } = options;
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(body_limit)
            // Host and origin are checked by `AddressCheck`, which answers in the envelope.
            .disable_allowed_hosts()
            .disable_allowed_origins();
        let factory = handler.clone();
        let service = StreamableHttpService::new(move || Ok(factory.clone()), Arc::default(), config);
        let addresses = AddressCheck::new(addresses);
        Self(Rc::new(EndpointState {
            addresses,
            body_limit,
            admit: Box::new(admit),
            running,
            handler,
            service,
        }))
    }

    /// The endpoint as a resource at a path.
    #[must_use]
    pub fn resource(&self, path: &str) -> Resource {
        let parts = Rc::clone(&self.0);
        let post = move |request: HttpRequest, payload: web::Payload| {
            let parts = Rc::clone(&parts);
            async move {
                transport::record_transport(Transport::Mcp);
                parts.answer(&request, payload).await.unwrap_or_else(|refusal| refusal)
            }
        };
        transport::resource(path, &[Method::POST]).route(web::post().to(post))
    }
}

impl<H, C> EndpointState<H, C>
where
    H: ServerHandler + DirectTools<C> + Send + 'static,
    C: Clone + Send + Sync + 'static,
{
    async fn answer(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<HttpResponse, HttpResponse> {
        let refusal = |error: Error| transport::error_response(&error);
        self.addresses.check(request.headers()).map_err(refusal)?;
        let cancellation = transport::cancellation().child();
        let admit = || (self.admit)(request, cancellation.clone());
        let (mut admitted, mut sender) = admit().map_err(refusal)?;
        check_media_types(request.headers()).map_err(|(status, message)| refused(status, message))?;
        let reading = transport::body::read(payload, request.headers(), self.body_limit, too_large);
        tokio::pin!(reading);
        let body = if let Ok(body) = tokio::time::timeout(PROMPT_BODY, &mut reading).await {
            body.map_err(refusal)?
        } else {
            // The caller may hold a snapshot of the store, which must not wait for a client. And a key that was valid
            // when the body began may have been revoked before its end.
            drop(admitted);
            let body = reading.await.map_err(refusal)?;
            (admitted, sender) = admit().map_err(refusal)?;
            body
        };
        let direct = DirectCall::read(request.headers(), &body);
        if let Some(call) = direct.filter(|call| self.may_answer_directly(&call.tool)) {
            check_repeatable(&call.id).map_err(|refused| protocol_error(&refused))?;
            let _run = sender.map(|sender| self.running.begin(sender, call.id.clone(), cancellation));
            return self.answer_directly(call, admitted).await.map_err(refusal);
        }
        let message =
            InspectedMessage::read(request.headers(), &body).map_err(|refused| protocol_error(&refused))?;
        // Its tool runs on a task of its own, which can't record this.
        let tool = message.tool.as_deref().and_then(|tool| self.handler.known_tool(tool));
        tool.into_iter().for_each(transport::record_operation);
        let begun = sender.zip(message.id.clone());
        let run = begun.map(|(sender, id)| self.running.begin(sender, id, cancellation));
        let response = self.service.handle(to_rmcp_request(request, body, admitted)).await;
        if let (Some(sender), Some(id), true) = (sender, &message.cancels, response.status().is_success()) {
            self.running.cancel(sender, id.clone());
        }
        Ok(to_actix(response, &message, run).await)
    }

    fn may_answer_directly(&self, tool: &str) -> bool {
        let Some(known) = self.handler.known_tool(tool) else { return false };
        transport::record_operation(known);
        self.handler.answers_directly(tool)
    }

    async fn answer_directly(&self, mut call: DirectCall, admitted: C) -> Result<HttpResponse> {
        let arguments = std::mem::take(&mut call.arguments);
        let result = self.handler.answer(&call.tool, arguments, admitted).await;
        if let Some(code) = code_of_result(&result) {
            transport::record_code(code);
        }
        Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, JSON)).body(call.answered(result)?))
    }
}

fn too_large(limit: usize) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!(
            "The body is larger than {limit} bytes. Send fewer files in a call, or upload them from urls."
        ),
    )
}

/// The request as rmcp reads it: the protocol's own headers, and nothing that identifies the client.
fn to_rmcp_request<C: Clone + Send + Sync + 'static>(
    request: &HttpRequest,
    body: Bytes,
    admitted: C,
) -> http::Request<Full<Bytes>> {
    let mut message = http::Request::new(Full::new(body));
    *message.method_mut() = http::Method::POST;
    let headers = message.headers_mut();
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
    message.extensions_mut().insert(admitted);
    message
}

/// The response as actix sends it; what rmcp refuses in plain text goes into the envelope. The request runs until the
/// end of a stream.
async fn to_actix(
    response: http::Response<BoxBody<Bytes, std::convert::Infallible>>,
    message: &InspectedMessage,
    run: Option<RunningRequest>,
) -> HttpResponse {
    let (head, answer) = response.into_parts();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = head.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut builder = HttpResponse::build(status);
    if kind == Some(EVENT_STREAM) {
        builder.insert_header((CONTENT_TYPE, EVENT_STREAM)).insert_header(("X-Accel-Buffering", "no"));
        let request = transport::request_id();
        let answer = answer.into_data_stream().inspect(move |events| {
            let _runs = &run;
            let events = events.as_deref().unwrap_or_default();
            if let Some(code) = code_in_stream(events) {
                transport::log_late_code(request, code);
            }
        });
        return builder.streaming(answer);
    }
    let answer = answer.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    if kind == Some(JSON) {
        if let Some(code) = code_of_message(&answer) {
            transport::record_code(code);
        }
        return builder.insert_header((CONTENT_TYPE, JSON)).body(message.abridged(answer));
    }
    if status.is_success() {
        return builder.finish();
    }
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // The media type was checked before; rmcp also answers this status for a body that it can't read.
        return protocol_error(&not_a_message());
    }
    let text = message.abridged_text(&String::from_utf8_lossy(&answer));
    if status.is_server_error() {
        return transport::error_response(&Error::internal(text));
    }
    refused(status, text)
}

fn refused(status: StatusCode, message: impl Into<std::borrow::Cow<'static, str>>) -> HttpResponse {
    let mut response = transport::error_response(&Error::bad_input(message));
    *response.status_mut() = status;
    response
}

/// The answer to a message that is refused before rmcp gets it.
fn protocol_error(refused: &JsonRpcError) -> HttpResponse {
    let code = of_protocol(refused.error.code);
    transport::record_code(code.name());
    let is_unknown = code == Code::EndpointNotFound;
    let status = if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
    HttpResponse::build(status).json(refused)
}
