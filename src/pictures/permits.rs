//! A fair queue for a bounded number of permits. Listed pictures go before custom ones; within a priority, clients take
//! turns, and so do the pictures of one client. The work after uploads always gets a share. A permit is never revoked, and
//! a waiter that gave up is skipped.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// After this many permits for work that a client waits for, one goes to the work after uploads.
const INTERACTIVE_IN_A_ROW: u32 = 3;

/// Whether a client waits for the work, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A client waits for a picture that every client shows: a thumbnail or a listed size.
    Listed,
    /// A client waits for any other picture.
    Custom,
    /// No client waits: the work after uploads.
    Background,
}

/// A request for a permit: its priority, and the client and picture it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermitRequest {
    /// The priority.
    pub priority: Priority,
    /// The client's network address; `None` for the server itself.
    pub address: Option<IpAddr>,
    /// A number that differs for most pictures.
    pub picture: u64,
}

impl PermitRequest {
    /// A request by the server itself.
    #[must_use]
    pub const fn internal(priority: Priority) -> Self {
        Self { priority, address: None, picture: 0 }
    }
}

/// The permits, and the waiters for them.
#[derive(Clone)]
pub(super) struct PermitQueue(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    free: usize,
    listed: Queue,
    custom: Queue,
    background: Queue,
    /// How many permits went to clients since the last one for background work.
    interactive_in_a_row: u32,
    arrivals: u64,
}

/// A permit. When dropped, it passes to the next waiter.
pub(super) struct Permit(Option<PermitQueue>);

/// The waiters of one priority.
#[derive(Default)]
struct Queue {
    waiters: Vec<Waiter>,
    /// How many permits each client got since it began to wait.
    by_address: HashMap<Option<IpAddr>, u64>,
    /// The same for each picture of a client.
    by_picture: HashMap<(Option<IpAddr>, u64), u64>,
}

struct Waiter {
    request: PermitRequest,
    arrival: u64,
    sender: oneshot::Sender<Permit>,
}

impl Queue {
    fn push(&mut self, request: PermitRequest, arrival: u64, sender: oneshot::Sender<Permit>) {
        // A new client starts level with the one that got the fewest permits: neither ahead of it nor behind it.
        let least = self.by_address.values().min().copied().unwrap_or_default();
        self.by_address.entry(request.address).or_insert(least);
        let own = self.by_picture.iter().filter(|((address, _), _)| *address == request.address);
        let least = own.map(|(_, count)| *count).min().unwrap_or_default();
        self.by_picture.entry((request.address, request.picture)).or_insert(least);
        self.waiters.push(Waiter { request, arrival, sender });
    }

    /// The next waiter that has not given up.
    fn pop(&mut self) -> Option<oneshot::Sender<Permit>> {
        self.waiters.retain(|waiter| !waiter.sender.is_closed());
        let next = self.waiters.iter().enumerate().min_by_key(|(_, Waiter { request, arrival, .. })| {
            let count = self.by_address.get(&request.address);
            (count, self.by_picture.get(&(request.address, request.picture)), *arrival)
        });
        let found = next.map(|(index, _)| index).map(|index| self.waiters.swap_remove(index));
        if let Some(Waiter { request, .. }) = &found {
            *self.by_address.entry(request.address).or_default() += 1;
            *self.by_picture.entry((request.address, request.picture)).or_default() += 1;
        }
        let Self { waiters, by_address, by_picture } = self;
        by_address.retain(|address, _| waiters.iter().any(|waiter| waiter.request.address == *address));
        by_picture.retain(|of, _| {
            waiters.iter().any(|waiter| (waiter.request.address, waiter.request.picture) == *of)
        });
        found.map(|waiter| waiter.sender)
    }
}

impl State {
    fn push(&mut self, request: PermitRequest, sender: oneshot::Sender<Permit>) {
        self.arrivals += 1;
        let queue = match request.priority {
            Priority::Listed => &mut self.listed,
            Priority::Custom => &mut self.custom,
            Priority::Background => &mut self.background,
        };
        queue.push(request, self.arrivals, sender);
    }

    fn pop(&mut self) -> Option<oneshot::Sender<Permit>> {
        let is_background_turn = self.interactive_in_a_row >= INTERACTIVE_IN_A_ROW;
        if is_background_turn && let Some(waiter) = self.background.pop() {
            self.interactive_in_a_row = 0;
            return Some(waiter);
        }
        if let Some(waiter) = self.listed.pop().or_else(|| self.custom.pop()) {
            self.interactive_in_a_row = self.interactive_in_a_row.saturating_add(1);
            return Some(waiter);
        }
        self.interactive_in_a_row = 0;
        self.background.pop()
    }
}

