//! The signed-in user: every page except those before signing in starts with one.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{SET_COOKIE, USER_AGENT};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::cookie::{self, CookieLifetime};
use crate::core::Core;
use crate::core::access::Caller;
use crate::core::members::{ClientInfo, SignedIn};
use crate::core::model::token::Token;
use crate::error::{Error, Result};
use crate::transport;
use crate::webapp::layout::Layout;
use crate::webapp::request_context::RequestContext;

/// A request of a signed-in user. A handler that takes one never runs for anybody else: they are redirected to the
/// sign-in page, and back from there.
pub struct SignedInUser {
    /// The operations.
    pub core: Core,
    /// The request.
    pub context: RequestContext,
    /// The person who is signed in.
    pub person: SignedIn,
    /// Where it comes from.
    pub client: ClientInfo,
}

impl SignedInUser {
    fn of(request: &HttpRequest) -> Result<Self> {
        let (core, context) = (core_of(request)?, RequestContext::of_gate(request)?);
        let client = client_of(request);
        let person = core.signed_in(context.session_token().unwrap_or_default(), &client)?;
        Ok(Self { core, context, person, client })
    }

    /// The person, acting in an organization. It holds a snapshot of the store: drop it before waiting long.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND` when the person is not in it.
    pub fn caller(&self, organization: &str) -> Result<Caller> {
        Ok(self.core.member_caller(&self.person, organization)?.until(transport::cancellation()))
    }

    /// The frame of a page about no organization.
    ///
    /// # Errors
    /// When the store fails.
    pub fn layout(&self, title: impl Into<String>) -> Result<Layout> {
        let organizations = self.core.organizations_of(&self.person)?;
        Ok(Layout::new(&self.context, title).of(&self.person.member, &organizations))
    }
}

/// Where a request comes from.
#[must_use]
pub fn client_of(request: &HttpRequest) -> ClientInfo {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    ClientInfo { address: transport::client_address(), agent: agent.unwrap_or_default().to_owned() }
}

/// The operations, for a handler without a [`SignedInUser`].
///
/// # Errors
/// When the server is put together wrongly.
pub fn core_of(request: &HttpRequest) -> Result<Core> {
    let core = request.app_data::<web::Data<Core>>();
    core.map(|core| core.get_ref().clone()).ok_or_else(|| Error::internal("the pages have no operations"))
}

/// Gives the browser a new session, and deletes the value that its forms were bound to before.
///
/// # Errors
/// When the cookie can't be written.
pub fn begin_session(answer: &mut HttpResponse, core: &Core, token: &Token) -> Result<()> {
    let kept = CookieLifetime::For(core.settings().members.session_life);
    set(answer, cookie::SESSION, token.reveal(), kept)?;
    set(answer, cookie::VISITOR, "", CookieLifetime::Gone)
}

/// Deletes the session from the browser.
///
/// # Errors
/// When the cookie can't be written.
pub fn end_session(answer: &mut HttpResponse) -> Result<()> {
    set(answer, cookie::SESSION, "", CookieLifetime::Gone)
}

fn set(answer: &mut HttpResponse, name: &str, value: &str, kept: CookieLifetime) -> Result<()> {
    let cookie = cookie::written(name, value, kept).map_err(Error::internal)?;
    answer.headers_mut().append(SET_COOKIE, cookie);
    Ok(())
}

impl FromRequest for SignedInUser {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
