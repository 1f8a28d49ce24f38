//! The lock of the data directory, so that only one process uses it. The rest of `core` knows its content.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::access::Administrator;
use super::data_dir::LOCK;

/// The most bytes that are read of a lock file; it may be damaged.
const HOLDER_LENGTH: u64 = 200;

/// The data directory, held by this process until dropped.
#[derive(Debug)]
pub struct DataDirLock {
    path: PathBuf,
    _lock: File,
}

/// Why the data directory could not be held.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error(
        "the data directory {} is in use by {holder}. Stop that first, or choose another data directory with data.dir or --data-dir",
        path.display()
    )]
    Held {
        /// The data directory.
        path: PathBuf,
        /// Which program, and its process id.
        holder: String,
    },
    /// It can't be made or opened.
    #[error(
        "the data directory {} can't be used: {cause}. Choose another with data.dir or --data-dir",
        path.display()
    )]
    Unusable {
        /// The data directory.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
}

impl DataDirLock {
    /// Creates the folder if it does not exist, accessible only to this user, and locks it. `holder` is the command for
    /// messages of other processes, such as `rasterd serve`.
    ///
    /// # Errors
    /// When another process holds it, or the system refuses.
    pub fn lock(path: &Path, holder: &str) -> Result<Self, LockError> {
        let unusable = |cause| LockError::Unusable { path: path.to_owned(), cause };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        lock.set_permissions(Permissions::from_mode(0o600)).map_err(unusable)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(LockError::Held { path: path.to_owned(), holder: read_holder(&lock) });
            }
            Err(error) => return Err(unusable(error.into())),
        }
        write_holder(&mut lock, holder).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The administrator of the whole server, because anyone who can take this lock can also read and write the files.
    #[must_use]
    pub fn administrator(&self) -> Administrator {
        Administrator::local()
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn write_holder(lock: &mut File, holder: &str) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{holder} (process {})", std::process::id())
}

fn read_holder(lock: &File) -> String {
    let mut text = String::new();
    let read = lock.take(HOLDER_LENGTH).read_to_string(&mut text);
    // Another process may have taken the lock and not yet written its name.
    if read.is_err() || text.trim().is_empty() {
        "another process".to_owned()
    } else {
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_folder_is_private_and_locked_by_one_process() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("data");
        let first = DataDirLock::lock(&path, "rasterd serve").unwrap();
        assert_eq!((mode(&path), mode(&path.join(LOCK))), (0o700, 0o600));
        let message = DataDirLock::lock(&path, "rasterd key").unwrap_err().to_string();
        let holder = format!("is in use by rasterd serve (process {}).", std::process::id());
        assert!(message.contains(&holder), "{message}");
        drop(first);
        let second = DataDirLock::lock(&path, "rk").unwrap();
        assert_eq!(
            std::fs::read_to_string(path.join(LOCK)).unwrap(),
            format!("rk (process {})\n", std::process::id())
        );
        assert_eq!(second.path(), path);
    }

    #[test]
    fn a_path_that_can_not_be_a_folder_is_in_the_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let message = DataDirLock::lock(&file.path().join("data"), "x").unwrap_err().to_string();
        assert!(message.contains("can't be used"), "{message}");
    }
}
