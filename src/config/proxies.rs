//! The proxies in front of the server: their addresses, the header in which they report the client, and settings that
//! contradict each other.

use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::layers::Layers;
use super::values::{ServerSection, ranges};
use crate::core::settings::{ForwardedHeader, ProxySettings};

/// The ranges of proxies. A client in one of them could claim any address.
pub(super) fn trusted<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let found = ranges(from)?;
    for range in &found {
        if range.prefix_len() == 0 {
            return Err(D::Error::custom(format!(
                "must hold only the addresses of your proxies: anyone in a range can claim any address. {range} contains every address"
            )));
        }
        if matches!(range, IpNet::V6(range) if range.network().to_ipv4_mapped().is_some()) {
            return Err(D::Error::custom(format!(
                "must hold ranges of IPv4 as such; {range} is written as IPv6"
            )));
        }
    }
    Ok(found)
}

pub(super) fn header<'de, D: Deserializer<'de>>(from: D) -> Result<ForwardedHeader, D::Error> {
    let text = String::deserialize(from)?;
    match text.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => Ok(ForwardedHeader::XForwardedFor),
        "forwarded" => Ok(ForwardedHeader::Forwarded),
        _ => Err(D::Error::custom(format!("must be \"X-Forwarded-For\" or \"Forwarded\"; it is {text:?}"))),
    }
}

/// The mode of a socket's file, in octal as `chmod` takes it.
pub(super) fn socket_mode<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let text = String::deserialize(from)?;
    u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o777).ok_or_else(|| {
        D::Error::custom(format!("must be a mode in octal as a text, such as \"0660\"; it is {text:?}"))
    })
}

pub(super) fn settings(server: &ServerSection) -> ProxySettings {
    ProxySettings {
        trusted: server.trusted_proxies.clone(),
        header: server.forwarded_header,
        protocol: server.proxy_protocol,
    }
}

/// The problem with the PROXY protocol when no address is allowed to use it.
pub(super) fn problem(server: &ServerSection, layers: &Layers) -> Option<String> {
    (server.proxy_protocol && !has_proxy(server)).then(|| {
        format!(
            "{}: server.proxy_protocol is on and server.trusted_proxies is empty, so every connection would be refused; \
             set the addresses of your proxies",
            layers.origin("server.proxy_protocol")
        )
    })
}

/// The warning about a server behind a proxy whose public url is not set: its own address is not the one that clients use.
pub(super) fn warning(server: &ServerSection) -> Option<String> {
    (has_proxy(server) && server.public_url.is_none()).then(|| {
        "server.public_url is not set, but clients reach the server through a proxy; set the origin that they use, such \
         as https://assets.example.org"
            .to_owned()
    })
}

/// Whether there is a proxy.
fn has_proxy(server: &ServerSection) -> bool {
    !server.trusted_proxies.is_empty() || server.unix_socket.is_some()
}
