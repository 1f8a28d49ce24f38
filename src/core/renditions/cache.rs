//! The rendition cache: a folder bounded in size, from which the least recently used files are evicted. Everything in it
//! can be rendered again, so the folder may be deleted at any time, even while the server runs.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{MemfdFlags, memfd_create};
use tempfile::NamedTempFile;

use super::key::RenditionKey;
use crate::core::model::time::Millis;
use crate::core::store::Reserve;
use crate::error::is_out_of_space;
use crate::file_mode;

/// The least space that a file takes on the disk. It also bounds the number of files.
const BLOCK: u64 = 4096;
/// How exactly the last use is recorded, so that not every use writes to the disk.
const LAST_USE_PRECISION: Duration = Duration::from_mins(1);

/// The cache.
pub(super) struct Cache {
    dir: PathBuf,
    max_bytes: u64,
    reserve: Reserve,
    /// Bytes that the files take. Unknown until they are first counted, because a start must not wait for that.
    used: Mutex<Option<u64>>,
}

/// A file in the folder.
struct CachedFile {
    last_use: SystemTime,
    size: u64,
    name: [u8; 32],
}

impl Cache {
    /// The cache in this folder, of at most `max_bytes`. The folder need not exist.
    pub fn open(dir: PathBuf, max_bytes: u64, reserve: Reserve) -> io::Result<Self> {
        match fs::remove_dir_all(temp(&dir)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(Self { dir, max_bytes, reserve, used: Mutex::default() })
    }

    /// The folder for temporary files. `open` emptied it.
    pub fn scratch(&self) -> PathBuf {
        temp(&self.dir)
    }

    /// Opens a rendition, if it is cached, and records its use.
    pub fn find(&self, key: RenditionKey, now: Millis) -> io::Result<Option<File>> {
        let file = match File::open(self.path(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let now = UNIX_EPOCH + Duration::from_millis(now);
        if file.metadata()?.modified()? + LAST_USE_PRECISION <= now {
            file.set_modified(now)?;
        }
        Ok(Some(file))
    }

    /// Stores a rendition and returns it, opened. Blocks, and evicts others when the cache is full. On a disk that is
    /// almost full, all others are deleted, and this one stays in memory until it is closed.
    pub fn insert(&self, key: RenditionKey, bytes: &[u8], now: Millis) -> io::Result<File> {
        if self.reserve.is_low() {
            self.empty()?;
            return in_memory(bytes);
        }
        let written = self.write(key, bytes, now).or_else(|error| match error.kind() {
            // The folder was deleted in between.
            io::ErrorKind::NotFound => self.write(key, bytes, now),
            _ => Err(error),
        });
        let file = match written {
            Err(error) if is_out_of_space(&error) => return in_memory(bytes),
            written => written?,
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let known = used.map(|used| used + on_disk(bytes.len() as u64));
        *used = match known {
            Some(known) if known <= self.max_bytes => Some(known),
            Some(_) | None => Some(self.evict()?),
        };
        Ok(file)
    }

    /// The bytes that all files take.
    pub fn used(&self) -> io::Result<u64> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match *used {
            Some(known) => known,
            None => self.evict()?,
        };
        *used = Some(known);
        Ok(known)
    }

    /// The most that they may take.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    fn write(&self, key: RenditionKey, bytes: &[u8], now: Millis) -> io::Result<File> {
        let path = self.path(key);
        let temp = temp(&self.dir);
        file_mode::create_folder(&temp)?;
        path.parent().map_or(Ok(()), file_mode::create_folder)?;
        let mut file = NamedTempFile::new_in(temp)?;
        file.write_all(bytes)?;
        // Synced before it gets its name, so that a named file is complete even after a power failure.
        file.as_file().sync_data()?;
        file.as_file().set_modified(UNIX_EPOCH + Duration::from_millis(now))?;
        Ok(file.persist(path)?)
    }

    /// Deletes all files.
    pub fn empty(&self) -> io::Result<()> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if *used != Some(0) {
            for entry in self.entries()? {
                if_exists(fs::remove_file(self.path(RenditionKey(entry.name))))?;
            }
            *used = Some(0);
        }
        Ok(())
    }

    /// Deletes the least recently used files when the cache is too large. Returns the bytes that are left.
    fn evict(&self) -> io::Result<u64> {
        let mut entries = self.entries()?;
        let mut used: u64 = entries.iter().map(|entry| entry.size).sum();
        if used <= self.max_bytes {
            return Ok(used);
        }
        entries.sort_unstable_by_key(|entry| entry.last_use);
        // Frees a tenth, so that not every new file causes an eviction.
        let goal = self.max_bytes - self.max_bytes / 10;
        for entry in entries {
            if used <= goal {
                break;
            }
            if_exists(fs::remove_file(self.path(RenditionKey(entry.name))))?;
            used -= entry.size;
        }
        Ok(used)
    }

    /// The cached files. Files with other names are ignored.
    fn entries(&self) -> io::Result<Vec<CachedFile>> {
        let mut entries = Vec::new();
        for prefix in 0..=u8::MAX {
            let Some(folder) = if_exists(fs::read_dir(self.dir.join(format!("{prefix:02x}"))))? else {
                continue;
            };
            for file in folder {
                let file = file?;
                let Some(name) = file.file_name().to_str().and_then(|name| blake3::Hash::from_hex(name).ok())
                else {
                    continue;
                };
                let Some(metadata) = if_exists(file.metadata())? else { continue };
                let (last_use, size) = (metadata.modified()?, on_disk(metadata.len()));
                entries.push(CachedFile { last_use, size, name: *name.as_bytes() });
            }
        }
        Ok(entries)
    }

    fn path(&self, key: RenditionKey) -> PathBuf {
        let name = key.to_hex();
        self.dir.join(name.get(..2).unwrap_or_default()).join(name)
    }
}

fn temp(dir: &Path) -> PathBuf {
    dir.join("tmp")
}

/// A file that is on no disk.
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("rendition", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

fn on_disk(size: u64) -> u64 {
    size.next_multiple_of(BLOCK)
}

/// `None` for a file that does not exist, which is not an error here.
fn if_exists<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;

    use super::*;
    use crate::core::disk::LocalDisk;

    const MINUTE: Millis = 60_000;

    fn reserve(folder: &Path) -> Reserve {
        Reserve::open(Arc::new(LocalDisk), folder, 1).unwrap()
    }

    fn content(file: Option<File>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        file?.read_to_end(&mut bytes).unwrap();
        Some(bytes)
    }

    #[test]
    fn the_least_recently_used_files_are_evicted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("c"), 10 * BLOCK, reserve(folder.path())).unwrap();
        for name in 0..10 {
            cache.insert(RenditionKey([name; 32]), b"x", u64::from(name) * MINUTE).unwrap();
        }
        assert!(cache.find(RenditionKey([0; 32]), 20 * MINUTE).unwrap().is_some());
        cache.insert(RenditionKey([10; 32]), b"x", 21 * MINUTE).unwrap();
        let is_there = |name: u8| cache.find(RenditionKey([name; 32]), 22 * MINUTE).unwrap().is_some();
        let left: Vec<u8> = (0..=10).filter(|name| is_there(*name)).collect();
        assert_eq!(left, [0, 3, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn files_of_an_earlier_run_count() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::open(folder.path().join("c"), 2 * BLOCK, reserve(folder.path())).unwrap();
        open().insert(RenditionKey([1; 32]), b"x", 0).unwrap();
        open().insert(RenditionKey([2; 32]), b"x", 1).unwrap();
        open().insert(RenditionKey([3; 32]), b"x", 2).unwrap();
        assert!(open().find(RenditionKey([1; 32]), 3).unwrap().is_none());
        assert!(open().find(RenditionKey([3; 32]), 3).unwrap().is_some());
    }

    #[test]
    fn the_folder_may_be_deleted_at_any_time_and_nothing_stays_without_space() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("c"), 0, reserve(folder.path())).unwrap();
        cache.insert(RenditionKey([1; 32]), b"one", 0).unwrap();
        fs::remove_dir_all(folder.path().join("c")).unwrap();
        assert_eq!(content(cache.find(RenditionKey([1; 32]), 0).unwrap()), None);
        cache.insert(RenditionKey([1; 32]), b"one", 0).unwrap();
        assert_eq!(content(cache.find(RenditionKey([1; 32]), 0).unwrap()), None);
    }
}
