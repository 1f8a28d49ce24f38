//! Traces for OpenTelemetry: a span for each request, sent in batches to a collector. Off by default. A span has no key, no name and
//! no id of anything that is stored. Depends on nothing else in the crate.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

/// Where a collector takes traces, below its address.
const PATH: &str = "v1/traces";
/// How long the collector may take to accept a batch.
const SEND_TIME: Duration = Duration::from_secs(10);
/// How long the last batch may take when the server ends.
const LAST_SEND_TIME: Duration = Duration::from_secs(5);
/// How often it is logged that the collector can't be reached.
const LOG_EVERY: Duration = Duration::from_mins(10);
/// The header by which a client says which trace its request belongs to. What else it sends about it, `tracestate`, is any text,
/// and is not passed on.
const PARENT: &str = "traceparent";

/// Sends spans to a collector. Each clone is the same.
#[derive(Clone)]
pub struct Traces(Arc<Sender>);

struct Sender {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// Ends the thread of the HTTP client when it is dropped.
    _client: oneshot::Sender<()>,
}

/// Traces can't be sent.
#[derive(Debug, thiserror::Error)]
#[error("traces can't be sent: {0}")]
pub struct TracesError(String);

impl TracesError {
    fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// The trace that a request belongs to, if its client names one.
#[derive(Debug, Clone)]
pub struct TraceParent(Context);

/// A request that is answered.
#[derive(Debug, Clone, Copy)]
pub struct TracedRequest {
    /// The name of what answers it.
    pub transport: &'static str,
    /// The operation that it ran.
    pub operation: Option<&'static str>,
    /// The status of the answer, or of the error in it.
    pub status: u16,
    /// How long it took until the answer began.
    pub duration: Duration,
}

impl Traces {
    /// Sends to the collector at this address, such as `http://localhost:4318`.
    ///
    /// # Errors
    /// When the address can't be used, or no thread can be started.
    pub fn start(endpoint: &str) -> Result<Self, TracesError> {
        let (client, stop) = OwnThreadClient::start()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(format!("{}/{PATH}", endpoint.trim_end_matches('/')))
            .with_timeout(SEND_TIME)
            .build()
            .map_err(TracesError::new)?;
        let about = [
            KeyValue::new("service.name", "rasterd"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ];
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_resource(Resource::builder_empty().with_attributes(about).build())
            .build();
        Ok(Self(Arc::new(Sender { tracer: provider.tracer("rasterd"), provider, _client: stop })))
    }

    /// The trace that a client says a request belongs to, from the request's headers.
    #[must_use]
    pub fn parent<'a>(header: impl Fn(&str) -> Option<&'a str>) -> TraceParent {
        let context = Context::new();
        TraceParent(TraceContextPropagator::new().extract_with_context(&context, &OnlyParent(header(PARENT))))
    }

    /// Records a request that was just answered.
    pub fn record(&self, request: &TracedRequest, TraceParent(parent): &TraceParent) {
        let TracedRequest { transport, operation, status, duration } = *request;
        let ended = SystemTime::now();
        let mut span = self
            .0
            .tracer
            .span_builder(operation.unwrap_or(transport))
            .with_kind(SpanKind::Server)
            .with_start_time(ended.checked_sub(duration).unwrap_or(ended))
            .with_attributes([
                KeyValue::new("rasterd.transport", transport),
                KeyValue::new("http.response.status_code", i64::from(status)),
            ])
            .start_with_context(&self.0.tracer, parent);
        if let Some(operation) = operation {
            span.set_attribute(KeyValue::new("rasterd.operation", operation));
        }
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(ended);
    }

    /// Sends what is left. Blocks for some seconds at most.
    pub fn finish(&self) {
        if let Err(error) = self.0.provider.shutdown_with_timeout(LAST_SEND_TIME) {
            tracing::debug!(%error, "the last traces were not sent");
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

/// The one header of a request that is read.
struct OnlyParent<'a>(Option<&'a str>);

impl Extractor for OnlyParent<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.filter(|_| name == PARENT)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.map(|_| PARENT).into_iter().collect()
    }
}

/// An HTTP client on a thread of its own: the exporter has no asynchronous runtime.
#[derive(Debug)]
struct OwnThreadClient {
    runtime: Handle,
    client: reqwest::Client,
    logged: Arc<Mutex<Option<Instant>>>,
}

impl OwnThreadClient {
    /// The client; its thread ends when the other value is dropped.
    fn start() -> Result<(Self, oneshot::Sender<()>), TracesError> {
        // reqwest panics without a default provider; an error means that one is already installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(SEND_TIME)
            .build()
            .map_err(TracesError::new)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime: Runtime = runtime.map_err(TracesError::new)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let this = Self { runtime: runtime.handle().clone(), client, logged: Arc::default() };
        let run = move || runtime.block_on(async { drop(stopped.await) });
        std::thread::Builder::new().name("traces".into()).spawn(run).map_err(TracesError::new)?;
        Ok((this, stop))
    }

    /// Logs that the collector can't be reached, from time to time.
    fn log(&self, error: &dyn fmt::Display) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|logged| logged.elapsed() >= LOG_EVERY) {
            *logged = Some(Instant::now());
            tracing::warn!(%error, "traces could not be sent");
        }
    }
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for OwnThreadClient {
    fn send_bytes<'a, 'b>(&'a self, request: http::Request<Bytes>) -> Sent<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let client = self.client.clone();
        Box::pin(async move {
            let sending = self.runtime.spawn(async move { send(&client, request).await });
            let sent = sending.await.map_err(HttpError::from).and_then(|outcome| outcome);
            match &sent {
                Ok(answer) if answer.status().is_success() => {}
                Ok(answer) => self.log(&format!("the collector answered {}", answer.status())),
                Err(error) => self.log(error),
            }
            sent
        })
    }
}

async fn send(
    client: &reqwest::Client,
    request: http::Request<Bytes>,
) -> Result<http::Response<Bytes>, HttpError> {
    let answer =
        client.execute(reqwest::Request::try_from(request)?).await.map_err(reqwest::Error::without_url)?;
    let status = answer.status();
    let mut answered = http::Response::new(answer.bytes().await?);
    *answered.status_mut() = status;
    Ok(answered)
}
