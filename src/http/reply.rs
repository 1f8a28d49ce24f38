//! How an answer is written: the envelope, and the link to the next part of a list.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use url::form_urlencoded;

use crate::app::page::Cursor;
use crate::error::{Error, Result};

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

/// 200 with `{"data": …}`.
pub fn data(data: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(Data { data })
}

/// 201 with `{"data": …}`.
pub fn created(data: impl Serialize) -> HttpResponse {
    HttpResponse::build(StatusCode::CREATED).json(Data { data })
}

/// Adds where the next part of a list is: the same request with the cursor instead of a page.
///
/// # Errors
/// Never for a request that was routed; its parts are ASCII.
pub fn linked(
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
