//! Backups of a running server: a consistent snapshot of the records, and the files that it names. Requests go on
//! meanwhile: the records are copied from a snapshot, the files never change, and the thread has a low priority.
//!
//! A backup never has a plain key, password, session or link: records have only their hashes, and sessions and links are
//! left out. It has the private key of the development authority, unless that is turned off.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Core;
use super::long_work::{Reporter, Stage};
use crate::core::access::Administrator;
use crate::core::data_dir::{leads_into, refusal};
use crate::core::model::ContentHash;
use crate::core::model::time::Millis;
use crate::core::store::files::Blobs;
use crate::core::store::{
    BackupCommands, BackupQueries, ChangeQueries, CopyQueries, FileQueries, SCHEMA, Snapshot, Store,
};
use crate::error::{Error, Result};

mod archive;
pub(super) mod copying;
pub(super) mod folder;
pub(super) mod layout;
pub(super) mod manifest;
mod schedule;

use archive::Archive;
use folder::{Added, BackupFolder, Pruned};
pub use layout::is_archive;
use layout::{AUTHORITY, CERTIFICATES, DATABASE, LIST, at, make_folder, new_file};
use manifest::{BackupManifest, FORMAT, ListWriter, ListedFile};
pub use schedule::BACKUPS_PAGE;

/// What to back up, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupOptions {
    /// A folder, or a file that ends in `.tar.zst`; absolute.
    pub target: PathBuf,
    /// How many snapshots stay in a folder; all when none.
    pub keep: Option<usize>,
    /// Whether the private key of the development authority is included.
    pub authority: bool,
}

/// What a backup did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupSummary {
    /// Where it is.
    pub target: PathBuf,
    /// The name of its snapshot.
    pub snapshot: String,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// How many of them are new in the folder.
    pub new_files: u64,
    /// Their bytes.
    pub new_bytes: u64,
    /// How many of the server's files are missing or damaged, in the backup or not.
    pub unreadable: u64,
    /// The hashes of those that the backup does not have, either.
    pub lost: Vec<String>,
    /// Whether the development authority is in it.
    pub has_authority: bool,
    /// How many older snapshots were removed.
    pub removed_snapshots: u64,
    /// How many files that no snapshot names any more were removed.
    pub removed_files: u64,
    /// Why older snapshots that should be removed are still there; none when all is as it should be.
    pub not_removed: Option<String>,
}

/// The latest backups of this server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LatestBackups {
    /// When the last one was made.
    pub made: Option<Millis>,
    /// When one failed after that.
    pub failed: Option<Millis>,
}

impl Core {
    /// Backs up everything that is committed by now.
    ///
    /// # Errors
    /// When the target can't be written, or something else is there; `FORBIDDEN` for others than the administrator of the
    /// whole server. The message says what to do. An interrupted backup is never taken for a whole one.
    pub async fn backup(
        &self,
        by: &Administrator,
        options: BackupOptions,
        reporter: &Reporter,
    ) -> Result<BackupSummary> {
        by.expect_whole_server()?;
        if options.keep.is_some() && is_archive(&options.target) {
            return Err(Error::bad_input(
                "Snapshots are kept in a folder. A backup in one file has only one; leave out --keep.",
            ));
        }
        // One that is made elsewhere by hand does not stand for the scheduled ones.
        let is_noted = self.settings().backup.dir.as_ref().is_none_or(|dir| *dir == options.target);
        let job = Job {
            store: self.store().clone(),
            blobs: self.blobs().clone(),
            data_dir: self.settings().data_dir.clone(),
            authority: self.settings().backup.authority.clone().filter(|_| options.authority),
            now: self.now(),
            options,
        };
        let outcome = reporter.run("backup", move |reporter| job.run(reporter)).await;
        if is_noted {
            let (now, made) = (self.now(), outcome.is_ok());
            let noted = self.store().write_always(move |tx| tx.put_backup_end(now, made)).await;
            super::maintenance::log_failure("record the backup", noted);
        }
        outcome
    }

    /// When this server was backed up last, to the folder of the scheduled backups where there is one, and whether that
    /// failed since, for the owners of the first organization, who run the server; none for others.
    ///
    /// # Errors
    /// When the store fails.
    pub fn backups_for(&self, by: &Administrator) -> Result<Option<LatestBackups>> {
        if self.runs_server(by)? { self.latest_backups().map(Some) } else { Ok(None) }
    }

    /// When this server was backed up last, and whether that failed since.
    ///
    /// # Errors
    /// When the store fails.
    pub fn latest_backups(&self) -> Result<LatestBackups> {
        let (made, failed) = self.store().snapshot()?.backup_ends()?;
        Ok(LatestBackups { made, failed: failed.filter(|failed| made.is_none_or(|made| made < *failed)) })
    }
}

