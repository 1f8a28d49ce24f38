//! The checks that a request passes before its handler runs, and the only place that decides their order.
//!
//! Routing has matched the path and the method. Then come `Authorization`, `Api-Version`, the key, the
//! organization, and the grant on every library that the path names; only a request that passed them is
//! [`Authorized`], and only that has parameters and a body. So neither can change the answer about a library that is out
//! of reach.

use actix_web::HttpRequest;
use actix_web::dev::{Path, Payload, ResourcePath};
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::body;
use super::query::QueryString;
use super::version::version_of;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::settings::Limits;
use crate::error::{Error, Result};
use crate::operations::{Audience, Context, Declaration, Needs, Target};
use crate::transport;
use crate::transport::wire::Version;

/// A request that passed every check that comes before its parameters and its body.
pub struct Authorized {
    /// Who it comes from, and the snapshot that it reads.
    pub caller: Caller,
    /// What was asked for.
    pub head: RequestHead,
    /// The body, not read yet.
    pub payload: Payload,
}

/// The head of a request, which is kept while its body is read.
pub struct RequestHead {
    /// The version of the API that the answer is to be in.
    pub version: Version,
    request: HttpRequest,
    core: Core,
    needs: Needs,
}

impl Authorized {
    /// Checks a request up to its parameters.
    ///
    /// # Errors
    /// That of the first check that fails, in the order given at the top of this file.
    pub fn check(
        declaration: &Declaration,
        since: Version,
        request: HttpRequest,
        payload: Payload,
    ) -> Result<Self> {
        let core = request
            .app_data::<Data<Core>>()
            .ok_or_else(|| Error::internal("REST was mounted without a Core"))?;
        let core = Core::clone(core);
        transport::expect_token(request.headers())?;
        let version = version_of(request.headers(), since)?;
        let caller = transport::authenticate(&core, &request)?;
        let needs = declaration.needs;
        needs.check(&caller, &library_of(request.match_info()))?;
        Ok(Self { caller, head: RequestHead { version, request, core, needs }, payload })
    }
}

impl RequestHead {
    /// Reads the whole body. No snapshot is kept while the client is waited for; afterwards everything is checked
    /// again, so that a key that was revoked meanwhile changes nothing.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE`, `BAD_USER_INPUT` for an incomplete body, or those of [`Authorized::check`].
    pub async fn read_body(self, payload: Payload) -> Result<(Caller, Self, JsonBody)> {
        let read = body::read(payload, self.request.headers(), self.limits().json_bytes).await;
        let caller = transport::authenticate(&self.core, &self.request)?;
        self.needs.check(&caller, &self.library())?;
        Ok((caller, self, JsonBody(read?)))
    }

    /// What an operation knows of this request.
    pub fn context(&self, caller: Caller) -> Context {
        let LibraryPath { organization, library } = self.library();
        Context {
            core: self.core.clone(),
            caller,
            target: Target {
                organization: organization.to_owned(),
                library: library.to_owned(),
                asset: self.asset().to_owned(),
            },
            audience: Audience::Program(self.version),
            progress: None,
        }
    }

    /// The core, which does the work.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.core.settings().limits
    }

    /// The server's public url.
    pub fn origin(&self) -> &str {
        &self.core.settings().public_url
    }

    /// The request itself.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The parameters.
    pub fn query(&self) -> QueryString {
        QueryString::parse(self.request.query_string())
    }

    /// The library that the path names; its parts are empty where the path names none.
    pub fn library(&self) -> LibraryPath<'_> {
        library_of(self.request.match_info())
    }

    /// The asset that the path names; empty where the path names none.
    pub fn asset(&self) -> &str {
        self.request.match_info().get("assetId").unwrap_or_default()
    }
}

/// A whole body.
pub struct JsonBody(Bytes);

impl JsonBody {
    /// Parses it as JSON of this shape.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that says where it does not match.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        body::json(&self.0)
    }
}

fn library_of<T: ResourcePath>(path: &Path<T>) -> LibraryPath<'_> {
    LibraryPath {
        organization: path.get("organizationId").unwrap_or_default(),
        library: path.get("libraryId").unwrap_or_default(),
    }
}

/// The checks of [`Authorized::check`] for a request whose head alone has arrived.
///
/// # Errors
/// That of the first check that fails.
pub fn check_head<T: ResourcePath>(
    core: &Core,
    declaration: &Declaration,
    since: Version,
    path: &Path<T>,
    headers: &HeaderMap,
) -> Result<()> {
    let token = transport::bearer_token(headers)?;
    version_of(headers, since)?;
    declaration.needs.check(&core.authenticate(token)?, &library_of(path))
}
