//! The proxies in front of the server, and settings about them that contradict each other.

use super::layers::Layers;
use super::values::ServerSection;
use crate::core::settings::ProxySettings;

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
