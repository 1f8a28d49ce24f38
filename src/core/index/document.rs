//! The searchable form of an asset: its words, and where each stands. The index and the changes in memory use the same
//! form, so that both are found and rated alike.

use super::facets::{Facet, IndexFilter};
use super::pattern::{Likeness, Pattern};
use super::words::words;
use crate::core::model::Asset;
use crate::core::model::id::AssetId;

/// The field of an asset in which a word was found, from the least important to the most. The numbers are part of the index's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MatchedField {
    /// In the description.
    Description = 0,
    /// In a tag.
    Tags = 1,
    /// In the name.
    Name = 2,
}

impl MatchedField {
    /// The field with this number.
    pub fn numbered(number: u8) -> Option<Self> {
        [Self::Description, Self::Tags, Self::Name].into_iter().find(|field| *field as u8 == number)
    }
}

/// The points for a match: how close the spelling is counts more than the field. Never 0.
pub const fn points(likeness: Likeness, field: MatchedField) -> u8 {
    let spelling = match likeness {
        Likeness::TwoEdits => 0,
        Likeness::OneEdit => 3,
        Likeness::Prefix => 6,
        Likeness::Exact => 9,
    };
    let standing = match field {
        MatchedField::Description => 1,
        MatchedField::Tags => 2,
        MatchedField::Name => 3,
    };
    spelling + standing
}

/// The most points for one word.
pub const BEST_POINTS: u32 = points(Likeness::Exact, MatchedField::Name) as u32;

/// A listed asset in its searchable form.
#[derive(Debug)]
pub struct Document {
    /// The library, by number.
    pub library: u64,
    /// The asset.
    pub id: AssetId,
    /// When it was uploaded.
    pub created: u64,
    /// The folded words of each place, separated by spaces.
    words: [(MatchedField, String); 3],
    facets: Vec<Facet>,
}

impl Document {
    /// The document of an asset; none unless it is listed.
    pub fn of(asset: &Asset) -> Option<Self> {
        asset.is_listed().then(|| Self {
            library: asset.library.0,
            id: asset.id,
            created: asset.created,
            words: [
                (MatchedField::Name, spaced(&asset.name)),
                (MatchedField::Tags, spaced(&asset.tags.join(" "))),
                (MatchedField::Description, spaced(&asset.description)),
            ],
            facets: Facet::all_of(asset),
        })
    }

    /// The words, each with its place. A word may occur several times.
    pub fn words(&self) -> impl Iterator<Item = (MatchedField, &str)> {
        self.words.iter().flat_map(|(field, text)| text.split_whitespace().map(|word| (*field, word)))
    }

    /// What it is filtered by.
    pub fn facets(&self) -> &[Facet] {
        &self.facets
    }

    /// The values of its facets of one kind.
    pub fn facets_of(&self, kind: u8) -> impl Iterator<Item = Vec<u8>> {
        let values = self.facets.iter().filter_map(move |facet| facet.bytes().strip_prefix(&[kind]));
        values.map(<[u8]>::to_vec)
    }

    /// Whether a filter takes it.
    pub fn fits(&self, filter: &IndexFilter) -> bool {
        filter.takes(&self.facets, self.created)
    }

    /// How many bytes of text it holds.
    pub fn bytes(&self) -> usize {
        let facets: usize = self.facets.iter().map(|facet| facet.bytes().len()).sum();
        facets + self.words.iter().map(|(_, text)| text.len()).sum::<usize>()
    }

    /// The total points for these words; `None` unless all of them occur.
    pub fn rate(&self, patterns: &[Pattern]) -> Option<u32> {
        patterns.iter().try_fold(0, |sum, pattern| {
            let rated = self.words().filter_map(|(field, word)| Some(points(pattern.likeness(word)?, field)));
            rated.max().map(|rated| sum + u32::from(rated))
        })
    }
}

/// The folded words of a text, separated by spaces.
fn spaced(text: &str) -> String {
    words(text).into_iter().map(|word| word.folded).collect::<Vec<_>>().join(" ")
}
