//! Passkey ceremonies in progress: questions to browsers that are not answered yet. In memory, for a short time, each
//! for one answer from one browser. After a restart, the person presses the button again.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::core::budget::client_network;
use crate::core::model::id::random_base62;
use crate::core::model::time::Millis;

/// How long an answer is accepted: as long as browsers wait for the person.
pub const LIFE: Millis = 5 * 60 * 1000;
/// The most ceremonies in progress; beyond that, the oldest is dropped.
const MAX: usize = 10_000;
/// The most from one address; beyond that, its oldest is dropped, so that nobody uses up the places of others.
const MAX_PER_ADDRESS: usize = 50;

/// The ceremonies of one kind. `Owner` may answer; the answer is checked with `State`.
pub struct Ceremonies<Owner, State> {
    open: Mutex<VecDeque<PendingCeremony<Owner, State>>>,
}

struct PendingCeremony<Owner, State> {
    id: String,
    begun: Millis,
    address: Option<IpAddr>,
    owner: Owner,
    state: State,
}

impl<Owner, State> Default for Ceremonies<Owner, State> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

impl<Owner: PartialEq, State> Ceremonies<Owner, State> {
    /// Begins a ceremony, and returns the id that the answer must have.
    pub fn begin(&self, owner: Owner, state: State, address: Option<IpAddr>, now: Millis) -> String {
        let id: String = random_base62::<22>().iter().map(|&byte| char::from(byte)).collect();
        let address = address.map(client_network);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|ceremony| ceremony.is_open(now));
        let of_address = |ceremony: &PendingCeremony<Owner, State>| ceremony.address == address;
        if open.iter().filter(|ceremony| of_address(ceremony)).count() >= MAX_PER_ADDRESS
            && let Some(oldest) = open.iter().position(of_address)
        {
            open.remove(oldest);
        }
        if open.len() >= MAX {
            open.pop_front();
        }
        open.push_back(PendingCeremony { id: id.clone(), begun: now, address, owner, state });
        id
    }

    /// Ends a ceremony, and returns its state, if it belongs to this owner.
    pub fn take(&self, id: &str, owner: &Owner, now: Millis) -> Option<State> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let place = open.iter().position(|ceremony| ceremony.id == id && ceremony.owner == *owner)?;
        open.remove(place).filter(|ceremony| ceremony.is_open(now)).map(|ceremony| ceremony.state)
    }
}

impl<Owner, State> PendingCeremony<Owner, State> {
    fn is_open(&self, now: Millis) -> bool {
        now < self.begun.saturating_add(LIFE)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const THERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));

    #[test]
    fn an_answer_is_accepted_once_from_its_owner_and_in_time() {
        let ceremonies = Ceremonies::default();
        let id = ceremonies.begin("ada", 1, HERE, 1000);
        assert_eq!(ceremonies.take(&id, &"grace", 1000), None);
        assert_eq!(ceremonies.take("another", &"ada", 1000), None);
        assert_eq!(ceremonies.take(&id, &"ada", 1000 + LIFE - 1), Some(1));
        assert_eq!(ceremonies.take(&id, &"ada", 1000), None);
        let late = ceremonies.begin("ada", 2, HERE, 1000);
        assert_eq!(ceremonies.take(&late, &"ada", 1000 + LIFE), None);
    }

    #[test]
    fn one_address_does_not_use_up_the_places_of_others() {
        let ceremonies = Ceremonies::default();
        let other = ceremonies.begin("grace", 0, THERE, 0);
        let first = ceremonies.begin("ada", 0, HERE, 0);
        let ids: Vec<_> =
            (0..MAX_PER_ADDRESS).map(|number| ceremonies.begin("ada", number, HERE, 0)).collect();
        assert_eq!(ceremonies.take(&first, &"ada", 0), None);
        assert!(ids.iter().all(|id| ceremonies.take(id, &"ada", 0).is_some()));
        assert_eq!(ceremonies.take(&other, &"grace", 0), Some(0));
    }
}
