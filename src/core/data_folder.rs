//! The data directory from inside, looked at before anything in it is changed: is there a database, is each folder a
//! folder. Each refusal names the path, what is wrong with it, and what to do.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::model::ContentHash;
use crate::error::{Code, Error, Result};

mod modes;

/// The database's file.
const DATABASE: &str = "rasterd.redb";
/// A database that is not whole yet. It gets its name when it is, so that one with that name always is.
const NEW_DATABASE: &str = "rasterd.redb.new";
/// The folder of the assets' files.
pub(crate) const FILES: &str = "files";
/// The folder of files that no record names.
pub(crate) const UNNAMED: &str = "unnamed";
/// The folder of files on their way in.
pub(crate) const TEMP: &str = "tmp";
/// The folder of the search index.
pub(crate) const INDEX: &str = "index";
/// The folder of renditions.
pub(crate) const RENDITIONS: &str = "renditions";
/// In the folder of files: shows that it is that folder, and of which database.
pub(crate) const MARKER: &str = "rasterd-files";

/// What to do about a database that can't be read.
pub(crate) const RESTORE: &str = "Put it back from a back-up, with the files that belong to it; keep this one for whoever tries to mend it";

/// How a data directory may be opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opening {
    /// Whether a database may be made where nothing of an earlier one is.
    pub may_create: bool,
    /// Whether to go on although the files don't fit the database. What no record names is set aside then.
    pub accept_files: bool,
}

/// What there is of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// No file.
    Missing,
    /// A file without a byte in it.
    Empty,
    /// Something to open.
    Present,
}

/// The data directory.
#[derive(Debug)]
pub(crate) struct DataFolder {
    dir: PathBuf,
}

impl DataFolder {
    /// The data directory at this path, which is there.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Makes the data directory at this path, if it is not there, for this user alone. One that others may look into
    /// is closed to them.
    ///
    /// # Errors
    /// When it can't be made or closed.
    pub fn make(dir: &Path) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        modes::tighten(dir)?;
        Ok(Self::new(dir))
    }

    /// Where the database is.
    pub fn database_path(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// Where a database is made before it gets its name.
    pub fn new_database_path(&self) -> PathBuf {
        self.dir.join(NEW_DATABASE)
    }

    /// Checks that what is to be a folder is one that can be read, and says what there is of a database.
    ///
    /// # Errors
    /// With the path, what is wrong with it, and what to do.
    pub fn check(&self) -> Result<Database> {
        let made_again = "Move it away; rasterd makes the folder again";
        let restored = "Put the folder back from a back-up, or mount the disk that it is on, and see that rasterd may read it";
        for (name, advice) in [
            (FILES, restored),
            (UNNAMED, restored),
            (TEMP, made_again),
            (INDEX, made_again),
            (RENDITIONS, made_again),
        ] {
            check_folder(&self.dir.join(name), advice)?;
        }
        let path = self.database_path();
        let restored = "Put the database back from a back-up, and see that rasterd may read and write it";
        match metadata(&path, restored)? {
            None => Ok(Database::Missing),
            Some(found) if !found.is_file() => Err(refusal(&path, "is not a file", restored)),
            Some(found) if found.len() == 0 => Ok(Database::Empty),
            Some(_) => Ok(Database::Present),
        }
    }

    /// Checks that a database may be made here, unless there is one.
    ///
    /// # Errors
    /// When there are files that only a lost database can name, or `opening` does not allow it.
    pub fn check_new(&self, found: Database, opening: Opening) -> Result<()> {
        if found == Database::Present {
            return Ok(());
        }
        let path = self.database_path();
        let state = if found == Database::Empty { "is empty" } else { "is missing" };
        let files = self.dir.join(FILES);
        let count = count_files(&files)? + count_files(&self.dir.join(UNNAMED))?;
        if count > 0 || files.join(MARKER).exists() {
            let wrong =
                format!("{state}, but {} holds {} that only it can name", files.display(), counted(count));
            return Err(refusal(
                &path,
                &wrong,
                "Put the database back from a back-up, or mount the disk that it is on. To begin anew, move the whole data directory away first",
            ));
        }
        if !opening.may_create {
            return Err(refusal(
                &path,
                state,
                "Say where the data directory is with --data-dir or data.dir, or make a new one with `rasterd init` or `rasterd serve`",
            ));
        }
        Ok(())
    }
}

/// A refusal to open the data directory, for the person at the machine.
pub(crate) fn refusal(path: &Path, wrong: &str, advice: &str) -> Error {
    Error::new(Code::ServiceUnavailable, format!("{} {wrong}. {advice}", path.display()))
}

/// The hash that a file is stored under, read back from its name.
pub(crate) fn hash_of(name: &OsStr) -> Option<ContentHash> {
    let hash = blake3::Hash::from_hex(name.to_str()?).ok()?;
    Some(ContentHash(*hash.as_bytes()))
}

fn check_folder(path: &Path, advice: &str) -> Result<()> {
    match metadata(path, advice)? {
        None => Ok(()),
        Some(found) if found.is_dir() => match fs::read_dir(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(path, &format!("can't be read: {error}"), advice)),
        },
        Some(_) => Err(refusal(path, "is not a folder", advice)),
    }
}

/// What is at a path; `None` when there is nothing, not even a link.
fn metadata(path: &Path, advice: &str) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::symlink_metadata(path) {
            Ok(_) => Err(refusal(path, "is a link to something that is not there", advice)),
            Err(_) => Ok(None),
        },
        Err(error) => Err(refusal(path, &format!("can't be read: {error}"), advice)),
    }
}

/// How many assets' files are below a folder, which need not be there.
fn count_files(folder: &Path) -> io::Result<u64> {
    let mut count = 0;
    for entry in entries(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            count += count_files(&entry.path())?;
        } else if hash_of(&entry.file_name()).is_some() {
            count += 1;
        }
    }
    Ok(count)
}

fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

/// A number of files, in words.
pub(crate) fn counted(files: u64) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}
