//! Copies one file, with the hash of what was copied.

use std::fs::File;
use std::io::{Read, Seek, Write};
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

/// Copies a file to a new one and writes it to the disk. Where the file system can share the blocks of the two, it does;
/// the bytes are read in any case, since only their hash tells whether they are whole.
pub fn copy(source: &mut File, source_path: &Path, target: &Path, reporter: &Reporter) -> Result<Copied> {
    let mut file = new_file(target)?;
    let is_shared = rustix::fs::ioctl_ficlone(&file, &*source).is_ok();
    let mut write = |chunk: &[u8]| if is_shared { Ok(()) } else { file.write_all(chunk) };
    let copied = read_whole(source, source_path, reporter, |chunk| at(target, write(chunk)))?;
    at(target, file.sync_all())?;
    Ok(copied)
}

/// Reads a file to its end, for its hash.
pub fn hash(path: &Path, reporter: &Reporter) -> Result<Copied> {
    let mut file = at(path, File::open(path))?;
    read_whole(&mut file, path, reporter, |_| Ok(()))
}

/// Reads a file from its beginning to its end in chunks.
pub fn read_whole(
    source: &mut File,
    path: &Path,
    reporter: &Reporter,
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<Copied> {
    at(path, source.rewind())?;
    let (mut hasher, mut size, mut chunk) = (blake3::Hasher::new(), 0, vec![0; CHUNK]);
    loop {
        let read = at(path, source.read(&mut chunk))?;
        let read = chunk.get(..read).unwrap_or_default();
        if read.is_empty() {
            return Ok(Copied { hash: ContentHash(*hasher.finalize().as_bytes()), size });
        }
        take(read)?;
        hasher.update(read);
        size += read.len() as u64;
        reporter.advance(read.len() as u64)?;
    }
}
