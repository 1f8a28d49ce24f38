//! REST: the operations as resources, in every version of the API. The routes are made from the declarations in
//! `operations`; `route.rs` turns an operation into a route.
//! No business rule is here: a request is checked, its input is read, one operation runs, and its answer is written.

use std::future::ready;
use std::sync::LazyLock;

use actix_web::dev::{Path, ResourceDef, Url};
use actix_web::http::Uri;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, http, web};

use crate::core::Core;
use crate::core::access::LibraryPath;
use crate::error::Result;
use crate::operations::{Operation, Visitor, visit_all};
use crate::transport::{self, Transport};

mod answer;
mod authorized;
mod body;
mod docs;
mod document;
mod query;
mod route;
mod upload;
mod version;

pub use crate::transport::wire::Version;
pub use docs::Documents;
pub use document::openapi;

use authorized::Authorized;
use route::Route;

/// Every endpoint that takes a key.
static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let mut routes = Routes(Vec::new());
    visit_all(&mut routes);
    routes.0
});

/// The endpoints of the operations that have one.
struct Routes(Vec<Route>);

impl Visitor for Routes {
    fn visit<O: Operation>(&mut self) {
        self.0.extend(Route::of::<O>());
    }
}

/// Mounts REST, its OpenAPI document and the reference page. Needs the [`Core`] as application data.
pub fn configure(config: &mut web::ServiceConfig, documents: Documents) {
    for path in paths() {
        let of_path = || ROUTES.iter().filter(move |route| route.endpoint.path == path);
        let methods: Vec<http::Method> = of_path().map(Route::method).collect();
        let refuse = move || ready(transport::wrong_method(&methods));
        let mut resource = web::resource(path).default_service(web::to(refuse));
        for route in of_path() {
            let serve = move |request, payload| serve(route, request, payload);
            resource = resource.route(web::method(route.method()).to(serve));
        }
        config.service(resource);
    }
    docs::configure(config, documents);
}

/// The paths of all routes, each once.
fn paths() -> Vec<&'static str> {
    let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.endpoint.path).collect();
    // Words before ids, so that a path like `…/assets/tag` is not taken for an asset called `tag`.
    paths.sort_by_key(|path| path.replace('{', "\u{7F}"));
    paths.dedup();
    paths
}

async fn serve(route: &'static Route, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    transport::record_transport(Transport::Rest);
    let Route { declaration, endpoint, .. } = route;
    let authorized = Authorized::check(declaration, endpoint.since, request, payload.into_inner())?;
    let Authorized { caller, head, .. } = &authorized;
    let LibraryPath { organization, library } = head.library();
    let (id, place) = (transport::request_id(), [organization, library]);
    transport::begin_operation(head.core(), id, Some(caller), declaration.into(), place).await?;
    (route.answer)(authorized).await
}

/// Whether a client that waits before sending its body (`Expect: 100-continue`) may send it: everything about the
/// request except the body is checked, so that a body that would be refused is not sent.
///
/// # Errors
/// The error that the request will be answered with. Paths outside REST always pass.
pub fn may_continue(core: &Core, method: &http::Method, uri: &Uri, headers: &HeaderMap) -> Result<()> {
    static PATTERNS: LazyLock<Vec<(ResourceDef, &Route)>> =
        LazyLock::new(|| ROUTES.iter().map(|route| (ResourceDef::new(route.endpoint.path), route)).collect());
    let mut path = Path::new(Url::new(uri.clone()));
    let found = PATTERNS
        .iter()
        .find(|(pattern, route)| route.method() == *method && pattern.capture_match_info(&mut path));
    match found {
        Some((_, Route { declaration, endpoint, .. })) => {
            authorized::check_head(core, declaration, endpoint.since, &path, headers)
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_paths_are_tried_before_ids() {
        let paths = paths();
        let position = |end: &str| paths.iter().position(|path| path.ends_with(end)).unwrap();
        assert!(position("/assets/tag") < position("/assets/{assetId}"));
        assert!(position("/assets/transfer") < position("/assets/{assetId}"));
    }
}
