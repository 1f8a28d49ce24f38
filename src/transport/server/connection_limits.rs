//! How many connections are open, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::budget::client_network;

/// Counts the open connections and limits them, in all and from each address.
#[derive(Clone)]
pub struct ConnectionLimits {
    open: Arc<Mutex<OpenConnections>>,
    total: usize,
    per_address: usize,
}

#[derive(Default)]
struct OpenConnections {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl ConnectionLimits {
    pub fn new(total: usize, per_address: usize) -> Self {
        Self { open: Arc::default(), total, per_address }
    }

    /// A slot, if one is free for this address.
    pub fn acquire(&self, peer: IpAddr) -> Option<ConnectionSlot> {
        let address = client_network(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = open.by_address.get(&address).copied().unwrap_or(0);
        if open.total >= self.total || of_address >= self.per_address {
            tracing::debug!(%address, total = open.total, of_address, "too many connections: one was closed");
            return None;
        }
        open.total += 1;
        open.by_address.insert(address, of_address + 1);
        Some(ConnectionSlot { open: Arc::clone(&self.open), address, peer })
    }
}

/// One connection's slot, released when dropped.
pub struct ConnectionSlot {
    open: Arc<Mutex<OpenConnections>>,
    address: IpAddr,
    peer: IpAddr,
}

impl ConnectionSlot {
    /// The address of the client.
    pub fn peer(&self) -> IpAddr {
        self.peer
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let left = open.by_address.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.by_address.remove(&self.address);
        } else {
            open.by_address.insert(self.address, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_released_when_dropped() {
        let limits = ConnectionLimits::new(2, 1);
        let (one, other, third) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into(), [127, 0, 0, 3].into());
        let slot = limits.acquire(one).unwrap();
        assert!(limits.acquire(one).is_none(), "one address has one slot");
        let _other = limits.acquire(other).unwrap();
        assert!(limits.acquire(third).is_none(), "there are two slots in all");
        drop(slot);
        assert!(limits.acquire(third).is_some());
        assert_eq!(
            limits.open.lock().unwrap().by_address.len(),
            1,
            "addresses without a connection are not kept"
        );
    }
}
