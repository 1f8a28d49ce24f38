//! Reads values that have a form of their own, such as addresses and urls. Each error says what form a value must have.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use super::address::{parse_host, parse_origin, parse_public_url};
use crate::acme::ChallengeKind;
use crate::core::settings::ForwardedHeader;
use crate::telemetry::LogFormat;

pub(super) fn bind_address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    address(&String::deserialize(from)?)
}

/// An address to listen on, or `None` for no listener.
pub(super) fn optional_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() { Ok(None) } else { address(&text).map(Some) }
}

fn address<E: serde::de::Error>(text: &str) -> Result<SocketAddr, E> {
    text.parse().map_err(|_| {
        E::custom(format!(
            "must be an IP address and a port, such as 127.0.0.1:8443, 0.0.0.0:8443 or [::]:8443; it is {text:?}"
        ))
    })
}

pub(super) fn public_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    parse_public_url(&text).map(Some).map_err(D::Error::custom)
}

pub(super) fn hosts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| parse_host(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

pub(super) fn origins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| parse_origin(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

pub(super) fn folder<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Err(D::Error::custom("must be the path of a folder; it is empty"));
    }
    absolute(&text)
}

/// The address of a collector, or `None` for none.
pub(super) fn endpoint<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) if url.query().is_none() && url.fragment().is_none() => Ok(Some(url.into())),
        Some(_) | None => {
            Err(D::Error::custom(format!("must be a url such as http://localhost:4318; it is {text:?}")))
        }
    }
}

/// The path of a folder or a file; `None` where there is none, or for the default.
pub(super) fn optional_path<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    absolute(&text).map(Some)
}

/// The folder of scheduled backups.
pub(super) fn backup_folder<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let dir = optional_path(from)?;
    match dir {
        Some(file) if file.to_string_lossy().ends_with(".tar.zst") => {
            Err(D::Error::custom("must be a folder; `rasterd backup` makes a backup in a single file"))
        }
        dir => Ok(dir),
    }
}

fn absolute<E: serde::de::Error>(text: &str) -> Result<PathBuf, E> {
    if text.contains('\0') {
        return Err(E::custom("must not contain the character NUL"));
    }
    std::path::absolute(text).map_err(|error| {
        E::custom(format!("must be an absolute path here, since the current folder can't be used: {error}"))
    })
}

pub(super) fn ranges<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| range(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

/// A range of addresses; a single address is a range of one.
fn range(text: &str) -> Result<IpNet, String> {
    let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    range.map_err(|_| format!("must hold address ranges such as 192.168.7.0/24 or fd00::/8; one is {text:?}"))
}

pub(super) fn log_format<'de, D: Deserializer<'de>>(from: D) -> Result<LogFormat, D::Error> {
    match String::deserialize(from)?.as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(D::Error::custom(format!("must be \"text\" or \"json\"; it is {other:?}"))),
    }
}

pub(super) fn log_level<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    match EnvFilter::try_new(&text) {
        Ok(_) if has_levels(&text) => Ok(text),
        Ok(_) | Err(_) => Err(D::Error::custom(format!(
            "must be error, warn, info, debug or trace, also by module, such as \"info,rasterd::core=debug\"; it is {text:?}"
        ))),
    }
}

/// Whether every part has a level. In a filter, any other word is the name of a module, so a misspelt level would
/// silence the log.
fn has_levels(text: &str) -> bool {
    let has_level = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
    !text.is_empty() && (text.contains('[') || text.split(',').map(str::trim).all(has_level))
}

/// The ranges of proxies. A client in one of them could claim any address.
pub(super) fn trusted_proxies<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
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

pub(super) fn forwarded_header<'de, D: Deserializer<'de>>(from: D) -> Result<ForwardedHeader, D::Error> {
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

pub(super) fn domains<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| domain(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

fn domain(text: &str) -> Result<String, String> {
    let is_wildcard = text.starts_with("*.");
    match parse_host(text) {
        Ok(host) if host.parse::<IpAddr>().is_err() => Ok(host),
        _ if is_wildcard => Err(format!(
            "must hold whole names; {text:?} would need a proof in the DNS, which rasterd can't give"
        )),
        Ok(_) => {
            Err(format!("must hold names of domains, such as assets.example.org; {text:?} is an address"))
        }
        Err(_) => Err(format!("must hold names of domains, such as assets.example.org; one is {text:?}")),
    }
}

pub(super) fn email<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let is_email = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if is_email && !text.contains([' ', ':', ',', '?']) {
        return Ok(Some(text));
    }
    Err(D::Error::custom(format!("must be an e-mail address, or empty; it is {text:?}")))
}

pub(super) fn directory<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    match Url::parse(&text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(url.to_string()),
        Ok(_) | Err(_) => Err(D::Error::custom(format!(
            "must be the https:// url of the directory of an ACME server; it is {text:?}"
        ))),
    }
}

pub(super) fn challenge<'de, D: Deserializer<'de>>(from: D) -> Result<ChallengeKind, D::Error> {
    match String::deserialize(from)?.as_str() {
        "tls-alpn-01" => Ok(ChallengeKind::TlsAlpn),
        "http-01" => Ok(ChallengeKind::Http),
        other => Err(D::Error::custom(format!("must be \"tls-alpn-01\" or \"http-01\"; it is {other:?}"))),
    }
}
