//! Signing in and out.

use actix_web::http::Method;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::core::Core;
use crate::error::{Code, Error, Result};
use crate::transport;
use crate::webapp::answer::{page, page_with, redirect};
use crate::webapp::form::Form;
use crate::webapp::layout::Layout;
use crate::webapp::pages::profile::passkeys::PasskeySupport;
use crate::webapp::path::LocalPath;
use crate::webapp::request_context::RequestContext;
use crate::webapp::signed_in_user::{SignedInUser, begin_session, client_of, core_of, end_session};

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/sign_in.html")]
struct SignInPage<'a> {
    layout: Layout,
    next: LocalPath,
    email: &'a str,
    problem: &'a str,
    support: PasskeySupport,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let sign_in = transport::resource("/sign-in", &[Method::GET, Method::POST]);
    let sign_out = transport::resource("/sign-out", &[Method::POST]);
    routes
        .service(sign_in.route(web::get().to(show)).route(web::post().to(sign_in_by)))
        .service(sign_out.route(web::post().to(sign_out_of)));
}

async fn show(context: RequestContext, request: HttpRequest) -> Result<HttpResponse> {
    let next = wanted(request.query_string());
    let core = core_of(&request)?;
    let is_signed_in = core.signed_in(context.session_token().unwrap_or_default(), &client_of(&request));
    if is_signed_in.is_ok() {
        return Ok(redirect(&context, &next));
    }
    let (layout, support) = (Layout::new(&context, "Sign in"), PasskeySupport::of(&core, &context));
    page(&SignInPage { layout, next, email: "", problem: "", support })
}

async fn sign_in_by(context: RequestContext, request: HttpRequest, form: Form) -> Result<HttpResponse> {
    let core = core_of(&request)?;
    let (email, next) = (form.text("email"), LocalPath::parse(form.text("next")).unwrap_or_default());
    match core.sign_in(email, form.text("password"), &client_of(&request)).await {
        Ok((token, _)) => {
            // Nobody would know of the session that this browser had before.
            let former = core.signed_in(context.session_token().unwrap_or_default(), &client_of(&request));
            if let Ok(former) = former {
                core.sign_out(former).await?;
            }
            let mut answer = redirect(&context, &next);
            begin_session(&mut answer, &core, &token)?;
            Ok(answer)
        }
        Err(error) => form_again(&core, &context, next, email, error),
    }
}

/// The form again, if another try may help.
fn form_again(
    core: &Core,
    context: &RequestContext,
    next: LocalPath,
    email: &str,
    error: Error,
) -> Result<HttpResponse> {
    let is_refused = matches!(error.code(), Code::Unauthenticated | Code::BadUserInput);
    if !is_refused && error.code() != Code::RateLimited {
        return Err(error);
    }
    let status = if is_refused { 422 } else { 429 };
    let (layout, support) = (Layout::new(context, "Sign in"), PasskeySupport::of(core, context));
    let mut answer =
        page_with(status, &SignInPage { layout, next, email, problem: error.message(), support })?;
    if let Some(seconds) = error.seconds_to_wait() {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(answer)
}

async fn sign_out_of(user: SignedInUser) -> Result<HttpResponse> {
    let SignedInUser { core, context, person, .. } = user;
    core.sign_out(person).await?;
    let mut answer = redirect(&context, &LocalPath::sign_in());
    end_session(&mut answer)?;
    Ok(answer)
}

/// The page to open after signing in.
fn wanted(query: &str) -> LocalPath {
    let mut query = url::form_urlencoded::parse(query.as_bytes());
    let next = query.find(|(name, _)| name == "next");
    next.and_then(|(_, next)| LocalPath::parse(&next)).unwrap_or_default()
}
