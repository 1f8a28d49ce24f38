//! The search index: which listed assets have certain words in their name, tags or description. Disposable; it
//! follows the store's change log and is built again when it is lost. Knows no grants, only numbers.
//!
//! What is committed is in `folder.rs`, segment by segment; what has changed since is kept beside it in memory
//! (`pending.rs`), so that a search sees every change without a commit. Both are keyed by library, and a search
//! reads nothing of the libraries that it is not for: what they hold can't be told from how long it takes.
//!
//! A score depends on the asset and the query alone. Statistics over the whole index, as in the usual formulas,
//! would let a key measure what is in libraries that it can't reach.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use tantivy::DocId;
use tokio::sync::watch;

use super::store::Changed;
use crate::core::model::id::AssetId;
use crate::error::{Code, Error, Result};

mod document;
mod folder;
mod follow;
mod meter;
mod pattern;
mod pending;
mod segment;
mod terms;
mod words;

pub use follow::Indexer;
pub use terms::Terms;

use document::BEST_POINTS;
use folder::Committed;
use pattern::Pattern;
use pending::{LibraryChanges, Pending};
use segment::Segment;

/// A page of hits in some libraries.
pub struct SearchQuery<'a> {
    /// The words, all of which have to be there.
    pub terms: &'a Terms,
    /// The libraries, by number.
    pub libraries: &'a [u64],
    /// How many hits come before the page.
    pub offset: usize,
    /// How many hits it has at most.
    pub limit: usize,
}

/// What the index answers.
pub struct Hits {
    /// How many match in all.
    pub found: usize,
    /// The page: best first, then newest, then by id.
    pub hits: Vec<Hit>,
}

/// One match.
pub struct Hit {
    /// The library, by number.
    pub library: u64,
    /// The asset.
    pub id: AssetId,
    /// How well it matches: 1 when each word stands in the name as it was typed, and less the further from that.
    pub score: f32,
}

/// The index as it can be searched: empty until it was opened.
pub struct Index {
    now: ArcSwapOption<Snapshot>,
    /// Held by anyone who puts another snapshot in place.
    replacing: Mutex<()>,
    /// Up to which change searches see everything; none until it is open.
    reached: watch::Sender<Option<u64>>,
}

/// What searches see: an index, and what changed after it.
struct Snapshot {
    committed: Arc<Committed>,
    pending: Pending,
    /// The number of the last change that is in either.
    sequence: u64,
}

impl Default for Index {
    fn default() -> Self {
        let (reached, _) = watch::channel(None);
        Self { now: ArcSwapOption::empty(), replacing: Mutex::default(), reached }
    }
}

impl Index {
    /// Searches.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` before the index is opened; when it can't be read.
    pub fn search(&self, query: &SearchQuery<'_>) -> Result<Hits> {
        let patterns = query.terms.patterns();
        if query.libraries.is_empty() || patterns.is_empty() {
            return Ok(Hits { found: 0, hits: Vec::new() });
        }
        let snapshot = self.now.load_full().ok_or_else(being_rebuilt)?;
        let mut found: Vec<Found<'_>> = Vec::new();
        for &library in query.libraries {
            snapshot.search(library, patterns, &mut found)?;
        }
        let total = found.len();
        let best = u32::try_from(patterns.len()).unwrap_or(u32::MAX).saturating_mul(BEST_POINTS);
        let hits = page(&mut found, query).iter().map(|found| found.hit(best)).collect();
        Ok(Hits { found: total, hits })
    }

    /// Up to which change searches see everything, and to be told when that changes; none until it is open.
    fn reached(&self) -> watch::Receiver<Option<u64>> {
        self.reached.subscribe()
    }

    /// From now on searches this, in which everything is that it should have.
    fn open(&self, committed: Committed) {
        self.replace(|_| {
            let sequence = committed.sequence;
            Some(Snapshot { committed: Arc::new(committed), pending: Pending::default(), sequence })
        });
    }

    /// From now on searches this, a later state of the index that is open, and what changed after that.
    fn advance(&self, committed: Committed) {
        self.replace(|now| {
            let pending = now.map(|now| now.pending.after(committed.sequence)).unwrap_or_default();
            let sequence = now.map_or(0, |now| now.sequence).max(committed.sequence);
            Some(Snapshot { committed: Arc::new(committed), pending, sequence })
        });
    }

