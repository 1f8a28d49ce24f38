//! Keeps files from being deleted while a backup copies those that its snapshot names.

use std::sync::atomic::Ordering;

use super::Blobs;

/// No file is deleted as long as this exists. A backup takes it before its snapshot: what the snapshot names is there
/// then, and stays.
pub struct FilesHold(Blobs);

impl Blobs {
    /// Keeps all files from now on.
    #[must_use]
    pub fn hold(&self) -> FilesHold {
        // Under the lock under which files are deleted: each deletion is over by now, or sees the hold.
        let arriving = self.arriving();
        self.holds.fetch_add(1, Ordering::SeqCst);
        drop(arriving);
        FilesHold(self.clone())
    }

    /// Whether files are kept. The result stays true only while the lock of `arriving` is held.
    pub(super) fn is_held(&self) -> bool {
        self.holds.load(Ordering::SeqCst) > 0
    }
}

impl Drop for FilesHold {
    fn drop(&mut self) {
        self.0.holds.fetch_sub(1, Ordering::SeqCst);
    }
}
