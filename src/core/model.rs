//! The records: what an organization, a library, a key and an asset are. No JSON, no storage layout.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::core::model::id::{
    AssetId, KeyId, LibraryId, LinkId, MemberId, OrganizationId, PasskeyId, SessionId,
};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::pictures::media::MediaType;
use crate::pictures::{Failure, RenderableTypes};

pub mod api_key;
pub mod audit;
pub mod email;
pub mod id;
pub mod name;
pub mod page;
pub mod text;
pub mod time;
pub mod token;

/// Owns libraries and keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its number in the store.
    pub id: OrganizationId,
    /// Its id on the wire; never changes.
    pub slug: Slug,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created: Millis,
}

/// An isolated collection of assets, tags and trash in one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// Its number in the store.
    pub id: LibraryId,
    /// The organization that owns it, for life.
    pub organization: OrganizationId,
    /// Its id on the wire, unique in its organization; never changes.
    pub slug: Slug,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created: Millis,
    /// How many assets are listed in it; variants and trash don't count.
    pub assets: u64,
    /// How many assets are in its trash.
    pub trashed: u64,
}

/// What a key may do in a library. Write includes Read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// See what is there.
    Read,
    /// Change it, too.
    Write,
}

impl Access {
    /// The word for it on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One library in a key's reach. Holds the slug, so that resolving a name never leaves the key's own record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The library.
    pub library: LibraryId,
    /// The library's slug.
    pub slug: Slug,
    /// How far the grant goes.
    pub access: Access,
}

/// An API key as it is stored: everything but the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its public id.
    pub id: KeyId,
    /// The organization it belongs to, for life.
    pub organization: OrganizationId,
    /// What people call it.
    pub name: String,
    /// The first characters of the key, to recognise it by.
    pub start: String,
    /// Its libraries, each once, ordered by slug.
    pub grants: Vec<Grant>,
    /// When it was made.
    pub created: Millis,
    /// When its present value was drawn.
    pub regenerated: Millis,
    /// When it ends by itself, if ever.
    pub expires: Option<Millis>,
}

impl Key {
    /// Whether the key still opens anything.
    #[must_use]
    pub fn is_live(&self, now: Millis) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

/// What a person may do in an organization. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything.
    Viewer,
    /// Change assets, too.
    Editor,
    /// Manage libraries, keys and people, too.
    Owner,
}

impl Role {
    /// All of them, the most powerful first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Editor, Self::Viewer];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// How far the role goes in a library.
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
    /// What they sign in with, as they wrote it.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// Their password's hash, as a PHC string.
    pub password: String,
    /// When they joined.
    pub created: Millis,
    /// Their organizations, each once.
    pub memberships: Vec<Membership>,
    /// Where they signed in from before, the latest first: a flood of wrong passwords from elsewhere does not slow
    /// them down there.
    pub familiar: Vec<IpAddr>,
}

impl Member {
    /// Their role in an organization, if they are in it.
    #[must_use]
    pub fn role_in(&self, organization: OrganizationId) -> Option<Role> {
        let found = self.memberships.iter().find(|membership| membership.organization == organization);
        found.map(|membership| membership.role)
    }
}

/// A person's place in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organization.
    pub organization: OrganizationId,
    /// What they may do there.
    pub role: Role,
}

/// One browser in which a person is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its public id, to end it by.
    pub id: SessionId,
    /// Whose it is.
    pub member: MemberId,
    /// When it began.
    pub created: Millis,
    /// After how long without a request it ends.
    pub idle: Millis,
    /// When it ends whatever happens.
    pub expires: Millis,
    /// Where it began.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: String,
}

impl Session {
    /// Whether it is not over, given when it was last used.
    #[must_use]
    pub fn is_live(&self, last_seen: Millis, now: Millis) -> bool {
        now < self.expires && now < last_seen.max(self.created).saturating_add(self.idle)
    }
}

/// A key pair of a person's device that signs them in. The private half never leaves the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its public id, to remove it by.
    pub id: PasskeyId,
    /// Whose it is.
    pub member: MemberId,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created: Millis,
    /// When somebody last signed in with it.
    pub last_used: Option<Millis>,
    /// What the device calls it; unique on the server.
    pub credential_id: Vec<u8>,
    /// What the device calls its owner: random, and the same for all passkeys of a person.
    pub handle: [u8; 16],
    /// The public key and what belongs to it, as `webauthn-rs` writes it down.
    pub credential: String,
}

/// A link that lets somebody in once: into an organization, or back to an account whose password is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its public id, to withdraw it by.
    pub id: LinkId,
    /// What it is good for.
    pub purpose: Purpose,
    /// When it was made.
    pub created: Millis,
    /// When it ends by itself.
    pub expires: Millis,
    /// The name of who made it.
    pub made_by: String,
    /// The e-mail of who made it; empty at the machine itself.
    pub maker: String,
}

