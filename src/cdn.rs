//! Asset urls: public files with ranges and conditional requests, and pictures in other sizes and formats.
//! Serves what `app` publishes and decides nothing.

use std::fs::File;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use crate::app::App;
use crate::app::media::MediaType;
use crate::app::published::PublishedFile;
use crate::edge;
use crate::error::Result;

mod conditions;
mod disposition;
mod file_body;
mod parameters;

use conditions::{Outcome, Part, Version};
use parameters::Wish;

/// Short, because promoting a variant changes the bytes behind a url.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300, stale-while-revalidate=86400");
/// No scripts, no forms, no origin of its own: a hostile file can do nothing in the server's name.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

type Original = web::Path<(String, String, String)>;
type Variant = web::Path<(String, String, String, String)>;

/// Mounts the asset urls. The library's segment is not looked at: an asset that was moved keeps its old url.
pub fn configure(routes: &mut web::ServiceConfig, app: &App) {
    let of_original = {
        let app = app.clone();
        move |request: HttpRequest, path: Original| {
            let (organization, _library, asset) = path.into_inner();
            let published = app.published(&organization, &asset, None);
            let app = app.clone();
            async move { serve(&app, &request, published?).await }
        }
    };
    let of_variant = {
        let app = app.clone();
        move |request: HttpRequest, path: Variant| {
            let (organization, _library, asset, variant) = path.into_inner();
            let published = app.published(&organization, &asset, Some(&variant));
            let app = app.clone();
            async move { serve(&app, &request, published?).await }
        }
    };
    let original = resource("/cdn/{organization}/{library}/{asset}");
    let variant = resource("/cdn/{organization}/{library}/{asset}/{variant}");
    routes
        .service(original.route(web::get().to(of_original.clone())).route(web::head().to(of_original)))
        .service(variant.route(web::get().to(of_variant.clone())).route(web::head().to(of_variant)));
}

fn resource(path: &str) -> actix_web::Resource {
    edge::resource(path, &[Method::GET, Method::HEAD])
}

/// What is sent: a file, and what its headers say of it.
struct Served {
    file: File,
    size: u64,
    media_type: MediaType,
    name: String,
    version: Version,
    /// Whether another `Accept` may get something else.
    varies: bool,
}

/// The original, or the rendition that the query asks for.
async fn serve(app: &App, request: &HttpRequest, published: PublishedFile) -> Result<HttpResponse> {
    let modified = to_the_second(published.asset.updated);
    let served = match parameters::read(request.query_string(), request.headers())? {
        Wish::Original => {
            let PublishedFile { asset, file } = published;
            let version = Version { etag: quoted(&asset.content.hash.to_hex()), modified };
            let (size, media_type) = (asset.content.size, asset.content.media_type);
            Served { file, size, media_type, name: asset.name, version, varies: false }
        }
        Wish::Rendition { asked, varies } => {
            // Also when it is not kept any more: to make it again only to say that nothing changed would be a waste.
            let tags = app.rendition_tags(&published, &asked);
            if let Some(etag) = conditions::held(request.headers(), tags.iter().map(|tag| quoted(tag))) {
                let version = Version { etag, modified };
                return Ok(described(StatusCode::NOT_MODIFIED, &version, varies).finish());
            }
            let made = app.rendition(&published, &asked).await?;
            let version = Version { etag: quoted(&made.tag), modified };
            let (size, media_type) = (made.size, made.media_type);
            Served { file: made.file, size, media_type, name: published.asset.name, version, varies }
        }
    };
    answer(request, served)
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// The whole file, the part that was asked for, or the news that nothing changed.
fn answer(request: &HttpRequest, served: Served) -> Result<HttpResponse> {
    let Served { file, size, media_type, name, version, varies } = served;
    let outcome = conditions::outcome(request.method(), request.headers(), &version, size);
    let mut answer = described(status(outcome), &version, varies);
    let part = match outcome {
        Outcome::NotModified | Outcome::Failed => return Ok(answer.finish()),
        Outcome::OutOfRange => {
            return Ok(answer.insert_header((CONTENT_RANGE, format!("bytes */{size}"))).finish());
        }
        Outcome::Whole => Part { first: 0, length: size },
        Outcome::Part(part) => {
            let last = part.first + part.length - 1;
            answer.insert_header((CONTENT_RANGE, format!("bytes {}-{last}/{size}", part.first)));
            part
        }
    };
    answer
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CONTENT_TYPE, media_type.mime()))
        .insert_header((CONTENT_DISPOSITION, disposition::of(&name, media_type)));
    if request.method() == Method::HEAD {
        return Ok(announced(&mut answer, part.length));
    }
    Ok(answer.body(file_body::of(file, part)?))
}

/// The beginning of every answer about a file.
fn described(status: StatusCode, version: &Version, varies: bool) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((ETAG, version.etag.as_str()))
        .insert_header((LAST_MODIFIED, httpdate::fmt_http_date(version.modified)))
        .insert_header((CACHE_CONTROL, KEPT))
        .insert_header((CONTENT_SECURITY_POLICY, SANDBOX))
        .insert_header((RESOURCE_POLICY, "cross-origin"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if varies {
        answer.insert_header((VARY, "Accept"));
    }
    answer
}

fn status(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Whole => StatusCode::OK,
        Outcome::Part(_) => StatusCode::PARTIAL_CONTENT,
        Outcome::NotModified => StatusCode::NOT_MODIFIED,
        Outcome::Failed => StatusCode::PRECONDITION_FAILED,
        Outcome::OutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
    }
}

/// An answer to HEAD: the length of a body that is not sent, and of which nothing is read.
fn announced(answer: &mut HttpResponseBuilder, length: u64) -> HttpResponse {
    let nothing = futures_util::stream::empty::<std::io::Result<web::Bytes>>();
    answer.body(SizedStream::new(length, nothing))
}

/// A time as HTTP tells it, in whole seconds.
fn to_the_second(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(millis / 1000)
}
