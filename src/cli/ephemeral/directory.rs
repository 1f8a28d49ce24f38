//! The temporary directory of a server for tests: in memory, if there is room, and removed at the end. A lock in each says
//! whether its server still runs; a later start removes those whose server was killed.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock, statvfs};

use crate::cli::CommandError;

/// Where a file system in memory usually is.
const MEMORY: &str = "/dev/shm";
/// How much room must be there, in bytes: containers often have only 64 MB.
const LEAST_ROOM: u64 = 256 << 20;
/// How the names of these directories begin.
const PREFIX: &str = "rasterd-ephemeral-";
/// The lock in each, held as long as its server runs.
const LOCK: &str = "lock";
/// The lock before it is held.
const NEW_LOCK: &str = "lock.new";
/// A directory without a lock is of a start that was killed, unless it is younger than this.
const YOUNG: Duration = Duration::from_mins(10);
/// How long it may take to remove one: processes that are about to end may still write to it.
const REMOVED_WITHIN: Duration = Duration::from_secs(10);

/// The directory, locked by this process.
pub(super) struct TemporaryDirectory {
    path: PathBuf,
    _lock: File,
}

impl TemporaryDirectory {
    /// Creates one in `parent`, or where there is room.
    pub(super) fn create(parent: Option<&Path>) -> Result<Self, CommandError> {
        let parent = parent.map_or_else(usual_parent, Path::to_owned);
        let failed = |error: io::Error| {
            CommandError(format!(
                "a temporary directory can't be made in {}: {error}. Choose another place with --data-dir",
                parent.display()
            ))
        };
        let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(failed)?.keep();
        let lock = hold_lock(&path).map_err(failed)?;
        // Not before this one is ready: what others left behind can wait.
        std::thread::spawn(move || sweep(&parent));
        Ok(Self { path, _lock: lock })
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it.
    pub(super) fn remove(self) {
        let until = Instant::now() + REMOVED_WITHIN;
        while let Err(error) = fs::remove_dir_all(&self.path) {
            if error.kind() == io::ErrorKind::NotFound {
                return;
            }
            if Instant::now() >= until {
                tracing::warn!("{} was not removed: {error}", self.path.display());
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// In memory, if there is enough of it.
fn usual_parent() -> PathBuf {
    let has_room =
        statvfs(MEMORY).is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) >= LEAST_ROOM);
    if has_room && Path::new(MEMORY).is_dir() { PathBuf::from(MEMORY) } else { std::env::temp_dir() }
}

/// Takes the lock of a new directory. It has its name only when it is held, so that nobody takes this server for dead.
fn hold_lock(dir: &Path) -> io::Result<File> {
    let new = dir.join(NEW_LOCK);
    let lock = File::create_new(&new)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    fs::rename(new, dir.join(LOCK))?;
    Ok(lock)
}

/// Removes the directories of servers that were killed.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && is_abandoned(&entry.path()) {
            // Another start may remove it at the same time.
            let _removed = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a directory is this user's, and its server no longer runs.
fn is_abandoned(dir: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(dir) else { return false };
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return false;
    }
    match File::open(dir.join(LOCK)) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let age = found.modified().ok().and_then(|modified| modified.elapsed().ok());
            age.is_some_and(|age| age > YOUNG)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_directory_whose_server_is_gone_is_swept() {
        let parent = crate::testing::TempFolder::new();
        let running = TemporaryDirectory::create(Some(parent.path())).ok().unwrap();
        let killed = parent.path().join(format!("{PREFIX}killed"));
        fs::create_dir(&killed).unwrap();
        drop(hold_lock(&killed).unwrap());
        let starting = parent.path().join(format!("{PREFIX}starting"));
        fs::create_dir(&starting).unwrap();
        let other = parent.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join(LOCK), "").unwrap();
        sweep(parent.path());
        assert!(running.path().exists() && starting.exists() && other.exists() && !killed.exists());
        let path = running.path().to_owned();
        running.remove();
        assert!(!path.exists());
    }
}
