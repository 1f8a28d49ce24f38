//! One request on its way to a handler: the only place that decides the order of its checks.
//!
//! The path and the method are settled by routing. Then come `Authorization`, `Api-Version`, the key, the
//! organization, and the grant on every library that the path names; only what passed them is a [`Call`], and
//! only a call has parameters and a body. So nothing in those can change the answer for what is out of reach.

use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::dev::{Path, Payload, ResourceDef, Url};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, Uri};
use actix_web::web::Data;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::query::Query;
use super::version::Version;
use super::{ROUTES, Route, body};
use crate::app::App;
use crate::app::access::{Caller, LibraryPath};
use crate::app::settings::Limits;
use crate::edge;
use crate::error::{Error, Result};

/// What a request needs before its parameters and its body are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A live key.
    Key,
    /// A live key of the organization.
    Organization,
    /// Write on some library of the organization.
    WriteSomewhere,
    /// Read on the library.
    Read,
    /// Write on the library.
    Write,
}

impl Needs {
    /// Checks that the caller may do this where the path says.
    fn check(self, caller: &Caller, path: &LibraryPath<'_>) -> Result<()> {
        match self {
            Self::Key => Ok(()),
            Self::Organization => caller.expect_organization(path.organization),
            Self::WriteSomewhere => caller.create_libraries(path.organization).map(drop),
            Self::Read => caller.read(path).map(drop),
            Self::Write => caller.write(path).map(drop),
        }
    }
}

/// A request that passed every check that comes before its parameters and its body.
pub struct Call {
    /// Who it comes from, and the snapshot that it reads.
    pub caller: Caller,
    /// What the caller asked for.
    pub asked: Asked,
    payload: Payload,
}

/// A request's head: what stays of a call while its body is read.
pub struct Asked {
    /// The version of the API that it wants to be answered in.
    pub version: Version,
    request: HttpRequest,
    app: App,
    needs: Needs,
}

impl Call {
    /// Checks a request up to its parameters.
    ///
    /// # Errors
    /// Of the first check that fails, in the order of this file's first lines.
    pub fn begin(route: &Route, request: HttpRequest, payload: Payload) -> Result<Self> {
        let app = request.app_data::<Data<App>>().ok_or_else(|| Error::internal("REST has no App to ask"))?;
        let app = App::clone(app);
        edge::bearer_token(request.headers())?;
        let version = Version::of(request.headers(), route.since)?;
        let caller = edge::authenticate(&app, &request)?;
        route.needs.check(&caller, &library_of(request.match_info()))?;
        Ok(Self { caller, asked: Asked { version, request, app, needs: route.needs }, payload })
    }

    /// Reads the whole body. Lets go of the snapshot while the client is waited for, and afterwards checks
    /// again, so that a key that was revoked meanwhile changes nothing.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE`, `BAD_USER_INPUT` for a body that breaks off, or those of [`Call::begin`].
    pub async fn read_body(self) -> Result<(Caller, Asked, Body)> {
        let Self { caller, asked, payload } = self;
        drop(caller);
        let read = body::read(payload, asked.request.headers(), asked.limits().json_bytes).await;
        let caller = edge::authenticate(&asked.app, &asked.request)?;
        asked.needs.check(&caller, &asked.library())?;
        Ok((caller, asked, Body(read?)))
    }

    /// [`Call::read_body`] for a body that is JSON of this shape.
    ///
    /// # Errors
    /// Of [`Call::read_body`] and [`Body::json`].
    pub async fn read_json<T: DeserializeOwned>(self) -> Result<(Caller, Asked, T)> {
        let (caller, asked, body) = self.read_body().await?;
        let json = body.json()?;
        Ok((caller, asked, json))
    }

    /// Hands over the body unread. The snapshot goes: none is kept while a client is waited for.
    pub fn into_stream(self) -> (Asked, Payload) {
        (self.asked, self.payload)
    }
}

impl Asked {
    /// Where the operations are.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.app.settings().limits
    }

    /// The server's public url.
    pub fn origin(&self) -> &str {
        &self.app.settings().public_url
    }

    /// The request itself.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The parameters.
    pub fn query(&self) -> Query {
        Query::parse(self.request.query_string())
    }

    /// The library that the path names; its parts are empty where the path names none.
    pub fn library(&self) -> LibraryPath<'_> {
        library_of(self.request.match_info())
    }

    /// The asset that the path names.
    pub fn asset_id(&self) -> &str {
        self.request.match_info().get("assetId").unwrap_or_default()
    }
}

/// A whole body.
pub struct Body(Bytes);

impl Body {
    /// Reads it as JSON of this shape.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that says where it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        body::json(&self.0)
    }
}

fn library_of<T: actix_web::dev::ResourcePath>(path: &Path<T>) -> LibraryPath<'_> {
    LibraryPath {
        organization: path.get("organizationId").unwrap_or_default(),
        library: path.get("libraryId").unwrap_or_default(),
    }
}

/// The checks of [`Call::begin`] for a request that has not been routed yet.
///
/// # Errors
/// Of the first check that fails; none for a path that is not REST's.
pub fn check_head(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<()> {
    static PATTERNS: LazyLock<Vec<(ResourceDef, &Route)>> =
        LazyLock::new(|| ROUTES.iter().map(|route| (ResourceDef::new(route.path), route)).collect());
    let mut path = Path::new(Url::new(uri.clone()));
    let found = PATTERNS
        .iter()
        .find(|(pattern, route)| route.method == *method && pattern.capture_match_info(&mut path));
    let Some((_, route)) = found else { return Ok(()) };
    let token = edge::bearer_token(headers)?;
    Version::of(headers, route.since)?;
    route.needs.check(&app.authenticate(token)?, &library_of(&path))
}
