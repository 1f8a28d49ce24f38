//! Asset urls: public files with ranges and conditional requests, and their renditions in other sizes and formats. `core`
//! decides what is public.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ContentEncoding, ETAG, HeaderName, HeaderValue, LAST_MODIFIED,
    VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use crate::core::Core;
use crate::core::public_file::PublicFile;
use crate::core::stored_file::{ReadRange, StoredFile};
use crate::core::test_control::BeginningOperation;
use crate::error::{Error, Result};
use crate::pictures::media::MediaType;
use crate::pictures::media::svg::GZIP;
use crate::transport::{self, Transport};

mod conditions;
mod disposition;
mod file_body;
mod parameters;

use conditions::{ByteRange, Evaluation, Validators};
use parameters::RequestedFile;

/// Short, because promoting a variant changes the bytes that a url serves.
const CACHE_POLICY: HeaderValue =
    HeaderValue::from_static("public, max-age=300, stale-while-revalidate=86400");
/// No scripts, no forms, an opaque origin: a hostile file can't act in the server's name.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A request of a file, for the metrics and for faults of tests.
const OPERATION: BeginningOperation = BeginningOperation { name: "get_file", needs_room: false };

type OriginalPath = web::Path<(String, String, String)>;
type VariantPath = web::Path<(String, String, String, String)>;

/// Mounts the asset urls. The library's segment is ignored, so that a moved asset keeps its old url.
pub fn configure(routes: &mut web::ServiceConfig, core: &Core) {
    let of_original = {
        let core = core.clone();
        move |request: HttpRequest, path: OriginalPath| {
            let (organization, library, asset) = path.into_inner();
            let core = core.clone();
            async move {
                begin(&core, [&organization, &library]).await?;
                let public_file = core.public_file(&organization, &asset, None)?;
                serve(&core, &request, public_file).await
            }
        }
    };
    let of_variant = {
        let core = core.clone();
        move |request: HttpRequest, path: VariantPath| {
            let (organization, library, asset, variant) = path.into_inner();
            let core = core.clone();
            async move {
                begin(&core, [&organization, &library]).await?;
                let public_file = core.public_file(&organization, &asset, Some(&variant))?;
                serve(&core, &request, public_file).await
            }
        }
    };
    let original = resource("/cdn/{organization}/{library}/{asset}");
    let variant = resource("/cdn/{organization}/{library}/{asset}/{variant}");
    routes
        .service(original.route(web::get().to(of_original.clone())).route(web::head().to(of_original)))
        .service(variant.route(web::get().to(of_variant.clone())).route(web::head().to(of_variant)));
}

/// Announces that a file is requested.
async fn begin(core: &Core, place: [&str; 2]) -> Result<()> {
    transport::record_transport(Transport::Files);
    transport::begin_operation(core, transport::request_id(), None, OPERATION, place).await
}

fn resource(path: &str) -> actix_web::Resource {
    transport::resource(path, &[Method::GET, Method::HEAD])
}

/// The file to send, and what its headers say about it.
struct Served {
    file: StoredFile,
    size: u64,
    media_type: MediaType,
    name: String,
    validators: Validators,
    /// Whether the answer depends on `Accept`.
    varies: bool,
}