/// What a link is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To join an organization.
    Join {
        /// The organization.
        organization: OrganizationId,
        /// The role that it gives.
        role: Role,
        /// Whom it was made for; anybody when it is empty.
        email: String,
    },
    /// To set a new password.
    Reset {
        /// Whose.
        member: MemberId,
    },
}

/// The blake3 hash of a file's bytes: what it is stored under, and its `ETag`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash in lower-case hexadecimal.
    #[must_use]
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// One stored file, as the bytes tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The hash of the bytes.
    pub hash: ContentHash,
    /// How many bytes.
    pub size: u64,
    /// What they are.
    pub media_type: MediaType,
    /// Width in pixels with the orientation applied, where the type tells it.
    pub width: Option<u32>,
    /// Height in pixels with the orientation applied, where the type tells it.
    pub height: Option<u32>,
    /// How far the work is that follows the upload. It stays with the file when a variant is promoted.
    pub work: Work,
}

impl Content {
    /// What the work after the upload saw, once it is done.
    #[must_use]
    pub fn look(&self) -> Option<&Look> {
        match &self.work {
            Work::Done(look) => Some(look),
            Work::Nothing | Work::Waiting(_) | Work::Failed { .. } => None,
        }
    }

    /// Whether work on the file is still to be done.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        match &self.work {
            Work::Waiting(_) => true,
            Work::Nothing | Work::Done(_) | Work::Failed { .. } => false,
        }
    }

    /// Whether smaller pictures are made of the file: its type is decoded, and it is not known that it can't be.
    #[must_use]
    pub fn has_pictures(&self, renderable_types: RenderableTypes) -> bool {
        renderable_types.includes(self.media_type)
            && match &self.work {
                Work::Failed { .. } => false,
                Work::Nothing | Work::Waiting(_) | Work::Done(_) => true,
            }
    }
}

/// How far the work on a file is that follows its upload. The order is part of the stored format: new ones go to
/// the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// There is none.
    Nothing,
    /// It is to be done.
    Waiting(Pending),
    /// It is done, and this came of it.
    Done(Look),
    /// It was given up.
    Failed {
        /// What was to be done, and how often it was tried.
        pending: Pending,
        /// Why.
        failure: Failure,
        /// When.
        when: Millis,
    },
}

impl Work {
    /// Lets no caption become the description any more, because somebody has changed that.
    pub fn keep_description(&mut self) {
        match self {
            Self::Waiting(pending) | Self::Failed { pending, .. } => pending.import_caption = false,
            Self::Nothing | Self::Done(_) => {}
        }
    }
}

/// Work that is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pending {
    /// How often it was tried without success.
    pub tries: u32,
    /// Not before this time; 0 at the first try.
    pub due: Millis,
    /// Whether a caption in the file may become the description: not any more once somebody changed that.
    pub import_caption: bool,
    /// Whether keywords in the file become tags.
    pub import_keywords: bool,
}

/// What a file shows, and what it tells about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Look {
    /// A blurred placeholder; none where the type is not decoded.
    pub blurhash: Option<String>,
    /// The dominant colour, red, green, blue; none where the type is not decoded.
    pub colour: Option<[u8; 3]>,
    /// When it was taken, ISO 8601 to the second; with an offset from UTC only where the camera knew it.
    pub captured: Option<String>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
    /// The title that somebody gave it inside the file.
    pub title: Option<String>,
}

/// One original file, or a variant of one, with its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its id, unique on the server.
    pub id: AssetId,
    /// The library it is in now.
    pub library: LibraryId,
    /// The asset it is a variant of.
    pub parent: Option<AssetId>,
    /// Its file name without the last extension.
    pub name: String,
    /// The bytes that its url serves.
    pub content: Content,
    /// Verbatim; empty when there is none.
    pub description: String,
    /// The tags as the library first wrote them, in the order they were given.
    pub tags: Vec<String>,
    /// When it was uploaded.
    pub created: Millis,
    /// When anything of it last changed.
    pub updated: Millis,
    /// The name of who uploaded it.
    pub uploaded_by: String,
    /// When it went into the trash.
    pub trashed: Option<Millis>,
}

impl Asset {
    /// Whether it is on its library's list: neither a variant nor in the trash.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.parent.is_none() && self.trashed.is_none()
    }

    /// The same asset, changed now: `updated` moves forward even within one millisecond.
    #[must_use]
    pub fn touched(mut self, now: Millis) -> Self {
        self.updated = now.max(self.updated + 1);
        self
    }
}

/// A tag of a library with the number of its listed assets that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    /// The tag as first written.
    pub text: String,
    /// How many listed assets carry it.
    pub count: u64,
}
