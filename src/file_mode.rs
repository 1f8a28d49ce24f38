//! The modes of files and folders: read, set, and restricted.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A mode that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeChange {
    /// The old mode.
    pub from: u32,
    /// The new mode.
    pub to: u32,
}

/// The mode of a file or a folder.
///
/// # Errors
/// When it does not exist, or can't be read.
pub fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

/// Sets the mode of a file or a folder.
///
/// # Errors
/// When the system does not allow it.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Removes the permission bits `removed` from a file or a folder. `None` when it had none of them.
///
/// # Errors
/// When it does not exist, the system does not allow it, or the file system has no modes.
pub fn restrict(path: &Path, removed: u32) -> io::Result<Option<ModeChange>> {
    let from = mode(path)?;
    if from & removed == 0 {
        return Ok(None);
    }
    let to = from & !removed;
    set_mode(path, to)?;
    if mode(path)? & removed != 0 {
        return Err(io::Error::other("the file system has no modes"));
    }
    Ok(Some(ModeChange { from, to }))
}
