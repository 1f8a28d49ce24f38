//! Which open uploads are in use. A newer request that goes on with one ends an older one, which may hang on a connection
//! that its client has long given up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::core::Core;
use crate::core::cancellation::Cancellation;
use crate::core::model::token::UploadDigest;

/// The open uploads in use.
#[derive(Default)]
pub struct ActiveUploads(Mutex<HashMap<UploadDigest, InUse>>);

/// The use of one upload.
#[derive(Default)]
struct InUse {
    users: usize,
    /// Held by the one who may write to it.
    turn: Arc<AsyncMutex<()>>,
    /// Cancelled when a newer request wants its turn.
    newest: Cancellation,
}

/// A request that uses an open upload.
pub struct ActiveUpload {
    core: Core,
    digest: UploadDigest,
    superseded: Cancellation,
    turn: Option<OwnedMutexGuard<()>>,
}

impl ActiveUploads {
    /// Whether an upload is in use.
    pub fn contains(&self, digest: &UploadDigest) -> bool {
        self.uploads().contains_key(digest)
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<UploadDigest, InUse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActiveUpload {
    /// Uses an upload beside others.
    pub fn join(core: Core, digest: UploadDigest) -> Self {
        core.active_uploads().uploads().entry(digest).or_default().users += 1;
        Self { core, digest, superseded: Cancellation::default(), turn: None }
    }

    /// Uses an upload alone: ends the request that did so before, and waits until it has saved what it has.
    pub async fn take_over(core: Core, digest: UploadDigest) -> Self {
        let superseded = Cancellation::default();
        let turn = {
            let mut uploads = core.active_uploads().uploads();
            let here = uploads.entry(digest).or_default();
            here.users += 1;
            std::mem::replace(&mut here.newest, superseded.clone()).cancel();
            Arc::clone(&here.turn)
        };
        let mut active = Self { core, digest, superseded, turn: None };
        active.turn = Some(turn.lock_owned().await);
        active
    }

    /// Cancelled when a newer request takes over.
    pub fn superseded(&self) -> &Cancellation {
        &self.superseded
    }
}

impl Drop for ActiveUpload {
    fn drop(&mut self) {
        // The turn ends first, so that the request that waits for it is still counted.
        self.turn = None;
        let mut uploads = self.core.active_uploads().uploads();
        if let Entry::Occupied(mut here) = uploads.entry(self.digest) {
            here.get_mut().users -= 1;
            if here.get().users == 0 {
                here.remove();
            }
        }
    }
}
