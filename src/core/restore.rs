//! Restores a backup into an empty data directory. Everything is put together in a folder beside it, or in it where that is not
//! possible, checked by hash, and renamed at the end, so that a restore that fails changes nothing.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use tempfile::TempDir;

use super::backup::copying::Copied;
use super::backup::layout::{
    AUTHORITY, CERTIFICATES, DATABASE, LIST, at, make_folder, make_lasting_folder, new_file, place,
    read_small, sync_files, sync_folder,
};
use super::backup::manifest::{BackupManifest, ListedFile, read_list};
use super::long_work::{Reporter, Stage};
use crate::core::data_dir::{self, LOCK, LOST_AND_FOUND, refusal};
use crate::core::data_dir_lock::DataDirLock;
use crate::core::disk::{Disk, LocalDisk};
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};

mod selected;
mod source;
mod unpack;
mod verify;

pub use selected::{SelectedRestoreOptions, SelectedRestoreSummary};

use source::BackupSource;
use verify::verify;

/// What an empty data directory may hold: a file system's own folder, and the lock.
const IGNORED: [&str; 2] = [LOST_AND_FOUND, LOCK];
/// How the name of the folder begins in which a restore is put together.
const STAGING: &str = ".rasterd-restore-";
/// How many damaged files a message names.
const NAMED: usize = 5;

/// What to restore, and how.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The backup: a folder, or a file that ends in `.tar.zst`.
    pub source: PathBuf,
    /// The snapshot, or the beginning of its name; the newest when none.
    pub snapshot: Option<String>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The folder of the development certificate; none when the certificate is configured.
    pub certificates: Option<PathBuf>,
    /// Whether everything is read back from the disk at the end.
    pub verify: bool,
    /// Whether files that are missing or damaged in the backup are left out, instead of failing.
    pub skip_damaged: bool,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct RestoreSummary {
    /// The snapshot.
    pub snapshot: String,
    /// When it was taken.
    pub created: Millis,
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// The assets' files that the backup does not have.
    pub lost: Vec<String>,
    /// Where the development authority was put; none when the backup has none.
    pub authority: Option<AuthorityOutcome>,
}

/// What became of the development authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorityOutcome {
    /// It was put in this folder.
    Restored(PathBuf),
    /// This folder has another one, which stays.
    Kept(PathBuf),
}

/// Restores a whole backup into an empty data directory. Blocks until it is done.
///
/// # Errors
/// When the data directory is not empty, or the backup is incomplete or damaged. Nothing has changed then.
pub fn restore(options: &RestoreOptions, reporter: &Reporter) -> Result<RestoreSummary> {
    expect_empty(&options.data_dir, None)?;
    let staging = stage(&options.data_dir)?;
    let source = BackupSource::open(&options.source, staging.path(), |_| true, reporter)?;
    let (snapshot, manifest) = source.snapshot(options.snapshot.as_deref())?;
    let target = staging.path().join("data");
    make_folder(&target)?;
    let restored = Restored { source: &source, snapshot: &snapshot, manifest: &manifest, target: &target };
    reporter.begin(Stage::Files, manifest.database_bytes.saturating_add(manifest.file_bytes));
    restored.database(reporter)?;
    let files = read_list(&snapshot.join(LIST), &manifest)?;
    let mut lost = manifest.lost.clone();
    let left_out = restored.files(&files, options.skip_damaged, reporter)?;
    let (files_left, bytes_left) =
        (left_out.len() as u64, left_out.iter().map(|file| file.size).sum::<u64>());
    lost.extend(left_out.iter().map(|file| file.hash.to_hex()));
    if options.verify {
        verify(&target, &manifest, files.iter().filter(|file| !left_out.contains(file)), reporter)?;
    }
    let authority = restored.authority(options)?;
    sync_folder(&target)?;
    put_in_place(&target, &options.data_dir)
        .inspect_err(|_| take_back(authority.as_ref(), &options.data_dir))?;
    Ok(RestoreSummary {
        snapshot: name_of(&snapshot),
        created: manifest.created,
        files: manifest.files - files_left,
        file_bytes: manifest.file_bytes - bytes_left,
        lost,
        authority,
    })
}

