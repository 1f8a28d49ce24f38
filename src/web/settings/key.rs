//! One key: what it may do where, its name, a new value, its end.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::expiry::Expiry;
use super::grants::{Grants, LEVELS, asked_for_all};
use super::keys::{KeyRow, below_keys, shown_once};
use super::{Owner, Tab, is_of_input};
use crate::app::id::KeyId;
use crate::app::keys::KeyInfo;
use crate::error::{Code, Error, Result};
use crate::web::form::Form;
use crate::web::page::{page, page_again};
use crate::web::path::LocalPath;
use crate::web::shell::Shell;
use crate::web::when::When;

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "settings/key.html")]
struct KeyPage {
    shell: Shell,
    tab: Tab,
    base: String,
    key: KeyRow,
    /// When its present value was drawn, where that was not when it was made.
    regenerated: Option<When>,
    /// The same in any case, to know a form that is sent twice.
    value_of: u64,
    grants: Grants,
    name: String,
    problem: Problem,
}

/// What is wrong in one of the page's forms.
#[derive(Default)]
struct Problem {
    name: String,
    grants: String,
}

/// The segments of the path: the organization, which the owner has read, and the key.
type Segments = web::Path<(String, String)>;

/// The key of a path, in the organization of its owner.
fn key_in(owner: &Owner, path: Segments) -> Result<KeyInfo> {
    let id = KeyId::from_text(&path.into_inner().1);
    let found = owner.signed.app.show_key(&owner.by, &id);
    found.map_err(|error| if error.code() == Code::NotFound { no_such_key() } else { error })
}

fn no_such_key() -> Error {
    Error::new(Code::NotFound, "There is no such key in this organization any more.")
}

/// `GET …/settings/keys/{key}`
pub async fn show(owner: Owner, path: Segments) -> Result<HttpResponse> {
    let info = key_in(&owner, path)?;
    let grants = Grants::of(&owner, &info.key.grants)?;
    page(&key_page(&owner, info, grants, None, Problem::default())?)
}

fn key_page(
    owner: &Owner,
    info: KeyInfo,
    grants: Grants,
    name: Option<&str>,
    problem: Problem,
) -> Result<KeyPage> {
    let drawn = info.key.regenerated;
    Ok(KeyPage {
        shell: below_keys(owner, &info.key.name)?,
        tab: Tab::Keys,
        base: owner.path(&[]).to_string(),
        regenerated: (drawn != info.key.created).then_some(When(drawn)),
        value_of: drawn,
        grants,
        name: name.unwrap_or(&info.key.name).to_owned(),
        key: KeyRow::of(info, owner.signed.app.now()),
        problem,
    })
}

/// `POST …/settings/keys/{key}/grants`
pub async fn grant(owner: Owner, path: Segments, form: Form) -> Result<HttpResponse> {
    let app = &owner.signed.app;
    let info = key_in(&owner, path)?;
    let before = Grants::of(&owner, &info.key.grants)?;
    let grants = before.clone().filled_in(&form)?;
    if asked_for_all(&form).is_some() {
        return page(&key_page(&owner, info, grants, None, Problem::default())?);
    }
    let changes = grants.changes_from(&before);
    let back = page_of(&owner, &info.key.id);
    if changes.is_empty() {
        return owner.done(&back, "There was nothing to change.");
    }
    match app.grant_key(owner.by.clone(), &info.key.id, changes).await {
        Ok(_) => owner.done(&back, "Saved. It counts from the key’s next request on."),
        Err(error) if is_of_input(&error) => {
            let problem = Problem { grants: error.message().to_owned(), ..Problem::default() };
            page_again(&key_page(&owner, info, grants, None, problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/keys/{key}/name`
pub async fn rename(owner: Owner, path: Segments, form: Form) -> Result<HttpResponse> {
    let app = &owner.signed.app;
    let (info, name) = (key_in(&owner, path)?, form.text("name"));
    match app.rename_key(owner.by.clone(), &info.key.id, name).await {
        Ok(_) => owner.done(&page_of(&owner, &info.key.id), "The key has its new name."),
        Err(error) if is_of_input(&error) => {
            let grants = Grants::of(&owner, &info.key.grants)?;
            let problem = Problem { name: error.message().to_owned(), ..Problem::default() };
            page_again(&key_page(&owner, info, grants, Some(name), problem)?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/keys/{key}/regenerate`: draws the new value and shows it.
pub async fn regenerate(
    owner: Owner,
    path: Segments,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse> {
    let app = &owner.signed.app;
    let info = key_in(&owner, path)?;
    // A time that can't be read is none at which a value was drawn.
    let drawn = form.text("value_of").parse().unwrap_or_default();
    match app.regenerate_key(owner.by.clone(), &info.key.id, Some(drawn)).await {
        Ok((plain, info)) => shown_once(&owner, &request, &plain, info, false),
        Err(error) if error.code() == Code::Conflict => {
            owner.told(&page_of(&owner, &info.key.id), error.message())
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/keys/{key}/delete`
pub async fn delete(owner: Owner, path: Segments) -> Result<HttpResponse> {
    let info = key_in(&owner, path)?;
    owner.signed.app.delete_key(owner.by.clone(), &info.key.id).await?;
    let said = format!("The key “{}” is deleted. It opens nothing any more.", info.key.name);
    owner.done(&owner.path(&["keys"]), said)
}

fn page_of(owner: &Owner, id: &KeyId) -> LocalPath {
    owner.path(&["keys", id.as_str()])
}
