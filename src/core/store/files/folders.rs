//! The folders that the files are spread over, by the first two characters of their names. Each is created when the first
//! file goes into it: creating all of them would take a large part of a first start.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::core::disk::Disk;
use crate::file_mode;

/// How many there can be.
const COUNT: usize = 256;

/// Which folders are there, and survive a power cut.
pub struct Folders(Mutex<[bool; COUNT]>);

impl Default for Folders {
    fn default() -> Self {
        Self(Mutex::new([false; COUNT]))
    }
}

impl Folders {
    /// Finds those that are there. They are as safe as the folder above them.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn find(&self, files: &Path) -> io::Result<()> {
        let mut known = self.lock();
        for entry in fs::read_dir(files)? {
            if let Some(number) = number(&entry?.path()) {
                known[number] = true;
            }
        }
        Ok(())
    }

    /// Creates the folder of a file, if it is not there. A thread that puts a file into a folder that another is creating waits
    /// until a power cut can't take it away.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn make(&self, file: &Path, disk: &dyn Disk) -> io::Result<()> {
        let Some((folder, number)) = file.parent().and_then(|folder| Some((folder, number(folder)?))) else {
            return Ok(());
        };
        let mut known = self.lock();
        if !known[number] {
            file_mode::create_folder(folder)?;
            folder.parent().map_or(Ok(()), |files| disk.sync_folder(files))?;
            known[number] = true;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, [bool; COUNT]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of a folder with a name of two hexadecimal digits.
fn number(folder: &Path) -> Option<usize> {
    let name = folder.file_name()?.to_str().filter(|name| name.len() == 2)?;
    u8::from_str_radix(name, 16).ok().map(usize::from)
}