struct Job {
    store: Store,
    blobs: Blobs,
    data_dir: PathBuf,
    authority: Option<PathBuf>,
    now: Millis,
    options: BackupOptions,
}

/// Where a backup is written.
enum BackupTarget {
    Folder(BackupFolder),
    Archive(Box<Archive>),
}

/// What is known of the files so far.
#[derive(Default)]
struct Tally {
    files: u64,
    file_bytes: u64,
    new_files: u64,
    new_bytes: u64,
    unreadable: u64,
    lost: Vec<String>,
}

impl Job {
    fn run(self, reporter: &Reporter) -> Result<BackupSummary> {
        expect_outside(&self.options.target, &self.data_dir)?;
        let name = snapshot_name(self.now);
        // Before the snapshot: what it names is not deleted from here on.
        let hold = self.blobs.hold();
        let snapshot = self.store.snapshot()?;
        let database = format!("{:016x}", snapshot.database()?);
        let (mut target, work) = self.open_target(&name, &database)?;
        let (database_bytes, database_hash) = copy_database(&snapshot, &work, reporter)?;
        let records = snapshot.record_counts()?;
        let files = named_files(&snapshot)?;
        // An old snapshot keeps the database from reusing its pages.
        drop(snapshot);
        if let BackupTarget::Archive(archive) = &mut target {
            archive.append_database()?;
        }
        let (tally, list_hash) = self.copy_files(&files, &mut target, &work, reporter)?;
        drop(hold);
        let manifest = BackupManifest {
            format: FORMAT,
            rasterd: env!("CARGO_PKG_VERSION").to_owned(),
            created: self.now,
            schema: SCHEMA,
            database,
            database_bytes,
            database_hash,
            records,
            files: tally.files,
            file_bytes: tally.file_bytes,
            list_hash,
            lost: tally.lost.clone(),
            authority: self.copy_authority(&work, reporter)?,
        };
        self.finish(target, &work, name, &manifest, tally)
    }

    /// Writes the manifest, and removes older snapshots.
    fn finish(
        self,
        target: BackupTarget,
        work: &Path,
        name: String,
        manifest: &BackupManifest,
        tally: Tally,
    ) -> Result<BackupSummary> {
        let mut summary = BackupSummary {
            target: self.options.target,
            snapshot: name,
            files: tally.files,
            file_bytes: tally.file_bytes,
            new_files: tally.new_files,
            new_bytes: tally.new_bytes,
            unreadable: tally.unreadable,
            lost: tally.lost,
            has_authority: !manifest.authority.is_empty(),
            removed_snapshots: 0,
            removed_files: 0,
            not_removed: None,
        };
        match target {
            BackupTarget::Folder(folder) => {
                folder.sync_files()?;
                manifest.write(work)?;
                summary.snapshot = folder.finish(work, &summary.snapshot)?;
                // The backup is made in any case: made again for this, it would take the place of older ones.
                match self.options.keep.map(|keep| folder.prune(keep, &summary.snapshot)) {
                    Some(Ok(Pruned { snapshots, files })) => {
                        (summary.removed_snapshots, summary.removed_files) = (snapshots, files);
                    }
                    Some(Err(error)) => summary.not_removed = Some(error.to_string()),
                    None => {}
                }
            }
            BackupTarget::Archive(archive) => {
                manifest.write(work)?;
                archive.finish()?;
            }
        }
        Ok(summary)
    }

    fn open_target(&self, name: &str, database: &str) -> Result<(BackupTarget, PathBuf)> {
        let path = &self.options.target;
        if is_archive(path) {
            let archive = Archive::create(path, name)?;
            let work = archive.work().to_owned();
            return Ok((BackupTarget::Archive(Box::new(archive)), work));
        }
        let folder = BackupFolder::open(path)?;
        folder.expect_database(database)?;
        let work = folder.begin(name)?;
        Ok((BackupTarget::Folder(folder), work))
    }

