//! The search index: which listed assets have certain words in their name, tags or description. It follows the store's
//! change log, and is rebuilt when it is lost. Knows no grants, only numbers.
//!
//! Committed changes are on disk, in segments (`folder.rs`). Later changes are in memory (`pending.rs`), so that
//! searches see them before they are committed. Both are keyed by library, and a search reads nothing of other
//! libraries: its duration reveals nothing about them.
//!
//! A score depends on the asset and the query alone. Statistics over the whole index, as in the usual formulas, would
//! let a key measure the content of libraries that it has no access to.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use tantivy::DocId;
use tokio::sync::watch;

use super::store::Changed;
use crate::core::model::id::AssetId;
use crate::error::{Code, Error, Result};

mod compare;
mod document;
mod facets;
mod fields;
mod folder;
mod follow;
mod meter;
mod pattern;
mod pending;
mod private_directory;
mod segment;
mod terms;
mod words;

pub use compare::IndexDifference;
pub use facets::{Facet, IndexFilter};
pub use follow::Indexer;
pub use terms::Terms;

use document::BEST_POINTS;
use folder::Committed;
use pending::{LibraryChanges, Pending};
use segment::Segment;

/// A search in some libraries, for one page of hits.
pub struct SearchQuery<'a> {
    /// The words, all of which must occur; none for everything that the filter takes.
    pub terms: &'a Terms,
    /// What the assets must have.
    pub filter: &'a IndexFilter,
    /// The libraries, by number.
    pub libraries: &'a [u64],
    /// How many hits come before the page.
    pub offset: usize,
    /// The most hits on the page.
    pub limit: usize,
}

/// The result of a search.
pub struct IndexHits {
    /// The number of all matches.
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
    /// When it was uploaded.
    pub created: u64,
    /// How well it matches: 1 when the name has every word exactly as typed, less otherwise; 0 without
    /// words.
    pub score: f32,
}

/// The index for searches. Empty until it is opened.
pub struct Index {
    now: ArcSwapOption<IndexSnapshot>,
    /// Held while the snapshot is replaced.
    replacing: Mutex<()>,
    /// The last change that searches see; none until the index is open.
    reached: watch::Sender<Option<u64>>,
}

/// What searches see: the committed index, and the changes after it.
struct IndexSnapshot {
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
    pub fn search(&self, query: &SearchQuery<'_>) -> Result<IndexHits> {
        let patterns = query.terms.patterns();
        if query.libraries.is_empty() || (patterns.is_empty() && query.filter.is_empty()) {
            return Ok(IndexHits { found: 0, hits: Vec::new() });
        }
        let snapshot = self.now.load_full().ok_or_else(being_rebuilt)?;
        let mut matches: Vec<Match<'_>> = Vec::new();
        for &library in query.libraries {
            snapshot.search(library, query, &mut matches)?;
        }
        let total = matches.len();
        let best = u32::try_from(patterns.len()).unwrap_or(u32::MAX).saturating_mul(BEST_POINTS);
        let hits = page(&mut matches, query).iter().map(|found| found.hit(best)).collect();
        Ok(IndexHits { found: total, hits })
    }

    /// The names of those who uploaded assets of a library, in order, at most `most`. Reads no asset. One whose last asset
    /// is gone may still be there for a while.
    ///
    /// # Errors
    /// Those of [`Index::search`].
    pub fn uploaders(&self, library: u64, most: usize) -> Result<Vec<String>> {
        let snapshot = self.now.load_full().ok_or_else(being_rebuilt)?;
        let mut names: BTreeSet<Vec<u8>> = BTreeSet::new();
        for segment in snapshot.committed.segments_of(library) {
            names.extend(segment.facets_of(library, facets::UPLOADERS, most)?);
        }
        let documents = snapshot.pending.of(library).into_iter().flat_map(LibraryChanges::documents);
        names.extend(documents.flat_map(|document| document.facets_of(facets::UPLOADERS)));
        let names = names.into_iter().filter_map(|name| String::from_utf8(name).ok());
        Ok(names.filter(|name| !name.is_empty()).take(most).collect())
    }

    /// The last change that searches see, as it advances; none until the index is open.
    fn reached(&self) -> watch::Receiver<Option<u64>> {
        self.reached.subscribe()
    }

    /// Makes a complete index visible to searches.
    fn open(&self, committed: Committed) {
        self.replace(|_| {
            let sequence = committed.sequence;
            Some(IndexSnapshot { committed: Arc::new(committed), pending: Pending::default(), sequence })
        });
    }

