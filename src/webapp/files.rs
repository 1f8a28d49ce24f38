//! The styles, scripts and icons of the pages. A release has them in the binary; a debug build reads them from the
//! sources. Their addresses contain a version, so that a browser keeps a file for a year and gets the new one after an
//! update.

use std::path::Path;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::{Embed, EmbeddedFile};

use crate::error::{Code, Error, Result};
use crate::transport;
use crate::transport::compression;

/// The files, by their path in this folder.
#[derive(Embed)]
#[folder = "src/webapp"]
#[include = "*.js"]
#[include = "*.css"]
#[include = "*.svg"]
struct Files;

/// For an address with the current version: changed content has another address.
const FOR_A_YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For an address without the version, or with an old one.
const REVALIDATED: HeaderValue = HeaderValue::from_static("public, no-cache");

/// The paths of all files, which the version is made from.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| Files::iter().map(String::from).collect());

/// The version of the files in the binary: one for all, because modules import each other by relative addresses.
static EMBEDDED_VERSION: LazyLock<String> = LazyLock::new(|| {
    version_of(|name, hasher| {
        if let Some(file) = Files::get(name) {
            hasher.update(&file.data);
        }
    })
});

/// The version of the files now. A debug build goes by their times, which change with every edit.
fn version() -> String {
    if !cfg!(debug_assertions) {
        return EMBEDDED_VERSION.clone();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/webapp");
    version_of(|name, hasher| {
        let changed = folder.join(name).metadata().and_then(|metadata| metadata.modified());
        hasher.update(format!("{changed:?}").as_bytes());
    })
}

/// The start of a hash over what `add` adds for each file.
fn version_of(add: impl Fn(&str, &mut blake3::Hasher)) -> String {
    let mut hasher = blake3::Hasher::new();
    for name in NAMES.iter() {
        hasher.update(name.as_bytes());
        add(name, &mut hasher);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// The address of a file, with the version that lets a browser keep it.
///
/// A file that does not exist has an address that answers 404; a test of the pages finds it.
#[must_use]
pub fn url(name: &str) -> String {
    format!("/app/static/{}/{name}", version())
}

/// The route of the files, within the web app's scope.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(
        transport::resource("/static/{path:.*}", &[Method::GET, Method::HEAD]).route(web::get().to(get)),
    );
}

async fn get(request: HttpRequest, path: web::Path<String>) -> Result<HttpResponse> {
    let (file, name, requested_version) = find(&path)?;
    // Weak, because the compressed file has the same.
    let etag = format!("W/\"{}\"", &blake3::hash(&file.data).to_hex()[..16]);
    let is_current = requested_version.is_some_and(|requested| requested == version());
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CACHE_CONTROL, if is_current { FOR_A_YEAR } else { REVALIDATED }))
        .insert_header((ETAG, etag.as_str()));
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
    }
    answer.content_type(content_type(name));
    Ok(compression::answer(&request, &mut answer, Bytes::from(file.data.into_owned())))
}

/// The file at a path with any version or without one; its name, and the version.
fn find(path: &str) -> Result<(EmbeddedFile, &str, Option<&str>)> {
    if let Some((version, name)) = path.split_once('/')
        && let Some(file) = Files::get(name)
    {
        return Ok((file, name, Some(version)));
    }
    let file =
        Files::get(path).ok_or_else(|| Error::new(Code::EndpointNotFound, "There is no such file."))?;
    Ok((file, path, None))
}

fn content_type(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some(_) | None => "application/octet-stream",
    }
}
