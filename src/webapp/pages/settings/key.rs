//! One key: its access, its name, a new value, deleting it.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::expiry::Expiry;
use super::explanation::KeyExplanation;
use super::grants::{Grants, LEVELS, level_for_all};
use super::keys::{KeyRow, below_keys, shown_once};
use super::library_names::LibraryNames;
use super::{OwnerRequest, Tab, is_shown_on_page};
use crate::core::keys::KeyInfo;
use crate::core::model::id::KeyId;
use crate::error::{Code, Error, Result};
use crate::webapp::answer::{page, page_again};
use crate::webapp::form::Form;
use crate::webapp::format::times::Time;
use crate::webapp::layout::Layout;
use crate::webapp::path::LocalPath;

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/key.html")]
struct KeyPage {
    layout: Layout,
    tab: Tab,
    base: String,
    key: KeyRow,
    /// When its value was last regenerated, if ever.
    regenerated: Option<Time>,
    /// When its value was created, to recognise a form that is sent twice.
    value_of: u64,
    grants: Grants,
    explanation: KeyExplanation,
    name: String,
    problem: KeyProblem,
}

/// What is wrong in one of the page's forms.
#[derive(Default)]
struct KeyProblem {
    name: String,
    grants: String,
}

/// The segments of the path: the organization, which the owner has read, and the key.
type Segments = web::Path<(String, String)>;

/// The key of a path, in the organization of its owner.
fn key_in(owner: &OwnerRequest, path: Segments) -> Result<KeyInfo> {
    let id = KeyId::from_text(&path.into_inner().1);
    let found = owner.user.core.get_key(&owner.by, &id);
    found.map_err(|error| if error.code() == Code::NotFound { no_such_key() } else { error })
}

fn no_such_key() -> Error {
    Error::new(Code::NotFound, "There is no such key in this organization any more.")
}

/// `GET …/settings/keys/{key}`
pub async fn show(owner: OwnerRequest, path: Segments) -> Result<HttpResponse> {
    let info = key_in(&owner, path)?;
    let grants = Grants::of(&owner, &info.key.grants)?;
    page(&key_page(&owner, info, grants, None, KeyProblem::default())?)
}

fn key_page(
    owner: &OwnerRequest,
    info: KeyInfo,
    grants: Grants,
    name: Option<&str>,
    problem: KeyProblem,
) -> Result<KeyPage> {
    let regenerated = info.key.regenerated;
    let libraries = LibraryNames::of(owner)?;
    let explanation = KeyExplanation::of(&info.key.grants, &libraries);
    Ok(KeyPage {
        explanation,
        layout: below_keys(owner, &info.key.name)?,
        tab: Tab::Keys,
        base: owner.path(&[]).to_string(),
        regenerated: (regenerated != info.key.created).then_some(Time(regenerated)),
        value_of: regenerated,
        grants,
        name: name.unwrap_or(&info.key.name).to_owned(),
        key: KeyRow::of(info, &libraries, owner.user.core.now()),
        problem,
    })
}

/// `POST …/settings/keys/{key}/grants`
pub async fn grant(owner: OwnerRequest, path: Segments, form: Form) -> Result<HttpResponse> {
    let core = &owner.user.core;
    let info = key_in(&owner, path)?;
    let before = Grants::of(&owner, &info.key.grants)?;
    let grants = before.clone().filled_in(&form)?;
    if level_for_all(&form).is_some() {
        return page(&key_page(&owner, info, grants, None, KeyProblem::default())?);
    }
    let changes = grants.changes_from(&before);
    let back = page_of(&owner, &info.key.id);
    if changes.is_empty() {
        return owner.redirect_with_success(&back, "There was nothing to change.");
    }
    match core.grant_key(owner.by.clone(), &info.key.id, changes).await {
        Ok(_) => owner.redirect_with_success(&back, "Saved. Takes effect with the key’s next request."),
        Err(error) if is_shown_on_page(&error) => {
            let problem = KeyProblem { grants: error.message().to_owned(), ..KeyProblem::default() };
            page_again(&key_page(&owner, info, grants, None, problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/keys/{key}/name`
pub async fn rename(owner: OwnerRequest, path: Segments, form: Form) -> Result<HttpResponse> {
    let core = &owner.user.core;
    let (info, name) = (key_in(&owner, path)?, form.text("name"));
    match core.rename_key(owner.by.clone(), &info.key.id, name).await {
        Ok(_) => owner.redirect_with_success(&page_of(&owner, &info.key.id), "Key renamed."),
        Err(error) if is_shown_on_page(&error) => {
            let grants = Grants::of(&owner, &info.key.grants)?;
            let problem = KeyProblem { name: error.message().to_owned(), ..KeyProblem::default() };
            page_again(&key_page(&owner, info, grants, Some(name), problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/keys/{key}/regenerate`: creates a new value and shows it.
pub async fn regenerate(
    owner: OwnerRequest,
    path: Segments,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let core = &owner.user.core;
    let info = key_in(&owner, path)?;
    // An invalid time matches no value.
    let regenerated = form.text("value_of").parse().unwrap_or_default();
    match core.regenerate_key(owner.by.clone(), &info.key.id, Some(regenerated)).await {
        Ok((plain, info)) => shown_once(&owner, &request, &plain, info, false),
        Err(error) if error.code() == Code::Conflict => {
            owner.redirect_with_problem(&page_of(&owner, &info.key.id), error.message())
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/keys/{key}/delete`
pub async fn delete(owner: OwnerRequest, path: Segments) -> Result<HttpResponse> {
    let info = key_in(&owner, path)?;
    owner.user.core.delete_key(owner.by.clone(), &info.key.id).await?;
    let said = format!("The key “{}” is deleted. It no longer works.", info.key.name);
    owner.redirect_with_success(&owner.path(&["keys"]), said)
}

fn page_of(owner: &OwnerRequest, id: &KeyId) -> LocalPath {
    owner.path(&["keys", id.as_str()])
}
