//! When a certificate is renewed, and when an ACME server that failed is asked again.

use std::time::{Duration, SystemTime};

use rand::RngExt as _;

use crate::transport::tls::CertificateSummary;

/// The pauses after the first failures, and after each further one. Public ACME servers allow five failed proofs of a name
/// in an hour.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_mins(1),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(4),
];
/// The part of a pause, or of a lifetime, by which servers that were started together go apart.
const SPREAD: u32 = 20;

/// When a certificate that was just given is renewed. Not soon, even if the clock is so wrong that the time for it seems to
/// be over: public ACME servers give the same certificate only a few times in a week.
pub(super) fn renewal_of_new(certificate: &CertificateSummary, now: SystemTime) -> SystemTime {
    renewal(certificate).max(now + life(certificate) / 3)
}

/// When a certificate is renewed: after two thirds of its life, or a little before.
pub(super) fn renewal(certificate: &CertificateSummary) -> SystemTime {
    let life = life(certificate);
    certificate.from + life * 2 / 3 - random(life / SPREAD)
}

fn life(certificate: &CertificateSummary) -> Duration {
    certificate.until.duration_since(certificate.from).unwrap_or_default()
}

/// How long to wait after this many failures in a row.
pub(super) fn pause(failures: usize) -> Duration {
    let pause = PAUSES.get(failures.saturating_sub(1)).or(PAUSES.last()).copied().unwrap_or_default();
    pause + random(pause / SPREAD)
}

fn random(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_after_about_two_thirds_of_its_life() {
        let from = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_000);
        let life = Duration::from_hours(24 * 90);
        let certificate =
            CertificateSummary { issuer: String::new(), names: Vec::new(), from, until: from + life };
        let times: Vec<SystemTime> = (0..100).map(|_| renewal(&certificate)).collect();
        for time in &times {
            assert!(*time <= from + life * 2 / 3 && *time >= from + life * 6 / 10, "{time:?}");
        }
        assert!(times.iter().any(|time| *time != times[0]), "servers go apart");
    }

    #[test]
    fn a_wrong_clock_does_not_ask_again_and_again() {
        let from = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_000);
        let life = Duration::from_hours(24 * 90);
        let certificate =
            CertificateSummary { issuer: String::new(), names: Vec::new(), from, until: from + life };
        for ahead in [0, 29, 70, 100, 4000].map(|days| Duration::from_hours(24 * days)) {
            let now = from + ahead;
            assert!(renewal_of_new(&certificate, now) >= now + life / 3, "{ahead:?}");
        }
        assert!(renewal_of_new(&certificate, from) <= from + life * 2 / 3);
    }

    #[test]
    fn the_pauses_grow_and_stay_within_what_public_servers_allow() {
        let mut waited = Duration::ZERO;
        let in_an_hour = (1..).take_while(|failures| {
            waited += PAUSES[(failures - 1).min(PAUSES.len() - 1)];
            waited < Duration::from_hours(1)
        });
        // Besides the first attempt, those after each pause.
        assert!(in_an_hour.count() < 5);
        assert!(pause(1) >= PAUSES[0] && pause(1) < PAUSES[1]);
        assert!(pause(1000) >= PAUSES[4] && pause(1000) <= PAUSES[4] * 21 / 20);
    }
}
