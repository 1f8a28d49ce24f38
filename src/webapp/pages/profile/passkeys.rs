//! Passkeys: adding and removing one's own, and signing in with one. A script passes the challenges to the browser and
//! its answers back; what is signed is not read here.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::core::Core;
use crate::core::members::{PasskeyAnswer, PasskeyProof};
use crate::core::model::Passkey;
use crate::core::model::id::PasskeyId;
use crate::error::Result;
use crate::transport;
use crate::webapp::answer::{redirect, redirect_with};
use crate::webapp::flash::Flash;
use crate::webapp::format::times::Time;
use crate::webapp::path::LocalPath;
use crate::webapp::request_context::RequestContext;
use crate::webapp::signed_in_user::{SignedInUser, begin_session, client_of, core_of};

/// The longest answer of a browser that is read, in bytes; a passkey's is one or two thousand.
const LARGEST_ANSWER: usize = 64 << 10;

/// Whether passkeys work on the page that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasskeySupport {
    /// They do.
    Here,
    /// They do at another address of this server: its public url.
    Elsewhere(String),
    /// They don't, because the server is reached by an IP address.
    Nowhere,
}

impl PasskeySupport {
    /// Whether they work at the requested host.
    pub fn of(core: &Core, context: &RequestContext) -> Self {
        match core.passkey_host() {
            None => Self::Nowhere,
            Some(host) if context.host() == Some(host) => Self::Here,
            Some(_) => Self::Elsewhere(core.settings().public_url.clone()),
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
    pub created: Time,
    /// When it was last used, if it was.
    pub last_used: Option<Time>,
}

impl From<Passkey> for PasskeyRow {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name,
            created: Time(passkey.created),
            last_used: passkey.last_used.map(Time),
        }
    }
}

/// The name of the passkey that is to be added.
#[derive(Deserialize)]
struct PasskeyName {
    name: String,
}

/// A signature, and the page to open next.
#[derive(Deserialize)]
struct SignIn {
    next: String,
    #[serde(flatten)]
    proof: PasskeyProof,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let json = |path: &str| {
        let limit = web::JsonConfig::default().limit(LARGEST_ANSWER);
        transport::resource(path, &[Method::POST]).app_data(limit)
    };
    routes
        .service(json("/profile/passkeys/begin").route(web::post().to(begin_adding)))
        .service(json("/profile/passkeys").route(web::post().to(add)))
        .service(json("/profile/passkeys/{id}/remove").route(web::post().to(remove)))
        .service(json("/sign-in/passkey/begin").route(web::post().to(begin_sign_in)))
        .service(json("/sign-in/passkey").route(web::post().to(sign_in)));
}

async fn begin_adding(user: SignedInUser, wanted: web::Json<PasskeyName>) -> Result<HttpResponse> {
    let question = user.core.begin_passkey(&user.person, &wanted.name)?;
    Ok(HttpResponse::Ok().json(question))
}

async fn add(user: SignedInUser, answer: web::Json<PasskeyAnswer>) -> Result<HttpResponse> {
    let passkey = user.core.add_passkey(&user.person, &answer).await?;
    let done = Flash::success(format!(
        "The passkey {} is added. You can sign in with it from now on.",
        passkey.name
    ));
    redirect_with(&user.context, &own_page(), &done)
}

async fn remove(user: SignedInUser, id: web::Path<String>) -> Result<HttpResponse> {
    user.core.remove_passkey(&user.person, &PasskeyId::from_text(&id)).await?;
    redirect_with(&user.context, &own_page(), &Flash::success("The passkey is removed."))
}

async fn begin_sign_in(context: RequestContext, request: HttpRequest) -> Result<HttpResponse> {
    let question = core_of(&request)?.begin_passkey_sign_in(&context.csrf(), &client_of(&request))?;
    Ok(HttpResponse::Ok().json(question))
}

async fn sign_in(
    context: RequestContext,
    request: HttpRequest,
    sent: web::Json<SignIn>,
) -> Result<HttpResponse> {
    let core = core_of(&request)?;
    let client = client_of(&request);
    let (token, _) = core.sign_in_by_passkey(&context.csrf(), &sent.proof, &client).await?;
    // Nobody would know of the session that this browser had before.
    if let Ok(former) = core.signed_in(context.session_token().unwrap_or_default(), &client) {
        core.sign_out(former).await?;
    }
    let mut answer = redirect(&context, &LocalPath::parse(&sent.next).unwrap_or_default());
    begin_session(&mut answer, &core, &token)?;
    Ok(answer)
}

fn own_page() -> LocalPath {
    LocalPath::to(&["profile"])
}
