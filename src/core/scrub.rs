//! The slow check of all files: within `scrub.days`, each is read again and compared with its hash. Damaged and missing
//! ones are recorded, logged, shown on the Overview, and not served. The position survives a restart.

use std::collections::HashSet;
use std::time::Duration;

use super::Core;
use super::long_work::Reporter;
use crate::core::access::Administrator;
use crate::core::backup::copying::read_whole;
use crate::core::model::ContentHash;
use crate::core::model::audit::{Action, Actor};
use crate::core::store::files::Blobs;
use crate::core::store::{AuditCommands, FileQueries, ScrubCommands, ScrubQueries, Store};
use crate::error::Result;

/// How often a part is checked: with every maintenance.
const EVERY: Duration = Duration::from_mins(1);

/// What a part of the check found.
#[derive(Debug, Default)]
struct Checked {
    files: u64,
    /// Newly found, with what is wrong.
    damaged: Vec<(ContentHash, String)>,
    /// Whole again.
    mended: Vec<ContentHash>,
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
        let work = move |reporter: &Reporter| check(&store, &blobs, from, until, reporter);
        let checked = Reporter::default().run("scrub", work).await?;
        let now = self.now();
        let Checked { files, damaged, mended } = checked;
        for (hash, what) in &damaged {
            let path = self.blobs().local_path(*hash);
            tracing::error!("the file {} {what}: put it back from a backup", path.display());
        }
        tracing::debug!(files, "checked files");
        self.store()
            .write_always(move |tx| {
                // After the last part comes the first again.
                tx.put_scrub_position(until.unwrap_or(0))?;
                damaged.iter().try_for_each(|(hash, what)| {
                    tx.put_damaged(*hash, now)?;
                    let (actor, detail) = (Actor::local(), what.clone());
                    tx.record_server_event(now, &actor, Action::FileDamaged, &hash.to_hex(), detail)
                })?;
                mended.iter().try_for_each(|hash| tx.delete_damaged(*hash))
            })
            .await?;
        self.load_damaged()
    }

    /// Reads which files are known to be damaged.
    pub(super) fn load_damaged(&self) -> Result<()> {
        let damaged = self.store().snapshot()?.damaged_files()?;
        self.blobs().set_damaged(damaged.into_iter().collect());
        Ok(())
    }
}

/// Checks the files whose hashes begin from `from` on, before `until`, and again those that are known to be damaged.
fn check(
    store: &Store,
    blobs: &Blobs,
    from: u64,
    until: Option<u64>,
    reporter: &Reporter,
) -> Result<Checked> {
    let snapshot = store.snapshot()?;
    let known: HashSet<ContentHash> = snapshot.damaged_files()?.into_iter().collect();
    let mut due = snapshot.blobs_between(from, until)?;
    drop(snapshot);
    due.extend(known.iter().copied());
    let mut checked = Checked::default();
    for hash in due {
        let wrong = problem(blobs, hash, reporter)?;
        checked.files += 1;
        match (wrong, known.contains(&hash)) {
            (None, true) => checked.mended.push(hash),
            // It may have been deleted with its asset meanwhile.
            (Some(_), true) if store.snapshot()?.blob_refs(hash)? == 0 => checked.mended.push(hash),
            (Some(what), false) if store.snapshot()?.blob_refs(hash)? > 0 => {
                checked.damaged.push((hash, what));
            }
            (None | Some(_), false) | (Some(_), true) => {}
        }
    }
    Ok(checked)
}

/// What is wrong with a file.
fn problem(blobs: &Blobs, hash: ContentHash, reporter: &Reporter) -> Result<Option<String>> {
    let mut file = match blobs.open_local(hash) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Some("is missing".to_owned()));
        }
        Err(error) => return Ok(Some(format!("can't be read ({error})"))),
    };
    Ok(match read_whole(&mut file, reporter, |_| Ok(()))? {
        Ok(read) if read.hash == hash => None,
        Ok(_) => Some("is damaged".to_owned()),
        Err(cause) => Some(format!("can't be read ({cause})")),
    })
}
