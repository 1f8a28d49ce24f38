//! Checks the content of the data directory before anything in it is changed: whether there is a database, and whether
//! each folder is a folder. Each error names the path, the problem, and what to do.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use super::model::ContentHash;
use crate::error::{Code, Error, Result};

mod modes;

/// The database's file.
pub(crate) const DATABASE: &str = "rasterd.redb";
/// A new database while it is being created. It is renamed when it is complete.
const NEW_DATABASE: &str = "rasterd.redb.new";
/// The folder of the assets' files.
pub(crate) const FILES: &str = "files";
/// The folder of files that are not in the database.
pub(crate) const UNNAMED: &str = "unnamed";
/// The folder of incomplete uploads.
pub(crate) const TEMP: &str = "tmp";
/// The folder of what arrived of open uploads.
pub(crate) const PARTIAL: &str = "partial";
/// The folder of the search index.
pub(crate) const INDEX: &str = "index";
/// The folder of renditions.
pub(crate) const RENDITIONS: &str = "renditions";
/// The file that takes room for a full disk: see `store/reserve.rs`.
pub(crate) const RESERVE: &str = "reserve";
/// The folder of the development authority and its certificate.
pub(crate) const CERTIFICATES: &str = "certs";
/// The folder of what an ACME server gave.
pub(crate) const ACME: &str = "acme";
/// The file with the first key, until somebody owns the server.
pub(crate) const FIRST_KEY: &str = "first-key.txt";
/// The file with the link for the first owner, until somebody used it.
pub(crate) const OWNER_LINK: &str = "owner-link.txt";
/// The file whose lock the process holds that works with the directory.
pub(crate) const LOCK: &str = "rasterd.lock";
/// The marker in the folder of files: identifies the folder and its database.
pub(crate) const MARKER: &str = "rasterd-files";

/// A file system's own folder, at its top.
pub(crate) const LOST_AND_FOUND: &str = "lost+found";

/// What may be in a data directory before its database, besides what is named after the program.
const OURS: [&str; 12] = [
    FILES,
    UNNAMED,
    TEMP,
    PARTIAL,
    INDEX,
    RENDITIONS,
    RESERVE,
    CERTIFICATES,
    ACME,
    FIRST_KEY,
    OWNER_LINK,
    LOST_AND_FOUND,
];

/// Advice for a database that can't be read.
pub(crate) const RESTORE: &str =
    "Restore it from a backup, with the files that belong to it; keep this one for a repair";

/// How a data directory may be opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opening {
    /// Whether a database may be created if there are no traces of an earlier one.
    pub may_create: bool,
    /// Whether to start although the files don't match the database. Files that are not in the database are set aside
    /// then.
    pub accept_files: bool,
}

/// The state of the database file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// There is none.
    Missing,
    /// It is empty.
    Empty,
    /// It has content.
    Present,
}

/// The data directory.
#[derive(Debug)]
pub(crate) struct DataDir {
    dir: PathBuf,
}

impl DataDir {
    /// The data directory at this path, which must exist.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Creates the data directory at this path, if it does not exist, and makes it accessible only to this user.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn make(dir: &Path) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let folder = Self::new(dir);
        folder.expect_no_other_use()?;
        modes::tighten(dir)?;
        Ok(folder)
    }

    /// The path of the database.
    pub fn database_path(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// The path of a new database while it is being created.
    pub fn new_database_path(&self) -> PathBuf {
        self.dir.join(NEW_DATABASE)
    }

    /// Checks that every folder can be read, and returns the state of the database file.
    ///
    /// # Errors
    /// The message names the path, the problem, and what to do.
    pub fn check(&self) -> Result<Database> {
        let made_again = "Move it away; rasterd creates the folder again";
        let restored =
            "Restore the folder from a backup, or mount its disk, and make sure that rasterd may read it";
        for (name, advice) in [
            (FILES, restored),
            (UNNAMED, restored),
            (TEMP, made_again),
            (PARTIAL, made_again),
            (INDEX, made_again),
            (RENDITIONS, made_again),
        ] {
            check_folder(&self.dir.join(name), advice)?;
        }
        let path = self.database_path();
        let restored = "Restore the database from a backup, and make sure that rasterd may read and write it";
        match metadata(&path, restored)? {
            None => Ok(Database::Missing),
            Some(found) if !found.is_file() => Err(refusal(&path, "is not a file", restored)),
            Some(found) if found.len() == 0 => Ok(Database::Empty),
            Some(_) => Ok(Database::Present),
        }
    }

    /// Checks that a database may be created here.
    ///
    /// # Errors
    /// When there are files of a lost database, or `opening` does not allow it.
    pub fn check_new(&self, found: Database, opening: Opening) -> Result<()> {
        if found == Database::Present {
            return Ok(());
        }
        let path = self.database_path();
        let state = if found == Database::Empty { "is empty" } else { "is missing" };
        let files = self.dir.join(FILES);
        let count = count_files(&files)? + count_files(&self.dir.join(UNNAMED))?;
        if count > 0 || files.join(MARKER).exists() {
            let wrong = format!("{state}, but {} holds {} of its assets", files.display(), counted(count));
            return Err(refusal(
                &path,
                &wrong,
                "Restore the database from a backup, or mount its disk. To start from scratch, move the whole data directory away first",
            ));
        }
        self.expect_no_other_use()?;
        if !opening.may_create {
            return Err(refusal(
                &path,
                state,
                "Set the data directory with --data-dir or data.dir, or create a new one with `rasterd init` or `rasterd serve`",
            ));
        }
        Ok(())
    }

    /// Refuses to make a data directory of a folder that others use for something else, such as `/tmp`: they would be locked
    /// out of it.
    fn expect_no_other_use(&self) -> Result<()> {
        if self.database_path().exists() || !modes::is_open(&self.dir) {
            return Ok(());
        }
        let is_ours =
            |name: &str| OURS.contains(&name) || name.trim_start_matches('.').starts_with("rasterd");
        for entry in entries(&self.dir)? {
            let name = entry?.file_name();
            if !name.to_str().is_some_and(is_ours) {
                let wrong = format!("is used for something else, and by others: it holds {}", name.display());
                let advice = "Set data.dir or --data-dir to a folder that is empty or does not exist, or close this one with chmod 700";
                return Err(refusal(&self.dir, &wrong, advice));
            }
        }
        Ok(())
    }
}

/// The error for a data directory that can't be opened, for its administrator.
pub(crate) fn refusal(path: &Path, wrong: &str, advice: &str) -> Error {
    Error::new(Code::ServiceUnavailable, format!("{} {wrong}. {advice}", path.display()))
}

/// Whether a path, which need not exist, is in a folder or is that folder. Links are followed.
pub(crate) fn leads_into(path: &Path, folder: &Path) -> io::Result<bool> {
    let folder = folder.canonicalize()?;
    let mut resolved = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            resolved.pop();
        } else {
            resolved.push(component);
        }
        // What does not exist yet stays as it is written.
        resolved = resolved.canonicalize().unwrap_or(resolved);
    }
    Ok(resolved.starts_with(folder))
}

/// The hash in the name of a stored file.
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

/// The metadata of a path; `None` when nothing is there, not even a link.
fn metadata(path: &Path, advice: &str) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::symlink_metadata(path) {
            Ok(_) => Err(refusal(path, "is a link to something that does not exist", advice)),
            Err(_) => Ok(None),
        },
        Err(error) => Err(refusal(path, &format!("can't be read: {error}"), advice)),
    }
}

/// How many files of assets are in a folder, which may be missing.
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
