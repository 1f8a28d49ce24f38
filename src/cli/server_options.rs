//! What a server with a configuration is started with: its listeners, the files of its certificate, its options.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::CommandError;
use super::acme::AcmeCertificate;
use crate::acme::AcmeSettings;
use crate::config::{Addresses, Certificate, Config, MetricsSection};
use crate::core::data_dir::DataDir;
use crate::transport::server::unix_socket::UnixSocket;
use crate::transport::server::{MetricsOptions, MetricsToken, ServerOptions};
use crate::transport::tls::ClientAuthority;
use crate::transport::tls::development::{self, CertificateRenewer, DevelopmentCertificate};

/// The certificate's files, and what renews them when they are those of the development certificate.
pub(super) struct CertificateFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub development: Option<Arc<CertificateRenewer>>,
    /// The authority that clients have to trust first.
    pub authority: Option<ClientAuthority>,
    pub acme: Option<AcmeCertificate>,
}

impl CertificateFiles {
    /// Those of a development certificate.
    pub fn of_development(renewer: Arc<CertificateRenewer>) -> Self {
        let DevelopmentCertificate { cert_file, key_file, .. } = renewer.files().clone();
        let authority = Some(ClientAuthority::of_development(renewer.files()));
        Self { cert: cert_file, key: key_file, development: Some(renewer), authority, acme: None }
    }
}

/// How a server with this configuration listens and answers.
pub(super) fn options(
    config: &Config,
    listener: TcpListener,
    addresses: &Addresses,
    certificate: &CertificateFiles,
) -> ServerOptions {
    ServerOptions {
        listener,
        unix_socket: None,
        cert_file: certificate.cert.clone(),
        key_file: certificate.key.clone(),
        development: certificate.development.clone(),
        authority: certificate.authority.clone(),
        allowed_hosts: addresses.allowed_hosts.clone(),
        allowed_origins: addresses.allowed_origins.clone(),
        mcp_hosts: config.mcp_hosts.clone(),
        graphql_introspection: config.graphql_introspection,
        graphql_cost: config.graphql_cost,
        workers: config.workers,
        timeouts: config.timeouts.clone(),
        proxies: config.proxies.clone(),
        test_control: None,
        acme: None,
        metrics: MetricsOptions::default(),
        traces: None,
    }
}

/// Where the metrics are, and who may read them.
pub(super) fn metrics(config: &Config) -> Result<MetricsOptions, CommandError> {
    let MetricsSection { bind, token_file } = &config.metrics;
    let token = token_file.as_deref().map(MetricsToken::load).transpose()?.map(Arc::new);
    let listener = bind.map(|address| listen(address, "metrics.bind")).transpose()?;
    Ok(MetricsOptions { listener, token })
}

/// Listens on an address. `key` is where it is configured.
pub(super) fn listen(address: SocketAddr, key: &str) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).map_err(|error| {
        CommandError(format!(
            "can't listen on {address}: {error}. Choose another address with {key}; port 0 chooses a free one"
        ))
    })
}

pub(super) fn listen_on_unix_socket(config: &Config) -> Result<Option<UnixSocket>, CommandError> {
    let Some(path) = &config.unix_socket else { return Ok(None) };
    let opened = UnixSocket::open(path, config.unix_socket_mode);
    opened.map(Some).map_err(|error| CommandError(format!("server.unix_socket: {error}")))
}

/// The configured files, or those of the development certificate, which is created if it does not exist.
pub(super) fn certificate_files(
    config: &Config,
    bound: SocketAddr,
) -> Result<CertificateFiles, CommandError> {
    let mut files = own_certificate(config, bound)?;
    match &config.authority_file {
        Some(file) => {
            files.authority = Some(ClientAuthority::configured(file, &config.certificates_dir)?);
        }
        // Clients see the certificate of the proxy.
        None if config.is_behind_a_proxy() => files.authority = None,
        None => {}
    }
    Ok(files)
}

/// The certificate that this server shows, with its own authority.
fn own_certificate(config: &Config, bound: SocketAddr) -> Result<CertificateFiles, CommandError> {
    match &config.certificate {
        Certificate::Files { cert, key } => {
            let (cert, key) = (cert.clone(), key.clone());
            Ok(CertificateFiles { cert, key, development: None, authority: None, acme: None })
        }
        Certificate::Acme { settings, http_bind, dir } => {
            let made = development::ensure(dir, &config.certificate_names(bound), SystemTime::now())?;
            let acme = AcmeCertificate::new(AcmeSettings::clone(settings), *http_bind);
            let (cert, key) = match acme.file() {
                Some(file) => (file.clone(), file),
                None => (made.cert_file, made.key_file),
            };
            Ok(CertificateFiles { cert, key, development: None, authority: None, acme: Some(acme) })
        }
        Certificate::Development { dir, former } => {
            // Only an existing installation has clients that trust the authority in the former folder.
            if let Some(former) = former
                && DataDir::new(&config.data_dir).database_path().exists()
            {
                development::adopt(former, dir)?;
            }
            let config = config.clone();
            let names = move || config.certificate_names(bound);
            let renewer = CertificateRenewer::open(dir, names, SystemTime::now())?;
            Ok(CertificateFiles::of_development(Arc::new(renewer)))
        }
    }
}
