//! What an owner does with a member: another role, out of the organization, a link for a new password.

use actix_web::HttpResponse;
use askama::Template;

use super::keys::KeyRow;
use super::library_names::LibraryNames;
use super::people::{IssuedLink, role_in, with_link};
use super::{OwnerRequest, Tab, is_shown_on_page};
use crate::core::members::{KeyDecision, KeyDecisions};
use crate::core::model::id::KeyId;
use crate::core::model::{Access, Role};
use crate::error::{Code, Result};
use crate::webapp::answer::page;
use crate::webapp::form::Form;
use crate::webapp::format::times::Time;
use crate::webapp::layout::{Layout, NavSection};
use crate::webapp::path::LocalPath;

/// Asks what happens to the keys of an owner before they stop being one.
#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/keys_to_decide.html")]
struct KeyDecisionsPage<'a> {
    layout: Layout,
    tab: Tab,
    base: String,
    email: &'a str,
    /// Where the decision goes.
    action: &'static str,
    /// The role that they get; `None` if they are removed.
    role: Option<Role>,
    keys: Vec<KeyRow>,
}

/// `POST …/settings/people/role`
pub async fn set_role(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let (email, role) = (form.text("email"), role_in(&form)?);
    if role != Role::Owner
        && let Some(page) = key_decisions_page(&owner, &form, "role", Some(role))?
    {
        return Ok(page);
    }
    let (by, keys) = (owner.by.clone(), decisions(&form));
    match owner.user.core.set_member_role(by, owner.slug(), email, role, keys).await {
        Ok(()) => owner.redirect_with_success(&after(&owner, email), format!("{email} is now {role}.")),
        Err(error) => owner.redirect_with_error(&owner.path(&["people"]), error),
    }
}

/// `POST …/settings/people/remove`
pub async fn remove(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let email = form.text("email");
    if let Some(page) = key_decisions_page(&owner, &form, "remove", None)? {
        return Ok(page);
    }
    let keys = decisions(&form);
    match owner.user.core.remove_member(owner.by.clone(), owner.slug(), email, keys).await {
        Ok(()) => owner.redirect_with_success(
            &after(&owner, email),
            format!("{email} is no longer in the organization."),
        ),
        Err(error) => owner.redirect_with_error(&owner.path(&["people"]), error),
    }
}

/// The page that asks about the keys that an owner made, when there are some that the form does not decide about.
fn key_decisions_page(
    owner: &OwnerRequest,
    form: &Form,
    action: &'static str,
    role: Option<Role>,
) -> Result<Option<HttpResponse>> {
    let (core, email) = (&owner.user.core, form.text("email"));
    let keys = match core.list_keys_made_by(&owner.by, owner.slug(), email) {
        // Of somebody who is not there; the operation says it in its own words.
        Err(error) if is_shown_on_page(&error) => return Ok(None),
        keys => keys?,
    };
    let KeyDecisions::Each(decided) = decisions(form) else { return Ok(None) };
    if keys.iter().all(|info| decided.contains_key(&info.key.id)) {
        return Ok(None);
    }
    let libraries = LibraryNames::of(owner)?;
    page(&KeyDecisionsPage {
        layout: owner.layout("Keys", NavSection::Settings)?,
        tab: Tab::People,
        base: owner.path(&[]).to_string(),
        email,
        action,
        role,
        keys: keys.into_iter().map(|info| KeyRow::of(info, &libraries, core.now())).collect(),
    })
    .map(Some)
}

/// What the form says about each key, where that is one of the two answers.
fn decisions(form: &Form) -> KeyDecisions {
    let decided = form.starting_with("key.").filter_map(|(id, answer)| {
        let decision = match answer {
            "keep" => KeyDecision::Keep,
            "delete" => KeyDecision::Delete,
            _ => return None,
        };
        Some((KeyId::from_text(id), decision))
    });
    KeyDecisions::Each(decided.collect())
}

/// `POST …/settings/people/reset-password`: creates the link and shows it.
pub async fn reset_password(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let core = &owner.user.core;
    let email = form.text("email");
    match core.request_password_reset(owner.by.clone(), email).await {
        Ok((token, info)) => with_link(
            &owner,
            IssuedLink {
                title: format!("Link for {email} to choose a new password"),
                url: core.link_url(&token),
                expires: Time(info.link.expires),
            },
        ),
        // Of a person who is in other organizations, too; the message says who can help.
        Err(error) if error.code() == Code::Forbidden => {
            owner.redirect_with_problem(&owner.path(&["people"]), error.message())
        }
        Err(error) => owner.redirect_with_error(&owner.path(&["people"]), error),
    }
}

/// The page after a change of a member. Who changed their own role may no longer see this one.
fn after(owner: &OwnerRequest, email: &str) -> LocalPath {
    let is_own = owner.user.person.member.email.eq_ignore_ascii_case(email);
    if is_own { LocalPath::default() } else { owner.path(&["people"]) }
}
