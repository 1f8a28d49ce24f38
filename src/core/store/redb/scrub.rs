//! The slow check of files, in the tables.

use std::ops::{Bound, ControlFlow};

use super::tables::{BLOBS, DAMAGED, META};
use super::{Reader, Snapshot, Tx, everything};
use crate::core::model::ContentHash;
use crate::core::model::time::Millis;
use crate::core::store::records::{ScrubCommands, ScrubQueries};
use crate::error::Result;

const POSITION: &str = "scrub_position";

impl ScrubQueries for Snapshot {
    fn scrub_position(&self) -> Result<u64> {
        Ok(self.lookup(META, POSITION, Ok)?.unwrap_or(0))
    }

    fn blobs_between(&self, from: u64, until: Option<u64>) -> Result<Vec<ContentHash>> {
        let (from, until) = (first_from(from), until.map(first_from));
        let end = until.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut files = Vec::new();
        self.scan(BLOBS, (Bound::Included(&from), end), |hash, refs| {
            if refs > 0 {
                files.push(ContentHash(*hash));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(files)
    }

    fn damaged_files(&self) -> Result<Vec<ContentHash>> {
        let mut files = Vec::new();
        self.scan(DAMAGED, everything(), |hash, _| {
            files.push(ContentHash(*hash));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(files)
    }
}

impl ScrubCommands for Tx<'_> {
    fn put_scrub_position(&self, position: u64) -> Result<()> {
        self.put(META, POSITION, position)
    }

    fn put_damaged(&self, hash: ContentHash, now: Millis) -> Result<()> {
        self.put(DAMAGED, &hash.0, now)
    }

    fn delete_damaged(&self, hash: ContentHash) -> Result<()> {
        self.delete(DAMAGED, &hash.0)
    }
}

/// The first hash that begins so.
fn first_from(beginning: u64) -> [u8; 32] {
    let mut hash = [0; 32];
    for (byte, value) in hash.iter_mut().zip(beginning.to_be_bytes()) {
        *byte = value;
    }
    hash
}
