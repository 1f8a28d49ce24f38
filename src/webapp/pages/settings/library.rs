//! One library as its owners manage it: its name, the keys with access to it, deleting it.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{OwnerRequest, Tab, is_shown_on_page};
use crate::core::access::LibraryPath;
use crate::core::model::id::LibraryId;
use crate::core::model::{Access, Library};
use crate::error::{Code, Error, Result};
use crate::webapp::answer::{page, page_again};
use crate::webapp::form::Form;
use crate::webapp::format::numbers;
use crate::webapp::format::times::Time;
use crate::webapp::layout::{Layout, NavSection};

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/library.html")]
struct LibrarySettingsPage {
    layout: Layout,
    tab: Tab,
    base: String,
    organization: String,
    slug: String,
    title: String,
    name: String,
    name_problem: String,
    delete_problem: String,
    assets: String,
    trashed: String,
    size: String,
    is_empty: bool,
    created: Time,
    keys: Vec<KeyWithAccess>,
}

/// A key with access to the library.
struct KeyWithAccess {
    id: String,
    name: String,
    start: String,
    access: Access,
}

/// What is wrong in the forms.
#[derive(Default)]
struct LibraryProblem {
    name: String,
    delete: String,
}

/// The segments of the path: the organization, which the owner has read, and the library.
type Segments = web::Path<(String, String)>;

/// `GET …/settings/libraries/{library}`
pub async fn show(owner: OwnerRequest, path: Segments) -> Result<HttpResponse> {
    page(&library_page(&owner, &path.1, None, LibraryProblem::default())?)
}

fn library_page(
    owner: &OwnerRequest,
    slug: &str,
    name: Option<&str>,
    problem: LibraryProblem,
) -> Result<LibrarySettingsPage> {
    let (library, bytes) = expect_library(owner, slug)?;
    Ok(LibrarySettingsPage {
        layout: owner
            .layout(&library.name, NavSection::Settings)?
            .under("General settings", owner.path(&[]).to_string()),
        tab: Tab::General,
        base: owner.path(&[]).to_string(),
        organization: owner.slug().to_owned(),
        slug: library.slug.to_string(),
        name: name.unwrap_or(&library.name).to_owned(),
        name_problem: problem.name,
        delete_problem: problem.delete,
        assets: numbers::counted(library.assets, "asset"),
        trashed: numbers::grouped(library.trashed),
        size: numbers::bytes(bytes),
        is_empty: library.assets == 0 && library.trashed == 0,
        created: Time(library.created),
        keys: keys_in(owner, library.id)?,
        title: library.name,
    })
}

fn expect_library(owner: &OwnerRequest, slug: &str) -> Result<(Library, u64)> {
    let libraries = owner.user.core.list_library_sizes(&owner.by, owner.slug())?;
    libraries
        .into_iter()
        .find(|(library, _)| library.slug.as_str() == slug)
        .ok_or_else(|| Error::new(Code::NotFound, "There is no such library in this organization."))
}

fn keys_in(owner: &OwnerRequest, library: LibraryId) -> Result<Vec<KeyWithAccess>> {
    let keys = owner.user.core.list_keys(&owner.by, Some(owner.slug()))?;
    let with_access = keys.into_iter().filter_map(|info| {
        let access = info.key.grants.iter().find(|grant| grant.library == library)?.access;
        Some(KeyWithAccess {
            id: info.key.id.to_string(),
            name: info.key.name,
            start: info.key.start,
            access,
        })
    });
    Ok(with_access.collect())
}

/// `POST …/settings/libraries/{library}/name`
pub async fn rename(owner: OwnerRequest, path: Segments, form: Form) -> Result<HttpResponse> {
    let (slug, name) = (path.1.as_str(), form.text("name"));
    let library = LibraryPath { organization: owner.slug(), library: slug };
    match owner.user.core.rename_library_as_admin(owner.by.clone(), &library, name).await {
        Ok(_) => owner.redirect_with_success(&owner.path(&["libraries", slug]), "Library renamed."),
        Err(error) if is_shown_on_page(&error) => {
            let problem = LibraryProblem { name: error.message().to_owned(), ..LibraryProblem::default() };
            page_again(&library_page(&owner, slug, Some(name), problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/libraries/{library}/delete`. One with something in it takes its name, typed.
pub async fn delete(owner: OwnerRequest, path: Segments, form: Form) -> Result<HttpResponse> {
    let slug = path.1.as_str();
    let (library, _) = expect_library(&owner, slug)?;
    let is_named = form.text("confirm").trim() == library.name;
    let path = LibraryPath { organization: owner.slug(), library: slug };
    match owner.user.core.delete_library(owner.by.clone(), &path, is_named).await {
        Ok(library) => owner
            .redirect_with_success(&owner.path(&[]), format!("The library “{}” is deleted.", library.name)),
        Err(error) if error.code() == Code::Conflict => {
            let delete = format!(
                "The library is not empty, so it was not deleted. Type its name, “{}”, to delete it.",
                library.name
            );
            page_again(&library_page(
                &owner,
                slug,
                None,
                LibraryProblem { delete, ..LibraryProblem::default() },
            )?)
        }
        Err(error) => Err(error),
    }
}
