//! The slow check of files: how far it is, and which files it found damaged.

use crate::core::model::ContentHash;
use crate::core::model::time::Millis;
use crate::error::Result;

/// Reads of the check of files.
pub trait ScrubQueries {
    /// From which beginning of hashes on files are checked next: their first eight bytes, as a number.
    fn scrub_position(&self) -> Result<u64>;

    /// The files with assets whose hashes begin from here on, and before `until`.
    fn blobs_between(&self, from: u64, until: Option<u64>) -> Result<Vec<ContentHash>>;

    /// The files that are known to be damaged or missing.
    fn damaged_files(&self) -> Result<Vec<ContentHash>>;
}

/// Records of the check of files.
pub trait ScrubCommands {
    /// Records how far the check is.
    fn put_scrub_position(&self, position: u64) -> Result<()>;

    /// Records that a file is damaged or missing.
    fn put_damaged(&self, hash: ContentHash, now: Millis) -> Result<()>;

    /// Records that a file is whole.
    fn delete_damaged(&self, hash: ContentHash) -> Result<()>;
}
