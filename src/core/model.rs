//! The records of organizations, libraries, keys and assets; those of people are in `model/member.rs`. No JSON, no storage
//! layout.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::model::id::{AssetId, KeyId, LibraryId, OrganizationId};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::pictures::media::MediaType;
use crate::pictures::{Failure, RenderableTypes};

pub mod api_key;
mod approval;
pub mod audit;
pub mod email;
pub mod id;
mod member;
pub mod name;
mod open_upload;
pub mod page;
mod quota;
pub mod text;
pub mod time;
pub mod token;

pub use approval::{Approval, ApprovalFilter, ApprovalState};
pub use member::{LinkPurpose, Member, MemberLink, Membership, Passkey, Role, Session};
pub use open_upload::{OpenUpload, UploadCredential};
pub use quota::{OrganizationUse, Quota, StorageRoom};

/// Owns libraries and keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its number in the store.
    pub id: OrganizationId,
    /// Its id on the wire; never changes.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// When it was created.
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
    /// Its name for people.
    pub name: String,
    /// When it was created.
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
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A key's access to one library. Has the slug, so that a name is looked up only in the key's own record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The library.
    pub library: LibraryId,
    /// The library's slug.
    pub slug: Slug,
    /// The access.
    pub access: Access,
}

/// An API key as it is stored: everything but the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its public id.
    pub id: KeyId,
    /// The organization it belongs to, for life.
    pub organization: OrganizationId,
    /// Its name for people.
    pub name: String,
    /// The first characters of the key, to recognise it by.
    pub start: String,
    /// Its libraries, each once, ordered by slug.
    pub grants: Vec<Grant>,
    /// When it was created.
    pub created: Millis,
    /// When its current value was created.
    pub regenerated: Millis,
    /// When it expires, if ever.
    pub expires: Option<Millis>,
}

impl Key {
    /// Whether the key is still valid.
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

/// A stored file, with what its bytes reveal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The hash of the bytes.
    pub hash: ContentHash,
    /// How many bytes.
    pub size: u64,
    /// The type.
    pub media_type: MediaType,
    /// Width in pixels with the orientation applied, where it is known.
    pub width: Option<u32>,
    /// Height in pixels with the orientation applied, where it is known.
    pub height: Option<u32>,
    /// The state of the work after the upload. It stays with the file when a variant is promoted.
    pub processing: ProcessingState,
}

impl Content {
    /// The result of the work after the upload, once it is done.
    #[must_use]
    pub fn processing_result(&self) -> Option<&ProcessingResult> {
        match &self.processing {
            ProcessingState::Done(result) => Some(result),
            ProcessingState::Nothing | ProcessingState::Waiting(_) | ProcessingState::Failed { .. } => None,
        }
    }

    /// Whether the work is still pending.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        match &self.processing {
            ProcessingState::Waiting(_) => true,
            ProcessingState::Nothing | ProcessingState::Done(_) | ProcessingState::Failed { .. } => false,
        }
    }

    /// Whether renditions of the file can be made: its type can be rendered, and the file is not known to be damaged.
    #[must_use]
    pub fn has_pictures(&self, renderable_types: RenderableTypes) -> bool {
        renderable_types.includes(self.media_type)
            && match &self.processing {
                ProcessingState::Failed { .. } => false,
                ProcessingState::Nothing | ProcessingState::Waiting(_) | ProcessingState::Done(_) => true,
            }
    }
}

/// The state of the work on a file after its upload. The order is part of the stored format: new variants go to the
/// end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessingState {
    /// There is none.
    Nothing,
    /// It is pending.
    Waiting(PendingWork),
    /// It is done, with this result.
    Done(ProcessingResult),
    /// It was given up.
    Failed {
        /// The work that failed, and the number of attempts.
        pending: PendingWork,
        /// Why.
        failure: Failure,
        /// When.
        when: Millis,
    },
}

impl ProcessingState {
    /// Prevents the caption from becoming the description, because somebody has edited the description.
    pub fn keep_description(&mut self) {
        match self {
            Self::Waiting(pending) | Self::Failed { pending, .. } => pending.import_caption = false,
            Self::Nothing | Self::Done(_) => {}
        }
    }

    /// Prevents the keywords from becoming tags, because the tags are known.
    pub fn keep_tags(&mut self) {
        match self {
            Self::Waiting(pending) | Self::Failed { pending, .. } => pending.import_keywords = false,
            Self::Nothing | Self::Done(_) => {}
        }
    }
}

/// Pending work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PendingWork {
    /// The number of failed attempts.
    pub tries: u32,
    /// Not before this time; 0 at the first try.
    pub due: Millis,
    /// Whether the caption in the file may become the description: not after somebody has edited that.
    pub import_caption: bool,
    /// Whether keywords in the file become tags.
    pub import_keywords: bool,
}

/// What a picture shows, and its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessingResult {
    /// A blurred placeholder; none where the type is not decoded.
    pub blurhash: Option<String>,
    /// The dominant colour, red, green, blue; none where the type is not decoded.
    pub colour: Option<[u8; 3]>,
    /// When it was taken, in ISO 8601 to the second, with an offset from UTC only if the file has one.
    pub captured: Option<String>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
    /// The title in the file.
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
    /// The file that its url serves.
    pub content: Content,
    /// Verbatim; empty when there is none.
    pub description: String,
    /// The tags as first written in the library, in the order in which they were added.
    pub tags: Vec<String>,
    /// When it was uploaded.
    pub created: Millis,
    /// When it was last changed.
    pub updated: Millis,
    /// The name of its uploader.
    pub uploaded_by: String,
    /// When it was moved to the trash.
    pub trashed: Option<Millis>,
    /// What a person decided about it; none when nobody has decided. Never of a variant.
    pub approval: Option<Approval>,
    /// A perceptual hash of what its file shows, to find similar ones by; none where the type is not decoded, or until
    /// it is known. It moves with the file when a variant is promoted.
    pub perceptual_hash: Option<u64>,
}

impl Asset {
    /// Whether its library lists it: it is neither a variant nor in the trash.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.parent.is_none() && self.trashed.is_none()
    }

    /// Where the decision about it stands; none when nobody has decided.
    #[must_use]
    pub fn approval_state(&self) -> Option<ApprovalState> {
        self.approval.as_ref().map(|approval| approval.state)
    }

    /// Its shape; none where its dimensions are not known.
    #[must_use]
    pub fn orientation(&self) -> Option<Orientation> {
        let (width, height) = self.content.width.zip(self.content.height)?;
        Some(match width.cmp(&height) {
            Ordering::Greater => Orientation::Landscape,
            Ordering::Less => Orientation::Portrait,
            Ordering::Equal => Orientation::Square,
        })
    }

    /// The same asset, changed now: `updated` moves forward even within one millisecond.
    #[must_use]
    pub fn touched(mut self, now: Millis) -> Self {
        self.updated = now.max(self.updated + 1);
        self
    }
}

/// The shape of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Orientation {
    /// Wider than high.
    Landscape,
    /// Higher than wide.
    Portrait,
    /// As wide as high.
    Square,
}

impl Orientation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Landscape, Self::Portrait, Self::Square];

    /// Its name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Landscape => "landscape",
            Self::Portrait => "portrait",
            Self::Square => "square",
        }
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
