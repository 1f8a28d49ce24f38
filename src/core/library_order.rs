//! The libraries that somebody reaches, in the order in which they are listed, kept for those who reach many: so that a
//! page of the list reads the libraries it shows. Counts and tags are not in it; what it holds is looked at again when
//! what is reached, or a name, changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::scans::Client;
use crate::core::access::ReadGrant;
use crate::error::Result;

/// From how many libraries on the order is kept. Below, it is found as quickly.
const FROM: usize = 64;
/// For how many clients it is kept.
const CLIENTS: usize = 256;

/// What is kept for one client.
struct Kept {
    namings: u64,
    reached: Vec<u64>,
    order: Arc<[usize]>,
}

/// The orders that are kept.
#[derive(Default)]
pub struct LibraryOrder(Mutex<HashMap<Client, Kept>>);

impl LibraryOrder {
    /// The places of these grants in the order of the list: as it was kept for the same grants and the same number of
    /// namings, or else as `sort` finds it.
    ///
    /// # Errors
    /// What `sort` answers.
    pub fn of(
        &self,
        client: Client,
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

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Client, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
