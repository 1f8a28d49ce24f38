//! The values as types: the keys of each section, and the parsers of their texts. Knows no layers.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use super::acme::AcmeSection;
use super::address::{parse_host, parse_origin, parse_public_url};
use super::proxies;
use crate::core::settings::{ForwardedHeader, Limits};
use crate::telemetry::LogFormat;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    pub server: ServerSection,
    pub data: DataSection,
    pub tls: TlsSection,
    pub limits: Limits,
    pub fetch: FetchSection,
    pub network: NetworkSection,
    pub renditions: RenditionsSection,
    pub media: MediaSection,
    pub graphql: GraphqlSection,
    pub trash: TrashSection,
    pub members: MembersSection,
    pub audit: AuditSection,
    pub security: SecuritySection,
    pub backup: BackupSection,
    pub scrub: ScrubSection,
    pub metrics: MetricsSection,
    pub telemetry: TelemetrySection,
    pub log: LogSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerSection {
    #[serde(deserialize_with = "bind_address")]
    pub bind: SocketAddr,
    #[serde(deserialize_with = "public_url")]
    pub public_url: Option<String>,
    #[serde(deserialize_with = "hosts")]
    pub allowed_hosts: Vec<String>,
    #[serde(deserialize_with = "origins")]
    pub allowed_origins: Vec<String>,
    #[serde(deserialize_with = "hosts")]
    pub mcp_hosts: Vec<String>,
    #[serde(deserialize_with = "proxies::trusted")]
    pub trusted_proxies: Vec<IpNet>,
    #[serde(deserialize_with = "proxies::header")]
    pub forwarded_header: ForwardedHeader,
    pub proxy_protocol: bool,
    #[serde(deserialize_with = "optional_path")]
    pub unix_socket: Option<PathBuf>,
    #[serde(deserialize_with = "proxies::socket_mode")]
    pub unix_socket_mode: u32,
    pub workers: usize,
    pub head_seconds: u64,
    pub body_seconds: u64,
    pub body_rate_bytes: u64,
    pub answer_rate_bytes: u64,
    pub idle_seconds: u64,
    pub drain_seconds: u64,
    pub connections: usize,
    pub connections_per_address: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataSection {
    #[serde(deserialize_with = "folder")]
    pub dir: PathBuf,
    pub cache_bytes: usize,
    pub reserve_bytes: u64,
    pub unnamed_keep_days: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSection {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    #[serde(deserialize_with = "optional_path")]
    pub authority_file: Option<PathBuf>,
    #[serde(deserialize_with = "optional_path")]
    pub dir: Option<PathBuf>,
    pub acme: AcmeSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FetchSection {
    pub enabled: bool,
    #[serde(deserialize_with = "ranges")]
    pub allow: Vec<IpNet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkSection {
    pub offline: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenditionsSection {
    pub cache_bytes: u64,
    pub workers: usize,
    pub picture_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaSection {
    pub import_metadata: bool,
    #[serde(rename = "heic_tool")]
    pub heic: PathBuf,
    #[serde(rename = "video_tool")]
    pub video: PathBuf,
    #[serde(rename = "pdf_tool")]
    pub pdf: PathBuf,
    #[serde(rename = "fonts_dir")]
    pub fonts: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphqlSection {
    pub introspection: bool,
    pub cost: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrashSection {
    pub keep_days: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys of the configuration say their unit")]
pub(super) struct MembersSection {
    pub session_idle_days: u64,
    pub session_days: u64,
    pub link_days: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditSection {
    pub keep_days: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecuritySection {
    pub revoke_exposed_keys: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupSection {
    #[serde(deserialize_with = "backup_folder")]
    pub dir: Option<PathBuf>,
    pub every_hours: u64,
    pub keep: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScrubSection {
    pub days: u64,
}

/// Where the metrics are, and who may read them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSection {
    /// The address of a listener of their own.
    #[serde(deserialize_with = "optional_address")]
    pub bind: Option<SocketAddr>,
    /// The file with the token that a monitor has to send.
    #[serde(deserialize_with = "optional_path")]
    pub token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TelemetrySection {
    #[serde(deserialize_with = "endpoint")]
    pub otlp_endpoint: Option<String>,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// How log lines are written.
    #[serde(deserialize_with = "format")]
    pub format: LogFormat,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`; checked to be valid.
    #[serde(deserialize_with = "level")]
    pub level: String,
}

pub(super) fn bind_address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    address(&String::deserialize(from)?)
}

/// An address to listen on, or `None` for no listener.
fn optional_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
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

fn public_url<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    parse_public_url(&text).map(Some).map_err(D::Error::custom)
}

fn hosts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| parse_host(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

fn origins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| parse_origin(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
}

fn folder<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Err(D::Error::custom("must be the path of a folder; it is empty"));
    }
    absolute(&text)
}

/// The address of a collector, or `None` for none.
fn endpoint<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
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
fn optional_path<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    absolute(&text).map(Some)
}

/// The folder of scheduled backups.
fn backup_folder<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let dir = optional_path(from)?;
    match dir {
        Some(file) if file.to_string_lossy().ends_with(".tar.zst") => Err(D::Error::custom(
            "must be a folder: only `rasterd backup` writes a backup in one file, which is there once",
        )),
        dir => Ok(dir),
    }
}

fn absolute<E: serde::de::Error>(text: &str) -> Result<PathBuf, E> {
    std::path::absolute(text).map_err(|error| E::custom(format!("can't be made absolute: {error}")))
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

fn format<'de, D: Deserializer<'de>>(from: D) -> Result<LogFormat, D::Error> {
    match String::deserialize(from)?.as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(D::Error::custom(format!("must be \"text\" or \"json\"; it is {other:?}"))),
    }
}

fn level<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
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
