//! The settings and options that a test server starts with, before a test changes them.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::core::settings::{
    BackupSettings, Limits, MediaSettings, MemberSettings, ProxySettings, RenditionSettings, Settings,
    Timeouts,
};
use crate::fetch::FetchSettings;
use crate::transport::server::{MetricsOptions, ServerOptions};
use crate::transport::tls::ClientAuthority;
use crate::transport::tls::development::CertificateRenewer;

/// The settings of a server with this data directory.
#[must_use]
pub fn settings(data_dir: &Path, url: &str) -> Settings {
    Settings {
        data_dir: data_dir.to_owned(),
        public_url: url.to_owned(),
        cache_bytes: 16 << 20,
        reserve_bytes: 1 << 20,
        trash_keep: Duration::from_hours(30 * 24),
        unnamed_keep: Duration::from_hours(14 * 24),
        revoke_exposed_keys: false,
        // Tests are faster than any client.
        limits: Limits { requests_per_second_per_key: 0, ..Limits::default() },
        fetch: FetchSettings { enabled: true, ..FetchSettings::default() },
        renditions: RenditionSettings::default(),
        members: MemberSettings::default(),
        media: MediaSettings::default(),
        backup: BackupSettings::default(),
        scrub: Duration::ZERO,
    }
}

/// The options of a server on this listener, with this certificate.
pub(super) fn options(listener: TcpListener, certificate: &Arc<CertificateRenewer>) -> ServerOptions {
    ServerOptions {
        listener,
        unix_socket: None,
        cert_file: certificate.files().cert_file.clone(),
        key_file: certificate.files().key_file.clone(),
        development: Some(Arc::clone(certificate)),
        authority: Some(ClientAuthority::of_development(certificate.files())),
        allowed_hosts: vec!["localhost".into(), "127.0.0.1".into()],
        allowed_origins: Vec::new(),
        mcp_hosts: Vec::new(),
        graphql_introspection: true,
        graphql_cost: 30_000,
        workers: 2,
        timeouts: Timeouts {
            head: Duration::from_secs(10),
            body: Duration::from_mins(1),
            body_rate: 1024,
            answer_rate: 1024,
            idle: Duration::from_mins(1),
            drain: Duration::from_secs(5),
            connections: 1000,
            connections_per_address: 1000,
        },
        proxies: ProxySettings::default(),
        test_control: None,
        acme: None,
        metrics: MetricsOptions::default(),
        traces: None,
    }
}