/// Checks that a data directory is empty except for the folder in which it is put together, or does not exist.
///
/// # Errors
/// When it is not.
fn expect_empty(dir: &Path, staging: Option<&Path>) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => at(dir, entries)?,
    };
    for entry in entries {
        let name = at(dir, entry)?.file_name();
        let is_ours = staging.is_some_and(|staging| staging.starts_with(dir.join(&name)));
        if !is_ours && name.to_string_lossy().starts_with(STAGING) {
            let wrong = format!("holds what an interrupted restore left: {}", Path::new(&name).display());
            return Err(refusal(dir, &wrong, "Nothing was changed. Remove that, and restore again"));
        }
        if !is_ours && !IGNORED.iter().any(|ignored| name == *ignored) {
            return Err(refusal(
                dir,
                &format!("is not empty: it holds {}", Path::new(&name).display()),
                "Nothing was changed. Restore into an empty folder, set with --data-dir; stop the server and move the old one away first if it is to be replaced",
            ));
        }
    }
    Ok(())
}

/// Makes a folder on the file system of the data directory.
fn stage(data_dir: &Path) -> Result<TempDir> {
    let parent = data_dir.parent().unwrap_or(Path::new("/"));
    make_lasting_folder(parent)?;
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    // A mounted data directory can't be renamed over, and the folder above may be another user's; then it is put together
    // inside.
    let can_replace = device(data_dir) == device(parent) && access(parent, Access::WRITE_OK).is_ok();
    let folder = if data_dir.exists() && !can_replace { data_dir } else { parent };
    at(folder, tempfile::Builder::new().prefix(STAGING).tempdir_in(folder))
}

/// Moves the restored directory to its place.
fn put_in_place(target: &Path, data_dir: &Path) -> Result<()> {
    if !target.starts_with(data_dir) && take_place(target, data_dir)? {
        return data_dir.parent().map_or(Ok(()), sync_folder);
    }
    make_folder(data_dir)?;
    let _lock = lock(data_dir)?;
    expect_empty(data_dir, Some(target))?;
    let mut names: Vec<_> = at(target, fs::read_dir(target))?
        .map(|entry| at(target, entry).map(|entry| entry.file_name()))
        .collect::<Result<_>>()?;
    // Without its database, the server refuses to start: it comes last.
    names.sort_by_key(|name| name == DATABASE);
    for name in names {
        at(&data_dir.join(&name), fs::rename(target.join(&name), data_dir.join(&name)))?;
    }
    sync_folder(data_dir)
}

/// Renames the restored directory to its place. `false` where that is not possible, such as over a link.
fn take_place(target: &Path, data_dir: &Path) -> Result<bool> {
    let mut held = None;
    if data_dir.exists() {
        held = Some(lock(data_dir)?);
        expect_empty(data_dir, None)?;
        // A folder takes the place of an empty one, and of no other.
        let lock = data_dir.join(LOCK);
        at(&lock, LocalDisk.remove(&lock))?;
    }
    let is_there = fs::rename(target, data_dir).is_ok();
    drop(held);
    Ok(is_there)
}

/// Keeps a server from starting in a data directory that is about to be filled, and refuses one in which a server runs.
fn lock(data_dir: &Path) -> Result<DataDirLock> {
    DataDirLock::lock(data_dir, "rasterd restore")
        .map_err(|error| Error::new(Code::ServiceUnavailable, error.to_string()))
}

/// Removes an authority that was put outside of a data directory whose restore failed after all.
fn take_back(authority: Option<&AuthorityOutcome>, data_dir: &Path) {
    if let Some(AuthorityOutcome::Restored(folder)) = authority
        && !folder.starts_with(data_dir)
    {
        remove_authority(folder);
    }
}

fn remove_authority(folder: &Path) {
    for name in AUTHORITY {
        let _stays = LocalDisk.remove(&folder.join(name));
    }
}

fn name_of(snapshot: &Path) -> String {
    snapshot.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A backup on its way into a folder.
struct Restored<'a> {
    source: &'a BackupSource,
    snapshot: &'a Path,
    manifest: &'a BackupManifest,
    target: &'a Path,
}

