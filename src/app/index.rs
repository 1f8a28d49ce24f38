//! The search index: which listed assets have certain words in their name, tags or description. Disposable; it
//! follows the store's change log and is built anew when it is lost. Knows no grants and no records, only numbers.
//!
//! A score depends on the asset and the query alone. Statistics over the whole index, as in the usual formulas,
//! would let a key measure what is in libraries that it can't reach.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tantivy::columnar::ColumnValues;
use tantivy::fastfield::AliveBitSet;
use tantivy::postings::BlockSegmentPostings;
use tantivy::schema::Field;
use tantivy::{DocId, IndexReader, SegmentReader};

use super::id::AssetId;
use crate::error::{Code, Error, Result};

mod folder;
mod follow;
mod pattern;
mod terms;
mod words;

pub use follow::Indexer;
pub use terms::Terms;

use folder::Fields;
use pattern::{Likeness, Pattern};

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
#[derive(Default)]
pub struct Index(ArcSwapOption<Opened>);

struct Opened {
    reader: IndexReader,
    fields: Fields,
}

impl Index {
    /// Searches.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` before the index is opened; when it can't be read.
    pub fn search(&self, query: &SearchQuery<'_>) -> Result<Hits> {
        let opened = self.0.load_full().ok_or_else(being_rebuilt)?;
        let searcher = opened.reader.searcher();
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            segments.push(Segment::open(reader, &opened.fields)?);
        }
        let mut found: Vec<Found<'_>> = Vec::new();
        for segment in &segments {
            segment.search(query, &mut found)?;
        }
        let total = found.len();
        let best =
            u32::try_from(query.terms.patterns().len()).unwrap_or(u32::MAX).saturating_mul(BEST_POINTS);
        let hits = page(&mut found, query).iter().map(|found| found.hit(best)).collect();
        Ok(Hits { found: total, hits })
    }

    /// From now on searches this.
    fn open(&self, reader: IndexReader, fields: Fields) {
        self.0.store(Some(Arc::new(Opened { reader, fields })));
    }
}

/// The answer while there is no index, or it is far behind.
fn being_rebuilt() -> Error {
    Error::new(Code::ServiceUnavailable, "The search index is being rebuilt. Try again in a moment.")
}

/// What one word is worth, at best.
const BEST_POINTS: u32 = points(Likeness::Exact, Place::Name) as u32;

/// Where a word stands; the better, the greater.
#[derive(Debug, Clone, Copy)]
enum Place {
    Description,
    Tags,
    Name,
}

/// What a word is worth: how it is spelled counts more than where it stands. Never 0.
const fn points(likeness: Likeness, place: Place) -> u8 {
    let spelling = match likeness {
        Likeness::TwoEdits => 0,
        Likeness::OneEdit => 3,
        Likeness::Prefix => 6,
        Likeness::Exact => 9,
    };
    let standing = match place {
        Place::Description => 1,
        Place::Tags => 2,
        Place::Name => 3,
    };
    spelling + standing
}

/// A matching document, with all that it is ordered by.
struct Found<'a> {
    points: u32,
    created: u64,
    document: DocId,
    segment: &'a Segment<'a>,
}

impl Found<'_> {
    /// Orders the best first, then the newest, then by id.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |found: &Self| std::cmp::Reverse((found.points, found.created));
        // The id is only read when nothing else decides.
        rank(self).cmp(&rank(other)).then_with(|| self.id().cmp(&other.id()))
    }

    fn id(&self) -> AssetId {
        let high = self.segment.id_high.get_val(self.document);
        let low = self.segment.id_low.get_val(self.document);
        folder::joined(high, low)
    }

    fn hit(&self, best: u32) -> Hit {
        let library = self.segment.library.get_val(self.document);
        #[expect(clippy::cast_precision_loss, reason = "both are small whole numbers, exact as f32")]
        let score = self.points as f32 / best as f32;
        Hit { library, id: self.id(), score }
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

/// One segment of the index.
struct Segment<'a> {
    reader: &'a SegmentReader,
    fields: &'a Fields,
    library: Arc<dyn ColumnValues<u64>>,
    created: Arc<dyn ColumnValues<u64>>,
    id_high: Arc<dyn ColumnValues<u64>>,
    id_low: Arc<dyn ColumnValues<u64>>,
}

