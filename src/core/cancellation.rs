//! Cancels the work of a request when its client no longer waits for it.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::select_all;
use tokio::sync::watch;

use crate::error::{Error, Result};

/// A cancellation token. Once cancelled, nothing of the request is committed. Clones share their state.
#[derive(Debug, Clone)]
pub struct Cancellation {
    own: Arc<watch::Sender<bool>>,
    /// Tokens whose cancellation includes this one: the connection of a request.
    parents: Vec<Arc<watch::Sender<bool>>>,
}

impl Default for Cancellation {
    fn default() -> Self {
        Self { own: Arc::new(watch::Sender::new(false)), parents: Vec::new() }
    }
}

impl Cancellation {
    /// A token that is cancelled on its own, and whenever this one is.
    #[must_use]
    pub fn child(&self) -> Self {
        let parents = self.tokens().cloned().collect();
        Self { parents, ..Self::default() }
    }

    /// Cancels what is not committed yet.
    pub fn cancel(&self) {
        self.own.send_replace(true);
    }

    /// Runs `work` until it is done, or until this is cancelled: then the result is `None`.
    pub async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let cancelled = self.tokens().map(|token| {
            let mut is_cancelled = token.subscribe();
            // Never fails: `self` keeps the sender alive.
            async move { is_cancelled.wait_for(|is_cancelled| *is_cancelled).await.is_ok() }.boxed()
        });
        tokio::select! {
            done = work => Some(done),
            _ = select_all(cancelled) => None,
        }
    }

    /// Checks that this was not cancelled.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`. Usually nobody receives it, because the client is gone.
    pub fn check(&self) -> Result<()> {
        if self.tokens().any(|token| *token.borrow()) { Err(cancelled()) } else { Ok(()) }
    }

    /// Whether both are clones of the same token.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.own, &other.own)
    }

    fn tokens(&self) -> impl Iterator<Item = &Arc<watch::Sender<bool>>> {
        std::iter::once(&self.own).chain(&self.parents)
    }
}

/// The error for a request that was cancelled before it was committed.
#[must_use]
pub fn cancelled() -> Error {
    Error::bad_input("The request was cancelled before it finished. Nothing was stored.")
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_child_is_cancelled_with_its_parent_and_not_vice_versa() {
        let parent = Cancellation::default();
        let (one, other) = (parent.child(), parent.child());
        one.cancel();
        assert!(one.check().is_err() && other.check().is_ok() && parent.check().is_ok());
        assert_eq!(one.unless_cancelled(pending::<()>()).await, None);
        assert_eq!(other.unless_cancelled(async { 7 }).await, Some(7));
        parent.cancel();
        assert!(other.check().is_err());
        assert_eq!(other.child().unless_cancelled(pending::<()>()).await, None);
    }
}
