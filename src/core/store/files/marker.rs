//! The marker in the folder of files: a small file by which a start, and `/readyz`, tell that the folder is there and
//! belongs to this database. A disk that is not mounted leaves an empty folder, which looks like any other.

use std::fs;
use std::io::{self, ErrorKind};

use super::Blobs;
use crate::core::data_dir::{MARKER, refusal};
use crate::core::store::{ChangeQueries, FileQueries, Store};
use crate::error::Result;
use crate::file_mode;

/// What the marker says, and after it the database's number.
const TEXT: &str = "The files of the rasterd database ";
const MORE: &str =
    "\nrasterd looks for this file to know that the folder of its files is there. Leave it here.\n";

impl Blobs {
    /// Checks that the folder is the one that this database had its files in.
    pub(super) fn check_marker(&self, store: &Store, accept: bool) -> Result<()> {
        let snapshot = store.snapshot()?;
        let (expected, marked) = (snapshot.database()?, snapshot.files_are_marked()?);
        let found = self.marked_with()?;
        let wrong = match found {
            _ if accept => return Ok(()),
            Some(found) if found == expected => return Ok(()),
            None if !marked => return Ok(()),
            None => format!("is not the folder with the assets' files: its file {MARKER} is not there"),
            Some(_) => format!("has the files of another database: so says its file {MARKER}"),
        };
        Err(refusal(
            &self.files,
            &wrong,
            "Mount the disk that it is on, or put the folder back from a backup. To go on with what is there, start with `rasterd serve --accept-files`",
        ))
    }

    /// Writes the marker where there is none of this database.
    pub(super) fn mark(&self, store: &Store) -> Result<()> {
        let snapshot = store.snapshot()?;
        let (number, marked) = (snapshot.database()?, snapshot.files_are_marked()?);
        drop(snapshot);
        if self.marked_with()? != Some(number) {
            let temp = self.temp.join(MARKER);
            let file = file_mode::create_file(&temp)?;
            self.disk.write(&file, &temp, 0, format!("{TEXT}{number:016x}{MORE}").as_bytes())?;
            self.disk.sync(&file, &temp)?;
            self.disk.rename(&temp, &self.files.join(MARKER))?;
            self.disk.sync_folder(&self.files)?;
        }
        if !marked {
            store.mark_files()?;
        }
        Ok(())
    }

    /// The number of the database that the folder belongs to; `None` when nothing says so.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn marked_with(&self) -> io::Result<Option<u64>> {
        match fs::read_to_string(self.files.join(MARKER)) {
            Ok(text) => {
                Ok(text.strip_prefix(TEXT).and_then(|rest| u64::from_str_radix(rest.get(..16)?, 16).ok()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