impl PermitQueue {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: count, ..State::default() })))
    }

    /// Waits for a permit.
    pub(super) async fn acquire(&self, request: PermitRequest) -> Permit {
        loop {
            let receiver = {
                let mut state = self.state();
                if state.free > 0 {
                    state.free -= 1;
                    return Permit(Some(self.clone()));
                }
                let (sender, receiver) = oneshot::channel();
                state.push(request, sender);
                receiver
            };
            // A sender is only dropped with the queue, which this method borrows, so the loop does not repeat in practice.
            if let Ok(permit) = receiver.await {
                return permit;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(queue) = self.0.take() else { return };
        let mut state = queue.state();
        let mut permit = Self(Some(queue.clone()));
        while let Some(next) = state.pop() {
            match next.send(permit) {
                Ok(()) => return,
                // That waiter gave up in between.
                Err(returned) => permit = returned,
            }
        }
        // Disarmed, so that dropping it does not run this again.
        permit.0 = None;
        state.free += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt;

    use super::*;

    type Waiting = (&'static str, Pin<Box<dyn Future<Output = Permit>>>);

    fn request(priority: Priority, client: u8, picture: u64) -> PermitRequest {
        PermitRequest { priority, address: Some(IpAddr::from([192, 0, 2, client])), picture }
    }

    /// Queues all of these for the only permit, in this order, and returns the order in which they get it.
    async fn order(requests: &[(&'static str, PermitRequest)]) -> Vec<&'static str> {
        let queue = PermitQueue::new(1);
        let mut permit = Some(queue.acquire(PermitRequest::internal(Priority::Custom)).await);
        let mut waiters: Vec<Waiting> = Vec::new();
        for (name, request) in requests {
            let (queue, request) = (queue.clone(), *request);
            let mut waiter: Pin<Box<dyn Future<Output = Permit>>> =
                Box::pin(async move { queue.acquire(request).await });
            assert!(waiter.as_mut().now_or_never().is_none());
            waiters.push((name, waiter));
        }
        let mut order = Vec::new();
        while !waiters.is_empty() {
            drop(permit.take());
            let called = waiters.iter_mut().enumerate().find_map(|(index, (_, waiter))| {
                waiter.as_mut().now_or_never().map(|permit| (index, permit))
            });
            let (index, next) = called.expect("a waiter gets the permit");
            permit = Some(next);
            order.push(waiters.remove(index).0);
        }
        order
    }

    #[tokio::test]
    async fn listed_pictures_go_before_custom_ones_and_both_before_background_work() {
        let requests = [
            ("background", request(Priority::Background, 1, 1)),
            ("custom", request(Priority::Custom, 1, 1)),
            ("listed", request(Priority::Listed, 2, 1)),
        ];
        assert_eq!(order(&requests).await, ["listed", "custom", "background"]);
    }

    #[tokio::test]
    async fn background_work_gets_its_share() {
        let mut requests = vec![("background", request(Priority::Background, 1, 1)); 2];
        requests.extend(vec![("listed", request(Priority::Listed, 2, 1)); 8]);
        let order = order(&requests).await;
        let background: Vec<usize> = (0..order.len()).filter(|index| order[*index] == "background").collect();
        assert_eq!(background, [3, 7]);
    }

    #[tokio::test]
    async fn clients_take_turns_and_so_do_the_pictures_of_one() {
        let mut requests = vec![("flood", request(Priority::Custom, 1, 1)); 4];
        requests.push(("its other picture", request(Priority::Custom, 1, 2)));
        requests.extend([
            ("another", request(Priority::Custom, 2, 1)),
            ("another", request(Priority::Custom, 2, 1)),
        ]);
        let expected = ["flood", "another", "its other picture", "another", "flood", "flood", "flood"];
        assert_eq!(order(&requests).await, expected);
    }

    #[tokio::test]
    async fn a_permit_is_not_lost_when_a_waiter_gives_up() {
        let queue = PermitQueue::new(1);
        let listed = request(Priority::Listed, 1, 1);
        let first = queue.acquire(listed).await;
        let mut gone = Box::pin(queue.acquire(listed));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(gone);
        let mut served_and_gone = Box::pin(queue.acquire(listed));
        assert!(served_and_gone.as_mut().now_or_never().is_none());
        drop(first);
        drop(served_and_gone);
        assert!(queue.acquire(request(Priority::Background, 1, 1)).now_or_never().is_some());
    }
}
