//! The certificate while the server runs: changed files are read, a development certificate is renewed in time, and the
//! log says why clients may refuse the certificate; what concerns its dates is repeated once a day.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;

use crate::core::clock::Clock;
use crate::core::model::time::{Millis, millis};
use crate::transport::tls::development::CertificateRenewer;
use crate::transport::tls::{self, Certificates, ClientAuthority, Findings};

/// How often the files are checked for changes, and the clock for jumps.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How often a development certificate is compared with the names and addresses that this machine has now.
const COMPARE_EVERY: Millis = 60 * 60 * 1000;
/// How often the same warning is repeated.
const WARN_EVERY: Millis = 24 * 60 * 60 * 1000;

/// Where the documentation is about the certificate that the server makes itself.
const AUTHORITY: &str = "/docs/certificates#the-built-in-authority";
/// Where it is about a certificate that clients refuse.
const REFUSED: &str = "/docs/when-something-is-wrong#clients-refuse-the-certificate";

/// Reloads and renews the certificate, and warns about it.
pub(super) struct Renewal {
    pub certificates: Arc<Certificates>,
    /// Renews the certificate, when it is a development one.
    pub renewer: Option<Arc<CertificateRenewer>>,
    /// The host name that clients use for the server.
    pub host: String,
    /// The authority that clients were told to trust, if they have to trust one.
    pub authority: Option<ClientAuthority>,
    /// Whether clients see this certificate, and not that of a proxy.
    pub is_shown_to_clients: bool,
    pub clock: Clock,
}

/// What was done last, and when.
#[derive(Default)]
struct LastRun {
    compared: Option<Millis>,
    warned_of: Vec<CertificateDer<'static>>,
    warned: Option<Millis>,
}

impl Renewal {
    /// Runs as long as it is polled.
    pub async fn run(&self) {
        // The certificate was compared when it was opened.
        let mut last = LastRun { compared: Some(self.clock.now()), ..LastRun::default() };
        loop {
            self.certificates.reload_if_changed();
            self.renew(&mut last).await;
            self.warn(&mut last).await;
            let next = self.clock.now().saturating_add(millis(CHECK_EVERY));
            // The clock may also go back, and then that time would be far away.
            let _either = tokio::time::timeout(CHECK_EVERY, self.clock.reach(next)).await;
        }
    }

    /// Compares a development certificate with what it should be, at intervals and after every jump of the clock.
    async fn renew(&self, last: &mut LastRun) {
        let Some(renewer) = self.renewer.clone() else { return };
        let now = self.clock.now();
        if !is_due(last.compared, now, COMPARE_EVERY) {
            return;
        }
        last.compared = Some(now);
        let now = system_time(now);
        match tokio::task::spawn_blocking(move || renewer.renew(now)).await {
            Ok(Ok(())) => self.certificates.reload_if_changed(),
            Ok(Err(error)) => {
                tracing::error!(docUrl = AUTHORITY, "the development certificate can't be renewed: {error}");
            }
            Err(error) => {
                tracing::error!(docUrl = AUTHORITY, "the development certificate was not renewed: {error}");
            }
        }
    }

    /// Logs why clients may refuse the certificate: everything when it is new, what concerns its dates every day.
    async fn warn(&self, last: &mut LastRun) {
        let (chain, now) = (self.certificates.chain(), self.clock.now());
        let is_new = last.warned_of != chain;
        if !is_new && !is_due(last.warned, now, WARN_EVERY) {
            return;
        }
        let Some(findings) = self.findings(chain.clone(), now).await else { return };
        let file = self.certificates.cert_file();
        let file = file.display();
        for finding in &findings.dates {
            tracing::warn!(%file, docUrl = REFUSED, "{finding}");
        }
        for finding in findings.others.iter().filter(|_| is_new) {
            tracing::warn!(%file, docUrl = REFUSED, "{finding}");
        }
        last.warned = Some(now);
        last.warned_of = chain;
    }

    /// Without findings about the chain of a development certificate: that is ours, and complete without the authority.
    /// What a proxy checks about names and the chain is configured there.
    async fn findings(&self, chain: Vec<CertificateDer<'static>>, now: Millis) -> Option<Findings> {
        let (host, authority) = (self.host.clone(), self.authority.clone());
        let inspected = tokio::task::spawn_blocking(move || {
            let trusted = authority.and_then(|authority| authority.certificates().ok()).unwrap_or_default();
            tls::inspect(&chain, &host, system_time(now), &trusted)
        });
        let mut findings = inspected.await.ok()?;
        if self.renewer.is_some() || !self.is_shown_to_clients {
            findings.others.clear();
        }
        Some(findings)
    }
}

/// Whether it is time again. It is, too, when the clock went back.
fn is_due(last: Option<Millis>, now: Millis, every: Millis) -> bool {
    last.is_none_or(|last| now < last || now - last >= every)
}

fn system_time(now: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_due_after_its_interval_and_when_the_clock_went_back() {
        for (last, now, is_due_now) in [
            (None, 0, true),
            (Some(0), 0, false),
            (Some(1000), 1000 + WARN_EVERY - 1, false),
            (Some(1000), 1000 + WARN_EVERY, true),
            (Some(1000), 1000 + WARN_EVERY * 400, true),
            (Some(1000), 999, true),
        ] {
            assert_eq!(is_due(last, now, WARN_EVERY), is_due_now, "{last:?} {now}");
        }
    }
}
