//! What is known about a request before its user is: its cookies, the token that its forms must carry, whether it wants
//! only a part of a page. Every handler takes a [`RequestContext`]; only the gate makes one.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap, REFERER};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use blake3::Hash;

use super::cookie;
use super::flash::Flash;
use super::path::LocalPath;
use super::theme::Theme;
use crate::core::model::id::random_base62;
use crate::error::{Error, Result};

/// What the tokens of forms are derived for; nothing else is derived with it.
const FORM_TOKENS: &str = "rasterd 2026-11 web form tokens";

/// One request of a browser.
#[derive(Clone)]
pub struct RequestContext(Rc<Inner>);

struct Inner {
    session: Option<String>,
    visitor: FormBinding,
    theme: Theme,
    has_dismissed_checklist: bool,
    flash: Option<Flash>,
    is_partial: bool,
    is_get: bool,
    address: LocalPath,
    from: Option<LocalPath>,
    host: Option<String>,
}

/// The random value that the forms of somebody who is not signed in are bound to.
enum FormBinding {
    Known(String),
    New(String),
}

impl RequestContext {
    /// Reads a request's headers.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let headers = request.headers();
        let owned = |name| cookie::read(headers, name).map(str::to_owned);
        let visitor = owned(cookie::VISITOR).map(FormBinding::Known);
        let address = request.uri().path_and_query().map_or("/app", |path| path.as_str());
        Self(Rc::new(Inner {
            session: owned(cookie::SESSION),
            visitor: visitor.unwrap_or_else(|| FormBinding::New(random_text())),
            theme: Theme::named(cookie::read(headers, cookie::THEME).unwrap_or_default()),
            has_dismissed_checklist: cookie::read(headers, cookie::CHECKLIST).is_some(),
            flash: cookie::read(headers, cookie::FLASH).and_then(Flash::read),
            is_partial: is_partial(headers),
            is_get: request.method() == Method::GET,
            address: LocalPath::parse(address).unwrap_or_default(),
            from: came_from(headers),
            host: host(headers),
        }))
    }

    /// The context that the gate made for a request.
    pub(super) fn of_gate(request: &HttpRequest) -> Result<Self> {
        let context = request.extensions().get::<Self>().cloned();
        context.ok_or_else(|| Error::internal("a page is mounted outside the web app's gate"))
    }

    /// The session token that the browser sent. Only `core` knows whether it is valid.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.0.session.as_deref()
    }

    /// The token that every form and every other change must carry: `csrf` in a form, `X-CSRF-Token` as a header.
    /// It changes with the session, and does not reveal it.
    #[must_use]
    pub fn csrf(&self) -> String {
        self.expected().to_hex().to_string()
    }

    /// Whether a token is the expected one. Takes the same time for every wrong one.
    pub(super) fn accepts(&self, token: &str) -> bool {
        Hash::from_hex(token).is_ok_and(|token| token == self.expected())
    }

    fn expected(&self) -> Hash {
        let secret = self.0.session.as_deref().unwrap_or(match &self.0.visitor {
            FormBinding::Known(value) | FormBinding::New(value) => value,
        });
        Hash::from_bytes(blake3::derive_key(FORM_TOKENS, secret.as_bytes()))
    }

    /// A new value for the browser to keep, because its forms are bound to it.
    pub(super) fn new_visitor(&self) -> Option<&str> {
        match (&self.0.session, &self.0.visitor) {
            (None, FormBinding::New(value)) => Some(value),
            (None, FormBinding::Known(_)) | (Some(_), _) => None,
        }
    }

    /// Light or dark.
    #[must_use]
    pub fn theme(&self) -> Theme {
        self.0.theme
    }

    /// Whether the list of first steps was dismissed in this browser.
    #[must_use]
    pub fn has_dismissed_checklist(&self) -> bool {
        self.0.has_dismissed_checklist
    }

    /// The message about what was just done.
    #[must_use]
    pub fn flash(&self) -> Option<&Flash> {
        self.0.flash.as_ref()
    }

    /// Whether only a part of a page is wanted, for the page that is open (htmx).
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.0.is_partial
    }

    /// Whether a whole page is wanted, which one can come back to.
    #[must_use]
    pub(super) fn asks_for_page(&self) -> bool {
        self.0.is_get && !self.0.is_partial
    }

    /// The requested path and query.
    #[must_use]
    pub fn address(&self) -> &LocalPath {
        &self.0.address
    }

    /// The requested host without its port: a name, or an IP address.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
    }

    /// The page of ours that the request came from, if the browser says so.
    #[must_use]
    pub fn from(&self) -> Option<&LocalPath> {
        self.0.from.as_ref()
    }
}

fn random_text() -> String {
    String::from_utf8_lossy(&random_base62::<32>()).into_owned()
}

/// A link that htmx follows instead of the browser still wants the whole page.
fn is_partial(headers: &HeaderMap) -> bool {
    headers.contains_key("HX-Request") && !headers.contains_key("HX-Boosted")
}

fn host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    url::Url::parse(&format!("https://{host}")).ok()?.host_str().map(str::to_owned)
}

fn came_from(headers: &HeaderMap) -> Option<LocalPath> {
    let address = url::Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
    let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
    LocalPath::parse(&format!("{}{query}", address.path()))
}

impl FromRequest for RequestContext {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of_gate(request))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn context(cookies: &str) -> RequestContext {
        RequestContext::of(
            &TestRequest::with_uri("/app").insert_header(("Cookie", cookies)).to_http_request(),
        )
    }

    #[test]
    fn a_form_token_is_that_of_one_session_and_before_that_of_one_visitor() {
        let (signed_in, other) = (context("__Host-session=a"), context("__Host-session=b"));
        let visitor = context("__Host-visitor=a");
        assert!(signed_in.accepts(&signed_in.csrf()) && visitor.accepts(&visitor.csrf()));
        assert!(context("__Host-session=a; __Host-visitor=z").accepts(&signed_in.csrf()));
        for wrong in [other.csrf(), context("").csrf(), String::new(), "é".repeat(32)] {
            assert!(!signed_in.accepts(&wrong), "{wrong}");
        }
        assert!(!signed_in.csrf().contains("session"));
    }

    #[test]
    fn a_new_visitor_gets_a_value_and_one_who_is_signed_in_needs_none() {
        assert!(context("").new_visitor().is_some_and(|value| value.len() == 32));
        assert_ne!(context("").csrf(), context("").csrf());
        assert_eq!(context("__Host-visitor=a").new_visitor(), None);
        assert_eq!(context("__Host-session=a").new_visitor(), None);
    }
}