impl Restored<'_> {
    fn database(&self, reporter: &Reporter) -> Result<()> {
        let (from, to) = (self.snapshot.join(DATABASE), self.target.join(DATABASE));
        let copied = at(&from, self.source.take(&from, &to, reporter)?)?;
        if copied.hash.to_hex() != self.manifest.database_hash {
            return Err(refusal(
                &from,
                "is damaged",
                "Nothing was changed. Choose another snapshot with --snapshot",
            ));
        }
        Ok(())
    }

    /// Copies the files, and returns those that were left out.
    fn files(&self, files: &[ListedFile], skip: bool, reporter: &Reporter) -> Result<Vec<ListedFile>> {
        let (from, to) = (self.source.files(), self.target.join(data_dir::FILES));
        make_folder(&to)?;
        let (mut damaged, mut why) = (Vec::new(), None);
        for file in files {
            let target = to.join(place(file.hash));
            make_folder(target.parent().unwrap_or(&to))?;
            let copied = self.source.take(&from.join(place(file.hash)), &target, reporter)?;
            if !copied.as_ref().is_ok_and(|copied| *copied == Copied { hash: file.hash, size: file.size }) {
                damaged.push(*file);
                why = why.or(copied.err());
                at(&target, LocalDisk.remove(&target))?;
            }
        }
        if !damaged.is_empty() && !skip {
            return Err(refusal(
                &from,
                &format!(
                    "lacks files of the snapshot, or has them damaged: {}",
                    named(&damaged, why.as_ref())
                ),
                "Nothing was changed. Restore another snapshot or another backup, or what is whole of this one with --skip-damaged",
            ));
        }
        sync_files(&to)?;
        Ok(damaged)
    }

    /// Puts the development authority where the server looks for it, unless there is one.
    fn authority(&self, options: &RestoreOptions) -> Result<Option<AuthorityOutcome>> {
        let Some(configured) = &options.certificates else { return Ok(None) };
        let files = self.authority_files()?;
        if files.is_empty() {
            return Ok(None);
        }
        let is_inside = configured.strip_prefix(&options.data_dir);
        let folder = is_inside.map_or_else(|_| configured.clone(), |below| self.target.join(below));
        if AUTHORITY.iter().any(|name| folder.join(name).exists()) {
            return Ok(Some(AuthorityOutcome::Kept(configured.clone())));
        }
        make_lasting_folder(&folder)?;
        // One of the two alone would keep the server from starting.
        write_files(&folder, &files).inspect_err(|_| remove_authority(&folder))?;
        Ok(Some(AuthorityOutcome::Restored(configured.clone())))
    }

    /// The files of the development authority that are in the backup, by name.
    fn authority_files(&self) -> Result<Vec<(&str, Vec<u8>)>> {
        let mut files = Vec::new();
        for (name, hash) in &self.manifest.authority {
            if !AUTHORITY.contains(&name.as_str()) {
                continue;
            }
            let path = self.snapshot.join(CERTIFICATES).join(name);
            let bytes = read_small(&path)?;
            if blake3::hash(&bytes).to_hex().as_str() != hash {
                return Err(refusal(&path, "is damaged", "Nothing was changed. Choose another snapshot"));
            }
            files.push((name.as_str(), bytes));
        }
        Ok(files)
    }
}

fn write_files(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        let mut file = new_file(&path)?;
        at(&path, file.write_all(bytes).and_then(|()| file.sync_all()))?;
    }
    sync_folder(folder)
}

/// The first of these files, and why one of them can't be read.
fn named(files: &[ListedFile], why: Option<&io::Error>) -> String {
    let shown: Vec<String> = files.iter().take(NAMED).map(|file| file.hash.to_hex()).collect();
    let more = match files.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let why = why.map_or_else(String::new, |why| format!(" ({why})"));
    format!("{}{more}{why}", shown.join(", "))
}

/// The error for a backup that is not one.
fn not_a_backup(path: &Path, wrong: &str) -> Error {
    refusal(path, wrong, "Give the folder or the .tar.zst file that `rasterd backup` wrote")
}

#[cfg(test)]
mod tests;
