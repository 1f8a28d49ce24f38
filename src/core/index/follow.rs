//! The threads that keep the index in step with the store. One reads each change into memory as soon as it is
//! committed, so that searches see it at once (`follow/take_in.rs`). The other, in this file, writes the same changes
//! into the index in batches, and rebuilds it when it is lost. Nothing else writes to the index.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::document::Document;
use super::folder::IndexFolder;
use super::{Index, being_rebuilt};
use crate::core::model::Asset;
use crate::core::store::{ChangeCommands, ChangeQueries, Snapshot, Store};
use crate::error::{Error, Result};

mod take_in;

use take_in::TakeIn;

/// How many changes or assets are read from the store at a time.
const BATCH: usize = 1000;
/// How long changes wait for others to be committed together with. Searches see them meanwhile.
const GATHER: Duration = Duration::from_secs(1);
/// How long a search waits for the index at most.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after a disk error.
const RETRY: Duration = Duration::from_secs(5);
/// How many indexed changes the log keeps, because truncating it takes a commit of the store.
const PRUNE_AFTER: u64 = 4096;
/// How many entries one transaction removes from the log.
const PRUNE_BATCH: usize = 10_000;

/// The threads that keep the index in step with the store. They stop when this is dropped.
pub struct Indexer {
    index: Arc<Index>,
    stop: Option<watch::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    has_failed: Arc<AtomicBool>,
    #[cfg(test)]
    committed: watch::Receiver<u64>,
}

impl Indexer {
    /// Starts the threads, which open the index in the folder, or rebuild it. Returns immediately; searches wait in
    /// [`Indexer::reach`].
    ///
    /// # Errors
    /// When the disk fails.
    pub fn start(store: Store, folder: PathBuf) -> Result<Self> {
        crate::file_mode::create_folder(&folder)?;
        let index = Arc::new(Index::default());
        let (stop, stopping) = watch::channel(());
        let (target, targets) = watch::channel(0);
        let (commit, committed) = watch::channel(0);
        let take_in = TakeIn {
            changes: store.changes(),
            store: store.clone(),
            index: Arc::clone(&index),
            committed: committed.clone(),
            target,
            stopping: stopping.clone(),
        };
        let has_failed = Arc::new(AtomicBool::new(false));
        let follower = Follower {
            has_failed: Arc::clone(&has_failed),
            changes: store.changes(),
            store,
            path: folder,
            index: Arc::clone(&index),
            targets,
            committed: commit,
            stopping,
        };
        let threads = vec![thread("search", take_in.follow())?, thread("indexer", follower.follow())?];
        Ok(Self {
            index,
            stop: Some(stop),
            threads,
            has_failed,
            #[cfg(test)]
            committed,
        })
    }

    /// Waits until searches see every change to these libraries, by number, that is in the snapshot. Does not wait for
    /// changes to others.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when that takes too long.
    pub async fn reach(&self, snapshot: &Snapshot, libraries: &[u64]) -> Result<()> {
        let mut reached = self.index.reached();
        let newest = snapshot.sequence()?;
        if libraries.is_empty() || reached.borrow().is_some_and(|reached| reached >= newest) {
            return Ok(());
        }
        let needed = snapshot.last_change_in(libraries)?;
        let is_there = |reached: &Option<u64>| reached.is_some_and(|reached| reached >= needed);
        match timeout(PATIENCE, reached.wait_for(is_there)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(being_rebuilt()),
        }
    }

    /// Whether the index follows the store, or is being built: not after it failed, until it was opened again.
    #[must_use]
    pub fn is_working(&self) -> bool {
        !self.has_failed.load(Ordering::Relaxed) && !self.threads.iter().any(JoinHandle::is_finished)
    }

    /// The index.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.stop = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the search index panicked");
            }
        }
    }
}

/// Runs this on its own thread.
fn thread(name: &str, work: impl Future<Output = ()> + Send + 'static) -> Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    Ok(std::thread::Builder::new().name(name.into()).spawn(move || runtime.block_on(work))?)
}

/// Why following the store ended without an error.
struct Stopped;

/// The state of the thread that writes the index.
struct Follower {
    store: Store,
    path: PathBuf,
    index: Arc<Index>,
    /// Notified of every commit of the store.
    changes: watch::Receiver<()>,
    /// The number of the change up to which the index should be committed soon.
    targets: watch::Receiver<u64>,
    /// The number of the last committed change.
    committed: watch::Sender<u64>,
    /// Closed when the threads should stop.
    stopping: watch::Receiver<()>,
    /// Set after an error, until the index was opened again.
    has_failed: Arc<AtomicBool>,
}

impl Follower {
    async fn follow(mut self) {
        loop {
            match self.open_and_follow().await {
                Ok(Stopped) => return,
                Err(error) => {
                    self.has_failed.store(true, Ordering::Relaxed);
                    tracing::error!(cause = ?error.cause(), "the search index failed and is opened again: {error}");
                }
            }
            if timeout(RETRY, self.stopping.wait_for(|()| false)).await.is_ok() {
                return;
            }
        }
    }

