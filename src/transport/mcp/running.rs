//! The requests that are running, so that `notifications/cancelled` can cancel one of them. The notification is a message
//! of its own, without a session that links it to the request.
//!
//! The link is the sender, by credential and address, and the request's id; the number 1 and the string "1" are different
//! ids. Clients that share a key count their ids in the same way, so two running requests may have the same id. Then
//! neither is cancelled: an asset that was stored despite a cancellation can be deleted, but a client whose upload was
//! cancelled by another client would not know why. Closing the connection always cancels.
//!
//! Only running requests are kept, so this grows only with their number, which is limited for each key.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;

use crate::core::cancellation::Cancellation;
use crate::core::scans::ClientId;

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestSender {
    /// Who holds the credential.
    pub client: ClientId,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
}

/// The requests that run right now. Each clone is the same list.
#[derive(Debug, Clone, Default)]
pub struct RunningRequests(Arc<Mutex<Requests>>);

type RequestKey = (RequestSender, RequestId);
type Requests = HashMap<RequestKey, Vec<Cancellation>>;

/// A request that runs, until this is dropped.
pub struct RunningRequest {
    requests: RunningRequests,
    key: RequestKey,
    cancellation: Cancellation,
}

impl RunningRequests {
    /// Adds a request that begins to run, and what cancels it.
    #[must_use]
    pub fn begin(&self, sender: RequestSender, id: RequestId, cancellation: Cancellation) -> RunningRequest {
        let key = (sender, id);
        self.lock().entry(key.clone()).or_default().push(cancellation.clone());
        RunningRequest { requests: self.clone(), key, cancellation }
    }

    /// Cancels the sender's request of this id, if there is exactly one.
    pub fn cancel(&self, sender: RequestSender, id: RequestId) {
        if let Some([only]) = self.lock().get(&(sender, id)).map(Vec::as_slice) {
            only.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let mut requests = self.requests.lock();
        let Some(same) = requests.get_mut(&self.key) else { return };
        same.retain(|other| !other.is_same(&self.cancellation));
        if same.is_empty() {
            requests.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: RequestId = RequestId::Number(1);

    fn sender(digest: u8, address: [u8; 4]) -> RequestSender {
        RequestSender { client: ClientId::of_credential([digest; 32]), address: Some(IpAddr::from(address)) }
    }

    #[test]
    fn only_the_named_request_is_cancelled() {
        let running = RunningRequests::default();
        let mine = sender(1, [192, 0, 2, 1]);
        let meant = Cancellation::default();
        let _run = running.begin(mine, ONE, meant.clone());
        for (sender, id) in [
            (sender(2, [192, 0, 2, 1]), ONE),
            (sender(1, [192, 0, 2, 2]), ONE),
            (mine, RequestId::Number(2)),
            (mine, RequestId::String("1".into())),
        ] {
            running.cancel(sender, id);
            assert!(meant.check().is_ok());
        }
        running.cancel(mine, ONE);
        assert!(meant.check().is_err());
    }

    #[test]
    fn neither_of_two_requests_with_the_same_id_is_cancelled() {
        let running = RunningRequests::default();
        let mine = sender(1, [192, 0, 2, 1]);
        let (first, second) = (Cancellation::default(), Cancellation::default());
        let ended = running.begin(mine, ONE, first.clone());
        let _run = running.begin(mine, ONE, second.clone());
        running.cancel(mine, ONE);
        assert!(first.check().is_ok() && second.check().is_ok());
        drop(ended);
        running.cancel(mine, ONE);
        assert!(first.check().is_ok() && second.check().is_err());
    }

    #[test]
    fn ended_requests_are_removed() {
        let running = RunningRequests::default();
        let runs: Vec<RunningRequest> = (0..9)
            .map(|n| running.begin(sender(n % 2, [192, 0, 2, 1]), ONE, Cancellation::default()))
            .collect();
        assert_eq!(running.lock().len(), 2);
        drop(runs);
        assert!(running.lock().is_empty());
    }
}
