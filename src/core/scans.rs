//! Work that may take long: away from the threads that answer requests, a few at a time, and one at a time for each
//! client, so that whoever asks for much waits for themselves and not everybody for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

/// How many run at a time. The others wait, so that no flood of them takes every core and all the memory.
const AT_A_TIME: usize = 2;

/// Who asks: whoever holds one credential. Opaque, and only good to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client([u8; 32]);

impl Client {
    /// Whoever holds the credential with this digest.
    pub(crate) const fn holding(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The administrator at the machine itself.
    pub(super) const fn local() -> Self {
        Self([0; 32])
    }
}

/// The turns to run in.
pub struct Scans {
    turns: Arc<Semaphore>,
    /// The turn of each client that runs something or waits for it.
    clients: Mutex<HashMap<Client, Arc<Semaphore>>>,
}

impl Default for Scans {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_A_TIME)), clients: Mutex::default() }
    }
}

impl Scans {
    /// Runs `work` when it is its turn, on a thread that may block. Dropped before that, it never runs.
    ///
    /// # Errors
    /// What `work` answers.
    pub async fn run<T, F>(&self, client: Client, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        // First among the client's own: so at most one of each client waits for a turn among all.
        let own = self.turn_of(client).acquire_owned().await.map_err(Error::internal)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(Error::internal)?;
        spawn_blocking(move || {
            // Kept until the work is done, also when nobody waits for it any more.
            let _turns = (own, turn);
            work()
        })
        .await
        .map_err(Error::internal)?
    }

    fn turn_of(&self, client: Client) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(clients.entry(client).or_insert_with(|| Arc::new(Semaphore::new(1))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use futures_util::future::join_all;

    use super::*;

    /// How many ran at a time when each of 32 did, all of these clients' in turn.
    async fn most_at_a_time(clients: u8) -> usize {
        let (scans, running) = (Scans::default(), Arc::new(AtomicUsize::new(0)));
        let scan = |number: u8| {
            let running = Arc::clone(&running);
            scans.run(Client([number % clients; 32]), move || {
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
    async fn no_more_than_a_few_run_at_a_time_and_all_do() {
        assert!(most_at_a_time(32).await <= AT_A_TIME);
    }

    #[tokio::test]
    async fn of_one_client_one_runs_at_a_time() {
        assert_eq!(most_at_a_time(1).await, 1);
    }

    #[tokio::test]
    async fn one_that_comes_later_goes_before_the_rest_of_who_asked_for_much() {
        let (scans, order) = (Scans::default(), Mutex::new(Vec::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let ask = |client: u8| {
            let (scans, order, asked) = (&scans, &order, Arc::clone(&asked));
            async move {
                asked.fetch_add(1, Ordering::AcqRel);
                // The first ones run until everybody has asked.
                let work = move || {
                    while asked.load(Ordering::Acquire) < 61 {
                        thread::yield_now();
                    }
                    Ok(())
                };
                scans.run(Client([client; 32]), work).await.unwrap();
                order.lock().unwrap().push(client);
            }
        };
        join_all((0..30).map(|_| ask(1)).chain((0..30).map(|_| ask(2))).chain([ask(3)])).await;
        let order = order.into_inner().unwrap();
        let place = order.iter().position(|client| *client == 3).unwrap();
        assert!(place < 10, "{order:?}");
    }

    #[tokio::test]
    async fn who_has_nothing_to_run_is_forgotten() {
        let scans = Scans::default();
        for client in 0..9 {
            scans.run(Client([client; 32]), || Ok(())).await.unwrap();
        }
        assert_eq!(scans.clients.lock().unwrap().len(), 1);
    }
}
