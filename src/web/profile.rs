//! The pages of a person about themselves: name, password, passkeys, where they are signed in, how pages look.

use actix_web::http::Method;
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::agent;
use super::cookie::{self, Kept};
use super::flash::Flash;
use super::form::Form;
use super::page::{page, page_again, redirect, redirect_with};
use super::passkeys::{PasskeyRow, Passkeys};
use super::path::LocalPath;
use super::shell::Shell;
use super::signed::{Signed, app_of, begin_session};
use super::theme::Theme;
use super::visit::Visit;
use super::when::When;
use crate::app::id::SessionId;
use crate::app::members::{SHORTEST_PASSWORD, SessionInfo};
use crate::edge;
use crate::error::{Code, Error, Result};

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "profile.html")]
struct ProfilePage<'a> {
    shell: Shell,
    name: &'a str,
    name_problem: &'a str,
    email: &'a str,
    password_problem: &'a str,
    support: Passkeys,
    passkeys: Vec<PasskeyRow>,
    sessions: Vec<SessionRow>,
}

/// One browser in which the person is signed in.
struct SessionRow {
    id: SessionId,
    browser: String,
    address: String,
    begun: When,
    last_seen: When,
    is_current: bool,
}

/// What is wrong in the forms that came back.
#[derive(Default)]
struct Problems<'a> {
    /// A name that was not taken, and why.
    name: Option<(&'a str, &'a str)>,
    /// Why a password was not taken.
    password: &'a str,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let change = |path: &str| edge::resource(path, &[Method::POST]);
    routes
        .service(edge::resource("/profile", &[Method::GET]).route(web::get().to(show)))
        .service(change("/profile/name").route(web::post().to(rename)))
        .service(change("/profile/password").route(web::post().to(change_password)))
        .service(change("/profile/sessions/end-others").route(web::post().to(end_others)))
        .service(change("/profile/sessions/{id}/end").route(web::post().to(end_one)))
        .service(change("/profile/theme").route(web::post().to(choose_theme)));
}

async fn show(signed: Signed) -> Result<HttpResponse> {
    page(&profile(&signed, &Problems::default())?)
}

fn profile<'a>(signed: &'a Signed, problems: &Problems<'a>) -> Result<ProfilePage<'a>> {
    let member = &signed.person.member;
    let (name, name_problem) = problems.name.unwrap_or((&member.name, ""));
    let sessions = signed.app.list_sessions(&signed.person)?;
    Ok(ProfilePage {
        shell: signed.shell("Profile")?,
        name,
        name_problem,
        email: &member.email,
        password_problem: problems.password,
        support: Passkeys::of(&signed.app, &signed.visit),
        passkeys: signed.app.list_passkeys(&signed.person)?.into_iter().map(PasskeyRow::from).collect(),
        sessions: sessions.into_iter().map(SessionRow::of).collect(),
    })
}

impl SessionRow {
    fn of(info: SessionInfo) -> Self {
        let SessionInfo { session, last_seen, is_current } = info;
        Self {
            browser: agent::name(&session.agent),
            address: session.address.map(|address| address.to_string()).unwrap_or_default(),
            begun: When(session.created),
            last_seen: When(last_seen),
            id: session.id,
            is_current,
        }
    }
}

async fn rename(signed: Signed, form: Form) -> Result<HttpResponse> {
    let name = form.text("name");
    match signed.app.rename_member(&signed.person, name).await {
        Ok(_) => redirect_with(&signed.visit, &own_page(), &Flash::done("Your name is changed.")),
        Err(error) if error.code() == Code::BadUserInput => {
            let problems = Problems { name: Some((name, error.message())), ..Problems::default() };
            page_again(&profile(&signed, &problems)?)
        }
        Err(error) => Err(error),
    }
}

async fn change_password(signed: Signed, form: Form) -> Result<HttpResponse> {
    let Signed { app, visit, person, client } = &signed;
    match app.change_password(person, form.text("present"), form.text("new"), client).await {
        Ok((token, _)) => {
            let done = Flash::done("Your password is changed, and you are signed out everywhere else.");
            let mut answer = redirect_with(visit, &own_page(), &done)?;
            begin_session(&mut answer, app, &token)?;
            Ok(answer)
        }
        Err(error) if matches!(error.code(), Code::BadUserInput | Code::RateLimited) => {
            let problems = Problems { password: error.message(), ..Problems::default() };
            page_again(&profile(&signed, &problems)?)
        }
        Err(error) => Err(error),
    }
}

async fn end_one(signed: Signed, id: web::Path<String>) -> Result<HttpResponse> {
    signed.app.end_session(&signed.person, &SessionId::from_text(&id)).await?;
    redirect_with(&signed.visit, &own_page(), &Flash::done("Signed out there."))
}

async fn end_others(signed: Signed) -> Result<HttpResponse> {
    let ended = signed.app.end_other_sessions(&signed.person).await?;
    let said = match ended {
        0 => "You were signed in nowhere else.".to_owned(),
        1 => "Signed out in 1 other browser.".to_owned(),
        ended => format!("Signed out in {ended} other browsers."),
    };
    redirect_with(&signed.visit, &own_page(), &Flash::done(said))
}

/// How pages look is for this browser to keep, whoever is signed in.
async fn choose_theme(visit: Visit, form: Form, request: HttpRequest) -> Result<HttpResponse> {
    let back = LocalPath::parse(form.text("next")).unwrap_or_else(own_page);
    let kept = Kept::For(app_of(&request)?.settings().members.session_life);
    let cookie = match Theme::named(form.text("theme")) {
        Theme::System => cookie::written(cookie::THEME, "", Kept::Gone),
        theme @ (Theme::Light | Theme::Dark) => cookie::written(cookie::THEME, theme.name(), kept),
    };
    let mut answer = redirect(&visit, &back);
    answer.headers_mut().append(SET_COOKIE, cookie.map_err(Error::internal)?);
    Ok(answer)
}

fn own_page() -> LocalPath {
    LocalPath::to(&["profile"])
}
