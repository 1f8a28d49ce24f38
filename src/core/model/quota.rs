//! What an organization may have and what it has: bytes, files and libraries. Messages name the limit and never what is
//! used, because a key must not learn of libraries that it has no access to.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// The most that an organization may have. No limit where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The bytes of all files: assets, variants and trash.
    pub storage: Option<u64>,
    /// The libraries.
    pub libraries: Option<u64>,
    /// The files: assets, variants and trash.
    pub assets: Option<u64>,
}

/// What an organization has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationUse {
    /// The bytes of all files: assets, variants and trash.
    pub storage: u64,
    /// The libraries.
    pub libraries: u64,
    /// The files: assets, variants and trash.
    pub assets: u64,
}

/// How many bytes an organization with a storage quota may still add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageRoom {
    /// The quota.
    pub max: u64,
    /// What is left of it.
    pub left: u64,
}

impl Quota {
    /// Checks what an organization would have after an upload.
    ///
    /// # Errors
    /// `STORAGE_LIMIT_EXCEEDED`.
    pub fn expect_files(&self, after: &OrganizationUse) -> Result<()> {
        if let Some(max) = self.storage.filter(|max| after.storage > *max) {
            return Err(storage_exceeded(max));
        }
        match self.assets.filter(|max| after.assets > *max) {
            Some(max) => Err(Error::new(
                Code::StorageLimitExceeded,
                format!(
                    "The organization may have {max} files in all, with variants and trash, and this upload exceeds that. Delete some permanently, or ask the administrator of the server for more."
                ),
            )),
            None => Ok(()),
        }
    }

    /// Checks what an organization would have with one more library.
    ///
    /// # Errors
    /// `LIBRARY_LIMIT_EXCEEDED`.
    pub fn expect_libraries(&self, after: &OrganizationUse) -> Result<()> {
        match self.libraries.filter(|max| after.libraries > *max) {
            Some(max) => Err(Error::new(
                Code::LibraryLimitExceeded,
                format!(
                    "The organization may have {max} libraries. Delete one, or ask the administrator of the server for more."
                ),
            )),
            None => Ok(()),
        }
    }
}

impl StorageRoom {
    /// Checks that this many more bytes fit.
    ///
    /// # Errors
    /// `STORAGE_LIMIT_EXCEEDED`.
    pub fn expect(&self, bytes: u64) -> Result<()> {
        if bytes > self.left { Err(storage_exceeded(self.max)) } else { Ok(()) }
    }
}

fn storage_exceeded(max: u64) -> Error {
    Error::new(
        Code::StorageLimitExceeded,
        format!(
            "The organization may store {max} bytes in all, with variants and trash, and this upload exceeds that. Delete something permanently, or ask the administrator of the server for more."
        ),
    )
}
