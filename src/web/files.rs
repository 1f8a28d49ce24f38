//! What the pages are made of besides HTML: styles, scripts, icons. All of it is in the binary, at addresses that
//! name its content, so that a browser keeps it for good and asks for the new one after an update.

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::edge;
use crate::error::{Code, Error, Result};

/// A file under `/app/static/`.
struct File {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const DRAWING: &str = "image/svg+xml";

/// All of them. A new one is a line here, and [`url`] in a template.
static FILES: [File; 7] = [
    file("app.css", STYLE, STYLES.as_bytes()),
    file("app.js", SCRIPT, SCRIPTS.as_bytes()),
    file("favicon.svg", DRAWING, include_bytes!("static/favicon.svg")),
    file("htmx.min.js", SCRIPT, include_bytes!("static/htmx.min.js")),
    file("icons.svg", DRAWING, include_bytes!("static/icons.svg")),
    file("settings.js", SCRIPT, include_bytes!("static/settings.js")),
    file("trusted.js", SCRIPT, include_bytes!("static/trusted.js")),
];

/// The stylesheet, from its parts in the order in which they build on each other.
const STYLES: &str = concat!(
    include_str!("static/style/base.css"),
    include_str!("static/style/layout.css"),
    include_str!("static/style/controls.css"),
    include_str!("static/style/parts.css"),
    include_str!("static/style/photos.css"),
    include_str!("static/style/libraries.css"),
    include_str!("static/style/settings.css"),
);

/// The module of our own, from its parts; they share what the first one has.
const SCRIPTS: &str = concat!(
    include_str!("static/app.js"),
    include_str!("static/photos.js"),
    include_str!("static/upload.js"),
    include_str!("static/asset.js"),
    include_str!("static/passkey.js"),
);

/// The start of each file's hash, in the order of [`FILES`].
static VERSIONS: LazyLock<Vec<String>> = LazyLock::new(|| FILES.iter().map(File::version).collect());

/// A year, the longest that means anything: another content has another address.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For an address without the version, or with an old one.
const FOR_NOW: HeaderValue = HeaderValue::from_static("public, no-cache");

const fn file(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> File {
    File { name, content_type, bytes }
}

impl File {
    fn version(&self) -> String {
        blake3::hash(self.bytes).to_hex()[..16].to_owned()
    }
}

/// The address of a file, with the version that lets a browser keep it.
///
/// A name that is not there has an address that answers 404; a test of the pages finds it.
#[must_use]
pub fn url(name: &str) -> String {
    let version = position(name).and_then(|position| VERSIONS.get(position));
    format!("/app/static/{name}?v={}", version.map_or("", String::as_str))
}

fn position(name: &str) -> Option<usize> {
    FILES.iter().position(|file| file.name == name)
}

/// The route of the files, within the web app's scope.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(edge::resource("/static/{name}", &[Method::GET, Method::HEAD]).route(web::get().to(get)));
}

async fn get(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse> {
    let found = FILES.iter().zip(VERSIONS.iter()).find(|(file, _)| file.name == name.as_str());
    let (file, version) =
        found.ok_or_else(|| Error::new(Code::EndpointNotFound, "There is no such file."))?;
    let etag = format!("\"{version}\"");
    let is_current = request.query_string() == format!("v={version}");
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CACHE_CONTROL, if is_current { FOR_GOOD } else { FOR_NOW }))
        .insert_header((ETAG, etag.as_str()));
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok(answer.status(actix_web::http::StatusCode::NOT_MODIFIED).finish());
    }
    Ok(answer.content_type(file.content_type).body(file.bytes))
}
