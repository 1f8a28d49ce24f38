//! Files that no record names: put in place by a run that ended before it committed them, or named by a database that is
//! not here any more. They are set aside, brought back when a record names them again, and deleted only after days.
//!
//! The folder holds each under its hash; its modification time says since when no record names it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::seq::SliceRandom;

use super::{Blobs, DAMAGE_PAGE};
use crate::core::data_dir::{counted, hash_of, refusal};
use crate::core::model::ContentHash;
use crate::core::model::time::{Millis, millis};
use crate::core::store::{FileQueries, Store};
use crate::error::Result;

/// How many files are looked at before a start, unless they are suspicious. Their names are hashes, so that those of
/// a few folders stand for all.
const SAMPLE: u64 = 1000;
/// From how many unnamed files on a start is stopped, when they are more than a tenth of all. An upload that was cut
/// off leaves a note of its files, and those don't count.
const SUSPICIOUS: u64 = 10;

/// How many missing files are named in the log, one by one.
const NAMED: u64 = 100;

/// What was found of files that don't fit the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileMismatches {
    /// Files that no record names, set aside.
    pub unnamed: u64,
    /// Their bytes.
    pub unnamed_bytes: u64,
    /// When the first of them is deleted; 0 when there are none.
    pub deleted_from: Millis,
    /// Files that assets have and that are not there.
    pub missing: u64,
}

/// How many files were looked at, and how many of them no record names.
#[derive(Default)]
struct Share {
    looked_at: u64,
    unnamed: u64,
}

impl Share {
    fn is_suspicious(&self) -> bool {
        self.unnamed >= SUSPICIOUS && self.unnamed > self.looked_at / 10
    }
}

impl Blobs {
    /// Refuses to go on when a large share of the files is named by no record: the database is probably not theirs.
    /// `cut_off` are the files of uploads that a kill ended.
    pub(super) fn check_share(&self, store: &Store, cut_off: &HashSet<ContentHash>) -> Result<()> {
        let mut folders: Vec<u8> = (0..=u8::MAX).collect();
        folders.shuffle(&mut rand::rng());
        if !self.share(store, cut_off, &folders, SAMPLE)?.is_suspicious() {
            return Ok(());
        }
        let share = self.share(store, cut_off, &folders, u64::MAX)?;
        if !share.is_suspicious() {
            return Ok(());
        }
        let named = share.looked_at - share.unnamed;
        let wrong = format!(
            "holds {}, and the database names only {named} of them: the other {} would be deleted in time. An older database, or another installation's, may have come over newer files",
            counted(share.looked_at),
            share.unnamed
        );
        let aside = self.unnamed.display();
        let advice = format!(
            "Put the database back that belongs to them. If this is the right one, start with `rasterd serve --accept-files`: it sets the others aside in {aside} and deletes them after data.unnamed_keep_days"
        );
        Err(refusal(&self.files, &wrong, &advice))
    }

    fn share(
        &self,
        store: &Store,
        cut_off: &HashSet<ContentHash>,
        folders: &[u8],
        most: u64,
    ) -> Result<Share> {
        let snapshot = store.snapshot()?;
        let mut share = Share::default();
        for &folder in folders {
            let known: HashSet<ContentHash> =
                snapshot.blobs_starting_with(folder)?.into_iter().map(|known| known.0).collect();
            for hash in self.names_in(folder)? {
                share.looked_at += 1;
                share.unnamed += u64::from(!known.contains(&hash) && !cut_off.contains(&hash));
            }
            if share.looked_at >= most {
                break;
            }
        }
        Ok(share)
    }

