//! The OpenAPI document and the reference page that shows it: everything from this binary, nothing from elsewhere.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{Bytes, Path};
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::Config;

use super::document;
use crate::edge;
use crate::error::{Error, Result};

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");
/// The files that the page asks for; Swagger UI has more, which are not served.
const FILES: &str = r"/docs/{file:start\.js|swagger-ui\.css|swagger-ui-bundle\.js}";
/// The page runs our script and Swagger UI's, shows its pictures, and talks to this server alone. Swagger UI sets
/// styles on its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Mounts `/openapi.json` and `/docs`. Neither takes a key: they show no data.
pub fn configure(config: &mut web::ServiceConfig) {
    let document = document::openapi().to_json().map(Bytes::from).ok();
    let show = move || std::future::ready(shown(document.as_ref()));
    config
        .service(edge::resource(document::PATH, &[Method::GET]).route(web::get().to(show)))
        .service(edge::resource("/docs", &[Method::GET]).route(web::get().to(page)))
        .service(edge::resource(FILES, &[Method::GET]).route(web::get().to(file)));
}

fn shown(document: Option<&Bytes>) -> Result<HttpResponse> {
    let document = document.ok_or_else(|| Error::internal("the OpenAPI document can't be written"))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(document.clone()))
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

/// One of the page's own files: ours, or one of Swagger UI's.
async fn file(name: Path<String>) -> Result<HttpResponse> {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if name.as_str() == "start.js" {
        return Ok(answer.content_type("text/javascript; charset=utf-8").body(START));
    }
    let found = utoipa_swagger_ui::serve(&name, Arc::new(Config::from(document::PATH)));
    let file = found
        .map_err(|cause| Error::internal(cause.to_string()))?
        .ok_or_else(|| Error::internal("a file of the reference page is not in the binary"))?;
    if file.gzpipped {
        answer.insert_header((CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.content_type(file.content_type).body(file.bytes.into_owned()))
}
