//! The files: stored once under the hash of their bytes, counted by the assets that have them.
//!
//! Into the store: temp file, hash while writing, fdatasync, rename, fsync of the folder, and only then the
//! metadata's commit. Out of it in reverse and after a grace period. A file is always written whole, also when
//! the same bytes are there already, so nobody can tell from outside whether they were. A file that no record names
//! is never deleted at once: see `unnamed`.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{self, Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tempfile::NamedTempFile;

use super::{Reserve, Store};
use crate::core::data_dir::{FILES, PARTIAL, TEMP, UNNAMED, hash_of};
use crate::core::disk::Disk;
use crate::core::model::ContentHash;
use crate::core::model::time::Millis;
use crate::core::store::{FileCommands, FileQueries};
use crate::core::stored_file::StoredFile;
use crate::error::{Result, io_error_at};
use crate::file_mode;

mod damaged;
mod folders;
mod hold;
mod marker;
mod partial;
mod unnamed;

pub use damaged::DAMAGE_PAGE;
pub use hold::FilesHold;
pub use partial::PartialFile;
pub use unnamed::FileMismatches;

use folders::Folders;

/// How long a file stays after the last asset released it.
const GRACE: Millis = 60 * 60 * 1000;
/// How many files one sweep looks at.
const SWEEP: usize = 1000;

/// The name of a file that is written to see whether that is possible.
const CHECK: &str = "rasterd-check";

/// The folder of files.
#[derive(Clone)]
pub struct Blobs {
    disk: Arc<dyn Disk>,
    reserve: Reserve,
    files: PathBuf,
    temp: PathBuf,
    /// The bytes of open uploads.
    partial: PathBuf,
    unnamed: PathBuf,
    /// The folders that the files are spread over.
    folders: Arc<Folders>,
    /// Files that are being put in place: the sweep leaves them alone.
    arriving: Arc<Mutex<HashMap<ContentHash, Arriving>>>,
    mismatches: Arc<Mutex<FileMismatches>>,
    /// How many backups run, whose files must not be deleted. Changed and read under the lock of `arriving`.
    holds: Arc<AtomicUsize>,
    /// The files that are known to be damaged.
    damaged: Arc<RwLock<HashSet<ContentHash>>>,
}

/// A file that is being put in place.
#[derive(Clone, Copy, Default)]
struct Arriving {
    /// By how many uploads.
    uploads: usize,
    /// Whether there was one under this name before, which then is not ours to take away.
    was_there: bool,
}

impl Blobs {
    /// Opens the folder, or makes it, and removes what an earlier run left half-written.
    ///
    /// # Errors
    /// When the files are not those of the store, unless they are to be accepted; when the disk fails.
    pub fn open(dir: &Path, store: &Store, accept: bool) -> Result<Self> {
        let dir = path::absolute(dir)?;
        let files = dir.join(FILES);
        // Files are moved between these folders, so they have to be on one file system.
        let device = fs::metadata(&dir)?.dev();
        let is_mounted = fs::metadata(&files).is_ok_and(|found| found.dev() != device);
        let beside = if is_mounted { &files } else { &dir };
        let blobs = Self {
            disk: Arc::clone(store.disk()),
            reserve: store.reserve().clone(),
            temp: beside.join(TEMP),
            partial: beside.join(PARTIAL),
            unnamed: beside.join(UNNAMED),
            folders: Arc::default(),
            files,
            arriving: Arc::default(),
            mismatches: Arc::default(),
            holds: Arc::default(),
            damaged: Arc::default(),
        };
        blobs.check_marker(store, accept)?;
        // Large requests and copies of the database are always beside the database.
        let beside_database = dir.join(TEMP);
        file_mode::create_folder(&beside_database)?;
        file_mode::create_folder(&blobs.temp)?;
        file_mode::create_folder(&blobs.partial)?;
        file_mode::create_folder(&blobs.unnamed)?;
        file_mode::create_folder(&blobs.files)?;
        blobs.folders.find(&blobs.files)?;
        if !accept {
            blobs.check_share(store, &blobs.cut_off()?)?;
        }
        [&blobs.temp, &beside_database].into_iter().try_for_each(|temp| empty(temp))?;
        blobs.mark(store)?;
        blobs.disk.sync_folder(&blobs.files)?;
        blobs.disk.sync_folder(&dir)?;
        Ok(blobs)
    }

