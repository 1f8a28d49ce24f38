//! The section `tls.acme`: its values, and what has to be true before an ACME server is asked for anything.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::address::parse_host;
use super::layers::Layers;
use super::values::Values;
use crate::acme::{AcmeSettings, ChallengeKind};

/// The folder in the data directory.
const FOLDER: &str = "acme";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcmeSection {
    #[serde(deserialize_with = "domains")]
    domains: Vec<String>,
    #[serde(deserialize_with = "email")]
    email: Option<String>,
    #[serde(deserialize_with = "directory")]
    directory: String,
    #[serde(deserialize_with = "challenge")]
    challenge: ChallengeKind,
    #[serde(deserialize_with = "super::values::bind_address")]
    http_bind: SocketAddr,
    accept_terms: bool,
    root_file: PathBuf,
}

/// What is configured, if any domains are. Adds what is wrong to the layers' problems.
pub(super) fn settings(values: &Values, layers: &mut Layers) -> Option<(AcmeSettings, Option<SocketAddr>)> {
    let acme = &values.tls.acme;
    if acme.domains.is_empty() {
        return None;
    }
    let origin = |key: &str| layers.origin(key);
    let mut problems = Vec::new();
    if values.network.offline {
        problems.push(format!(
            "{}: network.offline and tls.acme.domains are set, but a certificate is asked for at {}. Remove one of \
             them; without a way out, use tls.cert_file or the built-in authority",
            origin("network.offline"),
            acme.directory
        ));
    }
    if !acme.accept_terms {
        problems.push(format!(
            "{}: tls.acme.domains needs tls.acme.accept_terms = true, with which you agree to the terms of service of {}",
            origin("tls.acme.domains"),
            acme.directory
        ));
    }
    for key in ["tls.cert_file", "tls.key_file"] {
        let is_set = if key == "tls.cert_file" { &values.tls.cert_file } else { &values.tls.key_file };
        if !is_set.as_os_str().is_empty() {
            problems.push(format!(
                "{}: {key} and tls.acme.domains are set; a certificate comes from files or from an ACME server, so \
                 remove one of them",
                origin(key)
            ));
        }
    }
    layers.problems.extend(problems);
    let root_file = Some(&acme.root_file).filter(|file| !file.as_os_str().is_empty());
    let settings = AcmeSettings {
        domains: acme.domains.clone(),
        email: acme.email.clone(),
        directory: acme.directory.clone(),
        challenge: acme.challenge,
        root_file: root_file.cloned(),
        dir: values.data.dir.join(FOLDER),
    };
    Some((settings, (acme.challenge == ChallengeKind::Http).then_some(acme.http_bind)))
}

fn domains<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
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

fn email<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
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

fn directory<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    match Url::parse(&text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(url.to_string()),
        Ok(_) | Err(_) => Err(D::Error::custom(format!(
            "must be the https:// url of the directory of an ACME server; it is {text:?}"
        ))),
    }
}

fn challenge<'de, D: Deserializer<'de>>(from: D) -> Result<ChallengeKind, D::Error> {
    match String::deserialize(from)?.as_str() {
        "tls-alpn-01" => Ok(ChallengeKind::TlsAlpn),
        "http-01" => Ok(ChallengeKind::Http),
        other => Err(D::Error::custom(format!("must be \"tls-alpn-01\" or \"http-01\"; it is {other:?}"))),
    }
}
