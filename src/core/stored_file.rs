//! A stored file as it is served. It is read by ranges through one trait, so that its bytes can be kept elsewhere than on
//! this machine's disk.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// An open file of any kind of storage.
pub type StoredFile = Box<dyn ReadRange>;

/// Reads ranges of a file's bytes.
pub trait ReadRange: Debug + Send {
    /// Fills `bytes` with what the file has from the byte `first` on.
    ///
    /// # Errors
    /// When the file can't be read, or ends before.
    fn read_range(&self, first: u64, bytes: &mut [u8]) -> io::Result<()>;
}

impl ReadRange for File {
    fn read_range(&self, first: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, first)
    }
}
