//! REST: the operations of `app` as resources, in every version of the API. The route list is on this page;
//! it mounts the handlers, decides what each needs, and is held against the OpenAPI document by a test.
//! No rule of the product is here: handlers read, call one operation, and reply.

use std::future::ready;

use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, Uri};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;

use crate::app::App;
use crate::edge;
use crate::error::Result;

mod assets;
mod body;
mod call;
mod docs;
mod document;
mod libraries;
mod query;
mod reply;
mod search;
mod upload;
mod version;

pub use document::openapi;

use call::{Call, Needs};
use version::Version;

/// One endpoint.
struct Route {
    method: Method,
    path: &'static str,
    needs: Needs,
    /// The first version that has it.
    since: Version,
    answer: fn(Call) -> Answer,
}

type Answer = LocalBoxFuture<'static, Result<HttpResponse>>;

const LIBRARIES: &str = "/organizations/{organizationId}/libraries";
const SEARCH: &str = "/organizations/{organizationId}/search/assets";
const LIBRARY: &str = "/organizations/{organizationId}/libraries/{libraryId}";
const TAGS: &str = "/organizations/{organizationId}/libraries/{libraryId}/tags";
const ASSETS: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets";
const TAG: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets/tag";
const UNTAG: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets/untag";
const TRANSFER: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets/transfer";
const ASSET: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}";
const DESCRIPTION: &str =
    "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}/description";
const PROMOTE: &str = "/organizations/{organizationId}/libraries/{libraryId}/assets/{assetId}/promote";

/// Every endpoint that takes a key: what it needs, and what answers it.
static ROUTES: [Route; 15] = [
    route(Method::GET, "/me", Needs::Key, |call| Box::pin(ready(Ok(libraries::whoami(call))))),
    route(Method::GET, LIBRARIES, Needs::Organization, |call| Box::pin(ready(libraries::list(call)))),
    route(Method::POST, LIBRARIES, Needs::WriteSomewhere, |call| Box::pin(libraries::create(call))),
    route(Method::GET, SEARCH, Needs::Organization, |call| Box::pin(search::search(call))),
    route(Method::PATCH, LIBRARY, Needs::Write, |call| Box::pin(libraries::rename(call))),
    route(Method::GET, TAGS, Needs::Read, |call| Box::pin(ready(libraries::list_tags(call)))),
    route(Method::GET, ASSETS, Needs::Read, |call| Box::pin(ready(assets::list(call)))),
    route(Method::POST, ASSETS, Needs::Write, |call| Box::pin(upload::upload(call))),
    route(Method::DELETE, ASSETS, Needs::Write, |call| Box::pin(assets::delete(call))),
    route(Method::POST, TAG, Needs::Write, |call| Box::pin(assets::tag(call))),
    route(Method::POST, UNTAG, Needs::Write, |call| Box::pin(assets::untag(call))),
    route(Method::POST, TRANSFER, Needs::Write, |call| Box::pin(assets::transfer(call))),
    route(Method::GET, ASSET, Needs::Read, |call| Box::pin(ready(assets::get(call)))),
    route(Method::PATCH, DESCRIPTION, Needs::Write, |call| Box::pin(assets::describe(call))),
    route(Method::POST, PROMOTE, Needs::Write, |call| Box::pin(assets::promote(call)))
        .since(Version::V20260708),
];

const fn route(method: Method, path: &'static str, needs: Needs, answer: fn(Call) -> Answer) -> Route {
    Route { method, path, needs, since: Version::V20260520, answer }
}

impl Route {
    const fn since(mut self, version: Version) -> Self {
        self.since = version;
        self
    }
}

/// Mounts REST, its OpenAPI document and the reference page. Wants the [`App`] as application data.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    paths.dedup();
    for path in paths {
        let methods = ROUTES.iter().filter(|route| route.path == path).map(|route| route.method.clone());
        let methods: Vec<Method> = methods.collect();
        let refuse = move || ready(edge::wrong_method(&methods));
        let mut resource = web::resource(path).default_service(web::to(refuse));
        for route in ROUTES.iter().filter(|route| route.path == path) {
            let serve = move |request, payload| serve(route, request, payload);
            resource = resource.route(web::method(route.method.clone()).to(serve));
        }
        config.service(resource);
    }
    docs::configure(config);
}

async fn serve(route: &'static Route, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    let call = Call::begin(route, request, payload.into_inner())?;
    (route.answer)(call).await
}

/// Whether a client that waits with its body (`Expect: 100-continue`) may go on: everything about the request
/// but its body is checked, so that nothing is sent that would be refused unread.
///
/// # Errors
/// What the request will be answered with. A path that is not REST's is not judged.
pub fn may_continue(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<()> {
    call::check_head(app, method, uri, headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_of_one_path_stand_together() {
        let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
        paths.dedup();
        let mut distinct = paths.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(paths.len(), distinct.len(), "a path is mounted once");
    }
}
