//! `/uploads/{token}`: takes the bytes of one file, from anyone who has the address. In one go with `PUT`, as `curl -T` sends
//! them, or in parts by tus 1.0, which go on after a lost connection. The token is the credential; there is no other.

use actix_web::http::header::{CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures_util::StreamExt;

use super::body::announced_bytes;
use super::{incomplete_body, request_state, tus};
use crate::core::Core;
use crate::core::cancellation::Cancellation;
use crate::core::test_control::BeginningOperation;
use crate::core::uploads::{FoundUpload, PartOutcome, ReceivingUpload, UploadPart, UploadState, Uploaded};
use crate::error::{Code, Error, Result};
use crate::transport::wire::DataEnvelope;
use crate::transport::wire::v2026_07_08::Asset;
use crate::transport::{self, Transport};

/// Where the addresses are.
const PREFIX: &str = "/uploads/";
/// The operation that the bytes belong to, in the metrics and for faults of tests.
const OPERATION: &str = "upload_assets";
/// The methods that send bytes.
const SENDING: [Method; 2] = [Method::PUT, Method::PATCH];
/// The extensions of tus.
const EXTENSIONS: &str = "expiration,termination,creation-defer-length";
/// The id of the asset that a file became, where the answer has no body.
const ASSET_ID: HeaderName = HeaderName::from_static("asset-id");

/// Mounts the addresses. Needs the [`Core`] as application data.
pub fn configure(routes: &mut web::ServiceConfig) {
    let methods = &[Method::PUT, Method::HEAD, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let addresses = transport::resource("/uploads/{token}", methods)
        .route(web::put().to(put))
        .route(web::head().to(state))
        .route(web::patch().to(receive_part))
        .route(web::delete().to(terminate))
        .route(web::method(Method::OPTIONS).to(options));
    routes.service(addresses);
}

/// Whether a client that waits before sending its body (`Expect: 100-continue`, as `curl -T` does) may send it.
///
/// # Errors
/// The error that the request will be answered with. Other paths always pass.
pub fn may_continue(core: &Core, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<()> {
    let token = uri.path().strip_prefix(PREFIX).filter(|_| SENDING.contains(method));
    let Some(token) = token else { return Ok(()) };
    core.find_upload(token)?.expect_body(core, announced_bytes(headers))
}

/// The open upload of a request, which counts as one of the key that created it.
async fn find(core: &Core, request: &HttpRequest) -> Result<FoundUpload> {
    transport::record_transport(Transport::Rest);
    let found = core.find_upload(request.match_info().get("token").unwrap_or_default())?;
    let found = found.from_address(transport::client_address());
    request_state::record_caller(found.caller())?;
    let operation = BeginningOperation { name: OPERATION, needs_room: SENDING.contains(request.method()) };
    let place = found.library();
    let place = [place.organization, place.library];
    transport::begin_operation(core, transport::request_id(), Some(found.caller()), operation, place).await?;
    Ok(found)
}

async fn put(core: web::Data<Core>, request: HttpRequest, mut body: web::Payload) -> Result<HttpResponse> {
    let found = find(&core, &request).await?.until(transport::cancellation());
    if request.headers().contains_key("Content-Range") {
        return Err(Error::bad_input("Send the whole file, without `Content-Range`; in parts, use tus."));
    }
    let mut upload = core.begin_put(found, announced_bytes(request.headers()))?;
    while let Some(bytes) = body.next().await {
        upload.write(&bytes.map_err(|error| incomplete_body(error.to_string()))?).await?;
    }
    let asset = only_asset(&core, upload.finish().await?)?;
    let mut answer = HttpResponse::Created();
    about_asset(&mut answer, &asset);
    Ok(answer.json(DataEnvelope { data: asset }))
}

async fn receive_part(
    core: web::Data<Core>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse> {
    let headers = request.headers();
    if let Some(refusal) = tus::other_version(headers) {
        return Ok(refusal);
    }
    let found = find(&core, &request).await?;
    if !tus::is_part(headers) {
        let error = Error::bad_input(format!("Send the part as `Content-Type: {}`.", tus::PART));
        return Ok(tus::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error));
    }
    let offset = tus::bytes(headers, &tus::OFFSET)?;
    let part = UploadPart {
        offset: offset.ok_or_else(|| Error::bad_input("Send where the part begins in `Upload-Offset`."))?,
        length: tus::bytes(headers, &tus::LENGTH)?,
        announced: announced_bytes(headers),
    };
    let upload = core.take_upload(found).await?;
    let superseded = upload.superseded();
    let upload = upload.receive(part).await?;
    // On a task of its own, so that what arrived is kept when the connection breaks and this request is dropped.
    let outcome =
        actix_web::rt::spawn(receive(upload, body, superseded)).await.map_err(Error::internal)??;
    match outcome {
        PartOutcome::Incomplete(state) => Ok(with_state(HttpResponse::NoContent(), state).finish()),
        PartOutcome::Stored(uploaded) => stored(&core, HttpResponse::NoContent(), uploaded),
    }
}

/// Reads a part to its end. What arrived of one that breaks off is kept.
async fn receive(
    mut upload: ReceivingUpload,
    mut body: web::Payload,
    superseded: Cancellation,
) -> Result<PartOutcome> {
    let error = loop {
        match superseded.unless_cancelled(body.next()).await {
            Some(Some(Ok(bytes))) => {
                if let Err(error) = upload.write(&bytes).await {
                    break error;
                }
            }
            Some(Some(Err(error))) => break incomplete_body(error.to_string()),
            Some(None) => return upload.finish().await,
            None => break Error::new(Code::Conflict, "A newer request has taken over this upload."),
        }
    };
    // What can't be kept is sent again.
    let _kept = upload.keep().await;
    Err(error)
}

/// `HEAD`: where to go on.
async fn state(core: web::Data<Core>, request: HttpRequest) -> Result<HttpResponse> {
    if let Some(refusal) = tus::other_version(request.headers()) {
        return Ok(refusal);
    }
    let upload = core.take_upload(find(&core, &request).await?).await?;
    let state = upload.state();
    if state.is_complete() {
        // A client that reads this offset sends nothing more.
        return stored(&core, with_state(HttpResponse::Ok(), state), upload.complete().await?);
    }
    Ok(with_state(HttpResponse::Ok(), state).finish())
}

async fn terminate(core: web::Data<Core>, request: HttpRequest) -> Result<HttpResponse> {
    if let Some(refusal) = tus::other_version(request.headers()) {
        return Ok(refusal);
    }
    core.take_upload(find(&core, &request).await?).await?.terminate().await?;
    Ok(HttpResponse::NoContent().insert_header((tus::RESUMABLE, tus::VERSION)).finish())
}

/// What the server supports; the same for every address, also one that does not exist.
async fn options(core: web::Data<Core>) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((tus::RESUMABLE, tus::VERSION))
        .insert_header((tus::VERSIONS, tus::VERSION))
        .insert_header((tus::EXTENSIONS, EXTENSIONS))
        .insert_header((tus::MAX_SIZE, core.settings().limits.file_bytes.to_string()))
        .finish()
}

fn with_state(mut answer: HttpResponseBuilder, state: UploadState) -> HttpResponseBuilder {
    let UploadState { offset, length, expires } = state;
    answer
        .insert_header((tus::RESUMABLE, tus::VERSION))
        .insert_header((tus::OFFSET, offset.to_string()))
        .insert_header((tus::EXPIRES, tus::expires(expires)));
    match length {
        Some(length) => answer.insert_header((tus::LENGTH, length.to_string())),
        None => answer.insert_header((tus::DEFER_LENGTH, "1")),
    };
    answer
}

/// The answer without a body after the last part of a file.
fn stored(core: &Core, mut answer: HttpResponseBuilder, uploaded: Uploaded) -> Result<HttpResponse> {
    let offset = uploaded.assets.first().map_or(0, |detail| detail.asset.content.size);
    let asset = only_asset(core, uploaded)?;
    answer.insert_header((tus::RESUMABLE, tus::VERSION)).insert_header((tus::OFFSET, offset.to_string()));
    about_asset(&mut answer, &asset);
    Ok(answer.finish())
}

fn about_asset(answer: &mut HttpResponseBuilder, asset: &Asset) {
    answer.insert_header((ASSET_ID, asset.id.as_str()));
    if let Ok(url) = HeaderValue::from_str(&asset.url) {
        answer.insert_header((CONTENT_LOCATION, url));
    }
}

fn only_asset(core: &Core, uploaded: Uploaded) -> Result<Asset> {
    let asset = uploaded.assets.into_iter().next();
    let asset = asset.ok_or_else(|| Error::internal("an upload stored no asset"))?;
    Ok(Asset::new(asset, &core.settings().public_url))
}
