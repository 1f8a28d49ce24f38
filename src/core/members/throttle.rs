//! Limits attempts to sign in, by address and by account. Strangers who guess passwords don't lock out the owner of an
//! account, whose attempts from familiar addresses are counted separately.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::core::budget::client_network;
use crate::error::{Code, Error, Result};

/// Attempts from one address, for any account: how many at once, and after which time one more. An office shares one
/// address.
const PER_ADDRESS: (u32, Duration) = (30, Duration::from_secs(3));
/// Attempts for one account from all unfamiliar addresses together.
const PER_ACCOUNT: (u32, Duration) = (10, Duration::from_mins(1));
/// Attempts for one account from one familiar address, where its owner signed in before. The same number as from other
/// addresses, so that the limit does not reveal whether there is such an account.
const PER_FAMILIAR: (u32, Duration) = PER_ACCOUNT;

type Limiter<Key> = RateLimiter<Key, HashMapStateStore<Key>, DefaultClock>;

/// The recent attempts.
pub struct Throttle {
    addresses: Limiter<IpAddr>,
    accounts: Limiter<String>,
    familiar: Limiter<(String, IpAddr)>,
    is_on: bool,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new(true)
    }
}

impl Throttle {
    /// One that limits attempts, or one that is off.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            addresses: RateLimiter::hashmap(quota(PER_ADDRESS)),
            accounts: RateLimiter::hashmap(quota(PER_ACCOUNT)),
            familiar: RateLimiter::hashmap(quota(PER_FAMILIAR)),
        }
    }

    /// Counts an attempt to sign in.
    ///
    /// # Errors
    /// `RATE_LIMITED` when there were too many, with the seconds to wait.
    pub fn attempt(&self, address: Option<IpAddr>, account: &str, is_familiar: bool) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        self.attempt_from(address)?;
        match address.map(client_network).filter(|_| is_familiar) {
            Some(address) => pass(&self.familiar, &(account.to_owned(), address)),
            None => pass(&self.accounts, &account.to_owned()),
        }
    }

    /// Counts an attempt that names no account.
    ///
    /// # Errors
    /// Those of [`Throttle::attempt`].
    pub fn attempt_from(&self, address: Option<IpAddr>) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        address.map_or(Ok(()), |address| pass(&self.addresses, &client_network(address)))
    }

    /// Removes attempts that no longer count.
    pub fn tidy(&self) {
        self.addresses.retain_recent();
        self.accounts.retain_recent();
        self.familiar.retain_recent();
    }
}

fn quota((at_once, one_more): (u32, Duration)) -> Quota {
    let burst = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(one_more).unwrap_or(Quota::per_minute(NonZeroU32::MIN)).allow_burst(burst)
}

fn pass<Key: std::hash::Hash + Eq + Clone>(limiter: &Limiter<Key>, key: &Key) -> Result<()> {
    limiter.check_key(key).map_err(|until| {
        let seconds = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        Error::new(
            Code::RateLimited,
            format!("Too many attempts to sign in. Wait {seconds} seconds and try again."),
        )
        .retry_after(seconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One attempt from the network 192.0.2.0/24.
    fn attempt(throttle: &Throttle, last: u8, account: &str, is_familiar: bool) -> Result<()> {
        throttle.attempt(Some(IpAddr::from([192, 0, 2, last])), account, is_familiar)
    }

    /// How many attempts pass before one is refused.
    fn passed(attempts: impl Iterator<Item = Result<()>>) -> usize {
        attempts.take_while(Result::is_ok).count()
    }

    #[test]
    fn guesses_of_strangers_do_not_lock_out_the_owner() {
        let throttle = Throttle::default();
        let guesses = (0..200).map(|n| attempt(&throttle, n, "ada@example.org", false));
        assert_eq!(passed(guesses), 10);
        let refused = attempt(&throttle, 249, "ada@example.org", false).unwrap_err();
        assert!((1..=60).contains(&refused.seconds_to_wait().unwrap()), "{refused:?}");
        assert!(attempt(&throttle, 250, "ada@example.org", true).is_ok());
        assert!(attempt(&throttle, 251, "ada@example.org", false).is_err());
        assert!(attempt(&throttle, 251, "grace@example.org", false).is_ok());
    }

    #[test]
    fn one_address_can_not_try_many_accounts() {
        let throttle = Throttle::default();
        let guesses = (0..200).map(|n| attempt(&throttle, 1, &format!("{n}@example.org"), false));
        assert_eq!(passed(guesses), 30);
        assert!(attempt(&throttle, 2, "ada@example.org", false).is_ok());
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let [one, other] = ["2001:db8::1", "2001:db8::ffff:1"].map(|text| text.parse::<IpAddr>().unwrap());
        assert_eq!(client_network(one), client_network(other));
        assert_ne!(client_network(one), client_network("2001:db8:0:1::1".parse().unwrap()));
    }
}
