//! What a library has already, so that an import that is started again adds nothing twice.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::core::model::id::AssetId;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, ContentHash};

/// Where bytes are known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFrom {
    /// An asset or a variant of the library.
    Library,
    /// The trash of the library, and nothing outside of it.
    Trash,
    /// A file that this import added.
    ThisImport,
}

/// A name as a number: thousands of names need not be kept.
type NameDigest = u64;

/// The bytes in a library, and what has them.
#[derive(Default)]
pub struct KnownFiles {
    contents: HashMap<ContentHash, KnownFrom>,
    /// The listed assets with a content and a name, and when they were created. Each stands for one entry of a manifest.
    originals: HashMap<(ContentHash, NameDigest), Vec<(Millis, AssetId)>>,
    /// How often an asset has a variant with a content and a name.
    variants: HashMap<(AssetId, ContentHash, NameDigest), u64>,
}

impl KnownFiles {
    /// Adds an asset of the library.
    pub fn add(&mut self, asset: &Asset) {
        let hash = asset.content.hash;
        let from = if asset.trashed.is_some() { KnownFrom::Trash } else { KnownFrom::Library };
        let known = self.contents.entry(hash).or_insert(from);
        if *known == KnownFrom::Trash {
            *known = from;
        }
        match asset.parent {
            _ if asset.trashed.is_some() => {}
            None => {
                let alike = self.originals.entry((hash, digest(&asset.name))).or_default();
                alike.push((asset.created, asset.id));
            }
            Some(parent) => *self.variants.entry((parent, hash, digest(&asset.name))).or_default() += 1,
        }
    }

    /// Adds what this import stored.
    pub fn add_new(&mut self, hash: ContentHash) {
        self.contents.insert(hash, KnownFrom::ThisImport);
    }

    /// Where these bytes are known from.
    pub fn find(&self, hash: ContentHash) -> Option<KnownFrom> {
        self.contents.get(&hash).copied()
    }

    /// The asset that an entry of a manifest has become, which then stands for no other entry. Of several that are alike,
    /// the one of the same age.
    pub fn take_original(&mut self, hash: ContentHash, name: &str, created: Millis) -> Option<AssetId> {
        let alike = self.originals.get_mut(&(hash, digest(name)))?;
        let same_age = alike.iter().position(|(found, _)| *found == created);
        same_age.map(|at| alike.swap_remove(at)).or_else(|| alike.pop()).map(|(_, id)| id)
    }

    /// Whether an asset has a variant that stands for no other entry of a manifest yet.
    pub fn take_variant(&mut self, parent: AssetId, hash: ContentHash, name: &str) -> bool {
        let found = self.variants.get_mut(&(parent, hash, digest(name))).filter(|count| **count > 0);
        found.map(|count| *count -= 1).is_some()
    }
}

fn digest(name: &str) -> NameDigest {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
