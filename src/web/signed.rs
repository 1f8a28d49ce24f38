//! Who is signed in: what every page but those before signing in begins with.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{SET_COOKIE, USER_AGENT};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::cookie::{self, Kept};
use super::shell::Shell;
use super::visit::Visit;
use crate::app::App;
use crate::app::access::Caller;
use crate::app::members::{Client, SignedIn, Token};
use crate::error::{Error, Result};

/// A request of somebody who is signed in. A handler that takes one is never run for anybody else: they are led
/// to the page where one signs in, and back from there.
pub struct Signed {
    /// The operations.
    pub app: App,
    /// The request.
    pub visit: Visit,
    /// Who it is from.
    pub person: SignedIn,
    /// Where it comes from.
    pub client: Client,
}

impl Signed {
    fn of(request: &HttpRequest) -> Result<Self> {
        let (app, visit) = (app_of(request)?, Visit::of_gate(request)?);
        let client = client_of(request);
        let person = app.signed_in(visit.session_token().unwrap_or_default(), &client)?;
        Ok(Self { app, visit, person, client })
    }

    /// The person, acting in an organization. It holds a snapshot of the store: let go of it before waiting long.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND` when the person is not in it.
    pub fn caller(&self, organization: &str) -> Result<Caller> {
        self.app.member_caller(&self.person, organization)
    }

    /// The frame of a page about no organization.
    ///
    /// # Errors
    /// When the store fails.
    pub fn shell(&self, title: impl Into<String>) -> Result<Shell> {
        let organizations = self.app.organizations_of(&self.person)?;
        Ok(Shell::new(&self.visit, title).of(&self.person.member, &organizations))
    }
}

/// Where a request comes from.
#[must_use]
pub fn client_of(request: &HttpRequest) -> Client {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    Client { address: request.peer_addr().map(|peer| peer.ip()), agent: agent.unwrap_or_default().to_owned() }
}

/// The operations, for a handler without a [`Signed`].
///
/// # Errors
/// When the server is put together wrongly.
pub fn app_of(request: &HttpRequest) -> Result<App> {
    let app = request.app_data::<web::Data<App>>();
    app.map(|app| app.get_ref().clone()).ok_or_else(|| Error::internal("the pages have no operations"))
}

/// Gives the browser a new session, and takes the value away that its forms were bound to before.
///
/// # Errors
/// When the cookie can't be written.
pub fn begin_session(answer: &mut HttpResponse, app: &App, token: &Token) -> Result<()> {
    let kept = Kept::For(app.settings().members.session_life);
    set(answer, cookie::SESSION, token.reveal(), kept)?;
    set(answer, cookie::VISITOR, "", Kept::Gone)
}

/// Takes the session away from the browser.
///
/// # Errors
/// When the cookie can't be written.
pub fn end_session(answer: &mut HttpResponse) -> Result<()> {
    set(answer, cookie::SESSION, "", Kept::Gone)
}

fn set(answer: &mut HttpResponse, name: &str, value: &str, kept: Kept) -> Result<()> {
    let cookie = cookie::written(name, value, kept).map_err(Error::internal)?;
    answer.headers_mut().append(SET_COOKIE, cookie);
    Ok(())
}

impl FromRequest for Signed {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
