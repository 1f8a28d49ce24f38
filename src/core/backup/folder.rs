//! A backup in a folder, which each backup adds a snapshot to. Files are never changed: one that is there with the right
//! size stays, a new one is written under another name and renamed.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::copying::{self, Copied};
use super::layout::{
    FILES, LIST, MANIFEST, MARKER, SNAPSHOTS, UNFINISHED, at, make_folder, make_lasting_folder, place,
    sync_files, sync_folder,
};
use super::manifest::{BackupManifest, ListedFile, read_list};
use crate::core::data_dir::{hash_of, refusal};
use crate::core::disk::{Disk, LocalDisk};
use crate::core::long_work::Reporter;
use crate::core::model::ContentHash;
use crate::error::Result;

/// What the marker says.
const ABOUT: &str = "A backup of rasterd. Restore it with `rasterd restore FOLDER`.\n";

/// The folder, locked.
pub struct BackupFolder {
    path: PathBuf,
    _lock: File,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It was copied: its bytes.
    New(u64),
    /// It was there: its bytes.
    Kept(u64),
    /// Its bytes are not those of its name any more, and there is no earlier copy.
    Damaged,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many snapshots.
    pub snapshots: u64,
    /// How many files that no other snapshot names.
    pub files: u64,
}

/// Whether a folder has something, and is not a backup.
pub fn is_of_others(path: &Path) -> bool {
    let is_empty = fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
    !is_empty && !path.join(MARKER).exists()
}

