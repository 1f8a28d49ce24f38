//! One library as its owners manage it: its name, which keys reach it, its end.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Owner, Tab, is_of_input};
use crate::app::access::LibraryPath;
use crate::app::id::LibraryId;
use crate::app::model::{Access, Library};
use crate::error::{Code, Error, Result};
use crate::web::figures;
use crate::web::form::Form;
use crate::web::page::{page, page_again};
use crate::web::shell::{Section, Shell};
use crate::web::when::When;

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "settings/library.html")]
struct LibraryPage {
    shell: Shell,
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
    created: When,
    keys: Vec<KeyHere>,
}

/// A key that reaches the library.
struct KeyHere {
    id: String,
    name: String,
    start: String,
    access: Access,
}

/// What is wrong in the forms.
#[derive(Default)]
struct Problem {
    name: String,
    delete: String,
}

/// The segments of the path: the organization, which the owner has read, and the library.
type Segments = web::Path<(String, String)>;

/// `GET …/settings/libraries/{library}`
pub async fn show(owner: Owner, path: Segments) -> Result<HttpResponse> {
    page(&library_page(&owner, &path.1, None, Problem::default())?)
}

fn library_page(owner: &Owner, slug: &str, name: Option<&str>, problem: Problem) -> Result<LibraryPage> {
    let (library, bytes) = expect_library(owner, slug)?;
    Ok(LibraryPage {
        shell: owner
            .shell(&library.name, Section::Settings)?
            .under("General settings", owner.path(&[]).to_string()),
        tab: Tab::General,
        base: owner.path(&[]).to_string(),
        organization: owner.slug().to_owned(),
        slug: library.slug.to_string(),
        name: name.unwrap_or(&library.name).to_owned(),
        name_problem: problem.name,
        delete_problem: problem.delete,
        assets: figures::counted(library.assets, "asset"),
        trashed: figures::grouped(library.trashed),
        size: figures::bytes(bytes),
        is_empty: library.assets == 0 && library.trashed == 0,
        created: When(library.created),
        keys: keys_in(owner, library.id)?,
        title: library.name,
    })
}

fn expect_library(owner: &Owner, slug: &str) -> Result<(Library, u64)> {
    let libraries = owner.signed.app.list_library_sizes(&owner.by, owner.slug())?;
    libraries
        .into_iter()
        .find(|(library, _)| library.slug.as_str() == slug)
        .ok_or_else(|| Error::new(Code::NotFound, "There is no such library in this organization."))
}

fn keys_in(owner: &Owner, library: LibraryId) -> Result<Vec<KeyHere>> {
    let keys = owner.signed.app.list_keys(&owner.by, Some(owner.slug()))?;
    let reaching = keys.into_iter().filter_map(|info| {
        let access = info.key.grants.iter().find(|grant| grant.library == library)?.access;
        Some(KeyHere { id: info.key.id.to_string(), name: info.key.name, start: info.key.start, access })
    });
    Ok(reaching.collect())
}

/// `POST …/settings/libraries/{library}/name`
pub async fn rename(owner: Owner, path: Segments, form: Form) -> Result<HttpResponse> {
    let (slug, name) = (path.1.as_str(), form.text("name"));
    let library = LibraryPath { organization: owner.slug(), library: slug };
    match owner.signed.app.set_library_name(owner.by.clone(), &library, name).await {
        Ok(_) => owner.done(&owner.path(&["libraries", slug]), "The library has its new name."),
        Err(error) if is_of_input(&error) => {
            let problem = Problem { name: error.message().to_owned(), ..Problem::default() };
            page_again(&library_page(&owner, slug, Some(name), problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/libraries/{library}/delete`. One with something in it takes its name, typed.
pub async fn delete(owner: Owner, path: Segments, form: Form) -> Result<HttpResponse> {
    let slug = path.1.as_str();
    let (library, _) = expect_library(&owner, slug)?;
    let is_named = form.text("confirm").trim() == library.name;
    let path = LibraryPath { organization: owner.slug(), library: slug };
    match owner.signed.app.delete_library(owner.by.clone(), &path, is_named).await {
        Ok(library) => owner.done(&owner.path(&[]), format!("The library “{}” is deleted.", library.name)),
        Err(error) if error.code() == Code::Conflict => {
            let delete = format!(
                "The library is not empty, so it was left alone. Type its name, “{}”, to delete it.",
                library.name
            );
            page_again(&library_page(&owner, slug, None, Problem { delete, ..Problem::default() })?)
        }
        Err(error) => Err(error),
    }
}
