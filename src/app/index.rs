//! The search index: disposable, follows the store's change log.

use std::path::PathBuf;

use super::store::Store;
use crate::error::Result;

/// What a person typed, as words to look for.
#[derive(Debug, Clone)]
pub struct Terms;

impl Terms {
    /// Reads what a person typed.
    #[must_use]
    pub fn parse(_query: &str) -> Self {
        Self
    }

    /// Whether there is no word in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }

    /// The text as HTML, with each match wrapped in `<mark>`.
    #[must_use]
    pub fn highlight(&self, text: &str) -> String {
        text.into()
    }

    /// Whether any of the words is in the text.
    #[must_use]
    pub fn matches(&self, _text: &str) -> bool {
        false
    }
}

/// A page of hits in some libraries.
pub struct SearchQuery<'a> {
    /// The words.
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
    /// The page.
    pub hits: Vec<Hit>,
}

/// One match.
pub struct Hit {
    /// The library, by number.
    pub library: u64,
    /// The asset's id.
    pub id: String,
    /// How well it matches.
    pub score: f32,
}

/// The index as it can be searched.
pub struct Index;

impl Index {
    /// Searches.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn search(&self, _query: &SearchQuery<'_>) -> Result<Hits> {
        Ok(Hits { found: 0, hits: Vec::new() })
    }
}

/// The thread that keeps the index in step with the store.
pub struct Indexer(Index);

impl Indexer {
    /// Opens the index, or makes it anew, and starts to follow the store.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn start(_store: Store, _dir: PathBuf) -> Result<Self> {
        Ok(Self(Index))
    }

    /// Waits until the index has seen the change with this number.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when that takes too long.
    #[expect(clippy::unused_async)]
    pub async fn reach(&self, _sequence: u64) -> Result<()> {
        Ok(())
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.0
    }
}
