//! What one-time links lead to: joining an organization, and choosing a new password.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::flash::Flash;
use super::form::Form;
use super::page::{page, page_again, redirect_with};
use super::path::LocalPath;
use super::shell::Shell;
use super::signed::{Signed, app_of, begin_session, client_of};
use super::visit::Visit;
use crate::app::App;
use crate::app::members::{LinkInfo, NewMember, SHORTEST_PASSWORD, SignedIn};
use crate::app::model::{Purpose, Role};
use crate::edge;
use crate::error::{Code, Error, Result};

/// A link into an organization, for somebody new.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "join.html")]
struct JoinPage<'a> {
    shell: Shell,
    token: &'a str,
    organization: &'a str,
    role: Role,
    email: &'a str,
    name: &'a str,
    problem: &'a str,
}

/// The same, for somebody who is signed in.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "join_as.html")]
struct JoinAsPage<'a> {
    shell: Shell,
    token: &'a str,
    organization: &'a str,
    role: Role,
    person: &'a SignedIn,
}

/// A link to choose a new password by.
#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "reset.html")]
struct ResetPage<'a> {
    shell: Shell,
    token: &'a str,
    name: &'a str,
    email: &'a str,
    problem: &'a str,
    passkeys: Vec<String>,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let welcome = edge::resource("/welcome/{token}", &[Method::GET, Method::POST]);
    let join_as = edge::resource("/welcome/{token}/join", &[Method::POST]);
    routes
        .service(welcome.route(web::get().to(show)).route(web::post().to(accept)))
        .service(join_as.route(web::post().to(join_as_signed_in)));
}

/// What was typed so far, and what is wrong with it.
#[derive(Default)]
struct Typed<'a> {
    email: &'a str,
    name: &'a str,
    problem: &'a str,
}

async fn show(visit: Visit, request: HttpRequest, token: web::Path<String>) -> Result<HttpResponse> {
    let app = app_of(&request)?;
    let info = app.link(&token)?;
    let person = app.signed_in(visit.session_token().unwrap_or_default(), &client_of(&request));
    match (&info.link.purpose, person) {
        (Purpose::Join { role, .. }, Ok(person)) => page(&JoinAsPage {
            shell: Shell::new(&visit, "Join"),
            token: &token,
            organization: organization_of(&info),
            role: *role,
            person: &person,
        }),
        (Purpose::Join { email, .. }, Err(_)) => {
            page(&join_page(&visit, &token, &info, &Typed { email, ..Typed::default() }))
        }
        (Purpose::Reset { .. }, Ok(_) | Err(_)) => page(&reset_page(&app, &visit, &token, &info, "")?),
    }
}

fn join_page<'a>(visit: &Visit, token: &'a str, info: &'a LinkInfo, typed: &Typed<'a>) -> JoinPage<'a> {
    let role = match info.link.purpose {
        Purpose::Join { role, .. } => role,
        Purpose::Reset { .. } => Role::Viewer,
    };
    JoinPage {
        shell: Shell::new(visit, "Join"),
        token,
        organization: organization_of(info),
        role,
        email: typed.email,
        name: typed.name,
        problem: typed.problem,
    }
}

fn reset_page<'a>(
    app: &App,
    visit: &Visit,
    token: &'a str,
    info: &'a LinkInfo,
    problem: &'a str,
) -> Result<ResetPage<'a>> {
    let member = info.member.as_ref();
    let passkeys = app.list_passkeys_by_link(token)?;
    Ok(ResetPage {
        shell: Shell::new(visit, "New password"),
        token,
        name: member.map_or("", |member| &member.name),
        email: member.map_or("", |member| &member.email),
        problem,
        passkeys: passkeys.into_iter().map(|passkey| passkey.name).collect(),
    })
}

fn organization_of(info: &LinkInfo) -> &str {
    info.organization.as_ref().map_or("", |organization| &organization.name)
}

async fn accept(
    visit: Visit,
    request: HttpRequest,
    token: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let app = app_of(&request)?;
    let info = app.link(&token)?;
    match info.link.purpose {
        Purpose::Join { .. } => join(&app, &visit, &request, &token, &info, &form).await,
        Purpose::Reset { .. } => reset(&app, &visit, &request, &token, &info, &form).await,
    }
}

async fn join(
    app: &App,
    visit: &Visit,
    request: &HttpRequest,
    token: &str,
    info: &LinkInfo,
    form: &Form,
) -> Result<HttpResponse> {
    let (email, name) = (form.text("email"), form.text("name"));
    let new = NewMember { email, name, password: form.text("password") };
    match app.join(token, new, &client_of(request)).await {
        Ok((session, person)) => {
            let there = info.organization.as_ref().map(|place| LocalPath::to(&[place.slug.as_str()]));
            let done = Flash::done(format!("Welcome, {}.", person.member.name));
            let mut answer = redirect_with(visit, &there.unwrap_or_default(), &done)?;
            begin_session(&mut answer, app, &session)?;
            Ok(answer)
        }
        Err(error) if may_be_mended(&error) => {
            page_again(&join_page(visit, token, info, &Typed { email, name, problem: error.message() }))
        }
        Err(error) => Err(error),
    }
}

async fn reset(
    app: &App,
    visit: &Visit,
    request: &HttpRequest,
    token: &str,
    info: &LinkInfo,
    form: &Form,
) -> Result<HttpResponse> {
    match app.reset_password(token, form.text("password"), &client_of(request)).await {
        Ok((session, _)) => {
            let done = Flash::done("Your password is changed, and you are signed out everywhere else.");
            let mut answer = redirect_with(visit, &LocalPath::default(), &done)?;
            begin_session(&mut answer, app, &session)?;
            Ok(answer)
        }
        Err(error) if may_be_mended(&error) => {
            page_again(&reset_page(app, visit, token, info, error.message())?)
        }
        Err(error) => Err(error),
    }
}

/// Whether the form is to be shown again: another text in it may do.
fn may_be_mended(error: &Error) -> bool {
    matches!(error.code(), Code::BadUserInput | Code::Conflict | Code::RateLimited)
}

async fn join_as_signed_in(signed: Signed, token: web::Path<String>) -> Result<HttpResponse> {
    let organization = signed.app.join_as(&signed.person, &token, &signed.client).await?;
    let done = Flash::done(format!("You are in {}.", organization.name));
    redirect_with(&signed.visit, &LocalPath::to(&[organization.slug.as_str()]), &done)
}
