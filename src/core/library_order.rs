//! Caches the order of the libraries that a client has access to, if there are many, so that a page of the list reads
//! only the libraries on it. Has no counts and no tags. Recomputed when the client's grants or a name change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::scans::ClientId;
use crate::core::access::ReadGrant;
use crate::error::Result;

/// The number of libraries from which the order is cached. For fewer, sorting is as fast.
const FROM: usize = 64;
/// For how many clients the order is cached.
const CLIENTS: usize = 256;

/// The order for one client.
struct Kept {
    namings: u64,
    reached: Vec<u64>,
    order: Arc<[usize]>,
}

/// The cached orders.
#[derive(Default)]
pub struct LibraryOrder(Mutex<HashMap<ClientId, Kept>>);

impl LibraryOrder {
    /// The indexes of these grants in the order of the list: from the cache, if it is for the same grants and the same
    /// number of renames, else from `sort`.
    ///
    /// # Errors
    /// Those of `sort`.
    pub fn of(
        &self,
        client: ClientId,
        grants: &[ReadGrant],
        namings: u64,
        sort: impl FnOnce() -> Result<Vec<usize>>,
    ) -> Result<Arc<[usize]>> {
        if grants.len() < FROM {
            return Ok(sort()?.into());
        }
        let is_reached =
            |kept: &Kept| kept.reached.iter().copied().eq(grants.iter().map(|grant| grant.library().0));
        if let Some(kept) = self.lock().get(&client)
            && kept.namings == namings
            && is_reached(kept)
        {
            return Ok(Arc::clone(&kept.order));
        }
        let order: Arc<[usize]> = sort()?.into();
        let reached = grants.iter().map(|grant| grant.library().0).collect();
        let mut kept = self.lock();
        if kept.len() >= CLIENTS {
            kept.clear();
        }
        kept.insert(client, Kept { namings, reached, order: Arc::clone(&order) });
        Ok(order)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ClientId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
