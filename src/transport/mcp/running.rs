//! The requests that run right now, so that `notifications/cancelled` can end one of them. It comes as a message of
//! its own, without a session that would tie it to the request.
//!
//! What ties them together is who sends them, the same credential from the same address, and the request's id, of which
//! the number 1 and the string "1" are two. Clients that share a key count their ids alike, so that two of them may
//! have the same one running. Then neither is cancelled: what was stored in spite of a cancellation can be deleted,
//! whereas nobody would tell the other client why its upload is gone. Closing the connection cancels in any case.
//!
//! Only what runs is remembered, so nobody makes this grow but by requests, which are limited by key.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;

use crate::core::cancellation::Cancellation;
use crate::core::scans::ClientId;

/// Whose requests they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestOwner {
    /// Who holds the credential.
    pub client: ClientId,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
}

/// The requests that run right now. Each clone is the same list.
#[derive(Debug, Clone, Default)]
pub struct RunningRequests(Arc<Mutex<Requests>>);

type Key = (RequestOwner, RequestId);
type Requests = HashMap<Key, Vec<Cancellation>>;

/// A request that runs, until this is dropped.
pub struct RunningRequest {
    requests: RunningRequests,
    key: Key,
    cancellation: Cancellation,
}

impl RunningRequests {
    /// Notes a request that begins to run, and what cancels it.
    #[must_use]
    pub fn begin(&self, owner: RequestOwner, id: RequestId, cancellation: Cancellation) -> RunningRequest {
        let key = (owner, id);
        self.lock().entry(key.clone()).or_default().push(cancellation.clone());
        RunningRequest { requests: self.clone(), key, cancellation }
    }

    /// Cancels the owner's request of this id, if there is exactly one.
    pub fn cancel(&self, owner: RequestOwner, id: RequestId) {
        if let Some([only]) = self.lock().get(&(owner, id)).map(Vec::as_slice) {
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

    fn owner(digest: u8, address: [u8; 4]) -> RequestOwner {
        RequestOwner { client: ClientId::of_credential([digest; 32]), address: Some(IpAddr::from(address)) }
    }

    #[test]
    fn only_the_request_that_is_meant_is_cancelled() {
        let running = RunningRequests::default();
        let mine = owner(1, [192, 0, 2, 1]);
        let meant = Cancellation::default();
        let _run = running.begin(mine, ONE, meant.clone());
        for (owner, id) in [
            (owner(2, [192, 0, 2, 1]), ONE),
            (owner(1, [192, 0, 2, 2]), ONE),
            (mine, RequestId::Number(2)),
            (mine, RequestId::String("1".into())),
        ] {
            running.cancel(owner, id);
            assert!(meant.check().is_ok());
        }
        running.cancel(mine, ONE);
        assert!(meant.check().is_err());
    }

    #[test]
    fn of_two_with_the_same_id_neither_is_cancelled() {
        let running = RunningRequests::default();
        let mine = owner(1, [192, 0, 2, 1]);
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
    fn what_ended_leaves_nothing() {
        let running = RunningRequests::default();
        let runs: Vec<RunningRequest> = (0..9)
            .map(|n| running.begin(owner(n % 2, [192, 0, 2, 1]), ONE, Cancellation::default()))
            .collect();
        assert_eq!(running.lock().len(), 2);
        drop(runs);
        assert!(running.lock().is_empty());
    }
}
