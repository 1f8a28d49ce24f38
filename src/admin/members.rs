//! Members and the links that let them in, as an administrator asks for them and sees them.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::app::App;
use crate::app::access::Administrator;
use crate::app::clock::Millis;
use crate::app::members::{LinkInfo, MemberInfo, Token};
use crate::app::model::{Purpose, Role};
use crate::error::Result;

/// What can be asked about members. `organization` is a slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum MemberRequest {
    /// Make a link that lets one person in.
    Invite {
        /// The organization that it leads into.
        organization: String,
        /// The role that it gives.
        role: Role,
        /// Whom it is meant for; may be empty.
        email: String,
    },
    /// Make a link by which a member chooses a new password.
    ResetPassword {
        /// Whose.
        email: String,
    },
    /// List the members of an organization.
    List {
        /// The organization.
        organization: String,
    },
    /// Give a member another role.
    SetRole {
        /// The organization in which they get it.
        organization: String,
        /// Who.
        email: String,
        /// The role.
        role: Role,
    },
    /// Take a member out of an organization.
    Remove {
        /// The organization.
        organization: String,
        /// Who.
        email: String,
    },
}

/// A member, as people and programs see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberRecord {
    /// What they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do in the organization.
    pub role: Role,
    /// The slug of the organization.
    pub organization_id: String,
    /// When they joined, in unix milliseconds.
    pub created: Millis,
    /// When they last did anything, to the minute.
    pub last_seen: Option<Millis>,
}

/// A link that lets somebody in. Not `Debug`, since it holds the link's secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkRecord {
    /// The link itself, for one use.
    pub url: String,
    /// Whom it is for; empty when it is for whoever has it.
    pub email: String,
    /// The role that it gives; none when it sets a password.
    pub role: Option<Role>,
    /// The slug of the organization that it leads into; none when it sets a password.
    pub organization_id: Option<String>,
    /// When it ends by itself, in unix milliseconds.
    pub expires: Millis,
}

/// The address of a link, at this server's public url.
#[must_use]
pub fn link_url(app: &App, token: &Token) -> String {
    format!("{}/app/welcome/{}", app.settings().public_url, token.reveal())
}

fn link_record(app: &App, (token, info): (Token, LinkInfo)) -> LinkRecord {
    let (email, role) = match info.link.purpose {
        Purpose::Join { role, email, .. } => (email, Some(role)),
        Purpose::Reset { .. } => (info.member.map(|member| member.email).unwrap_or_default(), None),
    };
    LinkRecord {
        url: link_url(app, &token),
        email,
        role,
        organization_id: info.organization.map(|organization| organization.slug.to_string()),
        expires: info.link.expires,
    }
}

fn records(app: &App, by: &Administrator, organization: &str) -> Result<Vec<MemberRecord>> {
    let record = |MemberInfo { member, role, last_seen }: MemberInfo| MemberRecord {
        email: member.email,
        name: member.name,
        role,
        organization_id: organization.to_owned(),
        created: member.created,
        last_seen,
    };
    Ok(app.list_members(by, organization)?.into_iter().map(record).collect())
}

pub(super) async fn perform(app: &App, by: Administrator, request: MemberRequest) -> Result<Reply> {
    match request {
        MemberRequest::Invite { organization, role, email } => {
            let made = app.invite_member(by, &organization, role, &email).await?;
            Ok(Reply::Link(link_record(app, made)))
        }
        MemberRequest::ResetPassword { email } => {
            let made = app.request_password_reset(by, &email).await?;
            Ok(Reply::Link(link_record(app, made)))
        }
        MemberRequest::List { organization } => Ok(Reply::Members(records(app, &by, &organization)?)),
        MemberRequest::SetRole { organization, email, role } => {
            app.set_member_role(by.clone(), &organization, &email, role).await?;
            Ok(Reply::Members(records(app, &by, &organization)?))
        }
        MemberRequest::Remove { organization, email } => {
            app.remove_member(by.clone(), &organization, &email).await?;
            Ok(Reply::Members(records(app, &by, &organization)?))
        }
    }
}
