//! What was asked of browsers and is not answered yet: in memory, for a short time, for one answer by the one who
//! was asked. A restart forgets it, and the person presses the button again.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::core::members::throttle::network;
use crate::core::model::id::random_base62;
use crate::core::model::time::Millis;

/// How long an answer is waited for: as long as browsers are told to wait for the person.
pub const LIFE: Millis = 5 * 60 * 1000;
/// How many are open at once, from everywhere; the oldest gives way.
const MOST: usize = 10_000;
/// How many are open at once from one address; its oldest gives way, so that nobody takes the others' place.
const MOST_FROM_ONE: usize = 50;

/// The open ceremonies of one kind. `Owner` is who may answer, `State` what the answer is checked with.
pub struct Ceremonies<Owner, State> {
    open: Mutex<VecDeque<Open<Owner, State>>>,
}

struct Open<Owner, State> {
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
    /// Keeps what an answer will be checked with, and returns the id that the answer must name.
    pub fn begin(&self, owner: Owner, state: State, address: Option<IpAddr>, now: Millis) -> String {
        let id: String = random_base62::<22>().iter().map(|&byte| char::from(byte)).collect();
        let address = address.map(network);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|ceremony| ceremony.is_open(now));
        let of_address = |ceremony: &Open<Owner, State>| ceremony.address == address;
        if open.iter().filter(|ceremony| of_address(ceremony)).count() >= MOST_FROM_ONE
            && let Some(oldest) = open.iter().position(of_address)
        {
            open.remove(oldest);
        }
        if open.len() >= MOST {
            open.pop_front();
        }
        open.push_back(Open { id: id.clone(), begun: now, address, owner, state });
        id
    }

    /// What the answer of this owner is checked with, once.
    pub fn take(&self, id: &str, owner: &Owner, now: Millis) -> Option<State> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let place = open.iter().position(|ceremony| ceremony.id == id && ceremony.owner == *owner)?;
        open.remove(place).filter(|ceremony| ceremony.is_open(now)).map(|ceremony| ceremony.state)
    }
}

impl<Owner, State> Open<Owner, State> {
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
    fn an_answer_is_taken_once_from_the_one_who_was_asked_and_in_time() {
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
    fn one_address_takes_nobody_elses_place() {
        let ceremonies = Ceremonies::default();
        let other = ceremonies.begin("grace", 0, THERE, 0);
        let first = ceremonies.begin("ada", 0, HERE, 0);
        let ids: Vec<_> = (0..MOST_FROM_ONE).map(|number| ceremonies.begin("ada", number, HERE, 0)).collect();
        assert_eq!(ceremonies.take(&first, &"ada", 0), None);
        assert!(ids.iter().all(|id| ceremonies.take(id, &"ada", 0).is_some()));
        assert_eq!(ceremonies.take(&other, &"grace", 0), Some(0));
    }
}
