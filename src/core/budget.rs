//! What may be taken at a time: memory for bytes that wait, room for temporary files, requests, uploads, fetches. Each
//! is counted of every key and person, of every address, and in all, so that nobody takes everybody's. What was taken
//! is given back when its [`Share`] is dropped. Knows no transport.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::settings::Settings;
use crate::core::model::audit::{Actor, ActorKind};
use crate::error::{Code, Error, Result};

/// In how many seconds another try is worth it when something is used up.
const RETRY_AFTER: u64 = 2;
/// How many bytes in memory one byte of a large body takes while it is understood: as text, as JSON, and as the files
/// in it.
const WEIGHT: u64 = 4;
/// What is counted of large bodies, in bytes: a semaphore counts no further than 32 bits.
const LARGE_UNIT: u64 = 1 << 10;

/// Who takes something.
#[derive(Debug, Clone, Default)]
pub struct Taker {
    /// The key or the person, as text that no other of them has.
    pub holder: Option<Arc<str>>,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
}

impl Taker {
    /// The one behind a grant.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        let holder = match actor.kind {
            ActorKind::Key | ActorKind::Member => {
                Some(format!("{} {}", actor.kind.as_str(), actor.id).into())
            }
            ActorKind::Local | ActorKind::Stranger => None,
        };
        Self { holder, address: actor.address }
    }

    /// A key, by its public id.
    #[must_use]
    pub fn key(id: &str, address: Option<IpAddr>) -> Self {
        Self { holder: Some(format!("{} {id}", ActorKind::Key.as_str()).into()), address }
    }
}

/// Everything that is counted.
pub struct Budget {
    /// Requests that are being answered.
    pub requests: Tally,
    /// Uploads.
    pub uploads: Tally,
    /// Fetches of urls.
    pub fetches: Tally,
    /// Bytes in temporary files: of fetched files, and of large bodies.
    pub temporary: Tally,
    /// Bytes in memory that wait for a client, or for their turn.
    pub memory: Tally,
    /// The largest body of a key that reaches no library.
    pub ungranted_body: usize,
    /// Where temporary files are.
    pub folder: PathBuf,
    large: Arc<Semaphore>,
    large_units: u32,
}

impl Budget {
    /// What these settings allow.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let limits = &settings.limits;
        let large_units = u32::try_from(limits.buffered_bytes / 2 / LARGE_UNIT).unwrap_or(u32::MAX).max(1);
        let of_holder = |what, most| Tally::new(what, Most { of_holder: most, ..Most::ANYTHING });
        Self {
            requests: of_holder("requests at a time", limits.requests_per_key),
            uploads: of_holder("uploads at a time", limits.uploads_per_key),
            fetches: of_holder("fetches from urls at a time", limits.fetches_per_key),
            temporary: Tally::new(
                "bytes in temporary files",
                Most {
                    of_holder: limits.key_temporary_bytes,
                    in_all: limits.temporary_bytes,
                    ..Most::ANYTHING
                },
            ),
            memory: Tally::new(
                "bytes of requests and answers at a time",
                Most {
                    of_holder: limits.key_buffered_bytes,
                    of_address: limits.address_buffered_bytes,
                    in_all: limits.buffered_bytes,
                },
            ),
            ungranted_body: limits.ungranted_body_bytes,
            folder: settings.data_dir.join("tmp"),
            large: Arc::new(Semaphore::new(large_units as usize)),
            large_units,
        }
    }

    /// Waits until a large body of this many bytes, which is here as a whole, may be brought into memory.
    ///
    /// # Errors
    /// When the process ends.
    pub async fn turn(&self, bytes: u64) -> Result<Turn> {
        let units = u32::try_from(bytes.saturating_mul(WEIGHT) / LARGE_UNIT).unwrap_or(u32::MAX);
        let large = Arc::clone(&self.large);
        large.acquire_many_owned(units.min(self.large_units)).await.map(Turn).map_err(Error::internal)
    }
}

/// The turn of one large body; ends when dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "it is given back when dropped")] OwnedSemaphorePermit);

/// What may be taken at most.
#[derive(Debug, Clone, Copy)]
struct Most {
    of_holder: u64,
    of_address: u64,
    in_all: u64,
}

impl Most {
    const ANYTHING: Self = Self { of_holder: u64::MAX, of_address: u64::MAX, in_all: u64::MAX };
}

/// How much of one thing is taken.
#[derive(Clone)]
pub struct Tally(Arc<Parts>);

struct Parts {
    what: &'static str,
    most: Most,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: u64,
    by_holder: HashMap<Arc<str>, u64>,
    by_address: HashMap<IpAddr, u64>,
}

