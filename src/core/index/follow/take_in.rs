//! The thread that reads changes into memory as soon as the store has committed them, so that searches see them before
//! the index is committed. It writes nothing, and stops reading while the index is far behind.

use std::sync::Arc;

use tokio::sync::watch;

use crate::core::index::Index;
use crate::core::store::{ChangeQueries, Store};
use crate::error::Result;

/// How many changes are read at a time.
const BATCH: usize = 256;

/// The state of the thread.
pub struct TakeIn {
    pub store: Store,
    pub index: Arc<Index>,
    /// Notified of every commit of the store.
    pub changes: watch::Receiver<()>,
    /// Notified when the index was opened, or has committed the changes in memory.
    pub committed: watch::Receiver<u64>,
    /// Sends the number of the change up to which the index should be committed soon.
    pub target: watch::Sender<u64>,
    /// Closed when the thread should stop.
    pub stopping: watch::Receiver<()>,
}

impl TakeIn {
    /// Follows the store until the thread should stop.
    pub async fn follow(mut self) {
        loop {
            self.changes.mark_unchanged();
            self.committed.mark_unchanged();
            if let Err(error) = self.take_in() {
                tracing::error!(cause = ?error.cause(), "could not read changes for searches: {error}");
            }
            let has_more = tokio::select! {
                changed = self.changes.changed() => changed.is_ok(),
                committed = self.committed.changed() => committed.is_ok(),
                _end = self.stopping.wait_for(|()| false) => false,
            };
            if !has_more {
                return;
            }
        }
    }

    /// Reads all new changes, as long as there is room for them.
    fn take_in(&self) -> Result<()> {
        while let Some((from, room, is_pressing)) = self.index.progress() {
            let snapshot = self.store.snapshot()?;
            if is_pressing {
                self.target.send_replace(from);
            }
            if room == 0 || snapshot.sequence()? <= from {
                return Ok(());
            }
            // If the log was truncated here, the other thread notices that and rebuilds the index.
            let Some((changes, last)) = snapshot.changes_after(from, room.min(BATCH))? else { return Ok(()) };
            if last == from {
                return Ok(());
            }
            self.index.take_in(from, &changes, last);
        }
        Ok(())
    }
}
