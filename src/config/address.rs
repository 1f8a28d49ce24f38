//! The addresses of the server: its public url, hosts and origins. Parsed when configured, derived otherwise.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

/// How many addresses of a machine are used; some machines have one for each container.
const MAX_ADDRESSES: usize = 32;

/// The addresses of a server whose port is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The origin at which clients reach the server, without a slash at its end.
    pub public_url: String,
    /// Host names, without a port, for which `/mcp` answers; IPv6 addresses without brackets.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call; `*` is all.
    pub allowed_origins: Vec<String>,
}

/// The addresses in the configuration; empty ones are derived.
#[derive(Debug, Clone, Default)]
pub(super) struct ConfiguredAddresses {
    pub public_url: Option<String>,
    pub allowed_hosts: Vec<String>,
    pub allowed_origins: Vec<String>,
}

impl Addresses {
    /// The host of the public url; IPv6 addresses without brackets.
    #[must_use]
    pub fn public_host(&self) -> String {
        public_host(&self.public_url).unwrap_or_default()
    }

    /// Every name in the server's certificate, with `mcp_hosts`.
    pub(super) fn certificate_names(&self, mcp_hosts: &[String]) -> Vec<String> {
        let mut names: Vec<String> = public_host(&self.public_url).into_iter().collect();
        names.extend(self.allowed_hosts.iter().chain(mcp_hosts).cloned());
        drop_repeated(&mut names);
        names
    }

    /// The value of a key for addresses, as in a configuration file; `None` for other keys.
    pub(super) fn shown(&self, key: &str) -> Option<String> {
        match key {
            "server.public_url" => Some(format!("{:?}", self.public_url)),
            "server.allowed_hosts" => Some(format!("{:?}", self.allowed_hosts)),
            "server.allowed_origins" => Some(format!("{:?}", self.allowed_origins)),
            _ => None,
        }
    }
}

impl ConfiguredAddresses {
    /// Whether a key for addresses is set; `None` for other keys.
    pub fn is_set(&self, key: &str) -> Option<bool> {
        match key {
            "server.public_url" => Some(self.public_url.is_some()),
            "server.allowed_hosts" => Some(!self.allowed_hosts.is_empty()),
            "server.allowed_origins" => Some(!self.allowed_origins.is_empty()),
            _ => None,
        }
    }

    /// The addresses of a server that listens on `bound`, on this machine.
    pub fn complete(&self, bound: SocketAddr, machine: &Machine) -> Addresses {
        let public_url = self.public_url.clone().unwrap_or_else(|| derived_url(bound, &machine.name));
        let mut allowed_hosts = self.allowed_hosts.clone();
        if allowed_hosts.is_empty() {
            allowed_hosts = derived_hosts(&public_url, bound.ip(), machine);
        }
        // What clients are told must work, whatever else is listed.
        allowed_hosts.extend(public_host(&public_url));
        drop_repeated(&mut allowed_hosts);
        let mut allowed_origins = self.allowed_origins.clone();
        if allowed_origins.is_empty() {
            allowed_origins.push(public_url.clone());
            allowed_origins.extend(allowed_hosts.iter().map(|host| origin_of(host, bound.port())));
            drop_repeated(&mut allowed_origins);
        }
        Addresses { public_url, allowed_hosts, allowed_origins }
    }
}

/// The names and addresses at which others reach this machine.
pub(super) struct Machine {
    /// Its host name, or `localhost` when that can't be in a url.
    pub name: String,
    /// The addresses of its network interfaces, without those that only the machine itself can use.
    pub addresses: Vec<IpAddr>,
}

impl Machine {
    /// This one, as it is now.
    pub fn this() -> Self {
        let name = hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        let name = parse_host(&name).unwrap_or_else(|_| "localhost".to_owned());
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let mut addresses: Vec<IpAddr> =
            interfaces.iter().map(if_addrs::Interface::ip).filter(is_reachable_for_others).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(MAX_ADDRESSES);
        Self { name, addresses }
    }
}

/// Whether others can reach the machine at this address of one of its interfaces.
fn is_reachable_for_others(address: &IpAddr) -> bool {
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !address.is_loopback() && !address.is_unspecified() && !is_link_local
}

fn derived_url(bound: SocketAddr, host_name: &str) -> String {
    origin_of(if bound.ip().is_loopback() { "localhost" } else { host_name }, bound.port())
}

/// The host of a public url; IPv6 addresses without brackets.
fn public_host(public_url: &str) -> Option<String> {
    Url::parse(public_url).ok().and_then(|url| url.host_str().map(unbracketed))
}

fn derived_hosts(public_url: &str, bound: IpAddr, machine: &Machine) -> Vec<String> {
    let mut hosts: Vec<String> = public_host(public_url).into_iter().collect();
    if bound.is_unspecified() || bound.is_loopback() {
        hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    }
    if !bound.is_loopback() {
        hosts.push(machine.name.clone());
    }
    if bound.is_unspecified() {
        hosts.extend(reachable(bound, machine));
    } else {
        hosts.push(bound.to_string());
    }
    drop_repeated(&mut hosts);
    hosts
}

/// The addresses of a server that listens on all of them: only IPv4 when it listens on `0.0.0.0`.
fn reachable(bound: IpAddr, machine: &Machine) -> impl Iterator<Item = String> {
    machine
        .addresses
        .iter()
        .filter(move |address| bound.is_ipv6() || address.is_ipv4())
        .map(IpAddr::to_string)
}

/// The origin of a host, without the port when it is that of HTTPS.
fn origin_of(host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") }
}

