//! `/healthz` and `/readyz`, for whatever watches over the process. No key, no data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::Method;
use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::edge;
use crate::error::{Code, Error};

/// Mounts both. Ready is who takes changes and is not about to end.
pub fn configure(routes: &mut web::ServiceConfig, app: &App, draining: &Arc<AtomicBool>) {
    let (app, draining) = (app.clone(), Arc::clone(draining));
    let ready = move || {
        let ready = app.is_writable() && !draining.load(Ordering::Relaxed);
        async move { if ready { ok() } else { edge::error_response(&not_ready()) } }
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
    edge::resource(path, &[Method::GET, Method::HEAD])
}

fn ok() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(r#"{"status":"ok"}"#)
}

fn not_ready() -> Error {
    Error::new(
        Code::ServiceUnavailable,
        "The server is stopping, or its disk failed and it must be restarted.",
    )
}
