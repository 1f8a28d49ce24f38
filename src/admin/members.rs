//! Administration of members and of the links with which they join.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::members::{KeyDecision, KeyDecisions, LinkInfo, MemberInfo};
use crate::core::model::id::LinkId;
use crate::core::model::time::Millis;
use crate::core::model::token::Token;
use crate::core::model::{LinkPurpose, MemberLink, Role};
use crate::error::Result;

/// A request about members. `organization` is a slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum MemberRequest {
    /// Create a link with which one person joins.
    Invite {
        /// The organization that they join.
        organization: String,
        /// The role that they get.
        role: Role,
        /// The person it is for; may be empty.
        email: String,
    },
    /// Create a link with which a member chooses a new password.
    ResetPassword {
        /// The member.
        email: String,
    },
    /// List the members of an organization.
    List {
        /// The organization.
        organization: String,
    },
    /// Change a member's role.
    SetRole {
        /// The organization in which it changes.
        organization: String,
        /// The member.
        email: String,
        /// The role.
        role: Role,
        /// What happens to the keys that they created, when they stop being an owner.
        #[serde(default)]
        keys: Option<KeyDecision>,
    },
    /// Remove a member from an organization.
    Remove {
        /// The organization.
        organization: String,
        /// The member.
        email: String,
        /// What happens to the keys that they created, if they are an owner.
        #[serde(default)]
        keys: Option<KeyDecision>,
    },
    /// List the unused links to join an organization, or to set a new password for one of its members.
    Links {
        /// The organization.
        organization: String,
    },
    /// Withdraw one of them.
    Withdraw {
        /// The organization.
        organization: String,
        /// The link's id.
        link: LinkId,
    },
}

/// A member, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberRecord {
    /// The e-mail that they sign in with.
    pub email: String,
    /// Their name.
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

/// A new link. Not `Debug`, since it holds the link's secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkRecord {
    /// The link itself, for one use.
    pub url: String,
    /// The person it is for; empty when anyone with the link may use it.
    pub email: String,
    /// The role that it gives; none when it sets a password.
    pub role: Option<Role>,
    /// The slug of the organization that it is for; none when it sets a password.
    pub organization_id: Option<String>,
    /// When it expires, in unix milliseconds.
    pub expires: Millis,
}

/// An unused link. Its secret is shown only when it is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenLinkRecord {
    /// Its id, to withdraw it.
    pub id: String,
    /// The person it is for; empty when anyone with the link may use it.
    pub email: String,
    /// The role that it gives; none when it sets a password.
    pub role: Option<Role>,
    /// The name of its creator.
    pub made_by: String,
    /// When it was created, in unix milliseconds.
    pub created: Millis,
    /// When it expires, in unix milliseconds.
    pub expires: Millis,
}

impl From<LinkInfo> for OpenLinkRecord {
    fn from(info: LinkInfo) -> Self {
        let (email, role) = recipient(&info);
        let MemberLink { id, created, expires, made_by, .. } = info.link;
        Self { id: id.to_string(), email, role, made_by, created, expires }
    }
}

/// The person a link is for, and the role that it gives.
fn recipient(info: &LinkInfo) -> (String, Option<Role>) {
    match &info.link.purpose {
        LinkPurpose::Join { role, email, .. } => (email.clone(), Some(*role)),
        LinkPurpose::Reset { .. } => {
            (info.member.as_ref().map(|member| member.email.clone()).unwrap_or_default(), None)
        }
    }
}

fn link_record(core: &Core, (token, info): (Token, LinkInfo)) -> LinkRecord {
    let (email, role) = recipient(&info);
    LinkRecord {
        url: core.link_url(&token),
        email,
        role,
        organization_id: info.organization.map(|organization| organization.slug.to_string()),
        expires: info.link.expires,
    }
}

fn records(core: &Core, by: &Administrator, organization: &str) -> Result<Vec<MemberRecord>> {
    let record = |MemberInfo { member, role, last_seen }: MemberInfo| MemberRecord {
        email: member.email,
        name: member.name,
        role,
        organization_id: organization.to_owned(),
        created: member.created,
        last_seen,
    };
    Ok(core.list_members(by, organization)?.into_iter().map(record).collect())
}

fn open_links(core: &Core, by: &Administrator, organization: &str) -> Result<Vec<OpenLinkRecord>> {
    Ok(core.list_links(by, organization)?.into_iter().map(OpenLinkRecord::from).collect())
}

fn decisions(keys: Option<KeyDecision>) -> KeyDecisions {
    keys.map_or(KeyDecisions::Missing, KeyDecisions::All)
}

pub(super) async fn perform(core: &Core, by: Administrator, request: MemberRequest) -> Result<Reply> {
    match request {
        MemberRequest::Invite { organization, role, email } => {
            let made = core.invite_member(by, &organization, role, &email).await?;
            Ok(Reply::Link(link_record(core, made)))
        }
        MemberRequest::ResetPassword { email } => {
            let made = core.request_password_reset(by, &email).await?;
            Ok(Reply::Link(link_record(core, made)))
        }
        MemberRequest::List { organization } => Ok(Reply::Members(records(core, &by, &organization)?)),
        MemberRequest::SetRole { organization, email, role, keys } => {
            core.set_member_role(by.clone(), &organization, &email, role, decisions(keys)).await?;
            Ok(Reply::Members(records(core, &by, &organization)?))
        }
        MemberRequest::Remove { organization, email, keys } => {
            core.remove_member(by.clone(), &organization, &email, decisions(keys)).await?;
            Ok(Reply::Members(records(core, &by, &organization)?))
        }
        MemberRequest::Links { organization } => Ok(Reply::OpenLinks(open_links(core, &by, &organization)?)),
        MemberRequest::Withdraw { organization, link } => {
            core.withdraw_link(by.clone(), &organization, &link).await?;
            Ok(Reply::OpenLinks(open_links(core, &by, &organization)?))
        }
    }
}
