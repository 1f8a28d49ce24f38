//! Signing in and out.

use actix_web::http::Method;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::Form;
use super::page::{page, page_with, redirect};
use super::passkeys::Passkeys;
use super::path::LocalPath;
use super::shell::Shell;
use super::signed::{Signed, app_of, begin_session, client_of, end_session};
use super::visit::Visit;
use crate::app::App;
use crate::edge;
use crate::error::{Code, Error, Result};

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "sign_in.html")]
struct SignInPage<'a> {
    shell: Shell,
    next: LocalPath,
    email: &'a str,
    problem: &'a str,
    support: Passkeys,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let sign_in = edge::resource("/sign-in", &[Method::GET, Method::POST]);
    let sign_out = edge::resource("/sign-out", &[Method::POST]);
    routes
        .service(sign_in.route(web::get().to(show)).route(web::post().to(sign_in_by)))
        .service(sign_out.route(web::post().to(sign_out_of)));
}

async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse> {
    let next = wanted(request.query_string());
    let app = app_of(&request)?;
    let is_signed_in = app.signed_in(visit.session_token().unwrap_or_default(), &client_of(&request));
    if is_signed_in.is_ok() {
        return Ok(redirect(&visit, &next));
    }
    let (shell, support) = (Shell::new(&visit, "Sign in"), Passkeys::of(&app, &visit));
    page(&SignInPage { shell, next, email: "", problem: "", support })
}

async fn sign_in_by(visit: Visit, request: HttpRequest, form: Form) -> Result<HttpResponse> {
    let app = app_of(&request)?;
    let (email, next) = (form.text("email"), LocalPath::parse(form.text("next")).unwrap_or_default());
    match app.sign_in(email, form.text("password"), &client_of(&request)).await {
        Ok((token, _)) => {
            // Nobody would know of the session that this browser had before.
            let former = app.signed_in(visit.session_token().unwrap_or_default(), &client_of(&request));
            if let Ok(former) = former {
                app.sign_out(former).await?;
            }
            let mut answer = redirect(&visit, &next);
            begin_session(&mut answer, &app, &token)?;
            Ok(answer)
        }
        Err(error) => again(&app, &visit, next, email, error),
    }
}

/// The form again, where another try may help.
fn again(app: &App, visit: &Visit, next: LocalPath, email: &str, error: Error) -> Result<HttpResponse> {
    let is_refused = matches!(error.code(), Code::Unauthenticated | Code::BadUserInput);
    if !is_refused && error.code() != Code::RateLimited {
        return Err(error);
    }
    let status = if is_refused { 422 } else { 429 };
    let (shell, support) = (Shell::new(visit, "Sign in"), Passkeys::of(app, visit));
    let mut answer =
        page_with(status, &SignInPage { shell, next, email, problem: error.message(), support })?;
    if let Some(seconds) = error.seconds_to_wait() {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(answer)
}

async fn sign_out_of(signed: Signed) -> Result<HttpResponse> {
    let Signed { app, visit, person, .. } = signed;
    app.sign_out(person).await?;
    let mut answer = redirect(&visit, &LocalPath::sign_in());
    end_session(&mut answer)?;
    Ok(answer)
}

/// Where the visitor was on the way to.
fn wanted(query: &str) -> LocalPath {
    let mut query = url::form_urlencoded::parse(query.as_bytes());
    let next = query.find(|(name, _)| name == "next");
    next.and_then(|(_, next)| LocalPath::parse(&next)).unwrap_or_default()
}
