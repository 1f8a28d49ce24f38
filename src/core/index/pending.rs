//! The changes that are not in the index yet, kept in memory beside it, so that no search waits for a commit. Bounded:
//! beyond that the index has to take them in first. What was changed of a library hides what the index has of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::document::Document;
use crate::core::model::id::AssetId;
use crate::core::store::Changed;

/// From how many changes on the index is to take them in, whether or not more come soon.
const PRESSING_CHANGES: usize = 256;
/// The same in bytes of text.
const PRESSING_BYTES: usize = 256 << 10;
/// How many changes are kept at most.
const MOST_CHANGES: usize = 1024;
/// How many bytes of text are kept at most, but for the last change that was added.
const MOST_BYTES: usize = 1 << 20;

/// What an asset of a library became.
#[derive(Clone)]
struct Change {
    /// The number of the change.
    sequence: u64,
    /// What it is searched by now; none when it is not listed in the library any more.
    document: Option<Arc<Document>>,
}

/// The changes of one library by asset, each asset's newest.
#[derive(Clone, Default)]
pub struct LibraryChanges(HashMap<AssetId, Change>);

impl LibraryChanges {
    /// Whether the asset changed, so that what the index has of it does not count.
    pub fn hides(&self, id: &AssetId) -> bool {
        self.0.contains_key(id)
    }

    /// What is listed of all that changed.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.0.values().filter_map(|change| change.document.as_deref())
    }
}

/// All changes that are not in the index yet.
#[derive(Clone, Default)]
pub struct Pending {
    libraries: HashMap<u64, Arc<LibraryChanges>>,
    changes: usize,
    bytes: usize,
}

impl Pending {
    /// What changed in a library.
    pub fn of(&self, library: u64) -> Option<&LibraryChanges> {
        self.libraries.get(&library).map(Arc::as_ref)
    }

    /// How many more changes may be added.
    pub fn room(&self) -> usize {
        if self.bytes < MOST_BYTES { MOST_CHANGES.saturating_sub(self.changes) } else { 0 }
    }

    /// Whether the index should take the changes in soon.
    pub fn is_pressing(&self) -> bool {
        self.changes >= PRESSING_CHANGES || self.bytes >= PRESSING_BYTES
    }

    /// Adds a change that is newer than all that are there.
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

    /// The changes after the one with this number: those that an index which has come that far does not have.
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
