//! The index on disk: its fields, its documents, and the stamp that says how far it followed which store.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use tantivy::index::SegmentId;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::{BytesOptions, FAST, Field, Schema};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use super::document::Document;
use super::segment::{self, Segment};
use crate::core::model::id::AssetId;
use crate::error::{Error, Result};

/// Changes when the fields, or how text becomes words, do: an index of another layout is built again.
const LAYOUT: u32 = 2;
/// How much memory the writer fills before it writes a segment, in bytes. Tantivy takes no less than 15 MB.
const WRITER_BYTES: usize = 20_000_000;
/// From which share of deleted documents on a segment is merged.
const MOST_DELETED: f32 = 0.3;

/// The column of upload times.
pub const CREATED: &str = "created";
/// The column of the first half of the ids.
pub const ID_HIGH: &str = "id_high";
/// The column of the second half of the ids.
pub const ID_LOW: &str = "id_low";

/// The fields of a document.
#[derive(Clone, Copy)]
pub struct Fields {
    /// The library and the id together, to delete by: the same asset is in two while it moves.
    key: Field,
    id_high: Field,
    id_low: Field,
    created: Field,
    /// The words, each behind its library and its place.
    pub words: Field,
}

fn schema() -> (Schema, Fields) {
    // Which words are there is all that counts: no positions, and no norms.
    let indexed = BytesOptions::default().set_indexed();
    let mut schema = Schema::builder();
    let fields = Fields {
        key: schema.add_bytes_field("key", indexed.clone()),
        id_high: schema.add_u64_field(ID_HIGH, FAST),
        id_low: schema.add_u64_field(ID_LOW, FAST),
        created: schema.add_u64_field(CREATED, FAST),
        words: schema.add_bytes_field("words", indexed),
    };
    (schema.build(), fields)
}

/// An open index folder. One at a time has it for writing.
pub struct Folder {
    writer: IndexWriter,
    reader: IndexReader,
    fields: Fields,
    /// The number of the store that it follows.
    database: u64,
    /// The number of the last change that is in it for good.
    sequence: u64,
    /// The libraries of each segment that is searched; a segment never gets others.
    libraries: HashMap<SegmentId, Vec<u64>>,
}

/// What is in an index for good, opened to be searched.
pub struct Committed {
    /// The number of the last change that is in it.
    pub sequence: u64,
    segments: Vec<Segment>,
    /// In which segments each library has words, by their place in `segments`.
    libraries: HashMap<u64, Vec<usize>>,
}

impl Committed {
    /// The segments that have words of this library.
    pub fn segments_of(&self, library: u64) -> impl Iterator<Item = &Segment> {
        let places = self.libraries.get(&library).into_iter().flatten();
        places.filter_map(|place| self.segments.get(*place))
    }
}

impl Folder {
    /// Opens the index that is there, if it is whole and follows this store.
    pub fn open(path: &Path, database: u64) -> Result<Option<Self>> {
        let (schema, fields) = schema();
        let Ok(index) = Index::open_in_dir(path) else { return Ok(None) };
        let Ok(meta) = index.load_metas() else { return Ok(None) };
        let sequence = meta.payload.as_deref().and_then(|payload| stamped(payload, database));
        let Some(sequence) = sequence.filter(|_| index.schema() == schema) else { return Ok(None) };
        let whole = index.validate_checksum().is_ok_and(|damaged| damaged.is_empty());
        if whole { Self::of(&index, fields, database, sequence).map(Some) } else { Ok(None) }
    }

    /// Makes an empty index in place of what is there.
    pub fn create(path: &Path, database: u64) -> Result<Self> {
        if path.exists() {
            std::fs::remove_dir_all(path)?;
        }
        std::fs::create_dir_all(path)?;
        let (schema, fields) = schema();
        let index = Index::create_in_dir(path, schema).map_err(Error::internal)?;
        Self::of(&index, fields, database, 0)
    }

    fn of(index: &Index, fields: Fields, database: u64, sequence: u64) -> Result<Self> {
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(WRITER_BYTES)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer: IndexWriter = index.writer_with_options(options).map_err(Error::internal)?;
        let mut merging = LogMergePolicy::default();
        merging.set_del_docs_ratio_before_merge(MOST_DELETED);
        writer.set_merge_policy(Box::new(merging));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(Error::internal)?;
        Ok(Self { writer, reader, fields, database, sequence, libraries: HashMap::new() })
    }

