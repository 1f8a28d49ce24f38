//! `/healthz` and `/readyz`, for the supervisor of the process. They need no key and show no data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::Method;
use actix_web::{HttpResponse, web};

use crate::core::Core;
use crate::error::{Code, Error};
use crate::transport;

/// Mounts both. The server is ready when it accepts changes, can write and read files, and is not stopping.
pub fn configure(routes: &mut web::ServiceConfig, core: &Core, draining: &Arc<AtomicBool>) {
    let (core, draining) = (core.clone(), Arc::clone(draining));
    let ready = move || {
        let (core, draining) = (core.clone(), draining.load(Ordering::Relaxed));
        async move {
            let ready = if draining { Err(stopping()) } else { core.check_ready().await };
            ready.map_or_else(|error| transport::error_response(&error), |()| ok())
        }
    };
    routes
        .service(
            resource("/healthz")
                .route(web::get().to(|| async { ok() }))
                .route(web::head().to(|| async { ok() })),
        )
        .service(resource("/readyz").route(web::get().to(ready.clone())).route(web::head().to(ready)));
}

fn resource(path: &str) -> actix_web::Resource {
    transport::resource(path, &[Method::GET, Method::HEAD])
}

fn ok() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(r#"{"status":"ok"}"#)
}

fn stopping() -> Error {
    Error::new(Code::ServiceUnavailable, "The server is stopping.")
}
