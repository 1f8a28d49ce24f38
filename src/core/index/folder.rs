//! The index on disk: its segments, and the stamp that says which store it follows and how far.

use std::collections::{HashMap, HashSet};
use std::panic::catch_unwind;
use std::path::Path;

use tantivy::index::SegmentId;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument};

use super::document::Document;
use super::fields::{Fields, document_key, halves, schema};
use super::private_directory::PrivateDirectory;
use super::segment::{self, Segment};
use crate::core::model::id::AssetId;
use crate::error::{Error, Result};

/// Changes with the fields, and with how text becomes words: an index of another layout is rebuilt.
const LAYOUT: u32 = 3;
/// How much memory the writer fills before it writes a segment, in bytes. Tantivy takes no less than 15 MB.
const WRITER_BYTES: usize = 20_000_000;
/// The fraction of deleted documents from which on a segment is merged.
const MAX_DELETED_SHARE: f32 = 0.3;

/// An open index folder. Only one process at a time can open it.
pub struct IndexFolder {
    writer: IndexWriter,
    reader: IndexReader,
    fields: Fields,
    /// The number of the store that it follows.
    database: u64,
    /// The number of the last committed change.
    sequence: u64,
    /// The libraries in each open segment, which never change.
    libraries: HashMap<SegmentId, Vec<u64>>,
}

/// The committed content of an index, open for searches.
pub struct Committed {
    /// The number of the last change that is in it.
    pub sequence: u64,
    segments: Vec<Segment>,
    /// The segments in which each library has documents, by their position in `segments`.
    libraries: HashMap<u64, Vec<usize>>,
}

impl Committed {
    /// All segments.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    /// The segments that have documents of this library.
    pub fn segments_of(&self, library: u64) -> impl Iterator<Item = &Segment> {
        let positions = self.libraries.get(&library).into_iter().flatten();
        positions.filter_map(|position| self.segments.get(*position))
    }
}

impl IndexFolder {
    /// Opens the existing index, if it is intact and follows this store.
    pub fn open(path: &Path, database: u64) -> Result<Option<Self>> {
        // tantivy panics on files that are shorter than their ends say.
        catch_unwind(|| Self::open_intact(path, database)).unwrap_or(Ok(None))
    }

    fn open_intact(path: &Path, database: u64) -> Result<Option<Self>> {
        let (schema, fields) = schema();
        let Ok(directory) = PrivateDirectory::open(path) else { return Ok(None) };
        let Ok(index) = Index::open(directory) else { return Ok(None) };
        let Ok(meta) = index.load_metas() else { return Ok(None) };
        let sequence = meta.payload.as_deref().and_then(|payload| stamped(payload, database));
        let Some(sequence) = sequence.filter(|_| index.schema() == schema) else { return Ok(None) };
        let is_intact = index.validate_checksum().is_ok_and(|damaged| damaged.is_empty());
        if is_intact { Self::of(&index, fields, database, sequence).map(Some) } else { Ok(None) }
    }

    /// Creates an empty index; deletes an existing one.
    pub fn create(path: &Path, database: u64) -> Result<Self> {
        if path.exists() {
            std::fs::remove_dir_all(path)?;
        }
        crate::file_mode::create_folder(path)?;
        let (schema, fields) = schema();
        let directory = PrivateDirectory::open(path).map_err(Error::internal)?;
        let index = Index::create(directory, schema, IndexSettings::default()).map_err(Error::internal)?;
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
        merging.set_del_docs_ratio_before_merge(MAX_DELETED_SHARE);
        writer.set_merge_policy(Box::new(merging));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(Error::internal)?;
        Ok(Self { writer, reader, fields, database, sequence, libraries: HashMap::new() })
    }

    /// The number of the last committed change.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The committed content, for searches.
    pub fn committed(&mut self) -> Result<Committed> {
        let searcher = self.reader.searcher();
        let mut committed =
            Committed { sequence: self.sequence, segments: Vec::new(), libraries: HashMap::new() };
        let mut known = HashMap::with_capacity(self.libraries.len());
        for (position, reader) in searcher.segment_readers().iter().enumerate() {
            let segment = Segment::open(reader, &self.fields)?;
            let libraries = match self.libraries.remove(&reader.segment_id()) {
                Some(libraries) => libraries,
                None => segment.libraries()?,
            };
            for library in &libraries {
                committed.libraries.entry(*library).or_default().push(position);
            }
            known.insert(reader.segment_id(), libraries);
            committed.segments.push(segment);
        }
        self.libraries = known;
        Ok(committed)
    }

    /// Removes an asset's document from a library.
    pub fn remove(&self, library: u64, id: &AssetId) {
        self.writer.delete_term(self.fields.key_of(library, id));
    }

    /// Adds a document. A former one of the same asset in the same library must be removed first.
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
        let facets: HashSet<Vec<u8>> =
            searched.facets().iter().map(|facet| segment::facet_key(searched.library, facet)).collect();
        for key in &facets {
            document.add_bytes(fields.facets, key);
        }
        self.writer.add_document(document).map_err(Error::internal)?;
        Ok(())
    }

    /// Commits everything up to the change with this number, and makes it visible to searches.
    pub fn commit(&mut self, sequence: u64) -> Result<()> {
        let mut commit = self.writer.prepare_commit().map_err(Error::internal)?;
        commit.set_payload(&stamp(self.database, sequence));
        commit.commit().map_err(Error::internal)?;
        self.reader.reload().map_err(Error::internal)?;
        self.sequence = sequence;
        Ok(())
    }
}

fn stamp(database: u64, sequence: u64) -> String {
    format!("{LAYOUT} {database} {sequence}")
}

/// How far an index with this stamp followed this store; `None` for another layout or store.
fn stamped(stamp: &str, database: u64) -> Option<u64> {
    let mut numbers = stamp.split(' ');
    let layout = numbers.next()?.parse::<u32>().ok()?;
    let followed = numbers.next()?.parse::<u64>().ok()?;
    let sequence = numbers.next()?.parse().ok()?;
    (layout == LAYOUT && followed == database).then_some(sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_another_layout_or_store_is_ignored() {
        assert_eq!(stamped(&stamp(7, 42), 7), Some(42));
        for other in [stamp(8, 42), "0 7 42".into(), "1 7".into(), "1 7 x".into(), String::new()] {
            assert_eq!(stamped(&other, 7), None, "{other}");
        }
    }
}
