//! The thread that keeps the index in step with the store: reads the change log in batches, commits, lets those
//! wait who search. Builds the index anew when it is lost. Nothing else writes to the index.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::folder::Folder;
use super::{Index, being_rebuilt};
use crate::app::model::Asset;
use crate::app::store::Store;
use crate::error::{Error, Result};

/// How many changes or assets are read from the store at a time.
const BATCH: usize = 1000;
/// How long changes wait for more to share a commit with, unless somebody searches.
const GATHER: Duration = Duration::from_millis(100);
/// How long a search waits for the index at most.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to leave a disk alone that failed.
const RETRY: Duration = Duration::from_secs(5);
/// How many changes the log keeps that the index has seen: cutting it is a commit of the store.
const PRUNE_AFTER: u64 = 4096;
/// How many entries of the log one transaction of the store cuts off.
const PRUNE_BATCH: usize = 10_000;

/// The thread that keeps the index in step with the store. It ends when this is dropped.
pub struct Indexer {
    index: Arc<Index>,
    reached: watch::Receiver<Option<u64>>,
    wanted: Option<watch::Sender<u64>>,
    thread: Option<JoinHandle<()>>,
}

impl Indexer {
    /// Opens the index in the folder, or makes it anew, and starts to follow the store. Returns before that is
    /// done; searches wait for it in [`Indexer::reach`].
    ///
    /// # Errors
    /// When the disk fails.
    pub fn start(store: Store, folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let index = Arc::new(Index::default());
        let (wanted, wishes) = watch::channel(0);
        let (reach, reached) = watch::channel(None);
        let follower = Follower {
            changes: store.changes(),
            store,
            path: folder,
            index: Arc::clone(&index),
            wishes,
            reach,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new()
            .name("indexer".into())
            .spawn(move || runtime.block_on(follower.follow()))?;
        Ok(Self { index, reached, wanted: Some(wanted), thread: Some(thread) })
    }

    /// Waits until the index has seen the change with this number.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when that takes too long.
    pub async fn reach(&self, sequence: u64) -> Result<()> {
        let is_there = |reached: &Option<u64>| reached.is_some_and(|reached| reached >= sequence);
        if is_there(&self.reached.borrow()) {
            return Ok(());
        }
        if let Some(wanted) = &self.wanted {
            wanted.send_if_modified(|wanted| {
                let more = *wanted < sequence;
                *wanted = sequence.max(*wanted);
                more
            });
        }
        let mut reached = self.reached.clone();
        match timeout(PATIENCE, reached.wait_for(is_there)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(being_rebuilt()),
        }
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        // Nobody wants anything any more: that is what ends the thread.
        self.wanted = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the thread of the search index panicked");
        }
    }
}

/// How following the store ends without an error.
struct Stopped;

/// What the thread has.
struct Follower {
    store: Store,
    path: PathBuf,
    index: Arc<Index>,
    /// Is told of every commit of the store.
    changes: watch::Receiver<()>,
    /// How far searches want the index to be; closed when it is time to stop.
    wishes: watch::Receiver<u64>,
    /// How far it is; none until it is open.
    reach: watch::Sender<Option<u64>>,
}

impl Follower {
    async fn follow(mut self) {
        loop {
            match self.open_and_follow().await {
                Ok(Stopped) => return,
                Err(error) => {
                    tracing::error!(cause = ?error.cause(), "the search index failed and is opened again: {error}");
                }
            }
            if timeout(RETRY, self.wishes.wait_for(|_| false)).await.is_ok() {
                return;
            }
        }
    }

    async fn open_and_follow(&mut self) -> Result<Stopped> {
        let Some(mut folder) = self.opened()? else { return Ok(Stopped) };
        if self.catch_up(&mut folder)?.is_some() {
            return Ok(Stopped);
        }
        let (reader, fields) = folder.reader();
        self.index.open(reader, fields);
        let mut pruned = 0;
        loop {
            self.reach.send_replace(Some(folder.sequence()));
            if folder.sequence() >= pruned + PRUNE_AFTER {
                pruned = folder.sequence();
                self.prune(pruned).await;
            }
            if self.changed(folder.sequence()).await?.is_some() || self.catch_up(&mut folder)?.is_some() {
                return Ok(Stopped);
            }
        }
    }

