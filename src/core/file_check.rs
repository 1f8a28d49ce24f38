//! Whether a file is there with its bytes: for the doctor, which looks at all files at once, and for the slow check.

use std::fmt;
use std::io::{Error, ErrorKind};

use super::long_work::Reporter;
use crate::core::backup::copying::read_whole;
use crate::core::model::ContentHash;
use crate::core::store::files::Blobs;
use crate::error::Result;

/// What is wrong with a file.
#[derive(Debug)]
pub enum FileProblem {
    /// It is not there.
    Missing,
    /// It can't be read.
    Unreadable(String),
    /// It has another size.
    Size {
        /// How many bytes it has.
        found: u64,
        /// How many bytes it had when it was uploaded.
        expected: u64,
    },
    /// It has other bytes.
    Damaged,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Unreadable(why) => write!(f, "can't be read ({why})"),
            Self::Size { found, expected } => write!(f, "has {found} bytes instead of {expected}"),
            Self::Damaged => f.write_str("is damaged, its bytes are not those that were uploaded"),
        }
    }
}

impl FileProblem {
    fn of(error: &Error) -> Self {
        if error.kind() == ErrorKind::NotFound { Self::Missing } else { Self::Unreadable(error.to_string()) }
    }
}

/// Whether a file is there and has this size, as far as that shows without reading it.
pub fn check_size(blobs: &Blobs, hash: ContentHash, expected: u64) -> Option<FileProblem> {
    match blobs.open_local(hash).and_then(|file| file.metadata()) {
        Ok(file) if file.len() == expected => None,
        Ok(file) => Some(FileProblem::Size { found: file.len(), expected }),
        Err(error) => Some(FileProblem::of(&error)),
    }
}

/// Whether a file has the bytes that its hash is of.
///
/// # Errors
/// When nobody waits for the result any more.
pub fn check_bytes(blobs: &Blobs, hash: ContentHash, reporter: &Reporter) -> Result<Option<FileProblem>> {
    let mut file = match blobs.open_local(hash) {
        Ok(file) => file,
        Err(error) => return Ok(Some(FileProblem::of(&error))),
    };
    Ok(match read_whole(&mut file, reporter, |_| Ok(()))? {
        Ok(read) if read.hash == hash => None,
        Ok(_) => Some(FileProblem::Damaged),
        Err(error) => Some(FileProblem::of(&error)),
    })
}
