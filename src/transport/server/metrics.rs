//! `/metrics`, for Prometheus: on a listener of its own, or on the main one with a token. Without either it does not exist.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fmt, fs};

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use arc_swap::ArcSwap;

use super::health;
use super::listener::Application;
use crate::core::Core;
use crate::error::{Code, Error, Result};
use crate::file_mode;
use crate::telemetry::metrics::{self, Check};
use crate::transport::allowed_addresses::{AddressLists, AllowedAddresses};
use crate::transport::cors::Cors;
use crate::transport::tls::{self, Certificates};
use crate::transport::{self, Observers, StrictTransportSecurity, Transport};

/// The fewest characters of a token.
const LEAST_LENGTH: usize = 16;

/// Where the metrics are, and who may read them. By default they are nowhere.
#[derive(Debug, Default)]
pub struct MetricsOptions {
    /// A socket of their own; it speaks HTTPS, too.
    pub listener: Option<TcpListener>,
    /// The token that a monitor has to send. Without a listener, the metrics are on the main one.
    pub token: Option<Arc<MetricsToken>>,
}

/// The token of a monitor, from a file. Only its hash is kept.
#[derive(Debug)]
pub struct MetricsToken {
    file: PathBuf,
    digest: ArcSwap<blake3::Hash>,
}

/// Why a file with a token can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct MetricsTokenError {
    file: PathBuf,
    problem: String,
}

impl MetricsToken {
    /// Reads the token: the only line of the file.
    ///
    /// # Errors
    /// When the file can't be read, others may read it, or it has no proper token.
    pub fn load(file: &Path) -> Result<Self, MetricsTokenError> {
        Ok(Self { file: file.to_owned(), digest: ArcSwap::from_pointee(read(file)?) })
    }

    /// Reads the file again. A token that can't be used changes nothing, and the log says so.
    pub fn reload_and_log(&self) {
        match read(&self.file) {
            Ok(digest) => self.digest.store(Arc::new(digest)),
            Err(error) => {
                tracing::error!(
                    docUrl = "/docs/monitoring#metrics",
                    "the token of metrics was not reloaded, the previous one stays in use: {error}"
                );
            }
        }
    }

    /// Checks that a request has the token.
    fn check(&self, headers: &HeaderMap) -> Result<()> {
        // Comparing hashes takes the same time wherever they differ.
        let is_ours = |token: &str| blake3::hash(token.as_bytes()) == **self.digest.load();
        if transport::bearer_token(headers).is_ok_and(is_ours) {
            return Ok(());
        }
        Err(Error::new(
            Code::Unauthenticated,
            "Send the token of the server's metrics in the header `Authorization: Bearer <token>`.",
        ))
    }
}

fn read(file: &Path) -> Result<blake3::Hash, MetricsTokenError> {
    let refused = |problem: &dyn fmt::Display| MetricsTokenError {
        file: file.to_owned(),
        problem: problem.to_string(),
    };
    let text = fs::read_to_string(file).map_err(|error| refused(&format_args!("can't be read: {error}")))?;
    if file_mode::is_open_to_others(file).map_err(|error| refused(&error))? {
        let path = file.display();
        return Err(refused(&format_args!(
            "every user of this machine can read the token in it. Run: chmod o= {path}"
        )));
    }
    let token = text.trim();
    if token.len() < LEAST_LENGTH || token.contains(char::is_whitespace) {
        return Err(refused(&format_args!(
            "expected one line with a token of at least {LEAST_LENGTH} characters; `openssl rand -hex 32` makes one"
        )));
    }
    Ok(blake3::hash(token.as_bytes()))
}

/// What answers `/metrics`.
#[derive(Clone)]
pub struct MetricsEndpoint {
    pub core: Core,
    pub certificates: Arc<Certificates>,
    pub token: Option<Arc<MetricsToken>>,
    /// Whether the server is stopping.
    pub draining: Arc<AtomicBool>,
}

impl MetricsEndpoint {
    /// Mounts it.
    pub fn configure(&self, routes: &mut web::ServiceConfig) {
        let endpoint = self.clone();
        let get = move |request: HttpRequest| {
            let endpoint = endpoint.clone();
            async move { endpoint.answer(request.headers()).await }
        };
        let resource = transport::resource("/metrics", &[Method::GET, Method::HEAD]);
        routes.service(resource.route(web::get().to(get.clone())).route(web::head().to(get)));
    }

    async fn answer(&self, headers: &HeaderMap) -> Result<HttpResponse> {
        transport::record_transport(Transport::Monitoring);
        self.token.as_ref().map_or(Ok(()), |token| token.check(headers))?;
        self.core.measure().await;
        let (metrics, is_stopping) = (self.core.metrics(), self.draining.load(Ordering::Relaxed));
        metrics.state.set_check(Check::Shutdown, !is_stopping);
        if is_stopping {
            metrics.state.set_ready(false);
        }
        metrics.state.certificate_expiry.set(tls::expiry(&self.certificates.chain()).unwrap_or(0));
        let media_type = HeaderValue::from_static(metrics::CONTENT_TYPE);
        Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, media_type)).body(metrics.encode()))
    }
}

/// What the listener for metrics answers.
#[derive(Clone)]
pub struct MonitoringMounts {
    metrics: MetricsEndpoint,
    security: StrictTransportSecurity,
}

impl MonitoringMounts {
    pub fn new(metrics: MetricsEndpoint, security: StrictTransportSecurity) -> Self {
        Self { metrics, security }
    }

    /// The application of one worker.
    pub fn application(&self) -> impl Application + use<> {
        let Self { metrics, security } = self.clone();
        let core = metrics.core.clone();
        let application = actix_web::App::new()
            .configure(move |routes| {
                health::configure(routes, &metrics.core, &metrics.draining);
                metrics.configure(routes);
            })
            .default_service(web::to(transport::no_such_path));
        let observers = Observers { metrics: Arc::clone(core.metrics()), traces: None, followed: None };
        transport::wrap(
            application,
            Cors::new(AllowedAddresses::new(AddressLists::default())),
            Arc::clone(core.budget()),
            observers,
            security,
        )
    }
}
