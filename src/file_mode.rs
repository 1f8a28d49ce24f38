//! The modes of files and folders: read, set, and restricted. What is created for this user alone is created here,
//! whatever the umask is.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The mode of a file that only this user can access.
pub const FILE: u32 = 0o600;
/// The mode of a folder that only this user can access.
pub const FOLDER: u32 = 0o700;

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

/// Whether users can access a file who are neither its owner nor in its group.
///
/// # Errors
/// When it does not exist, or can't be read.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    Ok(mode(path)? & 0o007 != 0)
}

/// Creates a file that only this user can access, or empties an existing one.
///
/// # Errors
/// When the system does not allow it, or the disk is full.
pub fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(FILE).open(path)
}

/// Creates a folder that only this user can access, and those above it, where there is none.
///
/// # Errors
/// When the system does not allow it, or the disk is full.
pub fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER).create(path)
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
