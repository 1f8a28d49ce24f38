//! What a check of all records finds.

use std::collections::HashMap;

use crate::core::model::ContentHash;
use crate::core::model::id::AssetId;
use crate::error::Result;

/// The most problems of one kind that are described one by one.
const MAX: usize = 500;

/// Problems of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordProblems {
    /// What is wrong, in sentences; the first of them, when there are many.
    pub texts: Vec<String>,
    /// How many there are beyond those.
    pub more: u64,
}

/// What the records say about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedFile {
    /// How many bytes it has.
    pub size: u64,
    /// How many assets have it.
    pub assets: u64,
    /// One of them.
    pub asset: AssetId,
}

/// All records, checked.
#[derive(Debug, Default)]
pub struct CheckedRecords {
    /// What is wrong with records themselves, which can't be derived from others.
    pub in_records: RecordProblems,
    /// What is wrong with what is derived from records, and so can be derived again.
    pub in_derived: RecordProblems,
    /// How many records and entries were read.
    pub entries: u64,
    /// The files that assets have.
    pub files: HashMap<ContentHash, NamedFile>,
}

impl RecordProblems {
    /// Adds one.
    pub fn add(&mut self, text: String) {
        if self.texts.len() < MAX {
            self.texts.push(text);
        } else {
            self.more += 1;
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

impl CheckedRecords {
    /// Adds a problem of a record itself.
    pub fn add(&mut self, text: String) {
        self.in_records.add(text);
    }

    /// Adds a problem of what is derived from records.
    pub fn add_derived(&mut self, text: String) {
        self.in_derived.add(text);
    }
}

/// The check of all records.
pub trait CheckQueries {
    /// Checks all records, and returns what is wrong with them.
    ///
    /// # Errors
    /// When `report`, which is called with numbers of entries, answers an error. Damage is not an error, but found.
    fn check_records(&self, report: &mut dyn FnMut(u64) -> Result<()>) -> Result<CheckedRecords>;
}
