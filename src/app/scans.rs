//! Reads that look at a lot of what is stored: away from the threads that answer requests, and a few at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

/// How many run at a time. The others wait, so that no flood of them takes every core and all the memory.
const AT_A_TIME: usize = 2;

/// The turns to run in.
pub struct Scans(Arc<Semaphore>);

impl Default for Scans {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Scans {
    /// Runs `work` when it is its turn, on a thread that may block.
    ///
    /// # Errors
    /// What `work` answers.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(Error::internal)?;
        spawn_blocking(move || {
            // Kept until the work is done, also when nobody waits for it any more.
            let _turn = turn;
            work()
        })
        .await
        .map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn no_more_than_a_few_run_at_a_time_and_all_do() {
        let (scans, running) = (Scans::default(), Arc::new(AtomicUsize::new(0)));
        let scan = |_| {
            let running = Arc::clone(&running);
            scans.run(move || {
                let most = running.fetch_add(1, Ordering::SeqCst) + 1;
                (0..1_000).for_each(|_| thread::yield_now());
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(most)
            })
        };
        let most: Vec<usize> = join_all((0..32).map(scan)).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(most.len(), 32);
        assert!(most.iter().all(|&most| most <= AT_A_TIME), "{most:?}");
    }
}