    /// Makes a later state of the open index visible to searches, together with the changes after it.
    fn advance(&self, committed: Committed) {
        self.replace(|now| {
            let pending = now.map(|now| now.pending.after(committed.sequence)).unwrap_or_default();
            let sequence = now.map_or(0, |now| now.sequence).max(committed.sequence);
            Some(IndexSnapshot { committed: Arc::new(committed), pending, sequence })
        });
    }

    /// Makes changes visible before they are committed: those after the change number `from`, up to the number `last`.
    fn take_in(&self, from: u64, changes: &[Changed], last: u64) {
        self.replace(|now| {
            // Not when an index was opened meanwhile that is further behind.
            let now = now.filter(|now| now.sequence >= from)?;
            let mut pending = now.pending.clone();
            let newer = changes.iter().filter(|change| change.sequence > now.sequence);
            newer.for_each(|change| pending.add(change));
            let sequence = now.sequence.max(last);
            Some(IndexSnapshot { committed: Arc::clone(&now.committed), pending, sequence })
        });
    }

    /// The number of the last visible change, how many more fit into memory, and whether a commit is due; none until
    /// the index is open.
    fn progress(&self) -> Option<(u64, usize, bool)> {
        let now = self.now.load_full()?;
        Some((now.sequence, now.pending.room(), now.pending.is_pressing()))
    }

    fn replace(&self, next: impl FnOnce(Option<&IndexSnapshot>) -> Option<IndexSnapshot>) {
        let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(next) = next(self.now.load_full().as_deref()) else { return };
        let sequence = next.sequence;
        self.now.store(Some(Arc::new(next)));
        self.reached.send_replace(Some(sequence));
    }
}

/// The error while there is no index, or it is far behind.
fn being_rebuilt() -> Error {
    Error::new(Code::ServiceUnavailable, "The search index is being rebuilt. Try again in a moment.")
}

impl IndexSnapshot {
    /// Adds the matches in a library. Changed assets are searched in memory, all others in the committed index.
    fn search<'s>(
        &'s self,
        library: u64,
        query: &SearchQuery<'_>,
        matches: &mut Vec<Match<'s>>,
    ) -> Result<()> {
        let patterns = query.terms.patterns();
        let changes = self.pending.of(library);
        let is_hidden = |id: &AssetId| changes.is_some_and(|changes| changes.hides(id));
        for segment in self.committed.segments_of(library) {
            for (document, points) in segment.search(library, patterns, query.filter)? {
                if changes.is_none() || !is_hidden(&segment.id(document)) {
                    let created = segment.created(document);
                    matches.push(Match { points, created, library, at: At::Segment(segment, document) });
                }
            }
        }
        let documents = changes.into_iter().flat_map(LibraryChanges::documents);
        for document in documents {
            if let Some(points) = document.rate(patterns).filter(|_| document.fits(query.filter)) {
                matches.push(Match {
                    points,
                    created: document.created,
                    library,
                    at: At::Memory(document.id),
                });
            }
        }
        Ok(())
    }
}

/// A matching document, with everything that determines its position.
struct Match<'a> {
    points: u32,
    created: u64,
    library: u64,
    at: At<'a>,
}

/// Where a document is.
enum At<'a> {
    /// In the index.
    Segment(&'a Segment, DocId),
    /// Among the changes in memory.
    Memory(AssetId),
}

impl Match<'_> {
    /// Orders the best first, then the newest, then by id.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |found: &Self| Reverse((found.points, found.created));
        // The id is read only to break ties.
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
        let score = self.points as f32 / best.max(1) as f32;
        Hit { library: self.library, id: self.id(), created: self.created, score }
    }
}

/// The sorted page of the matches. Does not sort the rest.
fn page<'a, 'b>(matches: &'a mut [Match<'b>], query: &SearchQuery<'_>) -> &'a [Match<'b>] {
    let end = query.offset.saturating_add(query.limit).min(matches.len());
    if end < matches.len() {
        matches.select_nth_unstable_by(end, Match::order);
    }
    let first = matches.get_mut(..end).unwrap_or_default();
    first.sort_unstable_by(Match::order);
    first.get(query.offset..).unwrap_or_default()
}

#[cfg(test)]
pub use tests::asset;

#[cfg(test)]
mod tests;
