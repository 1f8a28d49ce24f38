//! Keys of files and renditions, in the cache and wherever they are compared.

use std::fmt::Write;

use crate::core::model::id::LibraryId;
use crate::core::model::{Asset, ContentHash};

/// The name of a rendition in the cache, and its entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RenditionKey(pub [u8; 32]);

/// A file in a library. The same bytes in another library have another key, so that nobody can find out whether another
/// library has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::core) struct LibraryFile {
    /// The library.
    pub library: LibraryId,
    /// The hash of the bytes.
    pub hash: ContentHash,
}

impl LibraryFile {
    /// The file of an asset, or of a variant.
    pub fn of(asset: &Asset) -> Self {
        Self { library: asset.library, hash: asset.content.hash }
    }

    /// The key that its failures are remembered by, and that its renditions' keys are made from.
    pub(super) fn key(self) -> RenditionKey {
        let mut hasher = blake3::Hasher::new_derive_key("rasterd 2026 file of a library");
        hasher.update(&self.library.0.to_le_bytes()).update(&self.hash.0);
        RenditionKey(*hasher.finalize().as_bytes())
    }
}

impl RenditionKey {
    /// A number that differs for most keys.
    pub fn number(self) -> u64 {
        self.0.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    pub fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
