//! `/livez` (also `/healthz`) and `/readyz`, for the supervisor of the process. They need no key and show no data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::core::{Core, HealthCheck};
use crate::error::{Code, Error};
use crate::telemetry::metrics::{Check, LabelValue};
use crate::transport::{self, Transport};

/// The parameter that asks for each check.
const VERBOSE: &str = "verbose";
/// The answer when all is well.
const OK: &str = r#"{"status":"ok"}"#;

/// What `/readyz?verbose` answers.
#[derive(Serialize)]
struct Report {
    status: &'static str,
    checks: Vec<ReportedCheck>,
}

#[derive(Serialize)]
struct ReportedCheck {
    name: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Mounts them. The server is ready when every check of `core` succeeds, and it is not stopping.
pub fn configure(routes: &mut web::ServiceConfig, core: &Core, draining: &Arc<AtomicBool>) {
    let (core, draining) = (core.clone(), Arc::clone(draining));
    let ready = move |request: HttpRequest| {
        let (core, draining) = (core.clone(), draining.load(Ordering::Relaxed));
        async move {
            transport::record_transport(Transport::Monitoring);
            if is_verbose(request.query_string()) {
                return report(&core.health_checks().await, draining);
            }
            let ready = if draining { Err(stopping()) } else { core.check_ready().await };
            ready.map_or_else(|error| transport::error_response(&error), |()| ok())
        }
    };
    for path in ["/livez", "/healthz"] {
        let live = || async {
            transport::record_transport(Transport::Monitoring);
            ok()
        };
        routes.service(resource(path).route(web::get().to(live)).route(web::head().to(live)));
    }
    routes.service(resource("/readyz").route(web::get().to(ready.clone())).route(web::head().to(ready)));
}

fn resource(path: &str) -> actix_web::Resource {
    transport::resource(path, &[Method::GET, Method::HEAD])
}

fn is_verbose(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == VERBOSE)
}

fn ok() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(OK)
}

/// Each check with its result. 503 when one fails.
fn report(checks: &[HealthCheck], draining: bool) -> HttpResponse {
    let stopping = HealthCheck { check: Check::Shutdown, problem: draining.then_some("it is stopping") };
    let checks: Vec<HealthCheck> = checks.iter().copied().chain([stopping]).collect();
    let (status, mut answer) = if checks.iter().all(|check| check.problem.is_none()) {
        ("ok", HttpResponse::Ok())
    } else {
        transport::record_code(Code::ServiceUnavailable.name());
        ("failed", HttpResponse::ServiceUnavailable())
    };
    answer.json(Report { status, checks: checks.into_iter().map(ReportedCheck::of).collect() })
}

impl ReportedCheck {
    fn of(HealthCheck { check, problem }: HealthCheck) -> Self {
        let status = if problem.is_none() { "ok" } else { "failed" };
        Self { name: check.as_str(), status, reason: problem }
    }
}

fn stopping() -> Error {
    Error::new(Code::ServiceUnavailable, "The server is stopping.")
}
