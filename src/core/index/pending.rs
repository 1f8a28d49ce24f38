//! The changes that are not committed to the index yet, in memory, so that no search waits for a commit. Their number
//! is limited; at the limit, the index must commit first. A changed asset hides its older document in the index.

use std::collections::HashMap;
use std::sync::Arc;

use super::document::Document;
use crate::core::model::id::AssetId;
use crate::core::store::Changed;

/// The number of changes from which a commit is due, even if more changes follow soon.
const PRESSING_CHANGES: usize = 256;
/// The bytes of text from which a commit is due.
const PRESSING_BYTES: usize = 256 << 10;
/// The most changes that are kept.
const MAX_CHANGES: usize = 1024;
/// The most bytes of text that are kept, not counting the last change.
const MAX_BYTES: usize = 1 << 20;

/// The current state of a changed asset.
#[derive(Clone)]
struct Change {
    /// The number of the change.
    sequence: u64,
    /// Its searchable form; none when the library no longer lists it.
    document: Option<Arc<Document>>,
}

/// The newest change of each asset of one library.
#[derive(Clone, Default)]
pub struct LibraryChanges(HashMap<AssetId, Change>);

impl LibraryChanges {
    /// Whether the asset changed, so that its document in the index is outdated.
    pub fn hides(&self, id: &AssetId) -> bool {
        self.0.contains_key(id)
    }

    /// The changed assets.
    pub fn ids(&self) -> impl Iterator<Item = &AssetId> {
        self.0.keys()
    }

    /// The changed assets that are still listed.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.0.values().filter_map(|change| change.document.as_deref())
    }
}

/// All changes that are not committed to the index yet.
#[derive(Clone, Default)]
pub struct Pending {
    libraries: HashMap<u64, Arc<LibraryChanges>>,
    changes: usize,
    bytes: usize,
}

impl Pending {
    /// The changes of a library.
    pub fn of(&self, library: u64) -> Option<&LibraryChanges> {
        self.libraries.get(&library).map(Arc::as_ref)
    }

    /// The changes of each library.
    pub fn libraries(&self) -> impl Iterator<Item = (u64, &LibraryChanges)> {
        self.libraries.iter().map(|(library, changes)| (*library, changes.as_ref()))
    }

    /// How many more changes may be added.
    pub fn room(&self) -> usize {
        if self.bytes < MAX_BYTES { MAX_CHANGES.saturating_sub(self.changes) } else { 0 }
    }

    /// Whether a commit is due.
    pub fn is_pressing(&self) -> bool {
        self.changes >= PRESSING_CHANGES || self.bytes >= PRESSING_BYTES
    }

    /// Adds a change that is newer than all others.
    pub fn add(&mut self, changed: &Changed) {
        let document = changed.asset.as_ref().and_then(Document::of).map(Arc::new);
        let change = Change { sequence: changed.sequence, document };
        let bytes = |change: &Change| change.document.as_ref().map_or(0, |document| document.bytes());
        self.bytes += bytes(&change);
        let library = Arc::make_mut(self.libraries.entry(changed.library).or_default());
        match library.0.insert(changed.id, change) {
            Some(before) => self.bytes -= bytes(&before),
            None => self.changes += 1,
        }
    }

    /// The changes after this number, which an index committed up to there does not have.
    pub fn after(&self, sequence: u64) -> Self {
        let mut kept = Self::default();
        for (library, changes) in &self.libraries {
            let left: HashMap<AssetId, Change> = changes
                .0
                .iter()
                .filter(|(_, change)| change.sequence > sequence)
                .map(|(id, change)| (*id, change.clone()))
                .collect();
            if left.is_empty() {
                continue;
            }
            kept.changes += left.len();
            kept.bytes += left
                .values()
                .filter_map(|change| change.document.as_ref())
                .map(|found| found.bytes())
                .sum::<usize>();
            kept.libraries.insert(*library, Arc::new(LibraryChanges(left)));
        }
        kept
    }
}