    /// Sets aside what no record names, brings back what one names again, and logs what does not fit. The age of what
    /// is set aside counts from `since`; `now` is a time that the server has seen come.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn reclaim(&self, store: &Store, since: Millis, now: Millis, keep: Duration) -> Result<()> {
        self.tend_unnamed(store, now, keep)?;
        let (mut aside, mut missing) = (0, 0);
        for folder in 0..=u8::MAX {
            let names: HashSet<ContentHash> = self.names_in(folder)?.into_iter().collect();
            // Looked up after the folder: what is committed meanwhile is known.
            let known = store.snapshot()?.blobs_starting_with(folder)?;
            for hash in
                known.iter().filter(|(hash, refs)| *refs > 0 && !names.contains(hash)).map(|known| known.0)
            {
                let is_there = self.local_path(hash).exists() || self.bring_back(hash)?;
                // It may have been deleted with its asset meanwhile.
                if !is_there && store.snapshot()?.blob_refs(hash)? > 0 {
                    missing += 1;
                    if missing <= NAMED {
                        tracing::error!(
                            docUrl = DAMAGE_PAGE,
                            "{} is missing, and assets have it",
                            self.local_path(hash).display()
                        );
                    }
                }
            }
            let known: HashSet<ContentHash> = known.into_iter().map(|(hash, _)| hash).collect();
            for hash in names.into_iter().filter(|hash| !known.contains(hash)) {
                aside += u64::from(self.set_aside(store, hash, since)?);
            }
        }
        self.mismatches().missing = missing;
        if missing > 0 {
            let files = self.files.display();
            tracing::error!(
                missing,
                "{} that assets have are not in {files}: put them back from a backup",
                counted(missing)
            );
        }
        if aside > 0 {
            let folder = self.unnamed.display();
            tracing::warn!(
                count = aside,
                "set {} aside in {folder} that no record names; deleted after {} days unless a record names them again",
                counted(aside),
                keep.as_secs() / (24 * 60 * 60)
            );
            self.tend_unnamed(store, now, keep)?;
        }
        Ok(())
    }

    /// Looks through the files that were set aside: brings back what a record names again, deletes what none has named
    /// for `keep`, and counts the rest. `now` is a time that the server has seen come.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn tend_unnamed(&self, store: &Store, now: Millis, keep: Duration) -> Result<()> {
        let (mut left, mut back, mut deleted) = (FileMismatches::default(), 0, 0);
        for entry in fs::read_dir(&self.unnamed)? {
            let entry = entry?;
            let Some(hash) = hash_of(&entry.file_name()) else { continue };
            let metadata = entry.metadata()?;
            let until = since_epoch(metadata.modified()?).saturating_add(millis(keep));
            if store.snapshot()?.blob_is_known(hash)? {
                back += u64::from(self.bring_back(hash)?);
            } else if until <= now {
                self.disk.remove(&entry.path())?;
                deleted += 1;
            } else {
                left.unnamed += 1;
                left.unnamed_bytes += metadata.len();
                left.deleted_from = if left.unnamed == 1 { until } else { left.deleted_from.min(until) };
            }
        }
        left.missing = self.mismatches().missing.saturating_sub(back);
        *self.mismatches() = left;
        if back > 0 {
            tracing::info!(count = back, "brought {} back that a record names again", counted(back));
        }
        if deleted > 0 {
            tracing::info!(count = deleted, "deleted {} that no record named for days", counted(deleted));
        }
        Ok(())
    }

    /// How many files are in place that no record names, and that no upload is about to commit.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn count_unnamed(&self, store: &Store) -> Result<u64> {
        let mut unnamed = 0;
        for folder in 0..=u8::MAX {
            for hash in self.names_in(folder)? {
                let is_arriving = self.arriving().contains_key(&hash);
                let is_named = is_arriving || store.snapshot()?.blob_is_known(hash)?;
                // One that was deleted meanwhile was removed before its name.
                unnamed += u64::from(!is_named && self.local_path(hash).exists());
            }
        }
        Ok(unnamed)
    }

    /// Whether files are set aside, as far as is known.
    pub fn has_unnamed(&self) -> bool {
        self.mismatches().unnamed > 0
    }

    /// Puts a file back in its place that was set aside, and says whether there was one.
    pub(super) fn bring_back(&self, hash: ContentHash) -> io::Result<bool> {
        let (aside, place) = (self.aside(hash), self.local_path(hash));
        if place.exists() {
            return self.disk.remove(&aside).map(|()| false);
        }
        if !aside.exists() {
            return Ok(false);
        }
        self.folders.make(&place, self.disk.as_ref())?;
        match self.disk.rename(&aside, &place) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn set_aside(&self, store: &Store, hash: ContentHash, since: Millis) -> Result<bool> {
        // Under this lock nobody puts the same bytes in place; anyone who did so and has not committed is in the list.
        let arriving = self.arriving();
        if arriving.contains_key(&hash) || store.snapshot()?.blob_is_known(hash)? {
            return Ok(false);
        }
        let path = self.local_path(hash);
        let file = match File::options().write(true).open(&path) {
            // It was deleted with its asset meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        // The time comes first: a kill in between must not leave an old one, which would count as days.
        file.set_modified(UNIX_EPOCH + Duration::from_millis(since))?;
        self.disk.rename(&path, &self.aside(hash))?;
        Ok(true)
    }

    fn aside(&self, hash: ContentHash) -> PathBuf {
        self.unnamed.join(hash.to_hex())
    }

    /// The files in one of the folders that they are spread over.
    fn names_in(&self, folder: u8) -> io::Result<Vec<ContentHash>> {
        let mut names = Vec::new();
        match fs::read_dir(self.files.join(format!("{folder:02x}"))) {
            Ok(entries) => {
                for entry in entries {
                    names.extend(hash_of(&entry?.file_name()));
                }
            }
            // No file was put into it yet.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(names)
    }
}

fn since_epoch(time: SystemTime) -> Millis {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