    /// Adds the files to the target and writes their list.
    fn copy_files(
        &self,
        files: &[ContentHash],
        target: &mut BackupTarget,
        work: &Path,
        reporter: &Reporter,
    ) -> Result<(Tally, String)> {
        let sizes =
            files.iter().map(|hash| fs::metadata(self.blobs.local_path(*hash)).map_or(0, |file| file.len()));
        reporter.begin(Stage::Files, sizes.sum());
        let mut list = ListWriter::new(&work.join(LIST))?;
        let mut tally = Tally::default();
        for &hash in files {
            match self.copy_file(hash, target, reporter)? {
                (added @ (Added::New(size) | Added::Kept(size)), is_readable) => {
                    list.add(ListedFile { hash, size })?;
                    tally.files += 1;
                    tally.file_bytes += size;
                    tally.unreadable += u64::from(!is_readable);
                    if matches!(added, Added::New(_)) {
                        tally.new_files += 1;
                        tally.new_bytes += size;
                    }
                }
                (Added::Damaged, _) => {
                    tracing::error!(
                        file = hash.to_hex(),
                        "the backup lacks a file that is missing or damaged"
                    );
                    tally.unreadable += 1;
                    tally.lost.push(hash.to_hex());
                }
            }
        }
        Ok((tally, list.finish()?))
    }

    /// Adds a file, and says whether the server's own copy of it could be read and was whole.
    fn copy_file(
        &self,
        hash: ContentHash,
        target: &mut BackupTarget,
        reporter: &Reporter,
    ) -> Result<(Added, bool)> {
        let path = self.blobs.local_path(hash);
        let Ok(mut source) = self.blobs.open_local(hash) else {
            let earlier = match target {
                BackupTarget::Folder(folder) => folder.check(hash, reporter)?,
                BackupTarget::Archive(_) => None,
            };
            return Ok((earlier.map_or(Added::Damaged, Added::Kept), false));
        };
        Ok(match target {
            BackupTarget::Folder(folder) => folder.add(hash, &mut source, &path, reporter)?,
            BackupTarget::Archive(archive) => (archive.add(hash, &mut source, &path, reporter)?, true),
        })
    }

    /// Copies the development authority, and returns the hashes of its files.
    fn copy_authority(&self, work: &Path, reporter: &Reporter) -> Result<Vec<(String, String)>> {
        let Some(dir) = &self.authority else { return Ok(Vec::new()) };
        if !AUTHORITY.iter().all(|name| dir.join(name).is_file()) {
            return Ok(Vec::new());
        }
        let certificates = work.join(CERTIFICATES);
        make_folder(&certificates)?;
        let mut hashes = Vec::new();
        for name in AUTHORITY {
            let path = dir.join(name);
            let mut source = at(&path, File::open(&path))?;
            let copied = at(&path, copying::copy(&mut source, &certificates.join(name), reporter)?)?;
            hashes.push((name.to_owned(), copied.hash.to_hex()));
        }
        layout::sync_folder(&certificates)?;
        Ok(hashes)
    }
}

/// Copies the database, and returns the size and the hash of the copy.
fn copy_database(snapshot: &Snapshot, work: &Path, reporter: &Reporter) -> Result<(u64, String)> {
    let path = work.join(DATABASE);
    reporter.begin(Stage::Metadata, snapshot.entries()?);
    // Made here for its mode; some file systems have none to set later.
    let file = new_file(&path)?;
    snapshot.copy_to(&path, &mut |entries| reporter.advance(entries))?;
    at(&path, file.sync_all())?;
    let copied = at(&path, copying::hash(&path, &Reporter::default())?)?;
    Ok((copied.size, copied.hash.to_hex()))
}

/// The files that assets have, by hash.
fn named_files(snapshot: &Snapshot) -> Result<Vec<ContentHash>> {
    let mut files = Vec::new();
    for byte in 0..=u8::MAX {
        let known = snapshot.blobs_starting_with(byte)?;
        files.extend(known.into_iter().filter(|(_, refs)| *refs > 0).map(|(hash, _)| hash));
    }
    Ok(files)
}

/// The name of a snapshot: its time, in characters that every file system takes.
fn snapshot_name(now: Millis) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(now);
    humantime::format_rfc3339_seconds(time).to_string().replace(':', "")
}

/// What keeps a folder from being the target of backups, as far as that shows without writing to it.
#[must_use]
pub fn target_problem(target: &Path, data_dir: &Path) -> Option<&'static str> {
    if leads_into(target, data_dir).unwrap_or_default() {
        return Some("is in the data directory; choose a place outside of it, best on another disk");
    }
    folder::is_of_others(target)
        .then_some("is not empty, and not a backup of rasterd; choose an empty folder")
}

/// Refuses a target in the data directory, which a restore or a lost disk would take along.
fn expect_outside(target: &Path, data_dir: &Path) -> Result<()> {
    if !target.is_absolute() {
        return Err(Error::bad_input("The path of a backup must be absolute."));
    }
    if at(data_dir, leads_into(target, data_dir))? {
        return Err(refusal(
            target,
            "is in the data directory",
            "Choose a place outside of it, best on another disk",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
