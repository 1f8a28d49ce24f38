//! Reports the progress of a call to a client that asked for it: the latest value, at a limited rate.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::Peer;
use tokio::sync::watch;

use crate::core::uploads::UploadProgress;

/// The least time between two notifications.
const PAUSE: Duration = Duration::from_millis(200);

/// Where a call reports its progress.
pub struct ProgressSender(Option<watch::Sender<Option<UploadProgress>>>);

impl ProgressSender {
    /// Discards what is reported.
    pub fn disabled() -> Self {
        Self(None)
    }

    /// Reports progress. A value that was not sent yet is replaced.
    pub fn report(&self, progress: UploadProgress) {
        if let Some(listener) = &self.0 {
            listener.send_replace(Some(progress));
        }
    }
}

/// Receives the progress that a call reports.
pub struct ProgressReceiver(watch::Receiver<Option<UploadProgress>>);

/// A sender of progress, and its receiver.
pub fn channel() -> (ProgressSender, ProgressReceiver) {
    let (sender, receiver) = watch::channel(None);
    (ProgressSender(Some(sender)), ProgressReceiver(receiver))
}

impl ProgressReceiver {
    /// Sends progress to the client until the call ends. Only progress that grew is sent, as the protocol demands.
    pub async fn forward(mut self, peer: &Peer<RoleServer>, token: &ProgressToken) {
        let mut sent = 0;
        while self.0.changed().await.is_ok() {
            let latest = *self.0.borrow_and_update();
            let Some(progress) = latest.filter(|latest| latest.done_bytes > sent) else { continue };
            sent = progress.done_bytes;
            if peer.notify_progress(notification(token.clone(), progress)).await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "byte counts above 2^53 do not occur")]
fn notification(token: ProgressToken, progress: UploadProgress) -> ProgressNotificationParam {
    let UploadProgress { done_bytes, total_bytes, done_files, files } = progress;
    let notification = ProgressNotificationParam::new(token, done_bytes as f64)
        .with_message(format!("{done_files} of {files} files, {done_bytes} bytes"));
    match total_bytes {
        Some(total) => notification.with_total(total as f64),
        None => notification,
    }
}
