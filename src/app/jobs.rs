//! Upkeep in the background: the trash is emptied when it is due, files that nobody has are deleted, the use of
//! keys is written down, uploads are looked at. Nothing here is needed for an answer to be right.

use std::time::Duration;

use futures_util::future::join;
use tokio::task::spawn_blocking;

use super::App;
use super::access::Administrator;
use super::clock::millis;
use crate::error::{Error, Result};

/// How often upkeep is done.
const EVERY: Duration = Duration::from_mins(1);
/// How many trashed assets one transaction removes.
const PURGE_BATCH: usize = 200;

impl App {
    /// Does upkeep now and then, and the work after uploads, as long as it is polled.
    pub async fn keep_up(&self) {
        join(self.keep_in_order(), self.process_uploads()).await;
    }

    async fn keep_in_order(&self) {
        self.reclaim_files().await;
        loop {
            tokio::time::sleep(EVERY).await;
            self.upkeep().await;
        }
    }

    /// Does all upkeep that is due. What fails is tried again the next time.
    pub async fn upkeep(&self) {
        let done = [
            ("write down when keys were used", self.save_key_use().await),
            ("write down when sessions were used", self.save_session_use().await),
            ("write down what was refused", self.save_refusals().await),
            ("forget sessions that are over", self.sweep_sessions().await),
            ("forget old events", self.prune_events().await),
            ("empty the trash", self.purge_trash().await),
            ("delete files that no asset has", self.sweep_files().await),
        ];
        for (what, outcome) in done {
            log_failure(what, outcome);
        }
    }

    /// Writes down what is only in memory, and gives up what the next start will do again. Called once no request is
    /// running any more.
    pub async fn close(&self) {
        self.renditions().close();
        log_failure("write down when keys were used", self.save_key_use().await);
        log_failure("write down when sessions were used", self.save_session_use().await);
        log_failure("write down what was refused", self.save_refusals().await);
    }

    async fn purge_trash(&self) -> Result<()> {
        let by = Administrator::of_this_box();
        loop {
            let now = self.now();
            let until = now.saturating_sub(millis(self.settings().trash_keep));
            let due = self.store().view()?.trash_due(&by, until, PURGE_BATCH)?;
            let count = due.len();
            if count > 0 {
                let by = by.clone();
                self.store()
                    .write(move |tx| due.iter().try_for_each(|due| tx.purge_asset(&by, *due, now)))
                    .await?;
            }
            if count < PURGE_BATCH {
                return Ok(());
            }
        }
    }

    async fn sweep_files(&self) -> Result<()> {
        let (blobs, store, now) = (self.blobs().clone(), self.store().clone(), self.now());
        spawn_blocking(move || blobs.sweep(&store, now)).await.map_err(Error::internal)?.map(drop)
    }

    /// Deletes files that an earlier run put in place and did not live to commit.
    async fn reclaim_files(&self) {
        let (blobs, store) = (self.blobs().clone(), self.store().clone());
        let reclaimed = spawn_blocking(move || blobs.reclaim(&store)).await.map_err(Error::internal);
        log_failure("look for files that no asset has", reclaimed.and_then(|outcome| outcome));
    }
}

/// Logs that something in the background went wrong. It is tried again.
pub(super) fn log_failure(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(cause = ?error.cause(), "could not {what}: {error}");
    }
}
