//! Whether clients can reach the server at the address that it gives them. Nothing is looked up: names are only compared.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::{PreflightReport, Topic};

/// The port of HTTPS when a url names none.
const HTTPS: u16 = 443;

/// Compares the public url with the address that the server listens on. `is_configured`: whether the url was set.
pub(super) fn check(public_url: &str, is_configured: bool, bound: SocketAddr, report: &mut PreflightReport) {
    let Ok(url) = Url::parse(public_url) else { return };
    let Some(host) = url.host() else { return };
    let port = url.port_or_known_default().unwrap_or(HTTPS);
    match (is_loopback(&host), bound.ip().is_loopback()) {
        (true, false) => report.warnings.push(Topic::PublicUrl.finding(format!(
            "the server listens on {bound} for other machines, too, but gives all clients addresses that begin with \
             {public_url}, which is each client's own machine. Set server.public_url to the name that clients use, or \
             server.bind to 127.0.0.1:{}",
            bound.port()
        ))),
        (false, true) if port == bound.port() => report.warnings.push(Topic::PublicUrl.finding(format!(
            "no other machine can reach {public_url}: the server listens only on {bound}. Set server.bind to \
             0.0.0.0:{port}, or server.public_url to https://localhost:{port} if only this machine uses it"
        ))),
        (false, true) => report.notes.push(Topic::PublicUrl.finding(format!(
            "the server listens only on {bound}, so {public_url} reaches it through a proxy on this machine that \
             connects with https, or not at all"
        ))),
        (false, false) if is_unspecified(&host) => report.warnings.push(Topic::PublicUrl.finding(format!(
            "{public_url} is not an address that a client can connect to. Set server.public_url to a name or an \
             address of this machine"
        ))),
        (false, false) if !is_configured => report.notes.push(Topic::PublicUrl.finding(format!(
            "server.public_url is not set, so the urls of assets begin with {public_url}, this machine's own name. Set \
             it before urls are given away, if clients use another name"
        ))),
        (false, false) if port != bound.port() => report.notes.push(Topic::PublicUrl.finding(format!(
            "clients connect to port {port} and the server listens on {}, so something has to forward one to the other",
            bound.port()
        ))),
        (true, true) | (false, false) => {}
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_unspecified(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => false,
        Host::Ipv4(address) => IpAddr::from(*address).is_unspecified(),
        Host::Ipv6(address) => IpAddr::from(*address).is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many warnings and notes there are about a public url, and the text of the first.
    fn found(public_url: &str, is_configured: bool, bound: &str) -> (usize, usize, String) {
        let mut report = PreflightReport::default();
        check(public_url, is_configured, bound.parse().unwrap(), &mut report);
        let first = report.warnings.iter().chain(&report.notes).next();
        let text = first.map(|finding| finding.text.clone()).unwrap_or_default();
        (report.warnings.len(), report.notes.len(), text)
    }

    #[test]
    fn an_address_that_no_client_can_reach_is_a_warning() {
        for (url, bound, advice) in [
            ("https://localhost:8443", "0.0.0.0:8443", "server.bind to 127.0.0.1:8443"),
            ("https://127.0.0.2:8443", "[::]:8443", "Set server.public_url"),
            ("https://[::1]", "192.0.2.7:443", "each client's own machine"),
            ("https://app.localhost", "192.0.2.7:443", "each client's own machine"),
            ("https://assets.example.org:8443", "127.0.0.1:8443", "server.bind to 0.0.0.0:8443"),
            ("https://192.0.2.7", "[::1]:443", "no other machine can reach https://192.0.2.7"),
            ("https://0.0.0.0:8443", "0.0.0.0:8443", "not an address that a client can connect to"),
            ("https://[::]", "[::]:443", "not an address that a client can connect to"),
        ] {
            let (warnings, notes, text) = found(url, true, bound);
            assert_eq!((warnings, notes), (1, 0), "{url} on {bound}: {text}");
            assert!(text.contains(advice), "{url} on {bound}: {text}");
        }
    }

    #[test]
    fn what_may_be_meant_is_a_note_and_what_fits_is_nothing() {
        for (url, is_configured, bound, notes) in [
            ("https://localhost:8443", false, "127.0.0.1:8443", 0),
            ("https://localhost:9443", true, "127.0.0.1:8443", 0),
            ("https://assets.example.org", true, "0.0.0.0:443", 0),
            ("https://assets.example.org", true, "127.0.0.1:8443", 1),
            ("https://assets.example.org", true, "0.0.0.0:8443", 1),
            ("https://box", false, "0.0.0.0:443", 1),
        ] {
            let (warnings, found_notes, text) = found(url, is_configured, bound);
            assert_eq!((warnings, found_notes), (0, notes), "{url} on {bound}: {text}");
        }
    }
}
