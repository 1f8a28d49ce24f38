//! The fields of a document in the index, and how an asset id is stored in them.

use tantivy::Term;
use tantivy::schema::{BytesOptions, FAST, Field, Schema};

use crate::core::model::id::AssetId;

/// The column of upload times.
pub const CREATED: &str = "created";
/// The column of the first half of the ids.
pub const ID_HIGH: &str = "id_high";
/// The column of the second half of the ids.
pub const ID_LOW: &str = "id_low";

/// The fields of a document.
#[derive(Clone, Copy)]
pub struct Fields {
    /// The library and the id, to delete a document by. An asset that moves is in two libraries for a moment.
    pub key: Field,
    /// The first half of the id.
    pub id_high: Field,
    /// The second half of the id.
    pub id_low: Field,
    /// The upload time.
    pub created: Field,
    /// The words, each prefixed with its library and where it stands.
    pub words: Field,
    /// The facets, each prefixed with its library.
    pub facets: Field,
}

impl Fields {
    /// The term of an asset's document in a library.
    pub fn key_of(&self, library: u64, id: &AssetId) -> Term {
        Term::from_field_bytes(self.key, &document_key(library, id))
    }
}

/// The value of the key.
pub fn document_key(library: u64, id: &AssetId) -> Vec<u8> {
    [library.to_be_bytes().as_slice(), id.bytes()].concat()
}

/// The schema of an index, and its fields.
pub fn schema() -> (Schema, Fields) {
    // Only the presence of a word matters, so there are no positions and no norms.
    let indexed = BytesOptions::default().set_indexed();
    let mut schema = Schema::builder();
    let fields = Fields {
        key: schema.add_bytes_field("key", indexed.clone()),
        id_high: schema.add_u64_field(ID_HIGH, FAST),
        id_low: schema.add_u64_field(ID_LOW, FAST),
        created: schema.add_u64_field(CREATED, FAST),
        words: schema.add_bytes_field("words", indexed.clone()),
        facets: schema.add_bytes_field("facets", indexed),
    };
    (schema.build(), fields)
}

/// An id as two numbers that sort in the same order.
pub fn halves(id: &AssetId) -> (u64, u64) {
    let number = u128::from_be_bytes(*id.bytes());
    #[expect(clippy::cast_possible_truncation, reason = "only the low half is needed")]
    let low = number as u64;
    ((number >> 64) as u64, low)
}

/// The id with these halves.
pub fn joined(high: u64, low: u64) -> AssetId {
    AssetId::from_bytes(&(u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_of_an_id_sort_like_it_and_can_be_joined() {
        let (first, last) = (AssetId::random(), AssetId::random());
        let (high, low) = halves(&first);
        assert_eq!(joined(high, low), first);
        assert_eq!(first.cmp(&last), halves(&first).cmp(&halves(&last)));
    }
}
