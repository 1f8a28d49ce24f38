//! What is where in a backup, as a folder and as an archive alike, and what is said about paths that can't be used.
//!
//! ```text
//! rasterd-backup                          what this folder is; locked while it is written
//! files/ab/ab…                            the assets' files of all snapshots, under the hashes of their bytes
//! snapshots/2026-11-27T010000Z/
//!   rasterd.redb                          the records
//!   files.list                            the files that the records name, a hash and a size a line
//!   certs/ca.pem, certs/ca-key.pem        the authority of the development certificate, where there is one
//!   manifest.json                         written last: what the other parts must be
//! ```

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::core::data_dir::refusal;
use crate::core::disk::{Disk, LocalDisk};
use crate::core::model::ContentHash;
use crate::error::Result;

/// The file that says that a folder is a backup.
pub const MARKER: &str = "rasterd-backup";
/// The folder of the assets' files.
pub const FILES: &str = "files";
/// The folder of snapshots.
pub const SNAPSHOTS: &str = "snapshots";
/// The records of a snapshot.
pub const DATABASE: &str = "rasterd.redb";
/// The names of a snapshot's files.
pub const LIST: &str = "files.list";
/// The folder of the development authority in a snapshot.
pub const CERTIFICATES: &str = "certs";
/// The files of the development authority.
pub const AUTHORITY: [&str; 2] = ["ca.pem", "ca-key.pem"];
/// The description of a snapshot.
pub const MANIFEST: &str = "manifest.json";
/// How the name of a backup in one file ends.
pub const ARCHIVE: &str = ".tar.zst";
/// How names of folders begin that are not complete, or being removed.
pub const UNFINISHED: &str = ".unfinished-";

/// The most bytes of a description, which names the files that were lost, and of a certificate.
const MAX_BYTES: u64 = 64 << 20;

/// Whether this is the path of a backup in one file.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ARCHIVE))
}

/// Where a file is, from the folder that all are in.
pub fn place(hash: ContentHash) -> PathBuf {
    let name = hash.to_hex();
    Path::new(name.get(..2).unwrap_or_default()).join(&name)
}

/// Says which path an error of the system is about.
pub fn at<T>(path: &Path, outcome: io::Result<T>) -> Result<T> {
    outcome.map_err(|cause| {
        let wrong = format!("can't be used: {cause}");
        match cause.kind() {
            ErrorKind::StorageFull => refusal(path, &wrong, "Free some space, or choose another place"),
            // A running server makes the backup, with what its unit lets it write to.
            ErrorKind::ReadOnlyFilesystem => refusal(
                path,
                &wrong,
                "The server may not write there: under systemd, name it in ReadWritePaths= of the unit (systemctl edit rasterd)",
            ),
            ErrorKind::PermissionDenied => {
                let user = geteuid().as_raw();
                let advice = format!("It is used as user {user}, the server's if one runs; let that user use it");
                refusal(path, &wrong, &advice)
            }
            _ => refusal(path, &wrong, "See that rasterd may use it, and that its disk works"),
        }
    })
}

/// Makes a folder with those above it, for this user only.
pub fn make_folder(path: &Path) -> Result<()> {
    at(path, DirBuilder::new().recursive(true).mode(0o700).create(path))
}

/// [`make_folder`], and writes the names of what was made to the disk.
pub fn make_lasting_folder(path: &Path) -> Result<()> {
    let made: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
    make_folder(path)?;
    made.into_iter().filter_map(Path::parent).try_for_each(sync_folder)
}

/// Makes a new file for this user only.
pub fn new_file(path: &Path) -> Result<File> {
    at(path, OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path))
}

/// Reads a file of a snapshot that has a few lines, whatever its length says.
///
/// # Errors
/// When it can't be read, or has more bytes than such a file has.
pub fn read_small(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    at(path, File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refusal(path, "is damaged: it is too large", "Choose another snapshot"));
    }
    Ok(bytes)
}

/// Writes a folder's entries to the disk.
pub fn sync_folder(path: &Path) -> Result<()> {
    at(path, LocalDisk.sync_folder(path))
}

/// Writes the names of the assets' files to the disk.
pub fn sync_files(files: &Path) -> Result<()> {
    for byte in 0..=u8::MAX {
        let folder = files.join(format!("{byte:02x}"));
        if folder.is_dir() {
            sync_folder(&folder)?;
        }
    }
    sync_folder(files)
}
