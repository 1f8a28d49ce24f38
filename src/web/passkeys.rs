//! Passkeys: adding and removing one's own, and signing in with one. A script carries the questions to the browser's
//! own interface and the answers back; nothing of what is signed is read here.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::flash::Flash;
use super::page::{redirect, redirect_with};
use super::path::LocalPath;
use super::signed::{Signed, app_of, begin_session, client_of};
use super::visit::Visit;
use super::when::When;
use crate::app::App;
use crate::app::id::PasskeyId;
use crate::app::members::{PasskeyAnswer, PasskeyProof};
use crate::app::model::Passkey;
use crate::edge;
use crate::error::Result;

/// The longest answer of a browser that is read, in bytes; a passkey's is one or two thousand.
const LARGEST_ANSWER: usize = 64 << 10;

/// Whether passkeys work on the page that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passkeys {
    /// They do.
    Here,
    /// They do at another address of this server: its public url.
    Elsewhere(String),
    /// They don't, because the server is reached by an IP address.
    Nowhere,
}

impl Passkeys {
    /// Whether they work at the host that was asked for.
    pub fn of(app: &App, visit: &Visit) -> Self {
        match app.passkey_host() {
            None => Self::Nowhere,
            Some(host) if visit.host() == Some(host) => Self::Here,
            Some(_) => Self::Elsewhere(app.settings().public_url.clone()),
        }
    }
}

/// A passkey as its owner sees it.
pub struct PasskeyRow {
    /// Its id.
    pub id: PasskeyId,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created: When,
    /// When it was last used, if it was.
    pub last_used: Option<When>,
}

impl From<Passkey> for PasskeyRow {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            created: When(passkey.created),
            last_used: passkey.last_used.map(When),
        }
    }
}

/// What the passkey that is to be added will be called.
#[derive(Deserialize)]
struct Wanted {
    name: String,
}

/// A signature, and where the visitor was on the way to.
#[derive(Deserialize)]
struct SignIn {
    next: String,
    #[serde(flatten)]
    proof: PasskeyProof,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let asked = |path: &str| {
        let limit = web::JsonConfig::default().limit(LARGEST_ANSWER);
        edge::resource(path, &[Method::POST]).app_data(limit)
    };
    routes
        .service(asked("/profile/passkeys/begin").route(web::post().to(begin_adding)))
        .service(asked("/profile/passkeys").route(web::post().to(add)))
        .service(asked("/profile/passkeys/{id}/remove").route(web::post().to(remove)))
        .service(asked("/sign-in/passkey/begin").route(web::post().to(begin_sign_in)))
        .service(asked("/sign-in/passkey").route(web::post().to(sign_in)));
}

async fn begin_adding(signed: Signed, wanted: web::Json<Wanted>) -> Result<HttpResponse> {
    let question = signed.app.begin_passkey(&signed.person, &wanted.name)?;
    Ok(HttpResponse::Ok().json(question))
}

async fn add(signed: Signed, answer: web::Json<PasskeyAnswer>) -> Result<HttpResponse> {
    let passkey = signed.app.add_passkey(&signed.person, &answer).await?;
    let done =
        Flash::done(format!("The passkey {} is added. You can sign in with it from now on.", passkey.name));
    redirect_with(&signed.visit, &own_page(), &done)
}

async fn remove(signed: Signed, id: web::Path<String>) -> Result<HttpResponse> {
    signed.app.remove_passkey(&signed.person, &PasskeyId::from_text(&id)).await?;
    redirect_with(&signed.visit, &own_page(), &Flash::done("The passkey is removed."))
}

async fn begin_sign_in(visit: Visit, request: HttpRequest) -> Result<HttpResponse> {
    let question = app_of(&request)?.begin_passkey_sign_in(&visit.csrf(), &client_of(&request))?;
    Ok(HttpResponse::Ok().json(question))
}

async fn sign_in(visit: Visit, request: HttpRequest, sent: web::Json<SignIn>) -> Result<HttpResponse> {
    let app = app_of(&request)?;
    let client = client_of(&request);
    let (token, _) = app.sign_in_by_passkey(&visit.csrf(), &sent.proof, &client).await?;
    // Nobody would know of the session that this browser had before.
    if let Ok(former) = app.signed_in(visit.session_token().unwrap_or_default(), &client) {
        app.sign_out(former).await?;
    }
    let mut answer = redirect(&visit, &LocalPath::parse(&sent.next).unwrap_or_default());
    begin_session(&mut answer, &app, &token)?;
    Ok(answer)
}

fn own_page() -> LocalPath {
    LocalPath::to(&["profile"])
}
