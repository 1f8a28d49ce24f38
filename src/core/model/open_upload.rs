//! An open upload: an address that takes one file, and how much of it has arrived.

use serde::{Deserialize, Serialize};

use crate::core::model::id::{AssetId, LibraryId, OrganizationId, UploadId};
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;

/// The record of an open upload. It is deleted in the transaction that stores the file, so that its address works once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenUpload {
    /// Names the file with the bytes that arrived.
    pub id: UploadId,
    /// Whose permission it uses.
    pub credential: UploadCredential,
    /// The organization of the library.
    pub organization: OrganizationId,
    /// The library that the file goes into.
    pub library: LibraryId,
    /// The library's slug.
    pub slug: Slug,
    /// The asset that the file becomes a variant of.
    pub parent: Option<AssetId>,
    /// The name of the file.
    pub file_name: String,
    /// The size of the file, once it is known.
    pub length: Option<u64>,
    /// How many bytes arrived and survive a power cut.
    pub received: u64,
    /// When it was created.
    pub created: Millis,
    /// When it expires, unless more bytes arrive.
    pub expires: Millis,
}

/// The digest of the credential that created an upload. The upload ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UploadCredential {
    /// A key. A regenerated key has another digest.
    Key([u8; 32]),
    /// A person's session.
    Session([u8; 32]),
}

impl UploadCredential {
    /// The digest, by which the uploads of one credential are counted.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        match self {
            Self::Key(digest) | Self::Session(digest) => digest,
        }
    }
}

impl OpenUpload {
    /// Whether it can still be used.
    #[must_use]
    pub const fn is_open(&self, now: Millis) -> bool {
        now < self.expires
    }
}
