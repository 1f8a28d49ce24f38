//! Why clients may refuse a certificate that the server can use: its dates, its names, its chain.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_parser::certificate::X509Certificate;
use x509_parser::time::ASN1Time;

use super::{summary, system};

/// How long before a certificate expires the warnings begin: this long, or in the last quarter of a shorter life. Programs
/// that renew certificates do it after two thirds, so that a warning means that they did not.
const WARN_BEFORE: Duration = Duration::from_hours(30 * 24);

/// Reasons why clients may refuse a certificate, a sentence each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// About its dates: they change by themselves, so they are logged every day.
    pub dates: Vec<String>,
    /// About its names and its chain: they stay until the files change.
    pub others: Vec<String>,
}

impl Findings {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.dates.iter().chain(&self.others).map(String::as_str)
    }
}

/// Inspects a chain, the server's own certificate first, for a server that clients reach by the name `host`. They trust the
/// authorities of this machine and these, if any.
#[must_use]
pub fn inspect(
    chain: &[CertificateDer<'_>],
    host: &str,
    now: SystemTime,
    trusted: &[CertificateDer<'static>],
) -> Findings {
    inspect_with(chain, host, now, || [trusted, &system::authorities()].concat())
}

/// When the server's own certificate of a chain expires, in unix seconds.
#[must_use]
pub fn expiry(chain: &[CertificateDer<'_>]) -> Option<u64> {
    chain.first().and_then(parse).and_then(|own| own.validity().not_after.timestamp().try_into().ok())
}

fn inspect_with(
    chain: &[CertificateDer<'_>],
    host: &str,
    now: SystemTime,
    authorities: impl FnOnce() -> Vec<CertificateDer<'static>>,
) -> Findings {
    let certificates: Vec<X509Certificate<'_>> = chain.iter().filter_map(parse).collect();
    let Some(own) = certificates.first() else { return Findings::default() };
    let names = chain.first().and_then(|der| names_problem(der, own, host));
    let links = chain_problem(&certificates, authorities);
    Findings {
        dates: dates_problem(own, now).into_iter().collect(),
        others: names.into_iter().chain(links).collect(),
    }
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    x509_parser::parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}

fn dates_problem(certificate: &X509Certificate<'_>, now: SystemTime) -> Option<String> {
    let now = i64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
    let (from, until) = (certificate.validity().not_before, certificate.validity().not_after);
    let life = until.timestamp() - from.timestamp();
    let warned = i64::try_from(WARN_BEFORE.as_secs()).unwrap_or(i64::MAX).min(life / 4);
    if until.timestamp() <= now {
        Some(format!("the certificate expired on {}; clients refuse it. Renew it", day(until)))
    } else if from.timestamp() > now {
        Some(format!(
            "the certificate is not valid before {}; clients refuse it. Check the clock of this machine",
            day(from)
        ))
    } else if until.timestamp() - now <= warned {
        let days = (until.timestamp() - now) / 86_400;
        Some(format!("the certificate expires on {}, in {days} days. Renew it", day(until)))
    } else {
        None
    }
}

fn day(time: ASN1Time) -> String {
    time.to_datetime().date().to_string()
}

fn names_problem(der: &CertificateDer<'_>, own: &X509Certificate<'_>, host: &str) -> Option<String> {
    let expected = ServerName::try_from(host).ok()?;
    let Ok(parsed) = ParsedCertificate::try_from(der) else {
        return Some("the certificate has a form that clients refuse".to_owned());
    };
    verify_server_name(&parsed, &expected).err()?;
    let names = summary::names(own);
    let names = if names.is_empty() { "no name".to_owned() } else { summary::in_line(&names) };
    Some(format!(
        "the certificate does not name {host}, the host of server.public_url; clients refuse it. It names {names}"
    ))
}

/// Whether each certificate is signed by the next, up to one that clients can be expected to have.
fn chain_problem(
    chain: &[X509Certificate<'_>],
    authorities: impl FnOnce() -> Vec<CertificateDer<'static>>,
) -> Option<String> {
    for (position, pair) in chain.windows(2).enumerate() {
        let [one, next] = pair else { break };
        if one.issuer() != next.subject() {
            return Some(format!(
                "the chain is broken: certificate number {} in the file did not sign number {}. Clients may refuse it; \
                 each certificate has to be followed by the one that signed it",
                position + 2,
                position + 1
            ));
        }
    }
    let last = chain.last()?;
    if last.issuer() == last.subject() {
        return None;
    }
    let authorities = authorities();
    let is_known = authorities.iter().filter_map(parse).any(|known| known.subject() == last.issuer());
    (!is_known).then(|| {
        format!(
            "the chain is not complete: it ends before \"{}\", which is not an authority that this machine trusts. \
             Clients that don't know it refuse the certificate; add the intermediate certificates to the file",
            last.issuer()
        )
    })
}

#[cfg(test)]
mod tests;
