//! A disk that tests fill and break.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::disk::{Disk, LocalDisk, Room};

/// The size of the disk, in bytes.
const TOTAL: u64 = 1 << 30;

/// The local disk, with as much room and as many faults as a test wants. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct TestDisk(Arc<DiskFaults>);

#[derive(Debug, Default)]
struct DiskFaults {
    /// How much of the disk is taken, in bytes.
    taken: AtomicU64,
    /// What every write answers.
    writes: Mutex<Option<ErrorKind>>,
    /// What every sync answers.
    syncs: Mutex<Option<ErrorKind>>,
    /// Whether syncs do nothing.
    skips_syncs: AtomicBool,
}

impl TestDisk {
    /// A disk that never waits until anything survives a power cut.
    #[must_use]
    pub fn without_syncs() -> Self {
        let disk = Self::default();
        disk.0.skips_syncs.store(true, Ordering::SeqCst);
        disk
    }

    fn skips_syncs(&self) -> bool {
        self.0.skips_syncs.load(Ordering::SeqCst)
    }

    /// Leaves this much room on the disk, in bytes. Writes succeed nevertheless: only the count changes.
    pub fn leave_room(&self, bytes: u64) {
        self.0.taken.store(TOTAL.saturating_sub(bytes), Ordering::SeqCst);
    }

    /// Makes every write fail, or none.
    pub fn fail_writes(&self, with: Option<ErrorKind>) {
        *lock(&self.0.writes) = with;
    }

    /// Makes every sync fail, or none. What was written before may be on the disk.
    pub fn fail_syncs(&self, with: Option<ErrorKind>) {
        *lock(&self.0.syncs) = with;
    }

    /// Ends all faults.
    pub fn repair(&self) {
        self.leave_room(TOTAL);
        self.fail_writes(None);
        self.fail_syncs(None);
    }
}

fn lock(fault: &Mutex<Option<ErrorKind>>) -> MutexGuard<'_, Option<ErrorKind>> {
    fault.lock().unwrap_or_else(PoisonError::into_inner)
}

fn outcome(fault: &Mutex<Option<ErrorKind>>) -> io::Result<()> {
    lock(fault).map_or(Ok(()), |kind| Err(kind.into()))
}

impl Disk for TestDisk {
    fn write(&self, file: &File, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        outcome(&self.0.writes)?;
        LocalDisk.write(file, path, offset, bytes)
    }

    fn set_len(&self, file: &File, path: &Path, len: u64) -> io::Result<()> {
        outcome(&self.0.writes)?;
        LocalDisk.set_len(file, path, len)
    }

    fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        outcome(&self.0.syncs)?;
        if self.skips_syncs() { Ok(()) } else { LocalDisk.sync(file, path) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        outcome(&self.0.syncs)?;
        if self.skips_syncs() { Ok(()) } else { LocalDisk.sync_folder(folder) }
    }

    fn room(&self, _folder: &Path) -> io::Result<Room> {
        let available = TOTAL - self.0.taken.load(Ordering::SeqCst);
        Ok(Room { total: TOTAL, available, files: None })
    }
}
