//! The organization itself: its name, and its libraries.

use actix_web::HttpResponse;
use askama::Template;

use super::{OwnerRequest, Tab, is_shown_on_page};
use crate::core::model::Library;
use crate::error::Result;
use crate::webapp::answer::{page, page_again};
use crate::webapp::form::Form;
use crate::webapp::format::numbers;
use crate::webapp::layout::{Layout, NavSection};

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/general.html")]
struct GeneralPage {
    layout: Layout,
    tab: Tab,
    base: String,
    slug: String,
    name: String,
    libraries: Vec<LibraryRow>,
    added: NewLibrary,
    problem: GeneralProblem,
}

/// A library in the list.
struct LibraryRow {
    slug: String,
    name: String,
    assets: String,
    trashed: u64,
    size: String,
}

impl LibraryRow {
    fn of((library, bytes): (Library, u64)) -> Self {
        Self {
            slug: library.slug.to_string(),
            name: library.name,
            assets: numbers::grouped(library.assets),
            trashed: library.trashed,
            size: numbers::bytes(bytes),
        }
    }
}

/// What the form for a new library holds.
#[derive(Default)]
struct NewLibrary {
    name: String,
    slug: String,
}

/// What is wrong in the forms.
#[derive(Default)]
struct GeneralProblem {
    name: String,
    library: String,
}

/// `GET …/settings`
pub async fn show(owner: OwnerRequest) -> Result<HttpResponse> {
    page(&general(&owner, None, NewLibrary::default(), GeneralProblem::default())?)
}

fn general(
    owner: &OwnerRequest,
    name: Option<&str>,
    added: NewLibrary,
    problem: GeneralProblem,
) -> Result<GeneralPage> {
    let mut libraries = owner.user.core.list_library_sizes(&owner.by, owner.slug())?;
    libraries.sort_by_cached_key(|(library, _)| library.name.to_lowercase());
    Ok(GeneralPage {
        layout: owner.layout("General settings", NavSection::Settings)?,
        tab: Tab::General,
        base: owner.path(&[]).to_string(),
        slug: owner.slug().to_owned(),
        name: name.unwrap_or(&owner.organization.name).to_owned(),
        libraries: libraries.into_iter().map(LibraryRow::of).collect(),
        added,
        problem,
    })
}

/// `POST …/settings/name`
pub async fn rename(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let name = form.text("name");
    match owner.user.core.rename_organization(owner.by.clone(), owner.slug(), name).await {
        Ok(_) => owner.redirect_with_success(&owner.path(&[]), "Organization renamed."),
        Err(error) if is_shown_on_page(&error) => {
            let problem = GeneralProblem { name: error.message().to_owned(), ..GeneralProblem::default() };
            page_again(&general(&owner, Some(name), NewLibrary::default(), problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/libraries`
pub async fn add_library(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let added =
        NewLibrary { name: form.text("library").to_owned(), slug: form.text("slug").trim().to_owned() };
    let core = &owner.user.core;
    match core.create_library_as_admin(owner.by.clone(), owner.slug(), &added.name, Some(&added.slug)).await {
        Ok(library) => owner.redirect_with_success(
            &owner.path(&[]),
            format!("Created library “{}”. No key has access until you grant it.", library.name),
        ),
        Err(error) if is_shown_on_page(&error) => {
            let problem = GeneralProblem { library: error.message().to_owned(), ..GeneralProblem::default() };
            page_again(&general(&owner, None, added, problem)?)
        }
        Err(error) => Err(error),
    }
}
