//! The OpenAPI document and the reference page that shows it. All of it is in the binary; nothing is fetched.

use std::future::ready;
use std::sync::{Arc, LazyLock};

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_swagger_ui::Config;

use super::document::{self, VERSION};
use super::query::QueryString;
use crate::core::settings::Settings;
use crate::error::{Error, Result};
use crate::transport;
use crate::transport::compression;
use crate::transport::wire::Version;
use crate::transport::wire::configured::Configured;

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");
/// The files that the page asks for; Swagger UI has more, which are not served.
const FILES: &str = r"/docs/rest/{file:start\.js|swagger-ui\.css|swagger-ui-bundle\.js}";
/// The page runs our script and Swagger UI's, shows its pictures, and talks to this server alone. Swagger UI sets
/// styles on its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What `/openapi.json` answers, with the configured limits. Each document is written when it is first requested: writing
/// them would take a good part of a start. Cheap to clone.
#[derive(Clone)]
pub struct Documents(Arc<Vec<LazyDocument>>);

/// A document, for the version that it describes, or all.
struct LazyDocument {
    version: Option<Version>,
    text: LazyLock<Option<Bytes>, Box<dyn FnOnce() -> Option<Bytes> + Send>>,
}

impl Documents {
    /// The documents of a server with these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let configured = Arc::new(Configured::new(settings));
        let described = Version::ALL.into_iter().map(Some).chain([None]);
        let document = |version| {
            let configured = Arc::clone(&configured);
            let write = move || document::openapi(&configured, version).to_json().ok().map(Bytes::from);
            LazyDocument { version, text: LazyLock::new(Box::new(write)) }
        };
        Self(Arc::new(described.map(document).collect()))
    }

    /// The one that a query asks for.
    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let version = described(request.query_string())?;
        let found = self.0.iter().find(|document| document.version == version);
        let text = found.and_then(|document| document.text.as_ref());
        let text = text.ok_or_else(|| Error::internal("the OpenAPI document can't be written"))?;
        let mut answer = HttpResponse::Ok();
        Ok(compression::answer(request, answer.content_type("application/json"), text.clone()))
    }
}

/// The version that a query asks to describe; all of them when it is empty.
fn described(query: &str) -> Result<Option<Version>> {
    let query = QueryString::parse(query);
    if query.names().any(|name| name != VERSION) || query.names().count() > 1 {
        return Err(Error::bad_input(format!(
            "The only parameter here is `{VERSION}`, at most once: {}. Without it, all versions are described.",
            Version::choice()
        )));
    }
    let named = query.text(VERSION).map(|name| {
        Version::named(name).ok_or_else(|| {
            Error::bad_input(format!("The parameter `{VERSION}` must be {}.", Version::choice()))
        })
    });
    named.transpose()
}

/// Mounts `/openapi.json` and `/docs/rest`. Neither takes a key: they show no data.
pub fn configure(config: &mut web::ServiceConfig, documents: Documents) {
    let show = move |request: HttpRequest| ready(documents.answer(&request));
    config
        .service(transport::resource(document::PATH, &[Method::GET]).route(web::get().to(show)))
        .service(transport::resource("/docs/rest", &[Method::GET]).route(web::get().to(page)))
        .service(transport::resource(FILES, &[Method::GET]).route(web::get().to(file)));
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
