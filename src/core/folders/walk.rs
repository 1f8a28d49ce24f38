//! The files in a folder and in the folders in it. Links are not followed, so nothing outside is read.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use walkdir::{DirEntry, WalkDir};

/// A file with which nothing was done, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// The file, from the folder.
    pub path: PathBuf,
    /// Why, as a clause for a person.
    pub reason: String,
}

/// What is in a folder.
pub enum WalkedEntry {
    /// A file to look at, with its size in bytes.
    File(PathBuf, u64),
    /// Something that is left out on purpose, and why.
    LeftOut(PathBuf, &'static str),
    /// Something that could not be read, and why.
    Failed(PathBuf, String),
}

/// Walks through a folder, in the order of the names.
pub fn walk(folder: &Path) -> impl Iterator<Item = WalkedEntry> {
    let mut entries = WalkDir::new(folder).min_depth(1).follow_links(false).sort_by_file_name().into_iter();
    std::iter::from_fn(move || {
        loop {
            let entry = match entries.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(failed(&error)),
            };
            let path = entry.path().to_owned();
            if is_hidden(&entry) {
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
                return Some(WalkedEntry::LeftOut(path, "it is hidden"));
            }
            if entry.path_is_symlink() {
                return Some(WalkedEntry::LeftOut(path, "it is a link, and links are not followed"));
            }
            if entry.file_type().is_file() {
                return Some(match entry.metadata() {
                    Ok(found) => WalkedEntry::File(path, found.len()),
                    Err(error) => failed(&error),
                });
            }
            if !entry.file_type().is_dir() {
                return Some(WalkedEntry::LeftOut(path, "it is neither a file nor a folder"));
            }
        }
    })
}

/// Opens a file that is still one: not what was put in its place since the folder was read.
pub fn open_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file any more"))
    }
}

/// Names that begin with a dot, and what systems write into every folder.
fn is_hidden(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    name.starts_with('.') || [OsStr::new("Thumbs.db"), OsStr::new("desktop.ini")].contains(&entry.file_name())
}

fn failed(error: &walkdir::Error) -> WalkedEntry {
    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    WalkedEntry::Failed(
        error.path().map(Path::to_owned).unwrap_or_default(),
        format!("it can't be read: {reason}"),
    )
}
