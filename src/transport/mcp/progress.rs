//! Progress of a call on its way to a client that asked for it: the newest news at a bearable rate.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::Peer;
use tokio::sync::watch;

use crate::core::uploads::UploadProgress;

/// The least time between two notifications.
const PAUSE: Duration = Duration::from_millis(200);

/// Where a call tells how far it is.
pub struct ProgressSender(Option<watch::Sender<Option<UploadProgress>>>);

impl ProgressSender {
    /// A place where nobody listens.
    pub fn unheard() -> Self {
        Self(None)
    }

    /// Tells how far it is; news that nobody has read yet are replaced.
    pub fn report(&self, progress: UploadProgress) {
        if let Some(listener) = &self.0 {
            listener.send_replace(Some(progress));
        }
    }
}

/// Where its news arrive.
pub struct ProgressReceiver(watch::Receiver<Option<UploadProgress>>);

/// A place to tell, and the place where it arrives.
pub fn channel() -> (ProgressSender, ProgressReceiver) {
    let (sender, receiver) = watch::channel(None);
    (ProgressSender(Some(sender)), ProgressReceiver(receiver))
}

impl ProgressReceiver {
    /// Passes news on to the client until the call ends. Only news that are news: the count always grows.
    pub async fn forward(mut self, peer: &Peer<RoleServer>, token: &ProgressToken) {
        let mut told = 0;
        while self.0.changed().await.is_ok() {
            let news = *self.0.borrow_and_update();
            let Some(progress) = news.filter(|news| news.done_bytes > told) else { continue };
            told = progress.done_bytes;
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
