//! The files: stored once under the hash of their bytes, counted by the assets that have them.
//!
//! Into the store: temp file, hash while writing, fdatasync, rename, fsync of the folder, and only then the
//! metadata's commit. Out of it in reverse and after a grace period. A file is always written whole, also when
//! the same bytes are there already, so nobody can tell from outside whether they were.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{self, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::NamedTempFile;

use super::tables::{BLOBS, ORPHANS};
use super::{Reader, Store, Tx, between};
use crate::app::clock::Millis;
use crate::app::model::ContentHash;
use crate::error::{Error, Result};

/// How long a file stays after the last asset let go of it.
const GRACE: Millis = 60 * 60 * 1000;
/// How many files one sweep looks at.
const SWEEP: usize = 1000;

/// The folder of files.
#[derive(Clone)]
pub struct Blobs {
    files: PathBuf,
    temp: PathBuf,
    /// Files that are being put in place: the sweep leaves them alone.
    arriving: Arc<Mutex<HashMap<ContentHash, usize>>>,
}

impl Blobs {
    /// Opens the folder, or makes it, and removes what an earlier run left half-written.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn open(dir: &Path) -> Result<Self> {
        let (files, temp) = (path::absolute(dir)?.join("files"), dir.join("tmp"));
        fs::create_dir_all(&temp)?;
        for entry in fs::read_dir(&temp)? {
            fs::remove_file(entry?.path())?;
        }
        for prefix in 0..=u8::MAX {
            fs::create_dir_all(files.join(format!("{prefix:02x}")))?;
        }
        sync_dir(&files)?;
        sync_dir(dir)?;
        Ok(Self { files, temp, arriving: Arc::default() })
    }

    /// Starts a new file.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn begin(&self) -> Result<IncomingFile> {
        let file = NamedTempFile::new_in(&self.temp)?;
        Ok(IncomingFile { file, hasher: Box::new(blake3::Hasher::new()), size: 0 })
    }

    /// Puts a written file in its place. Blocks for two fsyncs. What comes back keeps the file from the sweep
    /// until the metadata is committed.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn keep(&self, incoming: IncomingFile) -> Result<KeptFile> {
        let IncomingFile { file, hasher, size } = incoming;
        let hash = ContentHash(*hasher.finalize().as_bytes());
        file.as_file().sync_data()?;
        let kept = KeptFile { blobs: self.clone(), hash, size };
        *self.arriving().entry(hash).or_default() += 1;
        let path = self.path(hash);
        file.persist(&path).map_err(|failed| failed.error)?;
        if let Some(folder) = path.parent() {
            sync_dir(folder)?;
        }
        Ok(kept)
    }

    /// Opens a file that an asset has.
    ///
    /// # Errors
    /// When it is not there, which is ours to explain: the store never names a file that it did not keep.
    pub fn file(&self, hash: ContentHash) -> Result<File> {
        Ok(File::open(self.path(hash))?)
    }

    /// Deletes the files that no asset has had for the grace period.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sweep(&self, store: &Store, now: Millis) -> Result<usize> {
        let mut due: Vec<(Millis, ContentHash)> = Vec::new();
        let until = now.saturating_sub(GRACE);
        store.view()?.scan(ORPHANS, between((0, &[0; 32]), (until, &[0xFF; 32])), |(since, hash), ()| {
            due.push((since, ContentHash(*hash)));
            Ok(if due.len() < SWEEP { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        let removed = due.len();
        for (since, hash) in due {
            self.remove_orphan(store, since, hash)?;
        }
        Ok(removed)
    }

    /// Deletes files that no asset ever had: put in place by a run that did not live to commit them.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn reclaim(&self, store: &Store) -> Result<()> {
        for folder in fs::read_dir(&self.files)? {
            for file in fs::read_dir(folder?.path())? {
                let file = file?;
                let Some(hash) = hash_of(&file.file_name()) else { continue };
                let arriving = self.arriving();
                if !arriving.contains_key(&hash) && !store.view()?.blob_is_known(hash)? {
                    remove_if_there(&file.path())?;
                }
            }
        }
        Ok(())
    }

    fn remove_orphan(&self, store: &Store, since: Millis, hash: ContentHash) -> Result<()> {
        // Under this lock nobody puts the same bytes in place; whoever did so and has not committed is in the list.
        let arriving = self.arriving();
        if !arriving.contains_key(&hash) && store.view()?.blob_refs(hash)? == 0 {
            remove_if_there(&self.path(hash))?;
        }
        drop(arriving);
        store.write_blocking(move |tx| {
            tx.delete(ORPHANS, (since, &hash.0))?;
            if tx.blob_refs(hash)? == 0 { tx.delete(BLOBS, &hash.0) } else { Ok(()) }
        })
    }

    /// Where a file is, for a process that opens it by itself; absolute.
    #[must_use]
    pub fn path(&self, hash: ContentHash) -> PathBuf {
        let name = hash.to_hex();
        self.files.join(name.get(..2).unwrap_or_default()).join(name)
    }

    fn arriving(&self) -> std::sync::MutexGuard<'_, HashMap<ContentHash, usize>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file on its way in. Dropped, it leaves nothing behind.
pub struct IncomingFile {
    file: NamedTempFile,
    hasher: Box<blake3::Hasher>,
    size: u64,
}

impl IncomingFile {
    /// Appends bytes. Blocks when the disk is slower than the sender.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
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
        let alone = arriving.get(&self.hash) == Some(&1);
        if alone && !store.view()?.blob_is_known(self.hash)? {
            remove_if_there(&self.blobs.path(self.hash))?;
        }
        Ok(())
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        let mut arriving = self.blobs.arriving();
        if let Some(count) = arriving.get_mut(&self.hash) {
            *count -= 1;
            if *count == 0 {
                arriving.remove(&self.hash);
            }
        }
    }
}

/// The hash that a file is stored under, read back from its name.
fn hash_of(name: &OsStr) -> Option<ContentHash> {
    let hash = blake3::Hash::from_hex(name.to_str()?).ok()?;
    Some(ContentHash(*hash.as_bytes()))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).open(dir)?.sync_all()
}

/// Reads of file references.
trait BlobQueries: Reader {
    /// How many assets have the file.
    fn blob_refs(&self, hash: ContentHash) -> Result<u64> {
        Ok(self.lookup(BLOBS, &hash.0, Ok)?.unwrap_or(0))
    }

    /// Whether the file has, or had until lately, an asset.
    fn blob_is_known(&self, hash: ContentHash) -> Result<bool> {
        Ok(self.lookup(BLOBS, &hash.0, |_| Ok(()))?.is_some())
    }
}

impl<R: Reader> BlobQueries for R {}

impl Tx<'_> {
    pub(super) fn add_blob_ref(&self, hash: ContentHash) -> Result<()> {
        let refs = self.blob_refs(hash)?;
        self.put(BLOBS, &hash.0, refs + 1)
    }

    pub(super) fn drop_blob_ref(&self, hash: ContentHash, now: Millis) -> Result<()> {
        match self.blob_refs(hash)? {
            0 => Err(Error::internal("a file was let go of more often than it was taken")),
            1 => {
                self.put(BLOBS, &hash.0, 0)?;
                self.put(ORPHANS, (now, &hash.0), ())
            }
            refs => self.put(BLOBS, &hash.0, refs - 1),
        }
    }
}
