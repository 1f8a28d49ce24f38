//! Answers of the web app: a page from its template, or a redirect after a change.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use askama::Template;

use super::flash::Flash;
use super::path::LocalPath;
use crate::error::{Error, Result};
use crate::webapp::request_context::RequestContext;

/// The page, or the part of one.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` when the template fails.
pub fn page(template: &impl Template) -> Result<HttpResponse> {
    page_with(200, template)
}

/// A form again, with what is wrong in it beside its fields.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` when the template fails.
pub fn page_again(template: &impl Template) -> Result<HttpResponse> {
    page_with(422, template)
}

/// [`page`] with another status.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` when the template fails.
pub fn page_with(status: u16, template: &impl Template) -> Result<HttpResponse> {
    let text = template.render().map_err(Error::internal)?;
    let status = StatusCode::from_u16(status).map_err(Error::internal)?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text))
}

/// Redirects after a change, so that reloading the next page does not repeat it.
#[must_use]
pub fn redirect(context: &RequestContext, to: &LocalPath) -> HttpResponse {
    if context.is_partial() {
        // The script would follow a redirect, and put the whole page in place of the part.
        return HttpResponse::NoContent().insert_header(("HX-Redirect", to.as_str())).finish();
    }
    HttpResponse::SeeOther().insert_header((LOCATION, to.as_str())).finish()
}

/// [`redirect`], with a message for the next page.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR` when the message can't be sent along.
pub fn redirect_with(context: &RequestContext, to: &LocalPath, flash: &Flash) -> Result<HttpResponse> {
    let mut answer = redirect(context, to);
    answer.headers_mut().append(SET_COOKIE, flash.cookie().map_err(Error::internal)?);
    Ok(answer)
}
