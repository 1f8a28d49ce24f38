//! Copies one file, with the hash of what was copied.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::layout::{at, new_file};
use crate::core::long_work::Reporter;
use crate::core::model::ContentHash;
use crate::error::Result;

/// How much is read at a time.
const CHUNK: usize = 1 << 20;

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The hash of the bytes.
    pub hash: ContentHash,
    /// How many bytes.
    pub size: u64,
}

/// What was read of a file, or why it can't be read to its end. A bad sector is a damaged file, and not a reason to end a
/// backup or a restore.
pub type CopyOutcome = io::Result<Copied>;

/// Copies a file to a new one and writes it to the disk. Where the file system can share the blocks of the two, it does;
/// the bytes are read in any case, since only their hash tells whether they are whole.
///
/// # Errors
/// When the new file can't be written, or nobody waits any more.
pub fn copy(source: &mut File, target: &Path, reporter: &Reporter) -> Result<CopyOutcome> {
    let mut file = new_file(target)?;
    let is_shared = rustix::fs::ioctl_ficlone(&file, &*source).is_ok();
    let mut write = |chunk: &[u8]| if is_shared { Ok(()) } else { file.write_all(chunk) };
    let copied = read_whole(source, reporter, |chunk| at(target, write(chunk)))?;
    at(target, file.sync_all())?;
    Ok(copied)
}

/// Reads a file to its end, for its hash.
///
/// # Errors
/// When nobody waits any more.
pub fn hash(path: &Path, reporter: &Reporter) -> Result<CopyOutcome> {
    match File::open(path) {
        Ok(mut file) => read_whole(&mut file, reporter, |_| Ok(())),
        Err(cause) => Ok(Err(cause)),
    }
}

/// Reads a file from its beginning to its end in chunks.
///
/// # Errors
/// Those of `take`, and when nobody waits any more.
pub fn read_whole(
    source: &mut File,
    reporter: &Reporter,
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<CopyOutcome> {
    if let Err(cause) = source.rewind() {
        return Ok(Err(cause));
    }
    let (mut hasher, mut size, mut chunk) = (blake3::Hasher::new(), 0, vec![0; CHUNK]);
    loop {
        let read = match source.read(&mut chunk) {
            Ok(read) => chunk.get(..read).unwrap_or_default(),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Ok(Err(cause)),
        };
        if read.is_empty() {
            return Ok(Ok(Copied { hash: ContentHash(*hasher.finalize().as_bytes()), size }));
        }
        take(read)?;
        hasher.update(read);
        size += read.len() as u64;
        reporter.advance(read.len() as u64)?;
    }
}
