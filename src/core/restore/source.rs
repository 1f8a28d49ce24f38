//! A backup that is read: a folder, or an archive that is unpacked first.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::not_a_backup;
use super::unpack::unpack;
use crate::core::backup::copying::{self, CopyOutcome};
use crate::core::backup::folder::complete_snapshots;
use crate::core::backup::layout::{FILES, MANIFEST, MARKER, SNAPSHOTS, at, is_archive};
use crate::core::backup::manifest::BackupManifest;
use crate::core::data_dir::refusal;
use crate::core::long_work::Reporter;
use crate::error::Result;

/// An open backup.
pub struct BackupSource {
    /// The backup as a folder.
    folder: PathBuf,
    /// What messages call it.
    path: PathBuf,
    /// Whether the folder is our own, so that files can be moved out of it.
    is_unpacked: bool,
    /// Keeps a backup from removing files meanwhile.
    _lock: Option<File>,
}

impl BackupSource {
    /// Opens a backup. What is wanted of an archive is unpacked into a folder in `staging`.
    ///
    /// # Errors
    /// When there is no backup, or another one is just writing to it.
    pub fn open(
        path: &Path,
        staging: &Path,
        is_wanted: impl Fn(&Path) -> bool,
        reporter: &Reporter,
    ) -> Result<Self> {
        let is_folder = match fs::metadata(path) {
            Ok(found) => found.is_dir(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(not_a_backup(path, "does not exist"));
            }
            Err(error) => return at(path, Err(error)),
        };
        if is_archive(path) && !is_folder {
            let folder = staging.join("unpacked");
            unpack(path, &folder, is_wanted, reporter)?;
            return Ok(Self { folder, path: path.to_owned(), is_unpacked: true, _lock: None });
        }
        if !is_folder {
            return Err(not_a_backup(path, "is not a backup"));
        }
        let lock = lock(path)?;
        Ok(Self { folder: path.to_owned(), path: path.to_owned(), is_unpacked: false, _lock: lock })
    }

    /// Unpacks more of an archive; in a folder, everything is there.
    ///
    /// # Errors
    /// When the archive is damaged.
    pub fn fetch(&self, path: &Path, is_wanted: impl Fn(&Path) -> bool, reporter: &Reporter) -> Result<()> {
        if self.is_unpacked { unpack(path, &self.folder, is_wanted, reporter) } else { Ok(()) }
    }

    /// The folder of the assets' files.
    pub fn files(&self) -> PathBuf {
        self.folder.join(FILES)
    }

    /// The folder of a snapshot with its description: the newest, or that of this name, or the newest whose name begins
    /// so.
    ///
    /// # Errors
    /// When there is none; the message names those that there are.
    pub fn snapshot(&self, wanted: Option<&str>) -> Result<(PathBuf, BackupManifest)> {
        if !self.folder.join(SNAPSHOTS).is_dir() {
            return Err(not_a_backup(&self.path, "is not a backup"));
        }
        let names = complete_snapshots(&self.folder)?;
        // A time may be given as people write it.
        let wanted = wanted.map(|wanted| wanted.trim().replace(':', "").replace(' ', "T"));
        let found = match &wanted {
            Some(wanted) => {
                let exact = names.iter().find(|name| *name == wanted);
                exact.or_else(|| names.iter().rfind(|name| name.starts_with(wanted.as_str())))
            }
            None => names.last(),
        };
        match found {
            Some(name) => {
                let snapshot = self.folder.join(SNAPSHOTS).join(name);
                let manifest = BackupManifest::read(&snapshot)?;
                Ok((snapshot, manifest))
            }
            None if names.is_empty() => Err(refusal(
                &self.path,
                &format!("has no complete snapshot: a backup writes {MANIFEST} last, and there is none"),
                "It was interrupted, or cut off when it was copied; make a new one",
            )),
            None => Err(refusal(
                &self.path,
                &format!("has no snapshot {}", wanted.unwrap_or_default()),
                &format!("It has: {}", names.join(", ")),
            )),
        }
    }

    /// Copies a file, or moves it when it was unpacked for this, and returns the hash of its bytes, or why it can't be
    /// read.
    ///
    /// # Errors
    /// When it can't be written, or nobody waits any more.
    pub fn take(&self, from: &Path, to: &Path, reporter: &Reporter) -> Result<CopyOutcome> {
        if !from.is_file() {
            return Ok(Err(ErrorKind::NotFound.into()));
        }
        if self.is_unpacked {
            at(to, fs::rename(from, to))?;
            at(to, File::open(to).and_then(|file| file.sync_all()))?;
            return copying::hash(to, reporter);
        }
        match File::open(from) {
            Ok(mut source) => copying::copy(&mut source, to, reporter),
            Err(cause) => Ok(Err(cause)),
        }
    }
}

/// Locks the folder against a backup that would remove files. A folder that can't be written needs no lock.
fn lock(folder: &Path) -> Result<Option<File>> {
    let marker = folder.join(MARKER);
    match fs::metadata(&marker) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(not_a_backup(folder, &format!("is not a backup: it has no file {MARKER}")));
        }
        Err(error) => return at(&marker, Err(error)),
    }
    let Ok(file) = OpenOptions::new().read(true).open(&marker) else { return Ok(None) };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(refusal(folder, "is in use by a backup", "Wait until that ends"))
        }
        Ok(()) => Ok(Some(file)),
        // A file system without locks has no other writer, as far as anyone can tell.
        Err(_) => Ok(None),
    }
}
