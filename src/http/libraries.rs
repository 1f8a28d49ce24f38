//! The calling key, libraries and their tags over REST.

use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Deserialize;

use super::call::Call;
use super::reply::{created, data};
use crate::app::page::Page;
use crate::error::Result;
use crate::wire::{Library, Tag};

/// How many libraries a page has when nobody says.
const PAGE: usize = 50;
/// How many tags are listed when nobody says.
const TAGS: usize = 100;
/// How many tags are listed at most.
const MOST_TAGS: usize = 1000;

/// A library to make.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CreateLibrary")]
pub struct Create {
    /// What people will call it.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// Its id: lower-case letters a to z, digits, and hyphens inside; made of the name when it is left out or empty.
    #[schemars(length(max = 64), regex(pattern = "^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$"))]
    slug: Option<String>,
}

/// A library's new name; its id stays.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "RenameLibrary")]
pub struct Rename {
    /// What people will call it.
    #[schemars(length(min = 1, max = 100))]
    name: String,
}

pub fn whoami(Call { caller, asked, .. }: Call) -> HttpResponse {
    asked.version.viewer(asked.app().whoami(&caller))
}

pub fn list(Call { caller, asked, .. }: Call) -> Result<HttpResponse> {
    let page = asked.query().page(PAGE, asked.limits().page_size)?;
    let libraries = asked.app().list_libraries(&caller, asked.library().organization, page)?;
    Ok(data(libraries.into_iter().map(Library::from).collect::<Vec<_>>()))
}

pub async fn create(call: Call) -> Result<HttpResponse> {
    let (caller, asked, Create { name, slug }) = call.read_json().await?;
    let organization = asked.library().organization;
    let library = asked.app().create_library(&caller, organization, &name, slug.as_deref()).await?;
    Ok(created(Library::from(library)))
}

pub async fn rename(call: Call) -> Result<HttpResponse> {
    let (caller, asked, Rename { name }) = call.read_json().await?;
    let library = asked.app().rename_library(&caller, &asked.library(), &name).await?;
    Ok(data(Library::from(library)))
}

pub fn list_tags(Call { caller, asked, .. }: Call) -> Result<HttpResponse> {
    let limit = Page::new(None, asked.query().number("limit")?, TAGS, MOST_TAGS).size;
    let tags = asked.app().list_tags(&caller, &asked.library(), limit)?;
    Ok(data(tags.into_iter().map(Tag::from).collect::<Vec<_>>()))
}
