//! How often somebody may try to sign in: by address and by account. An account's true owner is not locked out by
//! strangers who guess: where they signed in before, they have attempts of their own.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::error::{Code, Error, Result};

/// From one address, whatever account: so many at once, and one more every few seconds. An office shares one.
const PER_ADDRESS: (u32, Duration) = (30, Duration::from_secs(3));
/// For one account from addresses that are not familiar, all together.
const PER_ACCOUNT: (u32, Duration) = (10, Duration::from_mins(1));
/// For one account from one address that it signed in from before. The same as for other addresses, so that anyone who is
/// told to wait there does not learn that there is such an account.
const PER_FAMILIAR: (u32, Duration) = PER_ACCOUNT;

type Limiter<Key> = RateLimiter<Key, HashMapStateStore<Key>, DefaultClock>;

/// The attempts of the last while.
pub struct Throttle {
    addresses: Limiter<IpAddr>,
    accounts: Limiter<String>,
    familiar: Limiter<(String, IpAddr)>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            addresses: RateLimiter::hashmap(quota(PER_ADDRESS)),
            accounts: RateLimiter::hashmap(quota(PER_ACCOUNT)),
            familiar: RateLimiter::hashmap(quota(PER_FAMILIAR)),
        }
    }
}

impl Throttle {
    /// Counts an attempt to sign in.
    ///
    /// # Errors
    /// `RATE_LIMITED` when there were too many, with the seconds to wait.
    pub fn attempt(&self, address: Option<IpAddr>, account: &str, is_familiar: bool) -> Result<()> {
        self.attempt_from(address)?;
        match address.map(network).filter(|_| is_familiar) {
            Some(address) => pass(&self.familiar, &(account.to_owned(), address)),
            None => pass(&self.accounts, &account.to_owned()),
        }
    }

    /// Counts an attempt that names no account.
    ///
    /// # Errors
    /// As [`Throttle::attempt`].
    pub fn attempt_from(&self, address: Option<IpAddr>) -> Result<()> {
        address.map_or(Ok(()), |address| pass(&self.addresses, &network(address)))
    }

    /// Deletes what no longer counts.
    pub fn tidy(&self) {
        self.addresses.retain_recent();
        self.accounts.retain_recent();
        self.familiar.retain_recent();
    }
}

/// Who gets one IPv6 address gets a whole /64, so that is what counts as one.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
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
    fn strangers_who_guess_do_not_lock_the_owner_out() {
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
        assert_eq!(network(one), network(other));
        assert_ne!(network(one), network("2001:db8:0:1::1".parse().unwrap()));
    }
}
