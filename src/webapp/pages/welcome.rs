//! The pages of one-time links: joining an organization, and choosing a new password.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::core::Core;
use crate::core::members::{LinkInfo, NewMember, SHORTEST_PASSWORD, SignedIn};
use crate::core::model::{LinkPurpose, Role};
use crate::error::{Code, Error, Result};
use crate::transport;
use crate::webapp::answer::{page, page_again, redirect_with};
use crate::webapp::flash::Flash;
use crate::webapp::form::Form;
use crate::webapp::layout::Layout;
use crate::webapp::path::LocalPath;
use crate::webapp::request_context::RequestContext;
use crate::webapp::signed_in_user::{SignedInUser, begin_session, client_of, core_of};

/// A link into an organization, for somebody new.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/welcome/join.html")]
struct JoinPage<'a> {
    layout: Layout,
    token: &'a str,
    organization: &'a str,
    role: Role,
    email: &'a str,
    name: &'a str,
    problem: &'a str,
}

/// The same, for somebody who is signed in.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/welcome/join_as.html")]
struct JoinAsPage<'a> {
    layout: Layout,
    token: &'a str,
    organization: &'a str,
    role: Role,
    person: &'a SignedIn,
}

/// A link to choose a new password.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/welcome/reset.html")]
struct ResetPage<'a> {
    layout: Layout,
    token: &'a str,
    name: &'a str,
    email: &'a str,
    problem: &'a str,
    passkeys: Vec<String>,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let welcome = transport::resource("/welcome/{token}", &[Method::GET, Method::POST]);
    let join_as = transport::resource("/welcome/{token}/join", &[Method::POST]);
    routes
        .service(welcome.route(web::get().to(show)).route(web::post().to(accept)))
        .service(join_as.route(web::post().to(join_as_signed_in)));
}

/// What was typed so far, and what is wrong with it.
#[derive(Default)]
struct JoinForm<'a> {
    email: &'a str,
    name: &'a str,
    problem: &'a str,
}

async fn show(
    context: RequestContext,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let core = core_of(&request)?;
    let info = core.link(&token)?;
    let person = core.signed_in(context.session_token().unwrap_or_default(), &client_of(&request));
    match (&info.link.purpose, person) {
        (LinkPurpose::Join { role, .. }, Ok(person)) => page(&JoinAsPage {
            layout: Layout::new(&context, "Join"),
            token: &token,
            organization: organization_of(&info),
            role: *role,
            person: &person,
        }),
        (LinkPurpose::Join { email, .. }, Err(_)) => {
            page(&join_page(&context, &token, &info, &JoinForm { email, ..JoinForm::default() }))
        }
        (LinkPurpose::Reset { .. }, Ok(_) | Err(_)) => page(&reset_page(&core, &context, &token, &info, "")?),
    }
}

fn join_page<'a>(
    context: &RequestContext,
    token: &'a str,
    info: &'a LinkInfo,
    typed: &JoinForm<'a>,
) -> JoinPage<'a> {
    let role = match info.link.purpose {
        LinkPurpose::Join { role, .. } => role,
        LinkPurpose::Reset { .. } => Role::Viewer,
    };
    JoinPage {
        layout: Layout::new(context, "Join"),
        token,
        organization: organization_of(info),
        role,
        email: typed.email,
        name: typed.name,
        problem: typed.problem,
    }
}

fn reset_page<'a>(
    core: &Core,
    context: &RequestContext,
    token: &'a str,
    info: &'a LinkInfo,
    problem: &'a str,
) -> Result<ResetPage<'a>> {
    let member = info.member.as_ref();
    let passkeys = core.list_passkeys_by_link(token)?;
    Ok(ResetPage {
        layout: Layout::new(context, "New password"),
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
    context: RequestContext,
    request: HttpRequest,
    token: web::Path<String>,
    form: Form,
) -> Result<HttpResponse> {
    let core = core_of(&request)?;
    let info = core.link(&token)?;
    match info.link.purpose {
        LinkPurpose::Join { .. } => join(&core, &context, &request, &token, &info, &form).await,
        LinkPurpose::Reset { .. } => reset(&core, &context, &request, &token, &info, &form).await,
    }
}

async fn join(
    core: &Core,
    context: &RequestContext,
    request: &HttpRequest,
    token: &str,
    info: &LinkInfo,
    form: &Form,
) -> Result<HttpResponse> {
    let (email, name) = (form.text("email"), form.text("name"));
    let new = NewMember { email, name, password: form.text("password") };
    match core.join(token, new, &client_of(request)).await {
        Ok((session, person)) => {
            let there = info.organization.as_ref().map(|place| LocalPath::to(&[place.slug.as_str()]));
            let done = Flash::success(format!("Welcome, {}.", person.member.name));
            let mut answer = redirect_with(context, &there.unwrap_or_default(), &done)?;
            begin_session(&mut answer, core, &session)?;
            Ok(answer)
        }
        Err(error) if is_worth_another_try(&error) => {
            page_again(&join_page(context, token, info, &JoinForm { email, name, problem: error.message() }))
        }
        Err(error) => Err(error),
    }
}

async fn reset(
    core: &Core,
    context: &RequestContext,
    request: &HttpRequest,
    token: &str,
    info: &LinkInfo,
    form: &Form,
) -> Result<HttpResponse> {
    match core.reset_password(token, form.text("password"), &client_of(request)).await {
        Ok((session, _)) => {
            let done = Flash::success("Your password is changed, and you are signed out everywhere else.");
            let mut answer = redirect_with(context, &LocalPath::default(), &done)?;
            begin_session(&mut answer, core, &session)?;
            Ok(answer)
        }
        Err(error) if is_worth_another_try(&error) => {
            page_again(&reset_page(core, context, token, info, error.message())?)
        }
        Err(error) => Err(error),
    }
}

/// Whether the form is shown again, because another input may work.
fn is_worth_another_try(error: &Error) -> bool {
    error.is_user_fixable() || error.code() == Code::RateLimited
}

async fn join_as_signed_in(user: SignedInUser, token: web::Path<String>) -> Result<HttpResponse> {
    let organization = user.core.join_as(&user.person, &token, &user.client).await?;
    let done = Flash::success(format!("You joined “{}”.", organization.name));
    redirect_with(&user.context, &LocalPath::to(&[organization.slug.as_str()]), &done)
}
