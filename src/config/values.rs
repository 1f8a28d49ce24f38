//! The values as types: the keys of each section. Knows no layers.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::parsing::{
    backup_folder, bind_address, challenge, directory, domains, email, endpoint, folder, forwarded_header,
    hosts, log_format, log_level, optional_address, optional_path, origins, public_url, ranges, socket_mode,
    trusted_proxies,
};
use crate::acme::ChallengeKind;
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
    #[serde(deserialize_with = "trusted_proxies")]
    pub trusted_proxies: Vec<IpNet>,
    #[serde(deserialize_with = "forwarded_header")]
    pub forwarded_header: ForwardedHeader,
    pub proxy_protocol: bool,
    #[serde(deserialize_with = "optional_path")]
    pub unix_socket: Option<PathBuf>,
    #[serde(deserialize_with = "socket_mode")]
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
pub(super) struct AcmeSection {
    #[serde(deserialize_with = "domains")]
    pub domains: Vec<String>,
    #[serde(deserialize_with = "email")]
    pub email: Option<String>,
    #[serde(deserialize_with = "directory")]
    pub directory: String,
    #[serde(deserialize_with = "challenge")]
    pub challenge: ChallengeKind,
    #[serde(deserialize_with = "bind_address")]
    pub http_bind: SocketAddr,
    pub accept_terms: bool,
    pub root_file: PathBuf,
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
    #[serde(deserialize_with = "log_format")]
    pub format: LogFormat,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`; checked to be valid.
    #[serde(deserialize_with = "log_level")]
    pub level: String,
}