    /// The files that uploads had put in place, or were about to, when a kill ended them.
    fn cut_off(&self) -> io::Result<HashSet<ContentHash>> {
        let mut cut_off = HashSet::new();
        for entry in fs::read_dir(&self.temp)? {
            cut_off.extend(hash_of(&entry?.file_name()));
        }
        Ok(cut_off)
    }

    /// Starts a new file.
    ///
    /// # Errors
    /// `STORAGE_FULL`; when the disk fails.
    pub fn begin(&self) -> Result<IncomingFile> {
        self.reserve.expect_room()?;
        let file = NamedTempFile::new_in(&self.temp)?;
        Ok(IncomingFile { blobs: self.clone(), file, hasher: Box::new(blake3::Hasher::new()), size: 0 })
    }

    /// Puts a written file in its place. Blocks for two fsyncs. What comes back keeps the file from the sweep
    /// until the metadata is committed.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn keep(&self, incoming: IncomingFile) -> Result<KeptFile> {
        let IncomingFile { file, hasher, size, .. } = incoming;
        let hash = ContentHash(*hasher.finalize().as_bytes());
        self.disk.sync(file.as_file(), file.path())?;
        let kept = self.arrive(hash, size)?;
        self.put_in_place(file, &self.local_path(hash))?;
        self.delete_damage(hash);
        Ok(kept)
    }

    /// Gives a synced file its name, for good.
    fn put_in_place(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        let temp = file.into_temp_path();
        let at_path = |cause: io::Error| io_error_at(path, &cause);
        self.folders.make(path, self.disk.as_ref()).map_err(at_path)?;
        self.disk.rename(&temp, path).map_err(at_path)?;
        // Nothing is left under its former name to remove.
        let _former = temp.keep();
        path.parent().map_or(Ok(()), |folder| self.disk.sync_folder(folder))
    }

    /// Records that a file is about to be put in place, in memory and, for a start after a kill, on the disk.
    fn arrive(&self, hash: ContentHash, size: u64) -> Result<KeptFile> {
        let mut arriving = self.arriving();
        let here = arriving.entry(hash).or_default();
        if here.uploads == 0 {
            here.was_there = self.local_path(hash).exists();
            file_mode::create_file(&self.note(hash))?;
        }
        here.uploads += 1;
        drop(arriving);
        Ok(KeptFile { blobs: self.clone(), hash, size })
    }

    /// Opens a file of this size that an asset has.
    ///
    /// # Errors
    /// When it is damaged, as far as that is known; when it is not there, which is ours to explain: the store never names a file that it did not keep.
    pub fn open_file(&self, hash: ContentHash, size: u64) -> Result<StoredFile> {
        let opened = self.open_local(hash).and_then(|file| {
            self.expect_whole(&file, hash, size)?;
            Ok(file)
        });
        match opened {
            Ok(file) => Ok(Box::new(file)),
            Err(cause) => Err(io_error_at(&self.local_path(hash), &cause).into()),
        }
    }

    /// Opens a file on this machine's disk, for those that read it as a whole.
    ///
    /// # Errors
    /// When it is not there, or can't be read.
    pub fn open_local(&self, hash: ContentHash) -> io::Result<File> {
        let path = self.local_path(hash);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.bring_back(hash)? => {
                File::open(&path)
            }
            opened => opened,
        }
    }

    /// Deletes the files that no asset has had for the grace period, or at all when the disk is full.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sweep(&self, store: &Store, now: Millis) -> Result<usize> {
        let until = if self.reserve.is_short() { Millis::MAX } else { now.saturating_sub(GRACE) };
        let mut gone = Vec::new();
        for (since, hash) in store.snapshot()?.orphans(until, SWEEP)? {
            // While a backup holds the files, they stay orphans.
            if !self.remove_orphan(store, hash)? {
                break;
            }
            gone.push((since, hash));
        }
        let removed = gone.len();
        if removed > 0 {
            store.write_always_blocking(move |tx| {
                gone.iter().try_for_each(|(since, hash)| tx.delete_orphan(*since, *hash))
            })?;
        }
        Ok(removed)
    }

    /// Deletes an orphan's file. `false` while a backup holds the files.
    fn remove_orphan(&self, store: &Store, hash: ContentHash) -> Result<bool> {
        // Under this lock nobody puts the same bytes in place; anyone who did so and has not committed is in the list.
        let arriving = self.arriving();
        if self.is_held() {
            return Ok(false);
        }
        if !arriving.contains_key(&hash) && store.snapshot()?.blob_refs(hash)? == 0 {
            self.disk.remove(&self.local_path(hash))?;
        }
        Ok(true)
    }

    /// Removes a file that no record names, and that no upload is putting in place.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn remove_unknown(&self, store: &Store, hash: ContentHash) -> Result<()> {
        let arriving = self.arriving();
        if !arriving.contains_key(&hash) && !store.snapshot()?.blob_is_known(hash)? {
            self.disk.remove(&self.local_path(hash))?;
        }
        Ok(())
    }

    /// The folder of the files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.files
    }

    /// Writes a file on the way that uploads take, reads it and removes it.
    ///
    /// # Errors
    /// When the disk is full or fails, or gives back other bytes.
    pub fn try_out(&self) -> io::Result<()> {
        let (path, bytes) = (self.files.join("00").join(CHECK), rand::random::<[u8; 32]>());
        let file = NamedTempFile::new_in(&self.temp)?;
        self.disk.write(file.as_file(), file.path(), 0, &bytes)?;
        self.disk.sync(file.as_file(), file.path())?;
        let written = self.put_in_place(file, &path).and_then(|()| fs::read(&path));
        self.disk.remove(&path)?;
        if written? == bytes { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Where on this machine a file is, for a process that opens it by itself, as the picture workers do; absolute.
    #[must_use]
    pub fn local_path(&self, hash: ContentHash) -> PathBuf {
        let name = hash.to_hex();
        self.files.join(name.get(..2).unwrap_or_default()).join(name)
    }

    /// The folder of incomplete files, on the file system of the others. Emptied by each start.
    #[must_use]
    pub fn temp_folder(&self) -> &Path {
        &self.temp
    }

    /// Where it is noted that a file is being put in place.
    fn note(&self, hash: ContentHash) -> PathBuf {
        self.temp.join(hash.to_hex())
    }

    fn arriving(&self) -> MutexGuard<'_, HashMap<ContentHash, Arriving>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found of files that don't fit the records.
    pub fn mismatches(&self) -> MutexGuard<'_, FileMismatches> {
        self.mismatches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes everything from a folder.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file on its way in. Dropped, it leaves nothing behind.
pub struct IncomingFile {
    blobs: Blobs,
    file: NamedTempFile,
    hasher: Box<blake3::Hasher>,
    size: u64,
}

impl IncomingFile {
    /// Appends bytes. Blocks when the disk is slower than the sender.
    ///
    /// # Errors
    /// `STORAGE_FULL`; when the disk fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.blobs.reserve.expect_room()?;
        self.blobs.disk.write(self.file.as_file(), self.file.path(), self.size, bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The file, to look at what it is.
    pub fn as_file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }
}

/// A file in its place whose metadata is not committed yet.
pub struct KeptFile {
    blobs: Blobs,
    hash: ContentHash,
    size: u64,
}

impl KeptFile {
    /// The hash of its bytes.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the file away again, because its metadata was refused and so certainly not committed.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn discard(self, store: &Store) -> Result<()> {
        let arriving = self.blobs.arriving();
        let ours = arriving.get(&self.hash).is_some_and(|here| here.uploads == 1 && !here.was_there);
        if ours && !store.snapshot()?.blob_is_known(self.hash)? {
            self.blobs.disk.remove(&self.blobs.local_path(self.hash))?;
        }
        Ok(())
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        let mut arriving = self.blobs.arriving();
        if let Some(here) = arriving.get_mut(&self.hash) {
            here.uploads -= 1;
            if here.uploads == 0 {
                arriving.remove(&self.hash);
                // One that stays is removed by the next start.
                let _stays = self.blobs.disk.remove(&self.blobs.note(self.hash));
            }
        }
    }
}
