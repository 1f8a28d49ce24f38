//! The reserve: room on the disk of the database that only what frees space, revokes or lets someone in may use. When the
//! rest of the disk is full, writes that make something larger are refused, and these go on.
//!
//! Free space is measured before each write. Other programs may use up even the reserve, so a part of it is a file that
//! takes real blocks. When a write to the database finds no room, the file is made shorter and the write is repeated.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use crate::core::data_dir::RESERVE;
use crate::core::disk::{Disk, Room};
use crate::error::{Error, Result, is_out_of_space};

const MIB: u64 = 1 << 20;
/// The reserve of a small disk.
const LEAST: u64 = 64 * MIB;
/// The reserve of a large disk.
const MAX: u64 = 2048 * MIB;
/// The most that the file takes. A transaction needs far less, and what it frees is used again by the next but one.
const LARGEST_FILE: u64 = 64 * MIB;
/// By how much the file is made shorter at a time.
const STEP: u64 = MIB;
/// Below how many files that can still be created the disk counts as full.
const LEAST_FILES: u64 = 256;
/// How often it is tried to make the file whole again.
const REFILL: Duration = Duration::from_secs(1);
/// The unit of `st_blocks`, in bytes.
const BLOCK: u64 = 512;

/// The reserve of a data directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reserve(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// All of the reserve, in bytes.
    size: u64,
    ballast: Mutex<Ballast>,
}

/// The file that takes the room.
#[derive(Debug)]
struct Ballast {
    /// How many bytes it takes now.
    held: u64,
    /// How many it should take; 0 where the file system can't set room aside.
    wanted: u64,
    tried: Option<Instant>,
}

impl Reserve {
    /// The reserve of this data directory. `size` is its size in bytes; 0 chooses one by the size of the disk. A full
    /// disk is no error: then the file is made later.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, size: u64) -> Result<Self> {
        let size = if size == 0 { default_size(disk.room(dir)?) } else { size };
        let reserve = Self(Arc::new(Inner {
            disk,
            dir: dir.to_owned(),
            size,
            ballast: Mutex::new(Ballast { held: 0, wanted: (size / 4).min(LARGEST_FILE), tried: None }),
        }));
        let mut ballast = reserve.ballast();
        // The blocks and not the length: a copy of a data directory may have a hole instead.
        ballast.held = fs::metadata(reserve.path()).map_or(0, |file| file.blocks() * BLOCK);
        reserve.refill(&mut ballast)?;
        drop(ballast);
        Ok(reserve)
    }

    /// All of it, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// Whether only what may use the reserve may be written. When that can't be found out, writes go on and fail by
    /// themselves.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.room().is_some_and(|room| self.is_short_with(room))
    }

    fn is_short_with(&self, room: Room) -> bool {
        if room.files.is_some_and(|files| files < LEAST_FILES) {
            return true;
        }
        let mut ballast = self.ballast();
        let beside_the_file = self.0.size.saturating_sub(ballast.wanted);
        if room.available < beside_the_file {
            return true;
        }
        if ballast.held < ballast.wanted && ballast.tried.is_none_or(|tried| tried.elapsed() >= REFILL) {
            // The outcome is in what is held.
            let _full_or_failed = self.refill(&mut ballast);
        }
        // A quota is in no count of free blocks: what was taken from the file could not be put back.
        ballast.held < ballast.wanted
    }

    /// Whether the disk is about to be full: what can be made again is not kept on it any more.
    #[must_use]
    pub fn is_low(&self) -> bool {
        self.room()
            .is_some_and(|room| self.is_short_with(room) || room.available < self.0.size.saturating_mul(2))
    }

    fn room(&self) -> Option<Room> {
        self.0.disk.room(&self.0.dir).ok()
    }

    /// Checks that a write which makes something larger has room.
    ///
    /// # Errors
    /// `STORAGE_FULL`.
    pub fn expect_room(&self) -> Result<()> {
        if self.is_short() { Err(Error::storage_full()) } else { Ok(()) }
    }

    /// Whether this many bytes can be written, and the reserve is left then.
    #[must_use]
    pub fn has_room_for(&self, bytes: u64) -> bool {
        self.room().is_none_or(|room| {
            let available = room.available.saturating_sub(bytes);
            !self.is_short_with(Room { available, ..room })
        })
    }

    /// Runs a small write that must succeed, and again with room from the file when there was none.
    ///
    /// # Errors
    /// Those of `write`, when nothing is left of the file.
    pub fn with_room<T>(&self, mut write: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            match write() {
                Err(error) if is_out_of_space(&error) && self.release() => {}
                outcome => return outcome,
            }
        }
    }

    /// Makes the file shorter. `false` when nothing is left of it.
    fn release(&self) -> bool {
        let mut ballast = self.ballast();
        if ballast.held == 0 {
            return false;
        }
        if ballast.held >= ballast.wanted {
            let page = "/docs/when-something-is-wrong#the-disk-is-full";
            tracing::warn!(
                docUrl = page,
                "the disk of {} is full; the reserve is used",
                self.0.dir.display()
            );
        }
        let left = ballast.held.saturating_sub(STEP);
        let shortened = OpenOptions::new().write(true).open(self.path()).and_then(|file| file.set_len(left));
        ballast.held = if shortened.is_ok() { left } else { 0 };
        ballast.tried = Some(Instant::now());
        shortened.is_ok()
    }

    /// Makes the file as long as it should be, if there is room.
    fn refill(&self, ballast: &mut Ballast) -> Result<()> {
        ballast.tried = Some(Instant::now());
        if ballast.held >= ballast.wanted || self.0.disk.room(&self.0.dir)?.available < ballast.wanted {
            return Ok(());
        }
        match self.allocate(ballast.wanted) {
            Ok(()) => ballast.held = ballast.wanted,
            Err(error) if is_out_of_space(&error) => {}
            Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => ballast.wanted = 0,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let file: File =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.path())?;
        fallocate(&file, FallocateFlags::empty(), 0, bytes).map_err(Into::into)
    }

    fn path(&self) -> PathBuf {
        self.0.dir.join(RESERVE)
    }

    fn ballast(&self) -> MutexGuard<'_, Ballast> {
        self.0.ballast.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The larger of 64 MiB and 1 % of the disk, at most 2 GiB.
fn default_size(room: Room) -> u64 {
    (room.total / 100).clamp(LEAST, MAX)
}
