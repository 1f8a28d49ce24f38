//! Restores a backup into an empty data directory. Everything is put together in a folder beside it, checked by hash, and
//! renamed at the end, so that a restore that fails changes nothing.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::backup::copying::{self, Copied};
use super::backup::layout::{CERTIFICATES, DATABASE, LIST, at, make_folder, new_file, place, sync_folder};
use super::backup::manifest::{ListedFile, Manifest, read_list};
use super::long_work::{Reporter, Stage};
use crate::core::data_folder::{self, refusal};
use crate::core::model::time::Millis;
use crate::error::{Error, Result};

mod import;
mod source;
mod unpack;

pub use import::{ImportOptions, ImportSummary};

use source::Source;

/// What an empty data directory may hold: a file system's own folder, and the lock.
const IGNORED: [&str; 2] = ["lost+found", "rasterd.lock"];
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
    pub authority: Option<Authority>,
}

/// What became of the development authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
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
    expect_empty(&options.data_dir)?;
    let staging = stage(&options.data_dir)?;
    let source = Source::open(&options.source, staging.path(), |_| true, reporter)?;
    let (snapshot, manifest) = source.snapshot(options.snapshot.as_deref())?;
    let target = staging.path().join("data");
    make_folder(&target)?;
    let restored = Restored { source: &source, snapshot: &snapshot, manifest: &manifest, target: &target };
    restored.database(reporter)?;
    let files = read_list(&snapshot.join(LIST), &manifest)?;
    let mut lost = manifest.lost.clone();
    let left_out = restored.files(&files, options.skip_damaged, reporter)?;
    let (files_left, bytes_left) =
        (left_out.len() as u64, left_out.iter().map(|file| file.size).sum::<u64>());
    lost.extend(left_out.iter().map(|file| file.hash.to_hex()));
    if options.verify {
        restored.verify(files.iter().filter(|file| !left_out.contains(file)), reporter)?;
    }
    let authority = restored.authority(options, reporter)?;
    sync_folder(&target)?;
    put_in_place(&target, &options.data_dir)?;
    Ok(RestoreSummary {
        snapshot: name_of(&snapshot),
        created: manifest.created,
        files: manifest.files - files_left,
        file_bytes: manifest.file_bytes - bytes_left,
        lost,
        authority,
    })
}

