//! What a change answers: what was done or what is wrong, in the page that is open or on the next one.

use actix_web::HttpResponse;
use askama::Template;

use crate::error::{Error, Result};
use crate::webapp::answer::{page, redirect_with};
use crate::webapp::flash::Flash;
use crate::webapp::path::LocalPath;
use crate::webapp::request_context::RequestContext;

/// A message for the page that is open.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/libraries/toast.html")]
pub struct Toast {
    text: String,
}

impl Toast {
    /// A message.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

/// Says what was done: as a message in the page that is open, or on the next page.
pub fn success_answer(context: &RequestContext, back: &LocalPath, text: String) -> Result<HttpResponse> {
    if context.is_partial() {
        page(&Toast::new(text))
    } else {
        redirect_with(context, back, &Flash::success(text))
    }
}

/// Says what is wrong on the next page; for a script, and for what the person can't fix there, it stays an error.
pub fn error_answer(context: &RequestContext, back: &LocalPath, error: Error) -> Result<HttpResponse> {
    if context.is_partial() || !error.is_user_fixable() {
        return Err(error);
    }
    redirect_with(context, back, &Flash::problem(error.message()))
}