/// The original, or the rendition that the query asks for.
async fn serve(core: &Core, request: &HttpRequest, public_file: PublicFile) -> Result<HttpResponse> {
    let modified = to_the_second(public_file.asset.updated);
    let served = match parameters::parse(request.query_string(), request.headers())? {
        RequestedFile::Original => {
            let PublicFile { asset, file } = public_file;
            let validators = Validators { etag: quoted(&asset.content.hash.to_hex()), modified };
            let (size, media_type) = (asset.content.size, asset.content.media_type);
            Served { file, size, media_type, name: asset.name, validators, varies: false }
        }
        RequestedFile::Rendition { request: rendition, varies } => {
            // Checked before the cache, so that nothing is rendered only to answer that nothing changed.
            let tags = core.rendition_tags(&public_file, &rendition);
            if let Some(etag) =
                conditions::matching_tag(request.headers(), tags.iter().map(|tag| quoted(tag)))
            {
                let validators = Validators { etag, modified };
                return Ok(with_common_headers(StatusCode::NOT_MODIFIED, &validators, varies).finish());
            }
            let rendering = core.rendition(&public_file, &rendition, transport::client_address());
            // Stops waiting when the client disconnects; a rendering that no request waits for is cancelled.
            let rendered = transport::cancellation().unless_cancelled(rendering).await;
            let rendered = rendered.unwrap_or_else(|| Err(Error::client_left()))?;
            let validators = Validators { etag: quoted(&rendered.tag), modified };
            let (size, media_type) = (rendered.size, rendered.media_type);
            Served { file: rendered.file, size, media_type, name: public_file.asset.name, validators, varies }
        }
    };
    answer(request, served)
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// The whole file, the requested range, or the answer that nothing changed.
fn answer(request: &HttpRequest, served: Served) -> Result<HttpResponse> {
    let Served { file, size, media_type, name, validators, varies } = served;
    let evaluation = conditions::evaluate(request.method(), request.headers(), &validators, size);
    let mut answer = with_common_headers(status(evaluation), &validators, varies);
    let range = match evaluation {
        Evaluation::NotModified | Evaluation::PreconditionFailed => return Ok(answer.finish()),
        Evaluation::OutOfRange => {
            return Ok(answer.insert_header((CONTENT_RANGE, format!("bytes */{size}"))).finish());
        }
        Evaluation::Whole => ByteRange { first: 0, length: size },
        Evaluation::Range(range) => {
            let last = range.first + range.length - 1;
            answer.insert_header((CONTENT_RANGE, format!("bytes {}-{last}/{size}", range.first)));
            range
        }
    };
    answer
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CONTENT_TYPE, media_type.mime()))
        .insert_header((CONTENT_DISPOSITION, disposition::of(&name, media_type)));
    if is_gzipped_svg(file.as_ref(), media_type) {
        // Without this header, browsers would treat the file as damaged.
        answer.insert_header(ContentEncoding::Gzip);
    }
    if request.method() == Method::HEAD {
        return Ok(without_body(&mut answer, range.length));
    }
    Ok(answer.body(file_body::of(file, range)?))
}

/// Whether the file is an SVG that was compressed with gzip before its upload.
fn is_gzipped_svg(file: &dyn ReadRange, media_type: MediaType) -> bool {
    let mut start = [0; 2];
    media_type == MediaType::Svg && file.read_range(0, &mut start).is_ok() && start == GZIP
}

/// The headers that every answer about a file has.
fn with_common_headers(status: StatusCode, validators: &Validators, varies: bool) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((ETAG, validators.etag.as_str()))
        .insert_header((LAST_MODIFIED, httpdate::fmt_http_date(validators.modified)))
        .insert_header((CACHE_CONTROL, CACHE_POLICY))
        .insert_header((CONTENT_SECURITY_POLICY, SANDBOX))
        .insert_header((RESOURCE_POLICY, "cross-origin"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if varies {
        answer.insert_header((VARY, "Accept"));
    }
    answer
}

fn status(evaluation: Evaluation) -> StatusCode {
    match evaluation {
        Evaluation::Whole => StatusCode::OK,
        Evaluation::Range(_) => StatusCode::PARTIAL_CONTENT,
        Evaluation::NotModified => StatusCode::NOT_MODIFIED,
        Evaluation::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Evaluation::OutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
    }
}

/// An answer to HEAD: it has the length of the body, which is neither read nor sent.
fn without_body(answer: &mut HttpResponseBuilder, length: u64) -> HttpResponse {
    let nothing = futures_util::stream::empty::<std::io::Result<web::Bytes>>();
    answer.body(SizedStream::new(length, nothing))
}

/// A time in whole seconds, as HTTP dates have it.
fn to_the_second(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(millis / 1000)
}
