//! The slow check of all files: within `scrub.days`, each is read again and compared with its hash. Damaged and missing
//! ones are recorded, logged, shown on the Overview, and not served. The position survives a restart.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;

use super::Core;
use super::file_check::{FileProblem, check_bytes};
use super::long_work::Reporter;
use crate::core::access::Administrator;
use crate::core::model::ContentHash;
use crate::core::model::audit::{Action, Actor};
use crate::core::model::time::Millis;
use crate::core::store::files::{Blobs, DAMAGE_PAGE};
use crate::core::store::{AuditCommands, FileQueries, ScrubCommands, ScrubQueries, Store, Tx};
use crate::error::Result;
use crate::telemetry::metrics::WorkMetrics;

/// How often a part is checked: with every maintenance.
const EVERY: Duration = Duration::from_mins(1);
/// How many of the files that are known to be damaged are checked again with each part. There may be many, and reading
/// them all each time would leave no time for others.
const CHECKED_AGAIN: usize = 20;

/// What a check of files found.
#[derive(Debug, Default)]
pub struct CheckedFiles {
    /// Newly found, with what is wrong.
    pub damaged: Vec<(ContentHash, FileProblem)>,
    /// Whole again.
    pub repaired: Vec<ContentHash>,
}

impl CheckedFiles {
    fn log(&self, blobs: &Blobs) {
        for (hash, problem) in &self.damaged {
            let path = blobs.local_path(*hash);
            tracing::error!(
                docUrl = DAMAGE_PAGE,
                "the file {} {problem}: put it back from a backup",
                path.display()
            );
        }
    }

    /// Takes these for damaged and for whole from now on.
    fn apply(&self, blobs: &Blobs) {
        let damaged = self.damaged.iter().map(|(hash, _)| *hash);
        blobs.change_damaged(damaged, &self.repaired);
    }

    fn record(&self, tx: &Tx<'_>, now: Millis) -> Result<()> {
        self.damaged.iter().try_for_each(|(hash, problem)| {
            tx.put_damaged(*hash, now)?;
            let (actor, detail) = (Actor::local(), problem.to_string());
            tx.record_server_event(now, &actor, Action::FileDamaged, &hash.to_hex(), detail)
        })?;
        self.repaired.iter().try_for_each(|hash| tx.delete_damaged(*hash))
    }
}

impl Core {
    /// The files that are known to be damaged or missing, for the owners of the first organization, who run the server;
    /// none for others.
    ///
    /// # Errors
    /// When the store fails.
    pub fn damaged_files(&self, by: &Administrator) -> Result<u64> {
        Ok(if self.runs_server(by)? { self.blobs().damaged().len() as u64 } else { 0 })
    }

    /// Checks the next part of the files: as large a share of all as the time between two maintenances is of the
    /// configured time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scrub_pass(&self) -> Result<()> {
        let period = self.settings().scrub;
        if period.is_zero() {
            return Ok(());
        }
        let from = self.store().snapshot()?.scrub_position()?;
        let share = u64::MAX / (period.as_secs() / EVERY.as_secs()).max(1);
        let until = from.checked_add(share);
        let (store, blobs) = (self.store().clone(), self.blobs().clone());
        let part = Part { from, until, metrics: self.metrics().work.clone() };
        let work = move |reporter: &Reporter| check(&store, &blobs, &part, reporter);
        let checked = Reporter::default().run("scrub", work).await?;
        self.tell(&checked);
        let now = self.now();
        let checked = Arc::new(checked);
        let found = Arc::clone(&checked);
        self.store()
            .write_always(move |tx| {
                // After the last part comes the first again.
                tx.put_scrub_position(until.unwrap_or(0))?;
                found.record(tx, now)
            })
            .await?;
        checked.apply(self.blobs());
        Ok(())
    }

    /// Records what the doctor found, on a thread that may block.
    pub(super) fn record_checked_files(&self, checked: CheckedFiles) -> Result<()> {
        let is_known = |hash: &ContentHash| self.blobs().damaged().contains(hash);
        let CheckedFiles { mut damaged, repaired } = checked;
        damaged.retain(|(hash, _)| !is_known(hash));
        if damaged.is_empty() && repaired.is_empty() {
            return Ok(());
        }
        let (checked, now) = (Arc::new(CheckedFiles { damaged, repaired }), self.now());
        self.tell(&checked);
        let found = Arc::clone(&checked);
        self.store().write_always_blocking(move |tx| found.record(tx, now))?;
        checked.apply(self.blobs());
        Ok(())
    }

    /// Logs and counts what was found.
    fn tell(&self, checked: &CheckedFiles) {
        checked.log(self.blobs());
        self.metrics().work.found_damaged.inc_by(checked.damaged.len() as u64);
    }

    /// Reads which files are known to be damaged.
    pub(super) fn load_damaged(&self) -> Result<()> {
        let damaged = self.store().snapshot()?.damaged_files()?;
        self.blobs().set_damaged(damaged.into_iter().collect());
        Ok(())
    }
}

/// The files whose hashes begin from `from` on, before `until`.
struct Part {
    from: u64,
    until: Option<u64>,
    /// Counts them.
    metrics: WorkMetrics,
}

/// Checks a part of the files, and again some that are known to be damaged.
fn check(store: &Store, blobs: &Blobs, part: &Part, reporter: &Reporter) -> Result<CheckedFiles> {
    let snapshot = store.snapshot()?;
    let recorded: HashSet<ContentHash> = snapshot.damaged_files()?.into_iter().collect();
    let mut due: HashSet<ContentHash> = snapshot.blobs_between(part.from, part.until)?.into_iter().collect();
    drop(snapshot);
    let known = blobs.damaged().clone();
    // Those that came back with an upload.
    due.extend(recorded.difference(&known));
    let mut again: Vec<ContentHash> = recorded.intersection(&known).copied().collect();
    again.shuffle(&mut rand::rng());
    due.extend(again.iter().take(CHECKED_AGAIN));
    let mut checked = CheckedFiles::default();
    for hash in due {
        part.metrics.scrubbed.inc();
        part.metrics.scrubbed_bytes.inc_by(fs::metadata(blobs.local_path(hash)).map_or(0, |file| file.len()));
        // One that is wrong may have been deleted with its asset meanwhile.
        match check_bytes(blobs, hash, reporter)? {
            Some(problem) if store.snapshot()?.blob_refs(hash)? > 0 => {
                if !known.contains(&hash) {
                    checked.damaged.push((hash, problem));
                }
            }
            Some(_) | None if recorded.contains(&hash) => checked.repaired.push(hash),
            Some(_) | None => {}
        }
    }
    Ok(checked)
}
