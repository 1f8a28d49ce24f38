//! Limits on what is in use at the same time: memory for waiting bytes, disk space for temporary files, requests, uploads
//! and fetches. Each is limited per key or person, per address, and in total, so that nobody uses up what others need.
//! A [`Reservation`] is released when it is dropped. Knows no transport.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::request_rate::RequestRate;
use super::settings::Settings;
use crate::core::model::audit::{Actor, ActorKind};
use crate::error::{Code, Error, Result};

/// After how many seconds a refused client should try again.
const RETRY_AFTER: u64 = 2;
/// How many bytes of memory one byte of a large body needs while it is parsed: as text, as JSON, and as the files in it.
const PARSING_FACTOR: u64 = 4;
/// The unit in which large bodies are counted, in bytes, because a semaphore counts in 32 bits.
const LARGE_BODY_UNIT: u64 = 1 << 10;

/// The client that a reservation counts for.
#[derive(Debug, Clone, Default)]
pub struct Requester {
    /// The key or the person, as a unique text.
    pub principal: Option<Arc<str>>,
    /// The address that the request comes from.
    pub address: Option<IpAddr>,
}

impl Requester {
    /// The requester with a grant of this actor.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        let principal = match actor.kind {
            ActorKind::Key | ActorKind::Member => {
                Some(format!("{} {}", actor.kind.as_str(), actor.id).into())
            }
            ActorKind::Local | ActorKind::Stranger => None,
        };
        Self { principal, address: actor.address }
    }

    /// A key, by its public id.
    #[must_use]
    pub fn of_key(id: &str, address: Option<IpAddr>) -> Self {
        Self { principal: Some(format!("{} {id}", ActorKind::Key.as_str()).into()), address }
    }
}

/// All limits of this kind.
pub struct Budget {
    /// How often each key sends requests.
    pub rate: RequestRate,
    /// Requests in progress.
    pub requests: ResourceLimit,
    /// Uploads in progress.
    pub uploads: ResourceLimit,
    /// Fetches in progress.
    pub fetches: ResourceLimit,
    /// Bytes in temporary files: fetched files and large bodies.
    pub temporary: ResourceLimit,
    /// Bytes in memory that wait for a client, or to be processed.
    pub memory: ResourceLimit,
    /// The largest body that is accepted from a key without grants.
    pub ungranted_body: usize,
    /// The folder of temporary files.
    pub folder: PathBuf,
    large_bodies: Arc<Semaphore>,
    large_body_units: u32,
}

impl Budget {
    /// The limits in these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let limits = &settings.limits;
        let large_body_units =
            u32::try_from(limits.buffered_bytes / 2 / LARGE_BODY_UNIT).unwrap_or(u32::MAX).max(1);
        let per_principal =
            |what, max| ResourceLimit::new(what, Maximums { per_principal: max, ..Maximums::UNLIMITED });
        Self {
            rate: RequestRate::of(limits),
            requests: per_principal("requests at a time", limits.requests_per_key),
            uploads: per_principal("uploads at a time", limits.uploads_per_key),
            fetches: per_principal("fetches from urls at a time", limits.fetches_per_key),
            temporary: ResourceLimit::new(
                "bytes in temporary files",
                Maximums {
                    per_principal: limits.key_temporary_bytes,
                    total: limits.temporary_bytes,
                    ..Maximums::UNLIMITED
                },
            ),
            memory: ResourceLimit::new(
                "bytes of requests and answers at a time",
                Maximums {
                    per_principal: limits.key_buffered_bytes,
                    per_address: limits.address_buffered_bytes,
                    total: limits.buffered_bytes,
                },
            ),
            ungranted_body: limits.ungranted_body_bytes,
            folder: settings.data_dir.join("tmp"),
            large_bodies: Arc::new(Semaphore::new(large_body_units as usize)),
            large_body_units,
        }
    }

    /// Waits until there is memory to parse a complete large body of this many bytes.
    ///
    /// # Errors
    /// When the process ends.
    pub async fn large_body_permit(&self, bytes: u64) -> Result<LargeBodyPermit> {
        let units = u32::try_from(bytes.saturating_mul(PARSING_FACTOR) / LARGE_BODY_UNIT).unwrap_or(u32::MAX);
        let semaphore = Arc::clone(&self.large_bodies);
        let permit = semaphore.acquire_many_owned(units.min(self.large_body_units)).await;
        permit.map(LargeBodyPermit).map_err(Error::internal)
    }
}