impl BackupFolder {
    /// Opens a folder of backups, or makes it where there is nothing.
    ///
    /// # Errors
    /// When it holds something else, or another backup writes to it.
    pub fn open(path: &Path) -> Result<Self> {
        make_lasting_folder(path)?;
        let marker = path.join(MARKER);
        at(path, fs::read_dir(path))?;
        if is_of_others(path) {
            return Err(refusal(
                path,
                "is not empty, and not a backup of rasterd",
                "Choose an empty folder, one that has a backup, or a path that does not exist",
            ));
        }
        let options = &mut OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = at(&marker, options.open(&marker))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(refusal(path, "is in use by another backup or restore", "Wait until that ends"));
            }
            Err(error) => return at(&marker, Err(error.into())),
        }
        at(&marker, lock.set_len(0).and_then(|()| lock.write_all(ABOUT.as_bytes())))?;
        make_folder(&path.join(FILES))?;
        make_folder(&path.join(SNAPSHOTS))?;
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.remove_unfinished()?;
        Ok(folder)
    }

    /// Removes what interrupted backups left. Their files stay: the next backup needs most of them.
    fn remove_unfinished(&self) -> Result<()> {
        let snapshots = self.path.join(SNAPSHOTS);
        for entry in at(&snapshots, fs::read_dir(&snapshots))? {
            let entry = at(&snapshots, entry)?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                at(&entry.path(), fs::remove_dir_all(entry.path()))?;
            }
        }
        Ok(())
    }

    /// Checks that the snapshots in it are of this database.
    ///
    /// # Errors
    /// When they are of another installation.
    pub fn expect_database(&self, database: &str) -> Result<()> {
        for snapshot in complete_snapshots(&self.path)? {
            let Ok(manifest) = BackupManifest::read(&self.path.join(SNAPSHOTS).join(&snapshot)) else {
                continue;
            };
            if manifest.database != database {
                return Err(refusal(
                    &self.path,
                    &format!("holds the backup of another installation, such as its snapshot {snapshot}"),
                    "Choose another folder",
                ));
            }
        }
        Ok(())
    }

    /// Makes the folder of a new snapshot.
    pub fn begin(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(SNAPSHOTS).join(format!("{UNFINISHED}{name}"));
        make_folder(&path)?;
        Ok(path)
    }

    /// Adds a file, unless it is there, and says whether the source was whole, as far as it was read.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn add(
        &self,
        hash: ContentHash,
        source: &mut File,
        source_path: &Path,
        reporter: &Reporter,
    ) -> Result<(Added, bool)> {
        let size = at(source_path, source.metadata())?.len();
        let place = self.path.join(FILES).join(place(hash));
        if self.has(hash) == Some(size) {
            reporter.advance(size)?;
            return Ok((Added::Kept(size), true));
        }
        let folder = place.parent().unwrap_or(&self.path);
        make_folder(folder)?;
        let temporary = folder.join(format!("{UNFINISHED}{}", hash.to_hex()));
        at(&temporary, LocalDisk.remove(&temporary))?;
        match copying::copy(source, &temporary, reporter) {
            Ok(Ok(Copied { hash: found, size })) if found == hash => {
                at(&place, fs::rename(&temporary, &place))?;
                Ok((Added::New(size), true))
            }
            Ok(_) => {
                at(&temporary, LocalDisk.remove(&temporary))?;
                // What is here has another size, and may be whole.
                Ok((self.check(hash, reporter)?.map_or(Added::Damaged, Added::Kept), false))
            }
            Err(error) => {
                let _stays = LocalDisk.remove(&temporary);
                Err(error)
            }
        }
    }

    /// The size of a file that is here.
    pub fn has(&self, hash: ContentHash) -> Option<u64> {
        let found = fs::metadata(self.path.join(FILES).join(place(hash))).ok()?;
        found.is_file().then_some(found.len())
    }

    /// The size of a file that is here and whole.
    pub fn check(&self, hash: ContentHash, reporter: &Reporter) -> Result<Option<u64>> {
        if self.has(hash).is_none() {
            return Ok(None);
        }
        let read = copying::hash(&self.path.join(FILES).join(place(hash)), reporter)?;
        Ok(read.ok().filter(|read| read.hash == hash).map(|read| read.size))
    }

    /// Writes the names of all files to the disk, also of those that an interrupted backup left.
    pub fn sync_files(&self) -> Result<()> {
        sync_files(&self.path.join(FILES))
    }

    /// Makes the snapshot in an unfinished folder one of the backup's, and returns its name: after those of the same
    /// second.
    pub fn finish(&self, unfinished: &Path, name: &str) -> Result<String> {
        sync_folder(unfinished)?;
        let snapshots = self.path.join(SNAPSHOTS);
        let taken = snapshot_names(&self.path)?;
        let mut free = name.to_owned();
        let mut number = 2;
        while taken.iter().any(|taken| taken.starts_with(name) && *taken >= free) {
            free = format!("{name}-{number}");
            number += 1;
        }
        at(&snapshots, fs::rename(unfinished, snapshots.join(&free)))?;
        sync_folder(&snapshots)?;
        sync_folder(&self.path)?;
        Ok(free)
    }

    /// Removes the oldest snapshots except for `keep`, and the files that no other names. `made` is the newest, whatever its
    /// name says: the clock may have been ahead when others were made.
    ///
    /// # Errors
    /// When a snapshot that stays can't be read: then nothing is removed.
    pub fn prune(&self, keep: usize, made: &str) -> Result<Pruned> {
        let snapshots = self.path.join(SNAPSHOTS);
        let mut names = complete_snapshots(&self.path)?;
        names.retain(|name| name != made);
        let (old, kept) = names.split_at((names.len() + 1).saturating_sub(keep.max(1)));
        let mut needed = HashSet::new();
        for name in kept.iter().map(String::as_str).chain([made]) {
            needed.extend(listed(&snapshots.join(name))?.into_iter().map(|file| file.hash));
        }
        for name in old {
            // Under this name, what is left of it after a crash is not taken for a snapshot.
            let removed = snapshots.join(format!("{UNFINISHED}{name}"));
            at(&snapshots, fs::rename(snapshots.join(name), &removed))?;
            sync_folder(&snapshots)?;
            at(&removed, fs::remove_dir_all(&removed))?;
        }
        Ok(Pruned { snapshots: old.len() as u64, files: self.remove_others(&needed)? })
    }

    fn remove_others(&self, named: &HashSet<ContentHash>) -> Result<u64> {
        let files = self.path.join(FILES);
        let mut removed = 0;
        for folder in at(&files, fs::read_dir(&files))? {
            let folder = at(&files, folder)?.path();
            if !folder.is_dir() {
                continue;
            }
            for entry in at(&folder, fs::read_dir(&folder))? {
                let entry = at(&folder, entry)?;
                let is_left_over = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
                let is_unnamed = hash_of(&entry.file_name()).is_some_and(|hash| !named.contains(&hash));
                if is_unnamed || is_left_over {
                    at(&entry.path(), fs::remove_file(entry.path()))?;
                    removed += u64::from(is_unnamed);
                }
            }
        }
        Ok(removed)
    }
}

/// The files of a snapshot that stays.
fn listed(snapshot: &Path) -> Result<Vec<ListedFile>> {
    let files =
        BackupManifest::read(snapshot).and_then(|manifest| read_list(&snapshot.join(LIST), &manifest));
    files.map_err(|error| {
        let wrong = "can't be read, so nobody knows which files it needs";
        refusal(snapshot, wrong, "Remove this folder when it can't be repaired").caused_by(error)
    })
}

/// The names of the complete snapshots in a folder, oldest first.
pub fn complete_snapshots(folder: &Path) -> Result<Vec<String>> {
    let mut names = snapshot_names(folder)?;
    names.retain(|name| folder.join(SNAPSHOTS).join(name).join(MANIFEST).is_file());
    Ok(names)
}

/// The names of the snapshots in a folder, complete or not, oldest first.
fn snapshot_names(folder: &Path) -> Result<Vec<String>> {
    let snapshots = folder.join(SNAPSHOTS);
    let mut names = Vec::new();
    for entry in at(&snapshots, fs::read_dir(&snapshots))? {
        let name = at(&snapshots, entry)?.file_name().into_string();
        names.extend(name.ok().filter(|name| !name.starts_with('.')));
    }
    names.sort();
    Ok(names)
}
