//! Work that takes long, such as a backup: on a thread of its own with a low priority, with its progress, and ended early
//! when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use crate::error::{Error, Result};

/// How nice the thread is to others, which answer requests. 19 is the most.
const NICENESS: i32 = 15;

/// A part of long work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Nothing has been done yet.
    #[default]
    Starting,
    /// Records are copied; measured in entries.
    Metadata,
    /// An archive is unpacked; measured in its bytes.
    Unpacking,
    /// Files are copied; measured in bytes.
    Files,
    /// Files are read and compared with their hashes; measured in bytes.
    Verifying,
    /// Records are checked; measured in entries.
    Checking,
    /// A folder is imported; measured in bytes.
    Importing,
    /// A library is exported; measured in bytes.
    Exporting,
}

impl Stage {
    /// What is done, as a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Metadata => "copying the metadata",
            Self::Unpacking => "unpacking",
            Self::Files => "copying files",
            Self::Verifying => "verifying files",
            Self::Checking => "checking records",
            Self::Importing => "importing files",
            Self::Exporting => "exporting files",
        }
    }

    /// Whether it is measured in bytes.
    #[must_use]
    pub const fn is_in_bytes(self) -> bool {
        match self {
            Self::Unpacking | Self::Files | Self::Verifying | Self::Importing | Self::Exporting => true,
            Self::Starting | Self::Metadata | Self::Checking => false,
        }
    }
}

/// How far long work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The present part.
    pub stage: Stage,
    /// How much of the part is done.
    pub done: u64,
    /// How much there is to do in this part; 0 when that is unknown.
    pub total: u64,
}

/// Reports the progress of long work, and ends it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Reporter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    progress: watch::Sender<Progress>,
    cancelled: AtomicBool,
}

impl Reporter {
    /// Follows the progress.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// Begins the next part.
    pub(super) fn begin(&self, stage: Stage, total: u64) {
        self.0.progress.send_replace(Progress { stage, done: 0, total });
    }

    /// Adds to what is done.
    ///
    /// # Errors
    /// When nobody waits for the work any more.
    pub(super) fn advance(&self, by: u64) -> Result<()> {
        self.0.progress.send_modify(|progress| progress.done += by);
        if self.0.cancelled.load(Ordering::Relaxed) { Err(Error::client_left()) } else { Ok(()) }
    }

    /// Runs `work` on a thread of its own. When the future is dropped, the work ends with its next report.
    ///
    /// # Errors
    /// Those of `work`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let (reporter, cancel) = (self.clone(), CancelOnDrop(self));
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // The work is done at the usual priority if this fails.
            let _as_usual = rustix::process::nice(NICENESS);
            let _gone = reply.send(work(&reporter));
        })?;
        let outcome = answer.await;
        std::mem::forget(cancel);
        outcome.map_err(|_| Error::internal(format!("the thread of the {name} panicked")))?
    }
}

struct CancelOnDrop<'a>(&'a Reporter);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.0.0.cancelled.store(true, Ordering::Relaxed);
    }
}
