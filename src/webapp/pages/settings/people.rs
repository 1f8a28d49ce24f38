//! The people of an organization: who is in it, who is invited, and a new invitation.

use actix_web::HttpResponse;
use askama::Template;

use super::{OwnerRequest, Tab, is_shown_on_page};
use crate::core::members::{LinkInfo, MemberInfo};
use crate::core::model::id::LinkId;
use crate::core::model::{LinkPurpose, Role};
use crate::error::{Error, Result};
use crate::webapp::answer::{page, page_again};
use crate::webapp::form::Form;
use crate::webapp::format::times::Time;
use crate::webapp::layout::{Layout, NavSection};

#[derive(Template)]
#[template(config = "src/webapp/askama.toml", path = "pages/settings/people.html")]
struct PeoplePage {
    layout: Layout,
    tab: Tab,
    base: String,
    members: Vec<MemberRow>,
    links: Vec<LinkRow>,
    issued: Option<IssuedLink>,
    invitation: InvitationForm,
}

/// Somebody in the organization.
struct MemberRow {
    name: String,
    email: String,
    role: Role,
    last_seen: Option<Time>,
    is_self: bool,
}

impl MemberRow {
    fn of(info: MemberInfo, owner: &OwnerRequest) -> Self {
        let MemberInfo { member, role, last_seen } = info;
        Self {
            is_self: member.id == owner.user.person.member.id,
            last_seen: last_seen.map(Time),
            name: member.name,
            email: member.email,
            role,
        }
    }
}

/// A link that nobody used yet.
struct LinkRow {
    id: String,
    /// Whom it is for.
    whom: String,
    /// What it gives: a role, or a new password.
    purpose: &'static str,
    created_by: String,
    created: Time,
    expires: Time,
}

impl From<LinkInfo> for LinkRow {
    fn from(info: LinkInfo) -> Self {
        let (email, purpose) = match &info.link.purpose {
            LinkPurpose::Join { role, email, .. } => (email.clone(), role.as_str()),
            LinkPurpose::Reset { .. } => {
                (info.member.map(|member| member.email).unwrap_or_default(), "new password")
            }
        };
        Self {
            id: info.link.id.to_string(),
            whom: if email.is_empty() { "anyone who has the link".to_owned() } else { email },
            purpose,
            created_by: info.link.made_by,
            created: Time(info.link.created),
            expires: Time(info.link.expires),
        }
    }
}

/// A link that was just created, which no other page shows.
pub struct IssuedLink {
    /// What it is for, as a heading.
    pub title: String,
    /// Its address.
    pub url: String,
    /// When it ends.
    pub expires: Time,
}

/// What was filled into the form for an invitation, and what is wrong with it.
#[derive(Default)]
struct InvitationForm {
    email: String,
    role: Option<Role>,
    problem: String,
}

impl InvitationForm {
    /// Whether this role is the chosen one; the least powerful, where none was chosen yet.
    fn is(&self, role: &Role) -> bool {
        self.role.unwrap_or(Role::Viewer) == *role
    }
}

/// What a role lets people do, in a few words.
fn about(role: &Role) -> &'static str {
    match role {
        Role::Owner => "Everything: libraries, keys and people, too.",
        Role::Editor => "Upload, change and delete what is in the libraries.",
        Role::Viewer => "Look at everything, change nothing.",
    }
}

/// `GET …/settings/people`
pub async fn list(owner: OwnerRequest) -> Result<HttpResponse> {
    page(&people(&owner, None, InvitationForm::default())?)
}

/// The page, with a link that was just created.
///
/// # Errors
/// When the store fails.
pub fn with_link(owner: &OwnerRequest, issued: IssuedLink) -> Result<HttpResponse> {
    page(&people(owner, Some(issued), InvitationForm::default())?)
}

fn people(
    owner: &OwnerRequest,
    issued: Option<IssuedLink>,
    invitation: InvitationForm,
) -> Result<PeoplePage> {
    let core = &owner.user.core;
    let members = core.list_members(&owner.by, owner.slug())?;
    let links = core.list_links(&owner.by, owner.slug())?;
    Ok(PeoplePage {
        layout: owner.layout("People", NavSection::Settings)?,
        tab: Tab::People,
        base: owner.path(&[]).to_string(),
        members: members.into_iter().map(|info| MemberRow::of(info, owner)).collect(),
        links: links.into_iter().map(LinkRow::from).collect(),
        issued,
        invitation,
    })
}

/// `POST …/settings/people/invite`: creates the link and shows it.
pub async fn invite(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let core = &owner.user.core;
    let (email, role) = (form.text("email").trim(), role_in(&form)?);
    match core.invite_member(owner.by.clone(), owner.slug(), role, email).await {
        Ok((token, info)) => {
            let whom = if email.is_empty() { "somebody" } else { email };
            with_link(
                &owner,
                IssuedLink {
                    title: format!("Invitation for {whom} as {role}"),
                    url: core.link_url(&token),
                    expires: Time(info.link.expires),
                },
            )
        }
        Err(error) if is_shown_on_page(&error) => {
            let (email, problem) = (email.to_owned(), error.message().to_owned());
            page_again(&people(&owner, None, InvitationForm { email, role: Some(role), problem })?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/people/withdraw`
pub async fn withdraw(owner: OwnerRequest, form: Form) -> Result<HttpResponse> {
    let id = LinkId::from_text(form.text("link"));
    let back = owner.path(&["people"]);
    match owner.user.core.withdraw_link(owner.by.clone(), owner.slug(), &id).await {
        Ok(()) => owner.redirect_with_success(&back, "The link is withdrawn: it no longer works."),
        Err(error) => owner.redirect_with_error(&back, error),
    }
}

/// The role that was chosen in a form.
///
/// # Errors
/// `BAD_USER_INPUT` when there is no such role.
pub fn role_in(form: &Form) -> Result<Role> {
    Role::parse(form.text("role")).ok_or_else(|| Error::bad_input("Choose a role: owner, editor or viewer."))
}
