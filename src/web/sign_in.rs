//! Signing in and out.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::page::page;
use super::path::LocalPath;
use super::shell::Shell;
use super::visit::Visit;
use crate::edge;
use crate::error::Result;

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    next: LocalPath,
    email: String,
    problem: String,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(edge::resource("/sign-in", &[Method::GET]).route(web::get().to(show)));
}

async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = url::form_urlencoded::parse(request.query_string().as_bytes());
    let next = query.find(|(name, _)| name == "next").and_then(|(_, next)| LocalPath::parse(&next));
    page(&SignInPage {
        shell: Shell::new(&visit, "Sign in"),
        next: next.unwrap_or_default(),
        email: String::new(),
        problem: String::new(),
    })
}