    /// The number of the last change that is in it for good.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What searches read from: all that was committed.
    pub fn committed(&mut self) -> Result<Committed> {
        let searcher = self.reader.searcher();
        let mut committed =
            Committed { sequence: self.sequence, segments: Vec::new(), libraries: HashMap::new() };
        let mut known = HashMap::with_capacity(self.libraries.len());
        for (place, reader) in searcher.segment_readers().iter().enumerate() {
            let segment = Segment::open(reader, &self.fields)?;
            let libraries = match self.libraries.remove(&reader.segment_id()) {
                Some(libraries) => libraries,
                None => segment.libraries()?,
            };
            for library in &libraries {
                committed.libraries.entry(*library).or_default().push(place);
            }
            known.insert(reader.segment_id(), libraries);
            committed.segments.push(segment);
        }
        self.libraries = known;
        Ok(committed)
    }

    /// Takes an asset's document out of a library.
    pub fn remove(&self, library: u64, id: &AssetId) {
        self.writer.delete_term(Term::from_field_bytes(self.fields.key, &document_key(library, id)));
    }

    /// Puts a document in. One of the same asset in the same library has to be removed before.
    pub fn add(&self, searched: &Document) -> Result<()> {
        let (fields, (high, low)) = (self.fields, halves(&searched.id));
        let mut document = TantivyDocument::default();
        document.add_bytes(fields.key, &document_key(searched.library, &searched.id));
        document.add_u64(fields.id_high, high);
        document.add_u64(fields.id_low, low);
        document.add_u64(fields.created, searched.created);
        let keys: HashSet<Vec<u8>> =
            searched.words().map(|(place, word)| segment::key(searched.library, place, word)).collect();
        for key in &keys {
            document.add_bytes(fields.words, key);
        }
        self.writer.add_document(document).map_err(Error::internal)?;
        Ok(())
    }

    /// Makes everything up to the change with this number durable, and lets searches see it.
    pub fn commit(&mut self, sequence: u64) -> Result<()> {
        let mut commit = self.writer.prepare_commit().map_err(Error::internal)?;
        commit.set_payload(&stamp(self.database, sequence));
        commit.commit().map_err(Error::internal)?;
        self.reader.reload().map_err(Error::internal)?;
        self.sequence = sequence;
        Ok(())
    }
}

/// The bytes that a document is deleted by.
fn document_key(library: u64, id: &AssetId) -> Vec<u8> {
    [library.to_be_bytes().as_slice(), id.bytes()].concat()
}

fn stamp(database: u64, sequence: u64) -> String {
    format!("{LAYOUT} {database} {sequence}")
}

/// How far an index with this stamp followed the store, if it is of today's layout and followed this one.
fn stamped(stamp: &str, database: u64) -> Option<u64> {
    let mut numbers = stamp.split(' ');
    let layout = numbers.next()?.parse::<u32>().ok()?;
    let followed = numbers.next()?.parse::<u64>().ok()?;
    let sequence = numbers.next()?.parse().ok()?;
    (layout == LAYOUT && followed == database).then_some(sequence)
}

/// An id as two numbers that order as it does.
fn halves(id: &AssetId) -> (u64, u64) {
    let number = u128::from_be_bytes(*id.bytes());
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    let low = number as u64;
    ((number >> 64) as u64, low)
}

/// The id of these halves.
pub fn joined(high: u64, low: u64) -> AssetId {
    AssetId::from_bytes(&(u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_of_an_id_order_as_it_does_and_join_again() {
        let (first, last) = (AssetId::random(), AssetId::random());
        let (high, low) = halves(&first);
        assert_eq!(joined(high, low), first);
        assert_eq!(first.cmp(&last), halves(&first).cmp(&halves(&last)));
    }

    #[test]
    fn a_stamp_of_another_layout_or_store_is_not_taken() {
        assert_eq!(stamped(&stamp(7, 42), 7), Some(42));
        for other in [stamp(8, 42), "0 7 42".into(), "1 7".into(), "1 7 x".into(), String::new()] {
            assert_eq!(stamped(&other, 7), None, "{other}");
        }
    }
}