    async fn open_and_follow(&mut self) -> Result<Stopped> {
        let Some(mut folder) = self.opened()? else { return Ok(Stopped) };
        // Nothing is written to a full disk. Searches see later changes nevertheless, from memory.
        if !self.store.reserve().is_short() && self.catch_up(&mut folder)?.is_some() {
            return Ok(Stopped);
        }
        self.index.open(folder.committed()?);
        self.has_failed.store(false, Ordering::Relaxed);
        let mut pruned = 0;
        loop {
            self.committed.send_replace(folder.sequence());
            if folder.sequence() >= pruned + PRUNE_AFTER {
                pruned = folder.sequence();
                self.prune(pruned).await;
            }
            if self.changed(folder.sequence()).await?.is_some() || self.waited_for_room().await.is_some() {
                return Ok(Stopped);
            }
            if self.catch_up(&mut folder)?.is_some() {
                return Ok(Stopped);
            }
            self.index.advance(folder.committed()?);
        }
    }

    /// The existing index, or a new one with all assets, not yet committed; `None` when it is time to stop.
    fn opened(&self) -> Result<Option<IndexFolder>> {
        let snapshot = self.store.snapshot()?;
        let database = snapshot.database()?;
        if let Some(folder) = IndexFolder::open(&self.path, database)?
            && snapshot.changes_after(folder.sequence(), 1)?.is_some()
        {
            return Ok(Some(folder));
        }
        drop(snapshot);
        self.rebuilt(database)
    }

    /// A new index of all assets. Changes during the scan, such as an asset that moves to a place that was already
    /// read, are in the log after the number at which the scan began.
    fn rebuilt(&self, database: u64) -> Result<Option<IndexFolder>> {
        let begin = self.store.snapshot()?.sequence()?;
        if begin > 0 {
            tracing::info!("rebuilding the search index");
        }
        let mut folder = IndexFolder::create(&self.path, database)?;
        let mut last: Option<Asset> = None;
        loop {
            let mut assets = self.store.snapshot()?.every_asset(last.as_ref(), BATCH)?;
            assets.iter().filter_map(Document::of).try_for_each(|document| folder.add(&document))?;
            if self.is_stopping() {
                return Ok(None);
            }
            let Some(asset) = assets.pop() else { break };
            last = Some(asset);
        }
        // Searches see it only once the changes made meanwhile are in it.
        folder.commit(begin)?;
        Ok(Some(folder))
    }

    /// Waits until there are changes after this number, and a little longer for more of them, unless they are needed
    /// now.
    async fn changed(&mut self, sequence: u64) -> Result<Option<Stopped>> {
        loop {
            self.changes.mark_unchanged();
            if self.store.snapshot()?.sequence()? > sequence {
                break;
            }
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return Ok(Some(Stopped)) },
                _end = self.stopping.wait_for(|()| false) => return Ok(Some(Stopped)),
            }
        }
        let gathered = timeout(GATHER, self.targets.wait_for(|&target| target > sequence));
        tokio::select! {
            _wanted_or_late = gathered => Ok(None),
            _end = self.stopping.wait_for(|()| false) => Ok(Some(Stopped)),
        }
    }

    /// Waits as long as the disk is full.
    async fn waited_for_room(&mut self) -> Option<Stopped> {
        while self.store.reserve().is_short() {
            if timeout(RETRY, self.stopping.wait_for(|()| false)).await.is_ok() {
                return Some(Stopped);
            }
        }
        None
    }

    /// Indexes all changes so far, in one commit.
    fn catch_up(&self, folder: &mut IndexFolder) -> Result<Option<Stopped>> {
        let newest = self.store.snapshot()?.sequence()?;
        let mut at = folder.sequence();
        while at < newest {
            if self.is_stopping() {
                return Ok(Some(Stopped));
            }
            let (changed, last) = self.store.snapshot()?.changes_after(at, BATCH)?.ok_or_else(log_lost)?;
            let mut seen = HashSet::with_capacity(changed.len());
            for change in changed.iter().filter(|change| seen.insert((change.library, change.id))) {
                folder.remove(change.library, &change.id);
                let document = change.asset.as_ref().and_then(Document::of);
                document.iter().try_for_each(|document| folder.add(document))?;
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

    /// Removes committed changes from the log. A failure does no harm.
    async fn prune(&self, sequence: u64) {
        let pruned = self.store.write_always(move |tx| tx.prune_changes(sequence, PRUNE_BATCH)).await;
        if let Err(error) = pruned {
            tracing::warn!(cause = ?error.cause(), "could not truncate the change log of the search index: {error}");
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.has_changed().is_err()
    }
}

fn log_lost() -> Error {
    Error::internal("the change log does not continue where the index ends")
}

#[cfg(test)]
mod tests;
