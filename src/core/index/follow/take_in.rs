//! The thread that reads the change log into memory as soon as the store has committed something, so that searches
//! see it without a commit of the index. It writes nothing, and stops reading where the index is far behind.

use std::sync::Arc;

use tokio::sync::watch;

use crate::core::index::Index;
use crate::core::store::{ChangeQueries, Store};
use crate::error::Result;

/// How many changes are read at a time.
const BATCH: usize = 256;

/// What the thread has.
pub struct TakeIn {
    pub store: Store,
    pub index: Arc<Index>,
    /// Is notified of every commit of the store.
    pub changes: watch::Receiver<()>,
    /// Is told when the index was opened, or has taken in what was in memory.
    pub committed: watch::Receiver<u64>,
    /// Tells up to which change the index should have everything soon.
    pub wanted: watch::Sender<u64>,
    /// Closed when it is time to stop.
    pub stopping: watch::Receiver<()>,
}

impl TakeIn {
    /// Follows the store until it is time to stop.
    pub async fn follow(mut self) {
        loop {
            self.changes.mark_unchanged();
            self.committed.mark_unchanged();
            if let Err(error) = self.take_in() {
                tracing::error!(cause = ?error.cause(), "could not read what changed for searches: {error}");
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

    /// Takes in all that is there, as long as there is room for it.
    fn take_in(&self) -> Result<()> {
        while let Some((from, room, is_pressing)) = self.index.standing() {
            let snapshot = self.store.snapshot()?;
            if is_pressing {
                self.wanted.send_replace(from);
            }
            if room == 0 || snapshot.sequence()? <= from {
                return Ok(());
            }
            // A log that was cut off there is the index's to notice, which is then rebuilt.
            let Some((changes, last)) = snapshot.changes_after(from, room.min(BATCH))? else { return Ok(()) };
            if last == from {
                return Ok(());
            }
            self.index.take_in(from, &changes, last);
        }
        Ok(())
    }
}