/// The permission to parse one large body. Released when dropped.
#[derive(Debug)]
pub struct LargeBodyPermit(#[expect(dead_code, reason = "it is released when dropped")] OwnedSemaphorePermit);

/// The most that may be in use.
#[derive(Debug, Clone, Copy)]
struct Maximums {
    per_principal: u64,
    per_address: u64,
    total: u64,
}

impl Maximums {
    const UNLIMITED: Self = Self { per_principal: u64::MAX, per_address: u64::MAX, total: u64::MAX };
}

/// One limited resource.
#[derive(Clone)]
pub struct ResourceLimit(Arc<Inner>);

struct Inner {
    what: &'static str,
    maximums: Maximums,
    usage: Mutex<Usage>,
}

#[derive(Default)]
struct Usage {
    total: u64,
    by_principal: HashMap<Arc<str>, u64>,
    by_address: HashMap<IpAddr, u64>,
}

impl ResourceLimit {
    fn new(what: &'static str, maximums: Maximums) -> Self {
        Self(Arc::new(Inner { what, maximums, usage: Mutex::default() }))
    }

    /// Reserves an amount for a requester.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the key, the person or the address has reached its limit; `SERVICE_UNAVAILABLE` when the server
    /// has. Both say after how many seconds to try again.
    pub fn reserve(&self, requester: &Requester, amount: u64) -> Result<Reservation> {
        let requester = Requester { address: requester.address.map(client_network), ..requester.clone() };
        let mut reservation = Reservation { limit: self.clone(), requester, amount: 0 };
        reservation.grow(amount)?;
        Ok(reservation)
    }

    fn usage(&self) -> std::sync::MutexGuard<'_, Usage> {
        self.0.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An amount of a resource that is in use. Released when dropped.
pub struct Reservation {
    limit: ResourceLimit,
    requester: Requester,
    amount: u64,
}

impl Reservation {
    /// The reserved amount.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Reserves more.
    ///
    /// # Errors
    /// Those of [`ResourceLimit::reserve`]; what was reserved before stays reserved.
    pub fn grow(&mut self, by: u64) -> Result<()> {
        let (what, maximums) = (self.limit.0.what, self.limit.0.maximums);
        let Requester { principal, address } = &self.requester;
        let mut usage = self.limit.usage();
        let too_much = |of: &'static str, max: u64| {
            let message = format!(
                "{of} may have {max} {what} on this server. Wait until some are done, and try again."
            );
            Error::new(Code::RateLimited, message).retry_after(RETRY_AFTER)
        };
        let exceeds_principal = |principal| sum(&usage.by_principal, principal, by) > maximums.per_principal;
        if principal.as_ref().is_some_and(exceeds_principal) {
            return Err(too_much("One key", maximums.per_principal));
        }
        if address.is_some_and(|address| sum(&usage.by_address, &address, by) > maximums.per_address) {
            return Err(too_much("One address", maximums.per_address));
        }
        if usage.total.saturating_add(by) > maximums.total {
            let message = format!("The server is busy: it takes no more {what}. Try again in a moment.");
            return Err(Error::new(Code::ServiceUnavailable, message).retry_after(RETRY_AFTER));
        }
        usage.total = usage.total.saturating_add(by);
        if let Some(principal) = principal {
            *usage.by_principal.entry(Arc::clone(principal)).or_default() += by;
        }
        if let Some(address) = address {
            *usage.by_address.entry(*address).or_default() += by;
        }
        drop(usage);
        self.amount += by;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut usage = self.limit.usage();
        usage.total = usage.total.saturating_sub(self.amount);
        if let Some(principal) = &self.requester.principal {
            release(&mut usage.by_principal, principal, self.amount);
        }
        if let Some(address) = &self.requester.address {
            release(&mut usage.by_address, address, self.amount);
        }
    }
}

fn sum<K: Eq + Hash>(amounts: &HashMap<K, u64>, key: &K, by: u64) -> u64 {
    amounts.get(key).copied().unwrap_or(0).saturating_add(by)
}

fn release<K: Eq + Hash>(amounts: &mut HashMap<K, u64>, key: &K, amount: u64) {
    if let Some(used) = amounts.get_mut(key) {
        *used = used.saturating_sub(amount);
        if *used == 0 {
            amounts.remove(key);
        }
    }
}

/// The network that counts as one client: an IPv4 address, or the /64 network that providers give to one IPv6 customer.
#[must_use]
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requester(key: &str, address: [u8; 4]) -> Requester {
        Requester::of_key(key, Some(address.into()))
    }

    #[test]
    fn reservations_are_limited_and_released_on_drop() {
        let limit = ResourceLimit::new("things", Maximums { per_principal: 2, per_address: 3, total: 4 });
        let (here, there) = ([127, 0, 0, 1], [127, 0, 0, 2]);
        let two = limit.reserve(&requester("a", here), 2).unwrap();
        let refused = limit.reserve(&requester("a", there), 1).err().unwrap();
        assert_eq!((refused.code(), refused.seconds_to_wait()), (Code::RateLimited, Some(RETRY_AFTER)));
        let mut one = limit.reserve(&requester("b", here), 1).unwrap();
        assert_eq!(one.grow(1).unwrap_err().code(), Code::RateLimited, "the address has three");
        let last = limit.reserve(&Requester::default(), 1).unwrap();
        let refused = limit.reserve(&requester("c", there), 1).err().unwrap();
        assert_eq!(refused.code(), Code::ServiceUnavailable);
        drop((two, one, last));
        let usage = limit.usage();
        assert_eq!((usage.total, usage.by_principal.len(), usage.by_address.len()), (0, 0, 0));
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one_client() {
        let network_of = |text: &str| client_network(text.parse().unwrap());
        assert_eq!(network_of("2001:db8::1"), network_of("2001:db8::ffff"));
        assert_ne!(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
        assert_eq!(network_of("::ffff:192.0.2.1"), network_of("192.0.2.1"));
    }
}