impl Tally {
    fn new(what: &'static str, most: Most) -> Self {
        Self(Arc::new(Parts { what, most, taken: Mutex::default() }))
    }

    /// Takes so much for somebody.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the holder or the address has too much already, `SERVICE_UNAVAILABLE` when all have; both
    /// with the time after which another try is worth it.
    pub fn take(&self, taker: &Taker, amount: u64) -> Result<Share> {
        let taker = Taker { address: taker.address.map(site), ..taker.clone() };
        let mut share = Share { tally: self.clone(), taker, amount: 0 };
        share.grow(amount)?;
        Ok(share)
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody has taken of something; given back when dropped.
pub struct Share {
    tally: Tally,
    taker: Taker,
    amount: u64,
}

impl Share {
    /// How much it is.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Takes more.
    ///
    /// # Errors
    /// As [`Tally::take`]; what was taken before stays.
    pub fn grow(&mut self, by: u64) -> Result<()> {
        let (what, most) = (self.tally.0.what, self.tally.0.most);
        let Taker { holder, address } = &self.taker;
        let mut taken = self.tally.taken();
        let too_much = |of: &'static str, most: u64| {
            let message = format!(
                "{of} may have {most} {what} on this server. Wait until some are done, and try again."
            );
            Error::new(Code::RateLimited, message).retry_after(RETRY_AFTER)
        };
        if holder.as_ref().is_some_and(|holder| sum(&taken.by_holder, holder, by) > most.of_holder) {
            return Err(too_much("One key", most.of_holder));
        }
        if address.is_some_and(|address| sum(&taken.by_address, &address, by) > most.of_address) {
            return Err(too_much("One address", most.of_address));
        }
        if taken.all.saturating_add(by) > most.in_all {
            let message = format!("The server is busy: it takes no more {what}. Try again in a moment.");
            return Err(Error::new(Code::ServiceUnavailable, message).retry_after(RETRY_AFTER));
        }
        taken.all = taken.all.saturating_add(by);
        if let Some(holder) = holder {
            *taken.by_holder.entry(Arc::clone(holder)).or_default() += by;
        }
        if let Some(address) = address {
            *taken.by_address.entry(*address).or_default() += by;
        }
        drop(taken);
        self.amount += by;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.tally.taken();
        taken.all = taken.all.saturating_sub(self.amount);
        if let Some(holder) = &self.taker.holder {
            give_back(&mut taken.by_holder, holder, self.amount);
        }
        if let Some(address) = &self.taker.address {
            give_back(&mut taken.by_address, address, self.amount);
        }
    }
}

fn sum<K: Eq + Hash>(counts: &HashMap<K, u64>, key: &K, by: u64) -> u64 {
    counts.get(key).copied().unwrap_or(0).saturating_add(by)
}

fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, u64>, key: &K, amount: u64) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(amount);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 network that one IPv6 customer has for himself.
#[must_use]
pub fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taker(key: &str, address: [u8; 4]) -> Taker {
        Taker::key(key, Some(address.into()))
    }

    #[test]
    fn what_was_taken_is_given_back() {
        let tally = Tally::new("things", Most { of_holder: 2, of_address: 3, in_all: 4 });
        let (here, there) = ([127, 0, 0, 1], [127, 0, 0, 2]);
        let two = tally.take(&taker("a", here), 2).unwrap();
        let refused = tally.take(&taker("a", there), 1).err().unwrap();
        assert_eq!((refused.code(), refused.seconds_to_wait()), (Code::RateLimited, Some(RETRY_AFTER)));
        let mut one = tally.take(&taker("b", here), 1).unwrap();
        assert_eq!(one.grow(1).unwrap_err().code(), Code::RateLimited, "the address has three");
        let last = tally.take(&Taker::default(), 1).unwrap();
        assert_eq!(tally.take(&taker("c", there), 1).err().unwrap().code(), Code::ServiceUnavailable);
        drop((two, one, last));
        let taken = tally.taken();
        assert_eq!((taken.all, taken.by_holder.len(), taken.by_address.len()), (0, 0, 0));
    }

    #[test]
    fn neighbours_in_one_network_are_one() {
        let site_of = |text: &str| site(text.parse().unwrap());
        assert_eq!(site_of("2001:db8::1"), site_of("2001:db8::ffff"));
        assert_ne!(site_of("2001:db8::1"), site_of("2001:db8:0:1::1"));
        assert_eq!(site_of("::ffff:192.0.2.1"), site_of("192.0.2.1"));
    }
}
