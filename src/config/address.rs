//! How clients name the server: its public url, hosts and origins; read when given, worked out when not.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

/// Names under which the server is reached once its port is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The origin that clients reach the server at, without a slash at its end.
    pub public_url: String,
    /// Host names, without a port, that `/mcp` answers to; IPv6 addresses without brackets.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call; `*` is all.
    pub allowed_origins: Vec<String>,
}

/// What was given of the addresses; the empty ones are worked out.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub public_url: Option<String>,
    pub allowed_hosts: Vec<String>,
    pub allowed_origins: Vec<String>,
}

impl Addresses {
    /// The value of one of the keys for addresses, as one would write it in the file.
    pub(super) fn shown(&self, key: &str) -> Option<String> {
        match key {
            "server.public_url" => Some(format!("{:?}", self.public_url)),
            "server.allowed_hosts" => Some(format!("{:?}", self.allowed_hosts)),
            "server.allowed_origins" => Some(format!("{:?}", self.allowed_origins)),
            _ => None,
        }
    }
}

impl Given {
    /// Whether a key was given, if it is one for addresses.
    pub fn is_set(&self, key: &str) -> Option<bool> {
        match key {
            "server.public_url" => Some(self.public_url.is_some()),
            "server.allowed_hosts" => Some(!self.allowed_hosts.is_empty()),
            "server.allowed_origins" => Some(!self.allowed_origins.is_empty()),
            _ => None,
        }
    }

    /// The addresses of a server that listens on `bound`, on a machine called `host_name`.
    pub fn complete(&self, bound: SocketAddr, host_name: &str) -> Addresses {
        let public_url = self.public_url.clone().unwrap_or_else(|| derived_url(bound, host_name));
        let mut allowed_hosts = self.allowed_hosts.clone();
        if allowed_hosts.is_empty() {
            allowed_hosts = derived_hosts(&public_url, bound.ip(), host_name);
        }
        let mut allowed_origins = self.allowed_origins.clone();
        if allowed_origins.is_empty() {
            allowed_origins.push(public_url.clone());
            allowed_origins.extend(allowed_hosts.iter().map(|host| origin_of(host, bound.port())));
            drop_repeated(&mut allowed_origins);
        }
        Addresses { public_url, allowed_hosts, allowed_origins }
    }
}

/// The name of this machine, or `localhost` when it has none that can be in a url.
pub(super) fn host_name() -> String {
    let name = hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    parse_host(&name).unwrap_or_else(|_| "localhost".to_owned())
}

fn derived_url(bound: SocketAddr, host_name: &str) -> String {
    origin_of(if bound.ip().is_loopback() { "localhost" } else { host_name }, bound.port())
}

fn derived_hosts(public_url: &str, bound: IpAddr, host_name: &str) -> Vec<String> {
    let public = Url::parse(public_url).ok().and_then(|url| url.host_str().map(unbracketed));
    let mut hosts: Vec<String> = public.into_iter().collect();
    if bound.is_unspecified() || bound.is_loopback() {
        hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    }
    if !bound.is_loopback() {
        hosts.push(host_name.to_owned());
    }
    if !bound.is_unspecified() {
        hosts.push(bound.to_string());
    }
    drop_repeated(&mut hosts);
    hosts
}

/// The origin of a host, which is without a port when that is the one of HTTPS.
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
        Given::default().complete(bound.parse().unwrap(), "box")
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
    fn a_server_on_every_address_goes_by_the_host_name() {
        let found = derived("0.0.0.0:443");
        assert_eq!(found.public_url, "https://box");
        assert_eq!(found.allowed_hosts, ["box", "localhost", "127.0.0.1", "::1"]);
        assert_eq!(derived("192.168.7.2:8443").allowed_hosts, ["box", "192.168.7.2"]);
    }

    #[test]
    fn what_is_given_is_kept_and_the_rest_follows_from_it() {
        let given = Given { public_url: Some("https://[2001:db8::1]".into()), ..Given::default() };
        let found = given.complete("127.0.0.1:8443".parse().unwrap(), "box");
        assert_eq!(found.allowed_hosts, ["2001:db8::1", "localhost", "127.0.0.1", "::1"]);
        assert_eq!(found.allowed_origins[0], "https://[2001:db8::1]");
        let given = Given { allowed_origins: vec!["*".into()], ..given };
        assert_eq!(given.complete("127.0.0.1:1".parse().unwrap(), "box").allowed_origins, ["*"]);
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
        fn a_host_reads_back(text in "[a-z0-9.:\\[\\]-]{1,20}") {
            if let Ok(host) = parse_host(&text) {
                prop_assert_eq!(parse_host(&host), Ok(host.clone()));
                prop_assert!(parse_public_url(&origin_of(&host, 8443)).is_ok());
            }
        }
    }
}
