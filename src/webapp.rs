//! The web app: pages for people, under `/app`, over the same operations as the other transports. It holds no rule
//! of the product: a handler reads the request, calls one operation and renders a page.
//!
//! Every page works without a script, and better with one. Nothing is fetched from elsewhere, nothing is inline.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::guard::{self, GuardContext};
use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};

use crate::core::Core;
use crate::transport;
use crate::transport::tls::{Certificates, ClientAuthority};

mod answer;
mod cookie;
mod error_page;
mod files;
mod flash;
mod form;
mod format;
mod gate;
mod isolated_names;
mod layout;
mod pages;
mod path;
mod request_context;
mod signed_in_user;
mod theme;
mod user_agent;
mod visible;

use gate::Gate;

/// What the pages need to know about the server.
#[derive(Clone)]
pub struct WebappOptions {
    /// The authority that clients must trust first, if there is one.
    pub authority: Option<ClientAuthority>,
    /// The certificate that new connections get.
    pub certificates: Arc<Certificates>,
}

/// Mounts the pages, and redirects browsers from `/` to them. Comes after the transports that have a `/` of their own.
pub fn configure(routes: &mut web::ServiceConfig, core: &Core, options: &WebappOptions) {
    let gate = Rc::new(Gate::of(core));
    let pages = web::scope("/app")
        .app_data(web::Data::new(options.clone()))
        .configure(files::configure)
        .configure(pages::configure)
        .default_service(web::to(transport::no_such_path))
        .wrap(from_fn(move |request, next| Rc::clone(&gate).pass(request, next)));
    routes.service(pages).service(
        web::resource("/").guard(guard::Get()).guard(guard::fn_guard(is_browser)).route(
            web::get().to(|| async { HttpResponse::SeeOther().insert_header((LOCATION, "/app")).finish() }),
        ),
    );
}

/// A browser that opens a page, and not a program.
fn is_browser(request: &GuardContext<'_>) -> bool {
    let accepts = request.head().headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}
