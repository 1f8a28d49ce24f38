//! How many connections are open, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::budget::client_network;

/// Counts the open connections and limits them, in all and from each address. Those of a proxy, which are of many clients,
/// count only in all.
#[derive(Clone, Default)]
pub struct ConnectionLimits {
    open: Arc<Mutex<OpenConnections>>,
}

/// The most connections at a time.
#[derive(Debug, Clone, Copy)]
pub struct MostConnections {
    /// In all.
    pub total: usize,
    /// From one address.
    pub per_address: usize,
}

#[derive(Default)]
struct OpenConnections {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl ConnectionLimits {
    /// A slot, if one is free.
    pub fn acquire(&self, most: MostConnections) -> Option<ConnectionSlot> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= most.total {
            tracing::debug!(total = open.total, "too many connections: one was closed");
            return None;
        }
        open.total += 1;
        Some(ConnectionSlot { open: Arc::clone(&self.open), per_address: most.per_address, address: None })
    }
}

/// One connection's slot, released when dropped.
pub struct ConnectionSlot {
    open: Arc<Mutex<OpenConnections>>,
    per_address: usize,
    /// The network of its client, once it is known and counted.
    address: Option<IpAddr>,
}

impl ConnectionSlot {
    /// Counts the connection among those of its client. `None` when the client has as many as it may.
    pub fn of_client(mut self, client: IpAddr) -> Option<Self> {
        let address = client_network(client);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.by_address.get(&address).copied().unwrap_or(0);
        if count >= self.per_address {
            tracing::debug!(%address, count, "too many connections of one address: one was closed");
            return None;
        }
        open.by_address.insert(address, count + 1);
        drop(open);
        self.address = Some(address);
        Some(self)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let Some(address) = self.address else { return };
        let left = open.by_address.get(&address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.by_address.remove(&address);
        } else {
            open.by_address.insert(address, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: MostConnections = MostConnections { total: 2, per_address: 1 };

    #[test]
    fn a_slot_is_released_when_dropped() {
        let limits = ConnectionLimits::default();
        let (one, other, third) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into(), [127, 0, 0, 3].into());
        let slot = acquire(&limits, one).unwrap();
        assert!(acquire(&limits, one).is_none(), "one address has one slot");
        let _other = acquire(&limits, other).unwrap();
        assert!(acquire(&limits, third).is_none(), "there are two slots in all");
        drop(slot);
        assert!(acquire(&limits, third).is_some());
        assert_eq!(
            limits.open.lock().unwrap().by_address.len(),
            1,
            "addresses without a connection are not kept"
        );
    }

    #[test]
    fn connections_of_no_client_count_only_in_all() {
        let limits = ConnectionLimits::default();
        let proxy = [limits.acquire(MAX), limits.acquire(MAX)];
        assert!(proxy.iter().all(Option::is_some) && limits.acquire(MAX).is_none());
        drop(proxy);
        assert!(limits.acquire(MAX).is_some());
    }

    fn acquire(limits: &ConnectionLimits, client: IpAddr) -> Option<ConnectionSlot> {
        limits.acquire(MAX)?.of_client(client)
    }
}
