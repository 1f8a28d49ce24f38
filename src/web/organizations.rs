//! The start: the organizations of who is signed in.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::page::{page, redirect};
use super::path::LocalPath;
use super::shell::Shell;
use super::signed::Signed;
use crate::app::model::Role;
use crate::edge;
use crate::error::Result;

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "organizations.html")]
struct OrganizationsPage {
    shell: Shell,
    entries: Vec<Entry>,
}

/// One organization in the list.
struct Entry {
    slug: String,
    name: String,
    role: Role,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(edge::resource("", &[Method::GET]).route(web::get().to(choose)));
    routes.service(edge::resource("/", &[Method::GET]).route(web::get().to(choose)));
}

/// Who is in one organization is led there.
async fn choose(signed: Signed) -> Result<HttpResponse> {
    let entries: Vec<Entry> = signed
        .app
        .organizations_of(&signed.person)?
        .into_iter()
        .map(|(organization, role)| Entry {
            slug: organization.slug.to_string(),
            name: organization.name,
            role,
        })
        .collect();
    if let [only] = entries.as_slice() {
        return Ok(redirect(&signed.visit, &LocalPath::to(&[&only.slug])));
    }
    page(&OrganizationsPage { shell: signed.shell("Organizations")?, entries })
}
