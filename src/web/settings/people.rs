//! The people of an organization: who is in it, who is invited, and a new invitation.

use actix_web::HttpResponse;
use askama::Template;

use super::{Owner, Tab, is_of_input};
use crate::admin::members::link_url;
use crate::app::id::LinkId;
use crate::app::members::MemberInfo;
use crate::app::model::{Link, Purpose, Role};
use crate::error::{Error, Result};
use crate::web::form::Form;
use crate::web::page::{page, page_again};
use crate::web::shell::{Section, Shell};
use crate::web::when::When;

#[derive(Template)]
#[template(config = "src/web/askama.toml", path = "settings/people.html")]
struct PeoplePage {
    shell: Shell,
    tab: Tab,
    base: String,
    members: Vec<MemberRow>,
    invitations: Vec<InvitationRow>,
    handed_out: Option<HandedOut>,
    asked: Asked,
}

/// Somebody in the organization.
struct MemberRow {
    name: String,
    email: String,
    role: Role,
    last_seen: Option<When>,
    is_self: bool,
}

impl MemberRow {
    fn of(info: MemberInfo, owner: &Owner) -> Self {
        let MemberInfo { member, role, last_seen } = info;
        Self {
            is_self: member.id == owner.signed.person.member.id,
            last_seen: last_seen.map(When),
            name: member.name,
            email: member.email,
            role,
        }
    }
}

/// A link that nobody used yet.
struct InvitationRow {
    id: String,
    email: String,
    role: Role,
    made_by: String,
    created: When,
    expires: When,
}

impl InvitationRow {
    fn of(link: Link) -> Option<Self> {
        match link.purpose {
            Purpose::Join { role, email, .. } => Some(Self {
                id: link.id.to_string(),
                email,
                role,
                made_by: link.made_by,
                created: When(link.created),
                expires: When(link.expires),
            }),
            Purpose::Reset { .. } => None,
        }
    }
}

/// A link that was made just now, which no other page shows.
pub struct HandedOut {
    /// What it is for, as a heading.
    pub title: String,
    /// Its address.
    pub url: String,
    /// When it ends.
    pub expires: When,
}

/// What was asked for with the form for an invitation, and what is wrong with it.
#[derive(Default)]
struct Asked {
    email: String,
    role: Option<Role>,
    problem: String,
}

impl Asked {
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
pub async fn list(owner: Owner) -> Result<HttpResponse> {
    page(&people(&owner, None, Asked::default())?)
}

/// The page, with a link on it that was made just now.
///
/// # Errors
/// When the store fails.
pub fn with_link(owner: &Owner, handed_out: HandedOut) -> Result<HttpResponse> {
    page(&people(owner, Some(handed_out), Asked::default())?)
}

fn people(owner: &Owner, handed_out: Option<HandedOut>, asked: Asked) -> Result<PeoplePage> {
    let app = &owner.signed.app;
    let members = app.list_members(&owner.by, owner.slug())?;
    let invitations = app.list_invitations(&owner.by, owner.slug())?;
    Ok(PeoplePage {
        shell: owner.shell("People", Section::Settings)?,
        tab: Tab::People,
        base: owner.path(&[]).to_string(),
        members: members.into_iter().map(|info| MemberRow::of(info, owner)).collect(),
        invitations: invitations.into_iter().filter_map(InvitationRow::of).collect(),
        handed_out,
        asked,
    })
}

/// `POST …/settings/people/invite`: makes the link and shows it.
pub async fn invite(owner: Owner, form: Form) -> Result<HttpResponse> {
    let app = &owner.signed.app;
    let (email, role) = (form.text("email").trim(), role_in(&form)?);
    match app.invite_member(owner.by.clone(), owner.slug(), role, email).await {
        Ok((token, info)) => {
            let whom = if email.is_empty() { "somebody" } else { email };
            with_link(
                &owner,
                HandedOut {
                    title: format!("Invitation for {whom} as {role}"),
                    url: link_url(app, &token),
                    expires: When(info.link.expires),
                },
            )
        }
        Err(error) if is_of_input(&error) => {
            let (email, problem) = (email.to_owned(), error.message().to_owned());
            page_again(&people(&owner, None, Asked { email, role: Some(role), problem })?)
        }
        Err(error) => Err(error),
    }
}

/// `POST …/settings/people/withdraw`
pub async fn withdraw(owner: Owner, form: Form) -> Result<HttpResponse> {
    let id = LinkId::from_text(form.text("invitation"));
    let back = owner.path(&["people"]);
    match owner.signed.app.withdraw_invitation(owner.by.clone(), owner.slug(), &id).await {
        Ok(()) => owner.done(&back, "The invitation is withdrawn: its link works no more."),
        Err(error) => owner.refused(&back, error),
    }
}

/// The role that was chosen in a form.
///
/// # Errors
/// `BAD_USER_INPUT` when there is no such role.
pub fn role_in(form: &Form) -> Result<Role> {
    Role::parse(form.text("role")).ok_or_else(|| Error::bad_input("Choose a role: owner, editor or viewer."))
}