fn unbracketed(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn drop_repeated(list: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    list.retain(|item| seen.insert(item.clone()));
}

/// A public url, as an origin.
///
/// # Errors
/// What is expected, when it is something else.
pub(super) fn parse_public_url(text: &str) -> Result<String, String> {
    match bare_url(text) {
        Some(url) if url.scheme() == "https" => Ok(url.origin().ascii_serialization()),
        Some(_) | None => Err(format!(
            "must be https:// with a host and maybe a port, and no path, such as https://assets.example.org; it is {text:?}"
        )),
    }
}

/// An origin, or `*`.
///
/// # Errors
/// What is expected, when it is something else.
pub(super) fn parse_origin(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    match bare_url(text) {
        Some(url) if ["https", "http"].contains(&url.scheme()) => Ok(url.origin().ascii_serialization()),
        Some(_) | None => Err(format!(
            "must hold origins such as https://cms.example.org, without a path, or \"*\"; one is {text:?}"
        )),
    }
}

/// A host name or an address without a port; IPv6 with or without brackets.
///
/// # Errors
/// What is expected, when it is something else.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    let bare = unbracketed(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) if !name.contains('*') => Ok(name),
        Ok(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => Err(format!(
            "must hold host names without scheme and port, such as assets.example.org; one is {text:?}"
        )),
    }
}

/// A url that is nothing but an origin.
fn bare_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare = url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    bare.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn derived(bound: &str) -> Addresses {
        ConfiguredAddresses::default().complete(bound.parse().unwrap(), &machine())
    }

    fn machine() -> Machine {
        let addresses = ["192.168.7.2", "2001:db8::2"].map(|address| address.parse().unwrap());
        Machine { name: "box".to_owned(), addresses: addresses.to_vec() }
    }

    #[test]
    fn a_loopback_server_is_localhost() {
        let found = derived("127.0.0.1:8443");
        assert_eq!(found.public_url, "https://localhost:8443");
        assert_eq!(found.allowed_hosts, ["localhost", "127.0.0.1", "::1"]);
        assert_eq!(
            found.allowed_origins,
            ["https://localhost:8443", "https://127.0.0.1:8443", "https://[::1]:8443"]
        );
    }

    #[test]
    fn a_server_on_every_address_uses_the_host_name() {
        let found = derived("0.0.0.0:443");
        assert_eq!(found.public_url, "https://box");
        assert_eq!(found.allowed_hosts, ["box", "localhost", "127.0.0.1", "::1", "192.168.7.2"]);
        let found = derived("[::]:443").allowed_hosts;
        assert_eq!(found, ["box", "localhost", "127.0.0.1", "::1", "192.168.7.2", "2001:db8::2"]);
        assert_eq!(derived("192.168.7.2:8443").allowed_hosts, ["box", "192.168.7.2"]);
    }

    #[test]
    fn configured_addresses_are_kept_and_the_others_are_derived() {
        let given = ConfiguredAddresses {
            public_url: Some("https://[2001:db8::1]".into()),
            ..ConfiguredAddresses::default()
        };
        let found = given.complete("127.0.0.1:8443".parse().unwrap(), &machine());
        assert_eq!(found.allowed_hosts, ["2001:db8::1", "localhost", "127.0.0.1", "::1"]);
        assert_eq!(found.allowed_origins[0], "https://[2001:db8::1]");
        let given = ConfiguredAddresses { allowed_origins: vec!["*".into()], ..given };
        assert_eq!(given.complete("127.0.0.1:1".parse().unwrap(), &machine()).allowed_origins, ["*"]);
    }

    #[test]
    fn a_certificate_has_every_name_of_the_server() {
        let given = ConfiguredAddresses {
            public_url: Some("https://[2001:db8::1]:8443".into()),
            allowed_hosts: vec!["a.example".into()],
            ..ConfiguredAddresses::default()
        };
        let found = given.complete("0.0.0.0:8443".parse().unwrap(), &machine());
        let names = found.certificate_names(&["mcp.example".into(), "a.example".into()]);
        assert_eq!(names, ["2001:db8::1", "a.example", "mcp.example"]);
    }

    #[test]
    fn addresses_that_only_the_machine_can_use_are_left_out() {
        for (address, expected) in [
            ("127.0.0.1", false),
            ("::1", false),
            ("169.254.1.1", false),
            ("fe80::1", false),
            ("10.0.0.7", true),
            ("2001:db8::7", true),
        ] {
            assert_eq!(is_reachable_for_others(&address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn urls_hosts_and_origins_are_read_and_normalised() {
        assert_eq!(
            parse_public_url("https://Assets.Example.org:443/").unwrap(),
            "https://assets.example.org"
        );
        assert_eq!(parse_origin("http://localhost:3000").unwrap(), "http://localhost:3000");
        assert_eq!(parse_host("[::1]").unwrap(), "::1");
        assert_eq!(parse_host("Box").unwrap(), "box");
        for text in ["http://a.org", "https://a.org/x", "https://a.org/?q", "https://u@a.org", "a.org", ""] {
            assert!(parse_public_url(text).is_err(), "{text}");
        }
        for text in ["a.org:8443", "https://a.org", "*.a.org", "a/b", ""] {
            assert!(parse_host(text).is_err(), "{text}");
        }
        assert!(parse_origin("ftp://a.org").is_err());
    }

    proptest! {
        #[test]
        fn a_host_survives_a_round_trip(text in "[a-z0-9.:\\[\\]-]{1,20}") {
            if let Ok(host) = parse_host(&text) {
                prop_assert_eq!(parse_host(&host), Ok(host.clone()));
                prop_assert!(parse_public_url(&origin_of(&host, 8443)).is_ok());
            }
        }
    }
}
