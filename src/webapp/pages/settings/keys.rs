//! The keys of an organization: the list, and generating one. The plain key is in one answer, once; no address, cookie
//! or message ever holds it.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::authority::TrustedAuthority;
use super::clients::Clients;
use super::expiry::{ChosenExpiry, Expiry, KeyLifetime};
use super::grants::{Grants, KeyAccess, LEVELS, level_for_all};
use super::library_names::LibraryNames;
use super::{OwnerRequest, Tab, is_shown_on_page};
use crate::client_setup::SetupKey;
use crate::core::keys::KeyInfo;
use crate::core::model::Access;
use crate::core::model::api_key::PlainKey;
use crate::error::Result;
use crate::webapp::answer::{page, page_again};
use crate::webapp::form::Form;
use crate::webapp::format::times::Time;
use crate::webapp::layout::{Layout, NavSection};

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/keys.html")]
struct KeysPage {
    layout: Layout,
    tab: Tab,
    base: String,
    keys: Vec<KeyRow>,
}

/// A key in the list.
pub struct KeyRow {
    /// Its public id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its first characters.
    pub start: String,
    /// What it may do where.
    pub access: KeyAccess,
    /// When it was made.
    pub created: Time,
    /// When it was last used.
    pub last_used: Option<Time>,
    /// When it ends.
    pub expiry: Expiry,
}

impl KeyRow {
    /// A key as it is now.
    #[must_use]
    pub fn of(info: KeyInfo, libraries: &LibraryNames, now: u64) -> Self {
        let KeyInfo { key, last_used, .. } = info;
        Self {
            access: KeyAccess::of(&key.grants, libraries),
            created: Time(key.created),
            last_used: last_used.map(Time),
            expiry: Expiry::of(key.expires, now),
            id: key.id.to_string(),
            name: key.name,
            start: key.start,
        }
    }
}

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/key_new.html")]
struct NewKeyPage {
    layout: Layout,
    tab: Tab,
    base: String,
    /// When the form was opened, to know one that is sent twice.
    opened: u64,
    name: String,
    chosen: ChosenExpiry,
    grants: Grants,
    problems: Problems,
}

/// What is wrong with each part of the form.
#[derive(Default)]
struct Problems {
    name: String,
    expiry: String,
    grants: String,
}

/// The one page that shows a key.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/key_once.html")]
struct KeyOncePage<'a> {
    layout: Layout,
    tab: Tab,
    base: String,
    key: KeyRow,
    plain: &'a str,
    is_new: bool,
    clients: Clients,
}

/// `GET …/settings/keys`: all keys, the newest first.
pub async fn list(owner: OwnerRequest) -> Result<HttpResponse> {
    let now = owner.user.core.now();
    let keys = owner.user.core.list_keys(&owner.by, Some(owner.slug()))?;
    let libraries = LibraryNames::of(&owner)?;
    page(&KeysPage {
        layout: owner.layout("API keys", NavSection::Settings)?,
        tab: Tab::Keys,
        base: owner.path(&[]).to_string(),
        keys: keys.into_iter().rev().map(|info| KeyRow::of(info, &libraries, now)).collect(),
    })
}

/// `GET …/settings/keys/new`: the form for a new one.
pub async fn begin(owner: OwnerRequest) -> Result<HttpResponse> {
    let grants = Grants::of(&owner, &[])?;
    let opened = owner.user.core.now();
    page(&new_key(&owner, opened, "", ChosenExpiry::default(), grants, Problems::default())?)
}

fn new_key(
    owner: &OwnerRequest,
    opened: u64,
    name: &str,
    chosen: ChosenExpiry,
    grants: Grants,
    problems: Problems,
) -> Result<NewKeyPage> {
    Ok(NewKeyPage {
        layout: below_keys(owner, "Generate a key")?,
        tab: Tab::Keys,
        base: owner.path(&[]).to_string(),
        opened,
        name: name.to_owned(),
        chosen,
        grants,
        problems,
    })
}

/// `POST …/settings/keys`: generates the key and shows it.
pub async fn generate(owner: OwnerRequest, request: HttpRequest, form: Form) -> Result<HttpResponse> {
    let core = &owner.user.core;
    let now = core.now();
    let opened = form.text("opened").parse().unwrap_or(now);
    let (name, chosen) = (form.text("name"), ChosenExpiry::read(form.text("expiry"), form.text("day")));
    let grants = Grants::of(&owner, &[])?.filled_in(&form)?;
    if level_for_all(&form).is_some() {
        return page(&new_key(&owner, opened, name, chosen, grants, Problems::default())?);
    }
    if let Some(there) = generated_by_this_form(&owner, name, opened)? {
        let said = "This form was sent before: the key exists, and its value was shown once. If you lost it, regenerate the key.";
        return owner.redirect_with_success(&owner.path(&["keys", there.key.id.as_str()]), said);
    }
    let lifetime = match (chosen.milliseconds(now), grants.is_empty() && !grants.rows.is_empty()) {
        (Ok(lifetime), false) => lifetime,
        (lifetime, is_useless) => {
            let expiry = lifetime.err().map(|error| error.message().to_owned()).unwrap_or_default();
            let grants_problem = if is_useless { NO_LIBRARY } else { "" };
            let problems = Problems { expiry, grants: grants_problem.to_owned(), ..Problems::default() };
            return page_again(&new_key(&owner, opened, name, chosen, grants, problems)?);
        }
    };
    match core.create_key(owner.by.clone(), owner.slug(), name, grants.given(), lifetime).await {
        Ok((plain, info)) => shown_once(&owner, &request, &plain, info, true),
        Err(error) if is_shown_on_page(&error) => {
            let problems = Problems { name: error.message().to_owned(), ..Problems::default() };
            page_again(&new_key(&owner, opened, name, chosen, grants, problems)?)
        }
        Err(error) => Err(error),
    }
}

const NO_LIBRARY: &str =
    "Choose Read or Write for at least one library: without one, the key can do nothing.";

/// The key that this form generated already. A browser sends a form again when its answer is reloaded.
fn generated_by_this_form(owner: &OwnerRequest, name: &str, opened: u64) -> Result<Option<KeyInfo>> {
    let keys = owner.user.core.list_keys(&owner.by, Some(owner.slug()))?;
    Ok(keys.into_iter().rev().find(|info| info.key.name == name.trim() && info.key.created >= opened))
}

/// The page with a new value. Its answer is stored nowhere, and the address that it is left at shows the key without.
///
/// # Errors
/// When the store fails or the authority can't be read.
pub fn shown_once(
    owner: &OwnerRequest,
    request: &HttpRequest,
    plain: &PlainKey,
    info: KeyInfo,
    is_new: bool,
) -> Result<HttpResponse> {
    let clients = Clients::with(owner, SetupKey::Plain(plain.reveal()), TrustedAuthority::of(request)?);
    let title = if is_new { "Key generated" } else { "Key regenerated" };
    page(&KeyOncePage {
        layout: below_keys(owner, title)?,
        tab: Tab::Keys,
        base: owner.path(&[]).to_string(),
        key: KeyRow::of(info, &LibraryNames::of(owner)?, owner.user.core.now()),
        plain: plain.reveal(),
        is_new,
        clients,
    })
}

/// The frame of a page below the list.
///
/// # Errors
/// When the store fails.
pub fn below_keys(owner: &OwnerRequest, title: &str) -> Result<Layout> {
    let list = owner.path(&["keys"]).to_string();
    Ok(owner.layout(title, NavSection::Settings)?.under("API keys", list))
}
