//! Whether somebody still waits for what a request does.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::select_all;
use tokio::sync::watch;

use crate::error::{Error, Result};

/// Once cancelled, nothing of a request is committed any more. Each clone is about the same request or connection.
#[derive(Debug, Clone)]
pub struct Cancellation {
    own: Arc<watch::Sender<bool>>,
    /// What cancels this, too: the connection of a request.
    above: Vec<Arc<watch::Sender<bool>>>,
}

impl Default for Cancellation {
    fn default() -> Self {
        Self { own: Arc::new(watch::Sender::new(false)), above: Vec::new() }
    }
}

impl Cancellation {
    /// One for a part of this: cancelled by itself, and whenever this is.
    #[must_use]
    pub fn part(&self) -> Self {
        let above = self.levels().cloned().collect();
        Self { above, ..Self::default() }
    }

    /// Nobody waits any more: what is not committed yet is not to be.
    pub fn cancel(&self) {
        self.own.send_replace(true);
    }

    /// Does work as long as somebody waits for it. Nothing when nobody does any more.
    pub async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let cancelled = self.levels().map(|level| {
            let mut is_cancelled = level.subscribe();
            // The sender is ours, so that it can't be gone.
            async move { is_cancelled.wait_for(|is_cancelled| *is_cancelled).await.is_ok() }.boxed()
        });
        tokio::select! {
            done = work => Some(done),
            _ = select_all(cancelled) => None,
        }
    }

    /// Checks that it was not cancelled.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, which hardly anybody is there to read.
    pub fn check(&self) -> Result<()> {
        if self.levels().any(|level| *level.borrow()) { Err(cancelled()) } else { Ok(()) }
    }

    /// Whether this and another are about the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.own, &other.own)
    }

    fn levels(&self) -> impl Iterator<Item = &Arc<watch::Sender<bool>>> {
        std::iter::once(&self.own).chain(&self.above)
    }
}

/// The error of what was cancelled before it was committed.
#[must_use]
pub fn cancelled() -> Error {
    Error::bad_input("The request was cancelled before its end. Nothing of it was stored.")
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_part_is_cancelled_with_the_whole_and_not_the_other_way_round() {
        let whole = Cancellation::default();
        let (one, other) = (whole.part(), whole.part());
        one.cancel();
        assert!(one.check().is_err() && other.check().is_ok() && whole.check().is_ok());
        assert_eq!(one.unless_cancelled(pending::<()>()).await, None);
        assert_eq!(other.unless_cancelled(async { 7 }).await, Some(7));
        whole.cancel();
        assert!(other.check().is_err());
        assert_eq!(other.part().unless_cancelled(pending::<()>()).await, None);
    }
}
