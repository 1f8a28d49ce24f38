//! Whether the server can get a certificate from an ACME server, as far as that shows without asking it.

use std::net::SocketAddr;
use std::time::SystemTime;

use super::{PreflightReport, Topic, address};
use crate::acme::{AcmeFolder, AcmeSettings, ChallengeKind};
use crate::config::Config;
use crate::transport::tls;

/// The port at which an ACME server looks for a proof in a TLS handshake.
const HTTPS: u16 = 443;
/// The one for a proof over plain HTTP.
const HTTP: u16 = 80;

pub(super) fn check(
    config: &Config,
    settings: &AcmeSettings,
    http_bind: Option<SocketAddr>,
    report: &mut PreflightReport,
) {
    report.problems.extend(http_bind.and_then(|bind| address(Topic::Acme, "tls.acme.http_bind", bind)));
    if let Some(Err(error)) = settings.root_file.as_deref().map(tls::read_chain) {
        report.problems.push(Topic::Acme.finding(format!("tls.acme.root_file: {error}")));
    }
    report.warnings.extend(certificate(settings, SystemTime::now()).map(|text| Topic::Acme.finding(text)));
    let host = config.public_host();
    if !settings.domains.contains(&host) {
        report.warnings.push(Topic::Acme.finding(format!(
            "{host}, the host of server.public_url, is not among tls.acme.domains, so clients refuse the certificate"
        )));
    }
    let (asked, listening) = match settings.challenge {
        ChallengeKind::TlsAlpn => (HTTPS, config.bind.port()),
        ChallengeKind::Http => (HTTP, http_bind.map_or(HTTP, |bind| bind.port())),
    };
    if asked != listening {
        report.notes.push(Topic::Acme.finding(format!(
            "the ACME server connects to port {asked} and the server listens on {listening}, so something has to forward \
             one to the other"
        )));
    }
}

/// Why there is no certificate from the ACME server, if there is none.
fn certificate(settings: &AcmeSettings, now: SystemTime) -> Option<String> {
    let folder = AcmeFolder::new(&settings.dir);
    let problem = folder.last_problem();
    let names = settings.domains.join(", ");
    let state = match folder.certificate(settings) {
        Some(summary) if summary.until <= now => {
            format!("the certificate for {names} expired on {}, and was not renewed", summary.last_day())
        }
        Some(summary) => {
            // As long as it is valid, only a failure is worth a word.
            let problem = problem.as_ref()?;
            return Some(format!(
                "the certificate for {names} was not renewed, and expires on {}. At {problem}",
                summary.last_day()
            ));
        }
        None => format!(
            "there is no certificate for {names} from {} yet, and clients refuse the one that the server made itself",
            settings.directory
        ),
    };
    let last =
        problem.map_or_else(|| ". A running server asks for it".to_owned(), |text| format!(". At {text}"));
    Some(state + &last)
}
