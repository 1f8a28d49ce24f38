//! The records of people: members, their roles, sessions, passkeys, and the links by which they join.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Access;
use crate::core::model::id::{LinkId, MemberId, OrganizationId, PasskeyId, SessionId};
use crate::core::model::time::Millis;

/// What a person may do in an organization. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// View everything.
    Viewer,
    /// Change assets, too.
    Editor,
    /// Manage libraries, keys and people, too.
    Owner,
}

impl Role {
    /// All of them, the most powerful first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Editor, Self::Viewer];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The access to every library that the role includes.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::Viewer => Access::Read,
            Self::Editor | Self::Owner => Access::Write,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Their number in the store.
    pub id: MemberId,
    /// The e-mail that they sign in with, as they wrote it.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their password's hash, as a PHC string.
    pub password: String,
    /// When they joined.
    pub created: Millis,
    /// Their organizations, each once.
    pub memberships: Vec<Membership>,
    /// Familiar addresses, from which they signed in before, the latest first: wrong passwords from other addresses
    /// don't lock them out there.
    pub familiar: Vec<IpAddr>,
}

impl Member {
    /// Their role in an organization, if they are a member.
    #[must_use]
    pub fn role_in(&self, organization: OrganizationId) -> Option<Role> {
        let found = self.memberships.iter().find(|membership| membership.organization == organization);
        found.map(|membership| membership.role)
    }
}

/// A person's membership in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organization.
    pub organization: OrganizationId,
    /// Their role.
    pub role: Role,
}

/// One browser in which a person is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its public id, to end it by.
    pub id: SessionId,
    /// Its owner.
    pub member: MemberId,
    /// When it began.
    pub created: Millis,
    /// After how long without a request it expires.
    pub idle: Millis,
    /// When it expires in any case.
    pub expires: Millis,
    /// The address from which it began.
    pub address: Option<IpAddr>,
    /// The browser's user agent.
    pub agent: String,
}

impl Session {
    /// Whether it is still valid, given when it was last used.
    #[must_use]
    pub fn is_live(&self, last_seen: Millis, now: Millis) -> bool {
        now < self.expires && now < last_seen.max(self.created).saturating_add(self.idle)
    }
}

/// A key pair on a person's device, to sign in with. The private key never leaves the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its public id, to remove it by.
    pub id: PasskeyId,
    /// Its owner.
    pub member: MemberId,
    /// Its name, chosen by its owner.
    pub name: String,
    /// When it was added.
    pub created: Millis,
    /// When somebody last signed in with it.
    pub last_used: Option<Millis>,
    /// Its id on the device; unique on the server.
    pub credential_id: Vec<u8>,
    /// Its owner's id on the device: random, and the same for all passkeys of a person.
    pub handle: [u8; 16],
    /// The public key and its properties, as `webauthn-rs` serializes them.
    pub credential: String,
}

/// A link that works once: to join an organization, or to reset a lost password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLink {
    /// Its public id, to withdraw it by.
    pub id: LinkId,
    /// Its purpose.
    pub purpose: LinkPurpose,
    /// When it was created.
    pub created: Millis,
    /// When it expires.
    pub expires: Millis,
    /// The name of its creator.
    pub made_by: String,
    /// The e-mail of its creator; empty for the administrator of the machine.
    pub creator: String,
}

/// The purpose of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkPurpose {
    /// To join an organization.
    Join {
        /// The organization.
        organization: OrganizationId,
        /// The role that it gives.
        role: Role,
        /// The person it is for; anybody when empty.
        email: String,
    },
    /// To set a new password.
    Reset {
        /// The person.
        member: MemberId,
    },
}
