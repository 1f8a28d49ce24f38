//! The web app: pages for people, under `/app`, over the same operations as the other transports. The list of its
//! routes is on this page. No rule of the product is here: handlers read, call one operation, and answer a page.
//!
//! Every page works without a script, and better with one. Nothing is fetched from elsewhere, nothing is inline.

use std::path::PathBuf;
use std::rc::Rc;

use actix_web::guard::{self, GuardContext};
use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::edge;

mod agent;
mod cookie;
mod figures;
mod files;
mod flash;
mod form;
mod gate;
mod libraries;
mod organizations;
mod page;
mod passkeys;
mod path;
mod profile;
mod refusal;
mod settings;
mod shape;
mod shell;
mod sign_in;
mod signed;
mod theme;
mod visit;
mod welcome;
mod when;

use gate::Gate;

/// What the pages have to know of the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The certificate, PEM, of the authority that clients have to be told to trust, if there is one.
    pub authority: Option<PathBuf>,
}

/// Mounts the pages, and the way from `/` to them. Comes after the transports that have a `/` of their own.
pub fn configure(routes: &mut web::ServiceConfig, app: &App, options: &Options) {
    let gate = Rc::new(Gate::of(app));
    let pages = web::scope("/app")
        .app_data(web::Data::new(options.clone()))
        .configure(files::configure)
        .configure(organizations::configure)
        .configure(passkeys::configure)
        .configure(profile::configure)
        .configure(settings::configure)
        .configure(sign_in::configure)
        .configure(welcome::configure)
        .configure(libraries::configure)
        .default_service(web::to(edge::no_such_path))
        .wrap(from_fn(move |request, next| Rc::clone(&gate).pass(request, next)));
    routes.service(pages).service(
        web::resource("/").guard(guard::Get()).guard(guard::fn_guard(is_browser)).route(
            web::get().to(|| async { HttpResponse::SeeOther().insert_header((LOCATION, "/app")).finish() }),
        ),
    );
}

/// Somebody who looks, and not a program that asks.
fn is_browser(request: &GuardContext<'_>) -> bool {
    let accepts = request.head().headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}
