//! The check of the database's pages by their checksums, on a copy of its file: a check changes the file that it is made
//! on, and needs it for itself.

use std::path::Path;

use redb::Database;

use super::guard::guarded;
use super::{Store, storage};
use crate::error::{Error, Result};

/// The memory for pages during a check.
const CACHE: usize = 64 << 20;

/// What a check of all pages finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageCheck {
    /// Every page has the bytes that were written.
    Whole,
    /// Pages were changed from outside; what redb says.
    Damaged(String),
}

/// Checks every page of a copy of the database.
///
/// # Errors
/// When the copy can't be read.
pub fn check_pages(copy: &Path) -> Result<PageCheck> {
    let checked = guarded(|| {
        let mut db = Database::builder().set_cache_size(CACHE).open(copy).map_err(storage)?;
        db.check_integrity().map_err(storage)
    });
    match checked {
        Ok(true) => Ok(PageCheck::Whole),
        Ok(false) => {
            Ok(PageCheck::Damaged("its allocation of pages does not agree with its content".to_owned()))
        }
        Err(error) => match error.cause().and_then(|cause| cause.downcast_ref::<redb::Error>()) {
            Some(redb::Error::Io(_)) => Err(error),
            Some(_) | None => Ok(PageCheck::Damaged(words(&error))),
        },
    }
}

fn words(error: &Error) -> String {
    error.cause().map_or_else(|| error.to_string(), ToString::to_string)
}

impl Store {
    /// Runs `copy` while nothing is written, so that it can copy the file of the database.
    ///
    /// # Errors
    /// Those of `copy`.
    pub fn while_quiet<T: Send + 'static>(
        &self,
        mut copy: impl FnMut() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // A transaction that changes nothing: the writer commits nothing meanwhile.
        self.write_always_blocking(move |_| copy())
    }
}