/// Checks that a data directory is empty, or does not exist.
///
/// # Errors
/// When it is not.
fn expect_empty(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => at(dir, entries)?,
    };
    for entry in entries {
        let name = at(dir, entry)?.file_name();
        if !IGNORED.iter().any(|ignored| name == *ignored) {
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
    make_folder(parent)?;
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    // A mounted data directory can't be renamed over; then it is put together inside.
    let is_mounted = data_dir.exists() && device(data_dir) != device(parent);
    let folder = if is_mounted { data_dir } else { parent };
    at(folder, tempfile::Builder::new().prefix(".rasterd-restore-").tempdir_in(folder))
}

/// Moves the restored directory to its place.
fn put_in_place(target: &Path, data_dir: &Path) -> Result<()> {
    let parent = data_dir.parent().unwrap_or(Path::new("/"));
    let is_inside = target.starts_with(data_dir);
    if !is_inside {
        for ignored in IGNORED {
            let _not_there = fs::remove_file(data_dir.join(ignored));
        }
        // Takes the place of an empty folder, and of no other.
        if fs::rename(target, data_dir).is_ok() {
            return sync_folder(parent);
        }
    }
    expect_still_empty(data_dir, target)?;
    make_folder(data_dir)?;
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

fn expect_still_empty(data_dir: &Path, target: &Path) -> Result<()> {
    if target.starts_with(data_dir) {
        // It holds the folder in which everything was put together.
        return Ok(());
    }
    expect_empty(data_dir)
}

fn name_of(snapshot: &Path) -> String {
    snapshot.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A backup on its way into a folder.
struct Restored<'a> {
    source: &'a Source,
    snapshot: &'a Path,
    manifest: &'a Manifest,
    target: &'a Path,
}

impl Restored<'_> {
    fn database(&self, reporter: &Reporter) -> Result<()> {
        let (from, to) = (self.snapshot.join(DATABASE), self.target.join(DATABASE));
        reporter.begin(Stage::Files, self.manifest.database_bytes);
        let copied = self.source.take(&from, &to, reporter)?;
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
        reporter.begin(Stage::Files, self.manifest.file_bytes);
        let (from, to) = (self.source.files(), self.target.join(data_folder::FILES));
        make_folder(&to)?;
        let mut damaged = Vec::new();
        for file in files {
            let (source, target) = (from.join(place(file.hash)), to.join(place(file.hash)));
            make_folder(target.parent().unwrap_or(&to))?;
            let copied =
                if source.is_file() { Some(self.source.take(&source, &target, reporter)?) } else { None };
            if copied != Some(Copied { hash: file.hash, size: file.size }) {
                damaged.push(*file);
                let _not_there = fs::remove_file(&target);
            }
        }
        if !damaged.is_empty() && !skip {
            return Err(refusal(
                &from,
                &format!("lacks files of the snapshot, or has them damaged: {}", named(&damaged)),
                "Nothing was changed. Restore another snapshot or another backup, or what is whole of this one with --skip-damaged",
            ));
        }
        for byte in 0..=u8::MAX {
            let folder = to.join(format!("{byte:02x}"));
            if folder.is_dir() {
                sync_folder(&folder)?;
            }
        }
        sync_folder(&to)?;
        Ok(damaged)
    }

    /// Puts the development authority where the server looks for it, unless there is one.
    fn authority(&self, options: &RestoreOptions, reporter: &Reporter) -> Result<Option<Authority>> {
        let Some(configured) = &options.certificates else { return Ok(None) };
        if self.manifest.authority.is_empty() {
            return Ok(None);
        }
        let is_inside = configured.strip_prefix(&options.data_dir);
        let target = is_inside.map_or_else(|_| configured.clone(), |below| self.target.join(below));
        if target.exists() {
            return Ok(Some(Authority::Kept(configured.clone())));
        }
        let mut files = Vec::new();
        for (name, hash) in &self.manifest.authority {
            let path = self.snapshot.join(CERTIFICATES).join(Path::new(name).file_name().unwrap_or_default());
            let bytes = at(&path, fs::read(&path))?;
            if blake3::hash(&bytes).to_hex().as_str() != hash {
                return Err(refusal(&path, "is damaged", "Nothing was changed. Choose another snapshot"));
            }
            reporter.advance(bytes.len() as u64)?;
            files.push((path, bytes));
        }
        make_folder(&target)?;
        for (path, bytes) in files {
            let path = target.join(path.file_name().unwrap_or_default());
            let mut file = new_file(&path)?;
            at(&path, file.write_all(&bytes).and_then(|()| file.sync_all()))?;
        }
        sync_folder(&target)?;
        Ok(Some(Authority::Restored(configured.clone())))
    }

    /// Reads everything that was restored back from the disk.
    fn verify<'f>(&self, files: impl Iterator<Item = &'f ListedFile>, reporter: &Reporter) -> Result<()> {
        reporter.begin(Stage::Verifying, self.manifest.file_bytes + self.manifest.database_bytes);
        let wrong = |path: &Path| {
            refusal(
                path,
                "was read back with other bytes than were written",
                "Nothing was changed. Check this disk",
            )
        };
        let database = self.target.join(DATABASE);
        if read_back(&database, reporter)?.hash.to_hex() != self.manifest.database_hash {
            return Err(wrong(&database));
        }
        let folder = self.target.join(data_folder::FILES);
        for file in files {
            let path = folder.join(place(file.hash));
            if read_back(&path, reporter)?.hash != file.hash {
                return Err(wrong(&path));
            }
        }
        Ok(())
    }
}

/// Reads a file from the disk itself, as far as the system allows: what it has of the file in memory is dropped first.
fn read_back(path: &Path, reporter: &Reporter) -> Result<Copied> {
    let file = at(path, File::open(path))?;
    let _from_memory = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    copying::hash(path, reporter)
}

fn named(files: &[ListedFile]) -> String {
    let shown: Vec<String> = files.iter().take(NAMED).map(|file| file.hash.to_hex()).collect();
    let more = files.len().saturating_sub(NAMED);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The error for a backup that is not one.
fn not_a_backup(path: &Path, wrong: &str) -> Error {
    refusal(path, wrong, "Give the folder or the .tar.zst file that `rasterd backup` wrote")
}
