//! Writes answers: the JSON envelope, and the link to the next page of a list.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded;

use crate::core::model::page::Cursor;
use crate::error::{Error, Result};
use crate::operations::Answer;
use crate::transport::wire::{DataEnvelope, Version};

/// `{"data": …}` with this status, in the shape of a version.
///
/// # Errors
/// Never: the statuses of declarations are statuses.
pub fn data<A: Answer>(status: u16, answer: A, version: Version, origin: &str) -> Result<HttpResponse> {
    let mut response = HttpResponse::build(StatusCode::from_u16(status).map_err(Error::internal)?);
    Ok(match version {
        Version::V20260520 => response.json(DataEnvelope { data: answer.v2026_05_20(origin) }),
        Version::V20260708 => response.json(DataEnvelope { data: answer.v2026_07_08(origin) }),
    })
}

/// Adds the link to the next page of a list: the same request with a cursor instead of a page number.
///
/// # Errors
/// Never for a request that was routed; its parts are ASCII.
pub fn with_next_link(
    mut answer: HttpResponse,
    request: &HttpRequest,
    origin: &str,
    next: Option<Cursor>,
) -> Result<HttpResponse> {
    let Some(next) = next else { return Ok(answer) };
    let asked = form_urlencoded::parse(request.query_string().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(asked.filter(|(name, _)| name != "page" && name != "cursor"))
        .append_pair("cursor", &next.to_string())
        .finish();
    let link = format!("<{origin}{}?{query}>; rel=\"next\"", request.uri().path());
    answer.headers_mut().insert(LINK, HeaderValue::from_str(&link).map_err(Error::internal)?);
    Ok(answer)
}
