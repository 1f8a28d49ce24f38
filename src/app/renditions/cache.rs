//! The folder of renditions: bounded in size, the least recently used go first. Everything in it can be made again,
//! so it may be deleted at any time, also while the server runs.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use super::order::Key;
use crate::app::clock::Millis;

/// What a file takes on the disk at least. It also bounds how many there can be.
const BLOCK: u64 = 4096;
/// How exactly the last use is known: not every use is a write to the disk.
const USE_STEP: Duration = Duration::from_mins(1);

/// The folder.
pub(super) struct Cache {
    dir: PathBuf,
    most: u64,
    /// What the files take. Unknown until they were counted: a start does not wait for that.
    used: Mutex<Option<u64>>,
}

/// A file in the folder.
struct Entry {
    last_use: SystemTime,
    size: u64,
    name: [u8; 32],
}

impl Cache {
    /// The cache in this folder, which need not be there, of at most `most` bytes.
    pub fn open(dir: PathBuf, most: u64) -> io::Result<Self> {
        match fs::remove_dir_all(temp(&dir)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(Self { dir, most, used: Mutex::default() })
    }

    /// Where files are made that are not kept; what an earlier run left there is gone.
    pub fn scratch(&self) -> PathBuf {
        temp(&self.dir)
    }

    /// Opens a rendition, if it is there, and notes that it was used.
    pub fn find(&self, key: Key, now: Millis) -> io::Result<Option<File>> {
        let file = match File::open(self.path(key)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let now = UNIX_EPOCH + Duration::from_millis(now);
        if file.metadata()?.modified()? + USE_STEP <= now {
            file.set_modified(now)?;
        }
        Ok(Some(file))
    }

    /// Keeps a rendition and returns it, opened. Blocks; also for a sweep when there are too many.
    pub fn keep(&self, key: Key, bytes: &[u8], now: Millis) -> io::Result<File> {
        let kept = self.put(key, bytes, now).or_else(|error| match error.kind() {
            // Somebody deleted the folder just now.
            io::ErrorKind::NotFound => self.put(key, bytes, now),
            _ => Err(error),
        })?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let known = used.map(|used| used + on_disk(bytes.len() as u64));
        *used = match known {
            Some(known) if known <= self.most => Some(known),
            Some(_) | None => Some(self.sweep()?),
        };
        Ok(kept)
    }

    fn put(&self, key: Key, bytes: &[u8], now: Millis) -> io::Result<File> {
        let path = self.path(key);
        let temp = temp(&self.dir);
        fs::create_dir_all(&temp)?;
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = NamedTempFile::new_in(temp)?;
        file.write_all(bytes)?;
        // A file with a name is whole, also after a loss of power.
        file.as_file().sync_data()?;
        file.as_file().set_modified(UNIX_EPOCH + Duration::from_millis(now))?;
        Ok(file.persist(path)?)
    }

    /// Deletes the least recently used when there is more than allowed. Returns what is left.
    fn sweep(&self) -> io::Result<u64> {
        let mut entries = self.entries()?;
        let mut used: u64 = entries.iter().map(|entry| entry.size).sum();
        if used <= self.most {
            return Ok(used);
        }
        entries.sort_unstable_by_key(|entry| entry.last_use);
        // A tenth is freed, so that not every new file needs a sweep.
        let goal = self.most - self.most / 10;
        for entry in entries {
            if used <= goal {
                break;
            }
            if_there(fs::remove_file(self.path(Key(entry.name))))?;
            used -= entry.size;
        }
        Ok(used)
    }

    /// What is there. Files that are none of ours are passed over.
    fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for prefix in 0..=u8::MAX {
            let Some(folder) = if_there(fs::read_dir(self.dir.join(format!("{prefix:02x}"))))? else {
                continue;
            };
            for file in folder {
                let file = file?;
                let Some(name) = file.file_name().to_str().and_then(|name| blake3::Hash::from_hex(name).ok())
                else {
                    continue;
                };
                let Some(metadata) = if_there(file.metadata())? else { continue };
                let (last_use, size) = (metadata.modified()?, on_disk(metadata.len()));
                entries.push(Entry { last_use, size, name: *name.as_bytes() });
            }
        }
        Ok(entries)
    }

    fn path(&self, key: Key) -> PathBuf {
        let name = key.to_hex();
        self.dir.join(name.get(..2).unwrap_or_default()).join(name)
    }
}

fn temp(dir: &Path) -> PathBuf {
    dir.join("tmp")
}

fn on_disk(size: u64) -> u64 {
    size.next_multiple_of(BLOCK)
}

/// Nothing for what is gone, which here is no error.
fn if_there<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const MINUTE: Millis = 60_000;

    fn content(file: Option<File>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        file?.read_to_end(&mut bytes).unwrap();
        Some(bytes)
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("c"), 10 * BLOCK).unwrap();
        for name in 0..10 {
            cache.keep(Key([name; 32]), b"x", u64::from(name) * MINUTE).unwrap();
        }
        assert!(cache.find(Key([0; 32]), 20 * MINUTE).unwrap().is_some());
        cache.keep(Key([10; 32]), b"x", 21 * MINUTE).unwrap();
        let is_there = |name: u8| cache.find(Key([name; 32]), 22 * MINUTE).unwrap().is_some();
        let left: Vec<u8> = (0..=10).filter(|name| is_there(*name)).collect();
        assert_eq!(left, [0, 3, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn what_an_earlier_run_kept_counts() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Cache::open(folder.path().join("c"), 2 * BLOCK).unwrap();
        open().keep(Key([1; 32]), b"x", 0).unwrap();
        open().keep(Key([2; 32]), b"x", 1).unwrap();
        open().keep(Key([3; 32]), b"x", 2).unwrap();
        assert!(open().find(Key([1; 32]), 3).unwrap().is_none());
        assert!(open().find(Key([3; 32]), 3).unwrap().is_some());
    }

    #[test]
    fn the_folder_may_go_at_any_time_and_nothing_is_kept_without_room() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("c"), 0).unwrap();
        cache.keep(Key([1; 32]), b"one", 0).unwrap();
        fs::remove_dir_all(folder.path().join("c")).unwrap();
        assert_eq!(content(cache.find(Key([1; 32]), 0).unwrap()), None);
        cache.keep(Key([1; 32]), b"one", 0).unwrap();
        assert_eq!(content(cache.find(Key([1; 32]), 0).unwrap()), None);
    }
}
