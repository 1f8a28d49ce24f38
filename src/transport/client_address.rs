//! Who a request comes from: the address of its client, also behind proxies. Nothing else reads the address of a peer, or
//! what a proxy writes about it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use actix_http::Request;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue, X_FORWARDED_FOR};

use crate::core::settings::{ForwardedHeader, ProxySettings};

/// The most entries of a list that are read. A request passes a few proxies.
const MAX_HOPS: usize = 32;

/// Where a connection comes from.
#[derive(Debug, Clone)]
pub struct ConnectionOrigin {
    peer: Peer,
    proxies: Arc<ProxySettings>,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// A client. What it says about its address does not count.
    Client(IpAddr),
    /// A proxy, which says in each request whose it is.
    Proxy(IpAddr),
}

impl ConnectionOrigin {
    /// A connection from this address.
    #[must_use]
    pub fn new(address: IpAddr, proxies: Arc<ProxySettings>) -> Self {
        let address = address.to_canonical();
        let peer = if is_trusted(&proxies, address) { Peer::Proxy(address) } else { Peer::Client(address) };
        Self { peer, proxies }
    }

    /// A connection to the Unix socket, which only those can open whom the mode of its file allows. The proxy is on this
    /// machine, so what it does not say whose it is counts as this machine's, and not as nobody's.
    #[must_use]
    pub fn of_unix_socket(proxies: Arc<ProxySettings>) -> Self {
        Self { peer: Peer::Proxy(Ipv4Addr::LOCALHOST.into()), proxies }
    }

    /// The same connection, which its proxy says is of the client with this address.
    #[must_use]
    pub fn announced(&self, client: IpAddr) -> Self {
        Self::new(client, Arc::clone(&self.proxies))
    }

    /// The address at the other end of the connection.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        match self.peer {
            Peer::Client(address) | Peer::Proxy(address) => address,
        }
    }

    /// The client at the other end, unless it is a trusted proxy.
    #[must_use]
    pub fn only_client(&self) -> Option<IpAddr> {
        match self.peer {
            Peer::Client(address) => Some(address),
            Peer::Proxy(_) => None,
        }
    }

    /// Whether a trusted proxy is at the other end, so that requests of many clients come on this connection.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        matches!(self.peer, Peer::Proxy(_))
    }

    /// The client of a request on this connection: the last address in the header of the proxies that is not a trusted
    /// proxy's own. Each proxy adds the address that it saw at the end, so what a client wrote itself is before that. Where
    /// an entry can't be read, it is the proxy that wrote it.
    fn client(&self, headers: &HeaderMap) -> IpAddr {
        match self.peer {
            Peer::Client(address) => address,
            Peer::Proxy(proxy) => self.forwarded(headers).unwrap_or(proxy),
        }
    }

    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lines: Vec<&HeaderValue> = headers.get_all(name(self.proxies.header)).collect();
        // No address has a comma, so a quote that a client leaves open can't swallow what the proxy adds.
        let entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut found = None;
        for entry in entries.take(MAX_HOPS) {
            let Some(address) = address_in(self.proxies.header, entry) else { break };
            found = Some(address);
            if !is_trusted(&self.proxies, address) {
                break;
            }
        }
        found
    }
}

/// The address of the client of a request. `None` when it came through no connection, as in a test.
#[must_use]
pub fn client_of(request: &Request) -> Option<IpAddr> {
    request.conn_data::<ConnectionOrigin>().map(|origin| origin.client(request.head().headers()))
}

fn is_trusted(proxies: &ProxySettings, address: IpAddr) -> bool {
    proxies.trusted.iter().any(|range| range.contains(&address))
}

fn name(header: ForwardedHeader) -> HeaderName {
    match header {
        ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        ForwardedHeader::Forwarded => FORWARDED,
    }
}

/// The address in one entry of the header. `None` when it has none that can be read, such as `unknown`.
fn address_in(header: ForwardedHeader, entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?;
    match header {
        ForwardedHeader::XForwardedFor => node_address(trimmed(entry)),
        ForwardedHeader::Forwarded => node_address(for_parameter(entry)?),
    }
}

/// The value of `for` among the parameters of one proxy, without its quotes (RFC 7239).
fn for_parameter(entry: &str) -> Option<&str> {
    let (mut rest, mut found) = (entry, None);
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = parameter_value(after)?;
        if !trimmed(name).chars().all(is_token) {
            return None;
        }
        if trimmed(name).eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
        rest = match trimmed(after) {
            "" => return found,
            after => after.strip_prefix(';')?,
        };
    }
}

/// A token or a quoted string at the start, and what follows it.
fn parameter_value(text: &str) -> Option<(&str, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|letter| !is_token(letter) && letter != ':').unwrap_or(text.len());
        return text.split_at_checked(end);
    };
    let mut is_escaped = false;
    let end = quoted.find(|letter| {
        let ends = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        ends
    })?;
    Some((quoted.get(..end)?, quoted.get(end + 1..)?))
}

fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// An address with a port or without; that of IPv6 in brackets or without.
fn node_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = if let Some(text) = text.strip_prefix('[') {
        let (address, port) = text.split_once(']')?;
        (IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), port)
    } else {
        let (address, port) = text.split_at_checked(text.find(':')?)?;
        (IpAddr::V4(address.parse::<Ipv4Addr>().ok()?), port)
    };
    let is_port = |port: &str| !port.is_empty() && port.chars().all(is_token);
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then(|| address.to_canonical())
}

#[cfg(test)]
mod tests;
