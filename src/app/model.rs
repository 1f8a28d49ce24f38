//! The records: what an organization, a library, a key and an asset are. No JSON, no storage layout.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::clock::Millis;
use super::id::{AssetId, KeyId, LibraryId, OrganizationId};
use super::media::MediaType;
use super::name::Slug;

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
