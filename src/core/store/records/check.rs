//! What a check of all records finds.

use std::collections::HashMap;

use crate::core::model::ContentHash;
use crate::core::model::id::AssetId;
use crate::error::Result;

/// The most problems that are described one by one.
const MOST: usize = 500;

/// A problem with the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordProblem {
    /// What is wrong, as a sentence.
    pub text: String,
    /// Whether it is in what is derived from other records, and so can be derived again.
    pub is_derived: bool,
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
    /// What is wrong; the first of it, when it is much.
    pub problems: Vec<RecordProblem>,
    /// How many problems there are beyond those.
    pub more: u64,
    /// How many records and entries were read.
    pub entries: u64,
    /// The files that assets have.
    pub files: HashMap<ContentHash, NamedFile>,
}

impl CheckedRecords {
    /// Adds a problem of a record itself, which can't be derived from others.
    pub fn add(&mut self, text: String) {
        self.push(RecordProblem { text, is_derived: false });
    }

    /// Adds a problem of what is derived from other records.
    pub fn add_derived(&mut self, text: String) {
        self.push(RecordProblem { text, is_derived: true });
    }

    fn push(&mut self, problem: RecordProblem) {
        if self.problems.len() < MOST {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
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
