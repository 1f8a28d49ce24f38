//! The disk: the operations whose order and syncs decide what survives a power cut, and how much room is left. Tests put
//! another in its place, which fails, or forgets what was not synced. Reads use `std::fs` directly.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::statvfs;

/// How much room a file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// All of it, in bytes.
    pub total: u64,
    /// What may still be written, in bytes.
    pub available: u64,
    /// How many files may still be created; none where the file system has no such limit.
    pub files: Option<u64>,
}

/// The operations of a disk that the store uses.
pub trait Disk: Debug + Send + Sync {
    /// Writes bytes into an open file. `path` is its name.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn write(&self, file: &File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Sets the length of an open file. `path` is its name.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn set_len(&self, file: &File, path: &Path, len: u64) -> io::Result<()>;

    /// Waits until what was written to an open file survives a power cut. `path` is its name.
    ///
    /// # Errors
    /// When the disk is full or fails. Nobody knows then what of it survives.
    fn sync(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Renames a file, over another that may be there.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// When the disk fails.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Waits until the names in a folder survive a power cut.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// How much room the file system of a folder has.
    ///
    /// # Errors
    /// When the disk fails.
    fn room(&self, folder: &Path) -> io::Result<Room>;
}

/// The disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn write(&self, file: &File, _path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn set_len(&self, file: &File, _path: &Path, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn sync(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        OpenOptions::new().read(true).open(folder)?.sync_all()
    }

    fn room(&self, folder: &Path) -> io::Result<Room> {
        let found = statvfs(folder)?;
        Ok(Room {
            total: found.f_blocks.saturating_mul(found.f_frsize),
            available: found.f_bavail.saturating_mul(found.f_frsize),
            files: (found.f_files > 0).then_some(found.f_favail),
        })
    }
}
