//! The profile of the signed-in member: name, password, passkeys, sessions, appearance.

use actix_web::http::Method;
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::core::members::{SHORTEST_PASSWORD, SessionInfo};
use crate::core::model::id::SessionId;
use crate::error::{Code, Error, Result};
use crate::transport;
use crate::webapp::answer::{page, page_again, redirect, redirect_with};
use crate::webapp::cookie::{self, CookieLifetime};
use crate::webapp::flash::Flash;
use crate::webapp::form::Form;
use crate::webapp::format::times::Time;
use crate::webapp::layout::Layout;
use crate::webapp::path::LocalPath;
use crate::webapp::request_context::RequestContext;
use crate::webapp::signed_in_user::{SignedInUser, begin_session, core_of};
use crate::webapp::theme::Theme;
use crate::webapp::user_agent;

pub mod passkeys;

use passkeys::{PasskeyRow, PasskeySupport};

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/profile.html")]
struct ProfilePage<'a> {
    layout: Layout,
    name: &'a str,
    name_problem: &'a str,
    email: &'a str,
    password_problem: &'a str,
    support: PasskeySupport,
    passkeys: Vec<PasskeyRow>,
    sessions: Vec<SessionRow>,
}

/// One browser in which the person is signed in.
struct SessionRow {
    id: SessionId,
    browser: String,
    address: String,
    begun: Time,
    last_seen: Time,
    is_current: bool,
}

/// What is wrong in the forms that came back.
#[derive(Default)]
struct Problems<'a> {
    /// A name that was refused, and why.
    name: Option<(&'a str, &'a str)>,
    /// Why a password was refused.
    password: &'a str,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let change = |path: &str| transport::resource(path, &[Method::POST]);
    routes
        .service(transport::resource("/profile", &[Method::GET]).route(web::get().to(show)))
        .service(change("/profile/name").route(web::post().to(rename)))
        .service(change("/profile/password").route(web::post().to(change_password)))
        .service(change("/profile/sessions/end-others").route(web::post().to(end_others)))
        .service(change("/profile/sessions/{id}/end").route(web::post().to(end_one)))
        .service(change("/profile/theme").route(web::post().to(choose_theme)))
        .configure(passkeys::configure);
}

async fn show(user: SignedInUser) -> Result<HttpResponse> {
    page(&profile(&user, &Problems::default())?)
}

fn profile<'a>(user: &'a SignedInUser, problems: &Problems<'a>) -> Result<ProfilePage<'a>> {
    let member = &user.person.member;
    let (name, name_problem) = problems.name.unwrap_or((&member.name, ""));
    let sessions = user.core.list_sessions(&user.person)?;
    Ok(ProfilePage {
        layout: user.layout("Profile")?,
        name,
        name_problem,
        email: &member.email,
        password_problem: problems.password,
        support: PasskeySupport::of(&user.core, &user.context),
        passkeys: user.core.list_passkeys(&user.person)?.into_iter().map(PasskeyRow::from).collect(),
        sessions: sessions.into_iter().map(SessionRow::of).collect(),
    })
}

impl SessionRow {
    fn of(info: SessionInfo) -> Self {
        let SessionInfo { session, last_seen, is_current } = info;
        Self {
            browser: user_agent::name(&session.agent),
            address: session.address.map(|address| address.to_string()).unwrap_or_default(),
            begun: Time(session.created),
            last_seen: Time(last_seen),
            id: session.id,
            is_current,
        }
    }
}

async fn rename(user: SignedInUser, form: Form) -> Result<HttpResponse> {
    let name = form.text("name");
    match user.core.rename_member(&user.person, name).await {
        Ok(_) => redirect_with(&user.context, &own_page(), &Flash::success("Your name is changed.")),
        Err(error) if error.code() == Code::BadUserInput => {
            let problems = Problems { name: Some((name, error.message())), ..Problems::default() };
            page_again(&profile(&user, &problems)?)
        }
        Err(error) => Err(error),
    }
}

async fn change_password(user: SignedInUser, form: Form) -> Result<HttpResponse> {
    let SignedInUser { core, context, person, client } = &user;
    match core.change_password(person, form.text("present"), form.text("new"), client).await {
        Ok((token, _)) => {
            let done = Flash::success("Your password is changed, and you are signed out everywhere else.");
            let mut answer = redirect_with(context, &own_page(), &done)?;
            begin_session(&mut answer, core, &token)?;
            Ok(answer)
        }
        Err(error) if error.is_user_fixable() || error.code() == Code::RateLimited => {
            let problems = Problems { password: error.message(), ..Problems::default() };
            page_again(&profile(&user, &problems)?)
        }
        Err(error) => Err(error),
    }
}

async fn end_one(user: SignedInUser, id: web::Path<String>) -> Result<HttpResponse> {
    user.core.end_session(&user.person, &SessionId::from_text(&id)).await?;
    redirect_with(&user.context, &own_page(), &Flash::success("Signed out of that session."))
}

async fn end_others(user: SignedInUser) -> Result<HttpResponse> {
    let ended = user.core.end_other_sessions(&user.person).await?;
    let said = match ended {
        0 => "You were signed in nowhere else.".to_owned(),
        1 => "Signed out in 1 other browser.".to_owned(),
        ended => format!("Signed out in {ended} other browsers."),
    };
    redirect_with(&user.context, &own_page(), &Flash::success(said))
}

/// The appearance is kept by this browser and does not depend on who is signed in.
async fn choose_theme(context: RequestContext, form: Form, request: HttpRequest) -> Result<HttpResponse> {
    let back = LocalPath::parse(form.text("next")).unwrap_or_else(own_page);
    let kept = CookieLifetime::For(core_of(&request)?.settings().members.session_life);
    let cookie = match Theme::named(form.text("theme")) {
        Theme::System => cookie::written(cookie::THEME, "", CookieLifetime::Gone),
        theme @ (Theme::Light | Theme::Dark) => cookie::written(cookie::THEME, theme.name(), kept),
    };
    let mut answer = redirect(&context, &back);
    answer.headers_mut().append(SET_COOKIE, cookie.map_err(Error::internal)?);
    Ok(answer)
}

fn own_page() -> LocalPath {
    LocalPath::to(&["profile"])
}