    /// Takes in, without a commit, the changes that came after the one with the number `from`, up to the one with the
    /// number `last`.
    fn take_in(&self, from: u64, changes: &[Changed], last: u64) {
        self.replace(|now| {
            // Not where another index was opened meanwhile that has not come as far.
            let now = now.filter(|now| now.sequence >= from)?;
            let mut pending = now.pending.clone();
            let newer = changes.iter().filter(|change| change.sequence > now.sequence);
            newer.for_each(|change| pending.add(change));
            let sequence = now.sequence.max(last);
            Some(Snapshot { committed: Arc::clone(&now.committed), pending, sequence })
        });
    }

    /// How far it has come, how many more changes it may take in, and whether it is time for a commit; none until it
    /// is open.
    fn standing(&self) -> Option<(u64, usize, bool)> {
        let now = self.now.load_full()?;
        Some((now.sequence, now.pending.room(), now.pending.is_pressing()))
    }

    fn replace(&self, next: impl FnOnce(Option<&Snapshot>) -> Option<Snapshot>) {
        let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(next) = next(self.now.load_full().as_deref()) else { return };
        let sequence = next.sequence;
        self.now.store(Some(Arc::new(next)));
        self.reached.send_replace(Some(sequence));
    }
}

/// The answer while there is no index, or it is far behind.
fn being_rebuilt() -> Error {
    Error::new(Code::ServiceUnavailable, "The search index is being rebuilt. Try again in a moment.")
}

impl Snapshot {
    /// Adds what a library has that matches: of what changed as it is now, of everything else as it was committed.
    fn search<'s>(&'s self, library: u64, patterns: &[Pattern], found: &mut Vec<Found<'s>>) -> Result<()> {
        let changes = self.pending.of(library);
        let is_hidden = |id: &AssetId| changes.is_some_and(|changes| changes.hides(id));
        for segment in self.committed.segments_of(library) {
            for (document, points) in segment.search(library, patterns)? {
                if changes.is_none() || !is_hidden(&segment.id(document)) {
                    let created = segment.created(document);
                    found.push(Found { points, created, library, at: At::Segment(segment, document) });
                }
            }
        }
        let documents = changes.into_iter().flat_map(LibraryChanges::documents);
        for document in documents {
            if let Some(points) = document.rate(patterns) {
                found.push(Found { points, created: document.created, library, at: At::Memory(document.id) });
            }
        }
        Ok(())
    }
}

/// A matching document, with all that it is ordered by.
struct Found<'a> {
    points: u32,
    created: u64,
    library: u64,
    at: At<'a>,
}

/// Where a document is.
enum At<'a> {
    /// In the index.
    Segment(&'a Segment, DocId),
    /// Among what changed since.
    Memory(AssetId),
}

impl Found<'_> {
    /// Orders the best first, then the newest, then by id.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |found: &Self| Reverse((found.points, found.created));
        // The id is only read when nothing else decides.
        rank(self).cmp(&rank(other)).then_with(|| self.id().cmp(&other.id()))
    }

    fn id(&self) -> AssetId {
        match &self.at {
            At::Segment(segment, document) => segment.id(*document),
            At::Memory(id) => *id,
        }
    }

    fn hit(&self, best: u32) -> Hit {
        #[expect(clippy::cast_precision_loss, reason = "both are small whole numbers, exact as f32")]
        let score = self.points as f32 / best as f32;
        Hit { library: self.library, id: self.id(), score }
    }
}

/// The page of what was found, in order, without ordering the rest.
fn page<'a, 'b>(found: &'a mut [Found<'b>], query: &SearchQuery<'_>) -> &'a [Found<'b>] {
    let end = query.offset.saturating_add(query.limit).min(found.len());
    if end < found.len() {
        found.select_nth_unstable_by(end, Found::order);
    }
    let first = found.get_mut(..end).unwrap_or_default();
    first.sort_unstable_by(Found::order);
    first.get(query.offset..).unwrap_or_default()
}

#[cfg(test)]
pub use tests::asset;

#[cfg(test)]
mod tests;