    /// The index that is there, or a new one with everything in it that is not committed yet; none when it is
    /// time to stop.
    fn opened(&self) -> Result<Option<Folder>> {
        let view = self.store.view()?;
        let database = view.database()?;
        if let Some(folder) = Folder::open(&self.path, database)?
            && view.changes_after(folder.sequence(), 1)?.is_some()
        {
            return Ok(Some(folder));
        }
        drop(view);
        self.rebuilt(database)
    }

    /// A new index of all assets. What changes meanwhile, a move from behind to ahead of where it reads
    /// included, is in the log after the number that it begins with.
    fn rebuilt(&self, database: u64) -> Result<Option<Folder>> {
        let begin = self.store.view()?.sequence()?;
        if begin > 0 {
            tracing::info!("building the search index anew");
        }
        let mut folder = Folder::create(&self.path, database)?;
        let mut last: Option<Asset> = None;
        loop {
            let mut assets = self.store.view()?.every_asset(last.as_ref(), BATCH)?;
            assets.iter().try_for_each(|asset| folder.add(asset))?;
            if self.is_stopping() {
                return Ok(None);
            }
            let Some(asset) = assets.pop() else { break };
            last = Some(asset);
        }
        // Searches see none of it before the changes of the meantime are in, too.
        folder.commit(begin)?;
        Ok(Some(folder))
    }

    /// Waits until there are changes after this number, and a little longer for more of them unless they are
    /// wanted now.
    async fn changed(&mut self, sequence: u64) -> Result<Option<Stopped>> {
        loop {
            self.changes.mark_unchanged();
            if self.store.view()?.sequence()? > sequence {
                break;
            }
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return Ok(Some(Stopped)) },
                // Wishes are for what is committed, so a change comes with them: only their end matters here.
                _end = self.wishes.wait_for(|_| false) => return Ok(Some(Stopped)),
            }
        }
        match timeout(GATHER, self.wishes.wait_for(|&wanted| wanted > sequence)).await {
            Ok(Err(_)) => Ok(Some(Stopped)),
            Ok(Ok(_)) | Err(_) => Ok(None),
        }
    }

    /// Takes in the changes that are there now, in one commit.
    fn catch_up(&self, folder: &mut Folder) -> Result<Option<Stopped>> {
        let newest = self.store.view()?.sequence()?;
        let mut at = folder.sequence();
        while at < newest {
            if self.is_stopping() {
                return Ok(Some(Stopped));
            }
            let (changed, last) = self.store.view()?.changes_after(at, BATCH)?.ok_or_else(log_lost)?;
            let mut seen = HashSet::with_capacity(changed.len());
            for (id, asset) in changed.iter().filter(|(id, _)| seen.insert(*id)) {
                folder.remove(id);
                asset.iter().try_for_each(|asset| folder.add(asset))?;
            }
            if last == at {
                return Err(log_lost());
            }
            at = last;
        }
        if at > folder.sequence() {
            folder.commit(at)?;
        }
        Ok(None)
    }

    /// Cuts off the log behind what is in the index for good. That it can't be is no harm.
    async fn prune(&self, sequence: u64) {
        let pruned = self.store.write(move |tx| tx.prune_changes(sequence, PRUNE_BATCH)).await;
        if let Err(error) = pruned {
            tracing::warn!(cause = ?error.cause(), "could not cut the change log of the search index: {error}");
        }
    }

    fn is_stopping(&self) -> bool {
        self.wishes.has_changed().is_err()
    }
}

fn log_lost() -> Error {
    Error::internal("the change log does not go on where the index is")
}

#[cfg(test)]
mod tests;
