//! The start page: the organizations of the signed-in member.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::core::model::Role;
use crate::error::Result;
use crate::transport;
use crate::webapp::answer::{page, redirect};
use crate::webapp::layout::Layout;
use crate::webapp::path::LocalPath;
use crate::webapp::signed_in_user::SignedInUser;

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/organizations.html")]
struct OrganizationsPage {
    layout: Layout,
    entries: Vec<OrganizationRow>,
}

/// One organization in the list.
struct OrganizationRow {
    slug: String,
    name: String,
    role: Role,
}

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(transport::resource("", &[Method::GET]).route(web::get().to(choose)));
    routes.service(transport::resource("/", &[Method::GET]).route(web::get().to(choose)));
}

/// Redirects a member of exactly one organization to it.
async fn choose(user: SignedInUser) -> Result<HttpResponse> {
    let entries: Vec<OrganizationRow> = user
        .core
        .organizations_of(&user.person)?
        .into_iter()
        .map(|(organization, role)| OrganizationRow {
            slug: organization.slug.to_string(),
            name: organization.name,
            role,
        })
        .collect();
    if let [only] = entries.as_slice() {
        return Ok(redirect(&user.context, &LocalPath::to(&[&only.slug])));
    }
    page(&OrganizationsPage { layout: user.layout("Organizations")?, entries })
}
