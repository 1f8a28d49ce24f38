//! The references to files in the tables: how many assets have each file, which have none any more, and whether the
//! folder of files was marked.

use std::ops::ControlFlow;

use super::tables::{BLOBS, META, ORPHANS};
use super::{Reader, Snapshot, Store, Tx, between};
use crate::core::model::ContentHash;
use crate::core::model::time::Millis;
use crate::core::store::records::{FileCommands, FileQueries};
use crate::error::{Error, Result};

/// Set once the folder of files was marked.
pub(super) const MARKED: &str = "files_marked";

impl FileQueries for Snapshot {
    fn blob_refs(&self, hash: ContentHash) -> Result<u64> {
        blob_refs(self, hash)
    }

    fn blob_is_known(&self, hash: ContentHash) -> Result<bool> {
        Ok(self.lookup(BLOBS, &hash.0, |_| Ok(()))?.is_some())
    }

    fn blobs_starting_with(&self, byte: u8) -> Result<Vec<(ContentHash, u64)>> {
        let (mut first, mut last) = ([0; 32], [0xFF; 32]);
        (first[0], last[0]) = (byte, byte);
        let mut known = Vec::new();
        self.scan(BLOBS, between(&first, &last), |hash, refs| {
            known.push((ContentHash(*hash), refs));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(known)
    }

    fn orphans(&self, until: Millis, most: usize) -> Result<Vec<(Millis, ContentHash)>> {
        let mut orphans = Vec::new();
        self.scan(ORPHANS, between((0, &[0; 32]), (until, &[0xFF; 32])), |(since, hash), ()| {
            orphans.push((since, ContentHash(*hash)));
            Ok(if orphans.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(orphans)
    }

    fn files_are_marked(&self) -> Result<bool> {
        Ok(self.lookup(META, MARKED, Ok)?.is_some())
    }
}

impl Store {
    /// Records that the folder of files is marked, while the database is being opened.
    pub fn mark_files(&self) -> Result<()> {
        self.stamp(MARKED, 1)
    }
}

impl FileCommands for Tx<'_> {
    fn delete_orphan(&self, since: Millis, hash: ContentHash) -> Result<()> {
        self.delete(ORPHANS, (since, &hash.0))?;
        if blob_refs(self, hash)? == 0 { self.delete(BLOBS, &hash.0) } else { Ok(()) }
    }
}

impl Tx<'_> {
    pub(super) fn add_blob_ref(&self, hash: ContentHash) -> Result<()> {
        let refs = blob_refs(self, hash)?;
        self.put(BLOBS, &hash.0, refs + 1)
    }

    pub(super) fn drop_blob_ref(&self, hash: ContentHash, now: Millis) -> Result<()> {
        match blob_refs(self, hash)? {
            0 => {
                Err(Error::internal("a file was released more often than it was taken; run `rasterd doctor`"))
            }
            1 => {
                self.put(BLOBS, &hash.0, 0)?;
                self.put(ORPHANS, (self.counted_from(now)?, &hash.0), ())
            }
            refs => self.put(BLOBS, &hash.0, refs - 1),
        }
    }
}

fn blob_refs(reader: &impl Reader, hash: ContentHash) -> Result<u64> {
    Ok(reader.lookup(BLOBS, &hash.0, Ok)?.unwrap_or(0))
}
