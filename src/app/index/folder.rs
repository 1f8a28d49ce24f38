//! The index on disk: its fields, its documents, and the stamp that says how far it followed which store.

use std::path::Path;

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use super::words::words;
use crate::app::id::AssetId;
use crate::app::model::Asset;
use crate::error::{Error, Result};

/// Changes when the fields, or how text becomes words, do: an index of another layout is built anew.
const LAYOUT: u32 = 1;
/// How much memory the writer fills before it writes a segment, in bytes. Tantivy takes no less than 15 MB.
const WRITER_BYTES: usize = 20_000_000;
/// From which share of deleted documents on a segment is merged.
const MOST_DELETED: f32 = 0.3;

/// The column of library numbers.
pub const LIBRARY: &str = "library";
/// The column of upload times.
pub const CREATED: &str = "created";
/// The column of the first half of the ids.
pub const ID_HIGH: &str = "id_high";
/// The column of the second half of the ids.
pub const ID_LOW: &str = "id_low";

/// The fields of a document.
#[derive(Clone, Copy)]
pub struct Fields {
    id: Field,
    id_high: Field,
    id_low: Field,
    library: Field,
    created: Field,
    pub name: Field,
    pub tags: Field,
    pub description: Field,
}

fn schema() -> (Schema, Fields) {
    // Which words are there is all that counts; they come folded and separated by spaces.
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("whitespace")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let text = TextOptions::default().set_indexing_options(indexing);
    let mut schema = Schema::builder();
    let fields = Fields {
        id: schema.add_bytes_field("id", INDEXED),
        id_high: schema.add_u64_field(ID_HIGH, FAST),
        id_low: schema.add_u64_field(ID_LOW, FAST),
        library: schema.add_u64_field(LIBRARY, FAST),
        created: schema.add_u64_field(CREATED, FAST),
        name: schema.add_text_field("name", text.clone()),
        tags: schema.add_text_field("tags", text.clone()),
        description: schema.add_text_field("description", text),
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
        Ok(Self { writer, reader, fields, database, sequence })
    }

    /// The number of the last change that is in it for good.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What searches read from.
    pub fn reader(&self) -> (IndexReader, Fields) {
        (self.reader.clone(), self.fields)
    }

    /// Takes an asset's document out.
    pub fn remove(&self, id: &AssetId) {
        self.writer.delete_term(Term::from_field_bytes(self.fields.id, id.bytes()));
    }

    /// Puts an asset's document in, if it is listed. One that is there already has to be removed before.
    pub fn add(&self, asset: &Asset) -> Result<()> {
        if asset.parent.is_some() || asset.trashed.is_some() {
            return Ok(());
        }
        let (fields, (high, low)) = (self.fields, halves(&asset.id));
        let mut document = TantivyDocument::default();
        document.add_bytes(fields.id, asset.id.bytes());
        document.add_u64(fields.id_high, high);
        document.add_u64(fields.id_low, low);
        document.add_u64(fields.library, asset.library.0);
        document.add_u64(fields.created, asset.created);
        document.add_text(fields.name, spaced(&asset.name));
        document.add_text(fields.tags, spaced(&asset.tags.join(" ")));
        document.add_text(fields.description, spaced(&asset.description));
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

/// A text's words, folded, as the index reads them.
fn spaced(text: &str) -> String {
    words(text).into_iter().map(|word| word.folded).collect::<Vec<_>>().join(" ")
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
