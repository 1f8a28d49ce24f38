//! The organization itself: its name, and its libraries.

use actix_web::HttpResponse;
use askama::Template;

use super::{Owner, Tab, is_of_input};
use crate::app::model::Library;
use crate::error::Result;
use crate::web::figures;
use crate::web::form::Form;
use crate::web::page::{page, page_again};
use crate::web::shell::{Section, Shell};

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "settings/general.html")]
struct GeneralPage {
    shell: Shell,
    tab: Tab,
    base: String,
    slug: String,
    name: String,
    libraries: Vec<LibraryRow>,
    added: Added,
    problem: Problem,
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
            assets: figures::grouped(library.assets),
            trashed: library.trashed,
            size: figures::bytes(bytes),
        }
    }
}

/// What the form for a new library holds.
#[derive(Default)]
struct Added {
    name: String,
    slug: String,
}

/// What is wrong in the forms.
#[derive(Default)]
struct Problem {
    name: String,
    library: String,
}

/// `GET …/settings`
pub async fn show(owner: Owner) -> Result<HttpResponse> {
    page(&general(&owner, None, Added::default(), Problem::default())?)
}

fn general(owner: &Owner, name: Option<&str>, added: Added, problem: Problem) -> Result<GeneralPage> {
    let mut libraries = owner.signed.app.list_library_sizes(&owner.by, owner.slug())?;
    libraries.sort_by_cached_key(|(library, _)| library.name.to_lowercase());
    Ok(GeneralPage {
        shell: owner.shell("General settings", Section::Settings)?,
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
pub async fn rename(owner: Owner, form: Form) -> Result<HttpResponse> {
    let name = form.text("name");
    match owner.signed.app.rename_organization(owner.by.clone(), owner.slug(), name).await {
        Ok(_) => owner.done(&owner.path(&[]), "The organization has its new name."),
        Err(error) if is_of_input(&error) => {
            let problem = Problem { name: error.message().to_owned(), ..Problem::default() };
            page_again(&general(&owner, Some(name), Added::default(), problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/libraries`
pub async fn add_library(owner: Owner, form: Form) -> Result<HttpResponse> {
    let added = Added { name: form.text("library").to_owned(), slug: form.text("slug").trim().to_owned() };
    let app = &owner.signed.app;
    match app.add_library(owner.by.clone(), owner.slug(), &added.name, Some(&added.slug)).await {
        Ok(library) => owner.done(
            &owner.path(&[]),
            format!("The library “{}” is made. No key reaches it until you grant it.", library.name),
        ),
        Err(error) if is_of_input(&error) => {
            let problem = Problem { library: error.message().to_owned(), ..Problem::default() };
            page_again(&general(&owner, None, added, problem)?)
        }
        Err(error) => Err(error),
    }
}
