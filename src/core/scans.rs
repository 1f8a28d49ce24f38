//! Runs reads that may take long away from the threads that answer requests: a few at a time in all, and one at a time
//! per client, so that a client with many requests delays only itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

/// How many scans run at a time. The others wait, so that a flood of them does not take every core and all the memory.
const MAX_CONCURRENT: usize = 2;

/// Identifies the client of a request by its credential. Opaque: it can only be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId([u8; 32]);

impl ClientId {
    /// The client that has the credential with this digest.
    pub(crate) const fn of_credential(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The administrator of the machine.
    pub(super) const fn local() -> Self {
        Self([0; 32])
    }
}

/// Limits how many scans run at a time.
pub struct Scans {
    all: Arc<Semaphore>,
    /// The semaphores of the clients with a running or waiting scan.
    clients: Mutex<HashMap<ClientId, Arc<Semaphore>>>,
}

impl Default for Scans {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MAX_CONCURRENT)), clients: Mutex::default() }
    }
}

impl Scans {
    /// Runs `work` on a blocking thread when there is a free place. If this is dropped before, it never runs.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn run<T, F>(&self, client: ClientId, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        // The client's own permit first, so that at most one scan of each client waits for a shared one.
        let own = self.semaphore_of(client).acquire_owned().await.map_err(Error::internal)?;
        let shared = Arc::clone(&self.all).acquire_owned().await.map_err(Error::internal)?;
        spawn_blocking(move || {
            // Held until the work is done, even if nobody waits for it any more.
            let _permits = (own, shared);
            work()
        })
        .await
        .map_err(Error::internal)?
    }

    fn semaphore_of(&self, client: ClientId) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        Arc::clone(clients.entry(client).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use futures_util::future::join_all;

    use super::*;

    /// The most scans that ran at the same time, of 32 scans by this many clients.
    async fn most_at_a_time(clients: u8) -> usize {
        let (scans, running) = (Scans::default(), Arc::new(AtomicUsize::new(0)));
        let scan = |number: u8| {
            let running = Arc::clone(&running);
            scans.run(ClientId([number % clients; 32]), move || {
                let most = running.fetch_add(1, Ordering::SeqCst) + 1;
                (0..1_000).for_each(|_| thread::yield_now());
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(most)
            })
        };
        let most: Vec<usize> = join_all((0..32).map(scan)).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(most.len(), 32);
        most.into_iter().max().unwrap()
    }

    #[tokio::test]
    async fn few_scans_run_at_a_time_and_all_finish() {
        assert!(most_at_a_time(32).await <= MAX_CONCURRENT);
    }

    #[tokio::test]
    async fn each_client_has_one_running_scan() {
        assert_eq!(most_at_a_time(1).await, 1);
    }

    #[tokio::test]
    async fn a_late_client_goes_before_the_rest_of_a_busy_one() {
        let (scans, order) = (Scans::default(), Mutex::new(Vec::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let ask = |client: u8| {
            let (scans, order, asked) = (&scans, &order, Arc::clone(&asked));
            async move {
                asked.fetch_add(1, Ordering::AcqRel);
                // The first ones run until all have asked.
                let work = move || {
                    while asked.load(Ordering::Acquire) < 61 {
                        thread::yield_now();
                    }
                    Ok(())
                };
                scans.run(ClientId([client; 32]), work).await.unwrap();
                order.lock().unwrap().push(client);
            }
        };
        join_all((0..30).map(|_| ask(1)).chain((0..30).map(|_| ask(2))).chain([ask(3)])).await;
        let order = order.into_inner().unwrap();
        let position = order.iter().position(|client| *client == 3).unwrap();
        assert!(position < 10, "{order:?}");
    }

    #[tokio::test]
    async fn clients_without_scans_are_removed() {
        let scans = Scans::default();
        for client in 0..9 {
            scans.run(ClientId([client; 32]), || Ok(())).await.unwrap();
        }
        assert_eq!(scans.clients.lock().unwrap().len(), 1);
    }
}