impl<'a> Segment<'a> {
    fn open(reader: &'a SegmentReader, fields: &'a Fields) -> Result<Self> {
        let column = |name| reader.fast_fields().column_first_or_default(name).map_err(Error::internal);
        Ok(Self {
            reader,
            fields,
            library: column(folder::LIBRARY)?,
            created: column(folder::CREATED)?,
            id_high: column(folder::ID_HIGH)?,
            id_low: column(folder::ID_LOW)?,
        })
    }

    /// Adds the documents that have all words and are in the libraries.
    fn search<'s>(&'s self, query: &SearchQuery<'_>, found: &mut Vec<Found<'s>>) -> Result<()> {
        let Some((first, others)) = query.terms.patterns().split_first() else { return Ok(()) };
        let mut points = vec![0; self.reader.max_doc() as usize];
        self.rate(first, &mut points)?;
        let mut documents = self.rated(&points, query.libraries);
        for pattern in others {
            if documents.is_empty() {
                return Ok(());
            }
            points.fill(0);
            self.rate(pattern, &mut points)?;
            documents.retain_mut(|(document, sum)| {
                let more = points.get(*document as usize).copied().unwrap_or(0);
                *sum += u32::from(more);
                more > 0
            });
        }
        found.extend(documents.into_iter().map(|(document, points)| Found {
            points,
            created: self.created.get_val(document),
            document,
            segment: self,
        }));
        Ok(())
    }

    /// Writes down for each document what one word is worth in it; the best place counts.
    fn rate(&self, pattern: &Pattern, points: &mut [u8]) -> Result<()> {
        let fields = self.fields;
        self.rate_field(pattern, fields.name, Place::Name, points)?;
        self.rate_field(pattern, fields.tags, Place::Tags, points)?;
        self.rate_field(pattern, fields.description, Place::Description, points)
    }

    fn rate_field(&self, pattern: &Pattern, field: Field, place: Place, rated: &mut [u8]) -> Result<()> {
        let index = self.reader.inverted_index(field).map_err(Error::internal)?;
        let mut similar = index.terms().search(pattern).into_stream()?;
        let mut postings = BlockSegmentPostings::empty();
        while let Some((word, info)) = similar.next() {
            let likeness = std::str::from_utf8(word).ok().and_then(|word| pattern.likeness(word));
            let Some(likeness) = likeness else { continue };
            let worth = points(likeness, place);
            index.reset_block_postings_from_terminfo(info, &mut postings)?;
            while !postings.docs().is_empty() {
                for &document in postings.docs() {
                    if let Some(best) = rated.get_mut(document as usize) {
                        *best = worth.max(*best);
                    }
                }
                postings.advance();
            }
        }
        Ok(())
    }

    /// The documents that are worth something, still there, and in the libraries.
    fn rated(&self, points: &[u8], libraries: &[u64]) -> Vec<(DocId, u32)> {
        /// How many documents are passed over in one go when none of them is worth anything.
        const STEP: usize = 64;
        let alive = self.reader.alive_bitset();
        let mut documents = Vec::new();
        for (step, ratings) in points.chunks(STEP).enumerate() {
            if ratings.iter().all(|&worth| worth == 0) {
                continue;
            }
            for (place, &worth) in ratings.iter().enumerate() {
                let Ok(document) = DocId::try_from(step * STEP + place) else { continue };
                if worth > 0
                    && alive.is_none_or(|alive: &AliveBitSet| alive.is_alive(document))
                    && libraries.contains(&self.library.get_val(document))
                {
                    documents.push((document, u32::from(worth)));
                }
            }
        }
        documents
    }
}

#[cfg(test)]
mod tests;
