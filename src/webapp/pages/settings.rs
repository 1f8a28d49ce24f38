//! The pages of an organization's owners: its name and libraries, its keys, how clients connect, its people, the
//! overview. Every handler below takes an [`OwnerRequest`], which only owners get.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, web};

use crate::core::access::Administrator;
use crate::core::model::Organization;
use crate::error::{Code, Error, Result};
use crate::transport;
use crate::webapp::answer::redirect_with;
use crate::webapp::flash::Flash;
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

mod audit;
mod authority;
pub mod checklist;
mod clients;
mod connect;
mod event_text;
mod expiry;
mod explanation;
mod general;
mod grants;
mod key;
mod keys;
mod library;
mod library_names;
mod members;
mod overview;
mod people;

/// The routes. `{organization}` is read by [`OwnerRequest`].
pub fn configure(routes: &mut web::ServiceConfig) {
    let get = |path: &str| transport::resource(&format!("/{{organization}}/settings{path}"), &[Method::GET]);
    let change =
        |path: &str| transport::resource(&format!("/{{organization}}/settings{path}"), &[Method::POST]);
    let both = |path: &str| {
        transport::resource(&format!("/{{organization}}/settings{path}"), &[Method::GET, Method::POST])
    };
    routes
        .service(get("").route(web::get().to(general::show)))
        .service(change("/name").route(web::post().to(general::rename)))
        .service(change("/libraries").route(web::post().to(general::add_library)))
        .service(get("/libraries/{library}").route(web::get().to(library::show)))
        .service(change("/libraries/{library}/name").route(web::post().to(library::rename)))
        .service(change("/libraries/{library}/delete").route(web::post().to(library::delete)))
        .service(both("/keys").route(web::get().to(keys::list)).route(web::post().to(keys::generate)))
        .service(get("/keys/new").route(web::get().to(keys::begin)))
        .service(get("/keys/{key}").route(web::get().to(key::show)))
        .service(change("/keys/{key}/grants").route(web::post().to(key::grant)))
        .service(change("/keys/{key}/name").route(web::post().to(key::rename)))
        .service(change("/keys/{key}/regenerate").route(web::post().to(key::regenerate)))
        .service(change("/keys/{key}/delete").route(web::post().to(key::delete)))
        .service(get("/connect").route(web::get().to(connect::show)))
        .service(get("/connect/rasterd-authority.crt").route(web::get().to(connect::download)))
        .service(get("/connect/rasterd-authorities.pem").route(web::get().to(connect::download_bundle)))
        .service(get("/connect/rasterd.mcpb").route(web::get().to(connect::desktop_bundle)))
        .service(change("/checklist").route(web::post().to(checklist::dismiss)))
        .service(get("/people").route(web::get().to(people::list)))
        .service(change("/people/invite").route(web::post().to(people::invite)))
        .service(change("/people/withdraw").route(web::post().to(people::withdraw)))
        .service(change("/people/role").route(web::post().to(members::set_role)))
        .service(change("/people/remove").route(web::post().to(members::remove)))
        .service(change("/people/reset-password").route(web::post().to(members::reset_password)))
        .service(get("/overview").route(web::get().to(overview::show)))
        .service(change("/overview/retry").route(web::post().to(overview::retry)))
        .service(get("/overview/audit.jsonl").route(web::get().to(audit::export)));
}

/// A request of an owner of the organization in its path. Nobody else's request gets any further.
pub struct OwnerRequest {
    /// The user and the request.
    pub user: SignedInUser,
    /// Their permission to manage the organization.
    pub by: Administrator,
    /// The organization.
    pub organization: Organization,
}

impl OwnerRequest {
    fn of(user: SignedInUser, request: &HttpRequest) -> Result<Self> {
        let caller = user.caller(request.match_info().query("organization"))?;
        let (by, organization) = (caller.administer()?, caller.organization().clone());
        Ok(Self { user, by, organization })
    }

    /// The organization's slug.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.organization.slug.as_str()
    }

    /// A page below the settings of the organization.
    #[must_use]
    pub fn path(&self, below: &[&str]) -> LocalPath {
        LocalPath::to(&[&[self.slug(), "settings"], below].concat())
    }

    /// The frame of a page of the settings.
    ///
    /// # Errors
    /// When the store fails.
    pub fn layout(&self, title: &str, section: NavSection) -> Result<Layout> {
        Ok(self.user.layout(title)?.within(&self.user.caller(self.slug())?, section))
    }

    /// Redirects to a page, which says what was done.
    ///
    /// # Errors
    /// When the message can't be sent along.
    pub fn redirect_with_success(
        &self,
        to: &LocalPath,
        message: impl Into<String>,
    ) -> Result<actix_web::HttpResponse> {
        redirect_with(&self.user.context, to, &Flash::success(message))
    }

    /// Redirects to a page, which says what failed and why.
    ///
    /// # Errors
    /// The error itself, if it is not for the person to know.
    pub fn redirect_with_error(&self, to: &LocalPath, error: Error) -> Result<actix_web::HttpResponse> {
        if !is_shown_on_page(&error) {
            return Err(error);
        }
        self.redirect_with_problem(to, error.message())
    }

    /// Redirects to a page, which says what failed.
    ///
    /// # Errors
    /// When the message can't be sent along.
    pub fn redirect_with_problem(&self, to: &LocalPath, problem: &str) -> Result<actix_web::HttpResponse> {
        redirect_with(&self.user.context, to, &Flash::problem(problem))
    }
}

impl FromRequest for OwnerRequest {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = SignedInUser::from_request(request, payload).into_inner();
        ready(user.and_then(|user| Self::of(user, request)))
    }
}

/// Whether the page shows an error beside its forms: the person can fix it there, or what it is about was deleted
/// meanwhile.
#[must_use]
pub fn is_shown_on_page(error: &Error) -> bool {
    error.is_user_fixable() || error.code() == Code::NotFound
}

/// One of the pages of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// The organization and its libraries.
    General,
    /// API keys.
    Keys,
    /// How clients connect.
    Connect,
    /// Members and invitations.
    People,
}

impl Tab {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::General, Self::Keys, Self::Connect, Self::People];

    /// What it is called.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Keys => "API keys",
            Self::Connect => "Connect",
            Self::People => "People",
        }
    }

    /// Its icon.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::General => "building-2",
            Self::Keys => "key-round",
            Self::Connect => "plug",
            Self::People => "users",
        }
    }

    /// Its address, below that of the settings.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::General => "",
            Self::Keys => "/keys",
            Self::Connect => "/connect",
            Self::People => "/people",
        }
    }
}
