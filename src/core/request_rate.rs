//! Limits how many requests each key may send per second: a token bucket for each key, which is one number. Only live keys
//! have one, so that strangers can neither use up a key's requests nor fill the memory.

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::settings::Limits;
use crate::core::model::id::KeyId;
use crate::error::{Code, Error, Result};

/// In how many parts the buckets are kept, each with its own lock, so that threads hardly ever wait for each other.
const PARTS: usize = 16;

type Limiter = RateLimiter<KeyId, HashMapStateStore<KeyId>, DefaultClock>;

/// The recent requests of each key.
pub struct RequestRate {
    /// Empty when there is no limit.
    parts: Vec<Limiter>,
    per_second: u32,
}

impl RequestRate {
    /// The limit in these settings.
    pub(super) fn of(limits: &Limits) -> Self {
        let per_second = limits.requests_per_second_per_key;
        let burst = NonZeroU32::new(limits.request_burst_per_key).unwrap_or(NonZeroU32::MIN);
        let parts = NonZeroU32::new(per_second).map_or_else(Vec::new, |per_second| {
            let quota = Quota::per_second(per_second).allow_burst(burst);
            (0..PARTS).map(|_| RateLimiter::hashmap(quota)).collect()
        });
        Self { parts, per_second }
    }

    /// Counts a request of a live key.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the key sent too many, with the seconds to wait.
    pub fn count(&self, key: &KeyId) -> Result<()> {
        // The ids are random, so their ends are spread evenly.
        let part = key.as_str().bytes().last().map_or(0, usize::from) % PARTS;
        let Some(limiter) = self.parts.get(part) else { return Ok(()) };
        limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            self.exceeded(seconds.max(1))
        })
    }

    /// Removes the buckets that are full again.
    pub(super) fn tidy(&self) {
        self.parts.iter().for_each(RateLimiter::retain_recent);
    }

    fn exceeded(&self, seconds: u64) -> Error {
        let message = format!(
            "The key sends more than {} requests per second. Wait {seconds} seconds and try again.",
            self.per_second
        );
        Error::new(Code::RateLimited, message).retry_after(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32, burst: u32) -> RequestRate {
        RequestRate::of(&Limits {
            requests_per_second_per_key: per_second,
            request_burst_per_key: burst,
            ..Limits::default()
        })
    }

    #[test]
    fn each_key_has_its_own_requests() {
        let rate = rate(1, 5);
        let (one, other) = (KeyId::random(), KeyId::random());
        let refused = (0..1000).find_map(|_| rate.count(&one).err()).unwrap();
        assert_eq!((refused.code(), refused.seconds_to_wait()), (Code::RateLimited, Some(1)));
        assert!(rate.count(&other).is_ok());
        rate.tidy();
        assert!(rate.count(&one).is_err(), "a bucket that is not full is kept");
    }

    #[test]
    fn zero_is_no_limit() {
        let (rate, key) = (rate(0, 1), KeyId::random());
        assert!((0..10_000).all(|_| rate.count(&key).is_ok()));
    }
}
