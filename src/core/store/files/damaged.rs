//! Files that are known to be damaged: they are not served as if they were whole.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::sync::{PoisonError, RwLockReadGuard};

use super::Blobs;
use crate::core::model::ContentHash;

/// Where the documentation says what to do about a damaged or missing file.
pub const DAMAGE_PAGE: &str = "/docs/when-something-is-wrong#the-database-or-a-file-is-damaged";

impl Blobs {
    /// Takes these for damaged from now on, and no others.
    pub fn set_damaged(&self, damaged: HashSet<ContentHash>) {
        *self.damaged.write().unwrap_or_else(PoisonError::into_inner) = damaged;
    }

    /// Takes some more for damaged, and some for whole again.
    pub fn change_damaged(&self, damaged: impl Iterator<Item = ContentHash>, repaired: &[ContentHash]) {
        let mut known = self.damaged.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(damaged);
        for hash in repaired {
            known.remove(hash);
        }
    }

    /// The files that are known to be damaged.
    pub fn damaged(&self) -> RwLockReadGuard<'_, HashSet<ContentHash>> {
        self.damaged.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a file for whole again, because its bytes were just written.
    pub(super) fn delete_damage(&self, hash: ContentHash) {
        if self.damaged().contains(&hash) {
            self.damaged.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
        }
    }

    /// Checks an open file, as far as that is cheap: its size, and whether it is known to be damaged.
    pub(super) fn expect_whole(&self, file: &File, hash: ContentHash, size: u64) -> io::Result<()> {
        let found = file.metadata()?.len();
        if found != size {
            let wrong = format!("it has {found} bytes instead of {size}; put it back from a backup");
            return Err(io::Error::new(ErrorKind::InvalidData, wrong));
        }
        if self.damaged().contains(&hash) {
            let wrong = "its bytes are not those that were uploaded; put it back from a backup";
            return Err(io::Error::new(ErrorKind::InvalidData, wrong));
        }
        Ok(())
    }
}
