//! Folders for tests.

use std::path::Path;
use std::time::{Duration, Instant};

/// How long it may take to remove a folder.
const REMOVED_WITHIN: Duration = Duration::from_secs(20);

/// A temporary folder that is removed when this is dropped, even when threads or processes that are about to end still
/// write to it for a moment.
pub struct TempFolder(tempfile::TempDir);

impl TempFolder {
    /// Creates one.
    ///
    /// # Panics
    /// When that is not possible.
    #[must_use]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temp directory"))
    }

    /// Creates one in memory, where that is possible: for tests that write much and need no disk.
    ///
    /// # Panics
    /// When that is not possible anywhere.
    #[must_use]
    pub fn in_memory() -> Self {
        tempfile::tempdir_in("/dev/shm").map_or_else(|_| Self::new(), Self)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Default for TempFolder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let until = Instant::now() + REMOVED_WITHIN;
        loop {
            match std::fs::remove_dir_all(self.path()) {
                Ok(()) => return,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
                Err(error) if Instant::now() >= until => {
                    assert!(std::thread::panicking(), "{} was not removed: {error}", self.path().display());
                    return;
                }
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}
