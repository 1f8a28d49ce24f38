//! TLS: turns certificate files into a `rustls::ServerConfig`, and reloads them while connections stay open.
//! Knows files and rustls; knows no sockets and no HTTP.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fmt, fs};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

mod client_authority;
pub mod development;
mod files;
mod findings;
mod key_permissions;
pub mod system;

pub use client_authority::{ClientAuthority, authority_problem};
pub use files::{pem_of, problems, read_chain};
pub use findings::{Findings, inspect};
pub use key_permissions::check_key;

use files::read_pair;

/// Why a certificate or a key can't be used: which file, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct TlsError {
    /// The file that has the problem.
    pub file: PathBuf,
    /// The problem and what to do about it, as a clause for a person.
    pub problem: String,
}

impl TlsError {
    fn new(file: &Path, problem: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), problem: problem.to_string() }
    }
}

/// The cryptography that rustls uses.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// TLS 1.3 and 1.2 with AEAD suites, HTTP/1.1, session tickets, and the certificate that is current when a client
/// says hello.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn server_config(certificates: Arc<Certificates>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}

/// A certificate chain with its key, from two files.
pub struct Certificates {
    cert_file: PathBuf,
    key_file: PathBuf,
    current: ArcSwap<CertifiedKey>,
    last_read: Mutex<Stamp>,
}

/// Shows whether a file was changed: time and size of both.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificates {
    /// Reads the chain and the key, both PEM.
    ///
    /// # Errors
    /// When a file can't be read or holds something else, the key is not the certificate's, or others may access the key.
    pub fn load(cert_file: &Path, key_file: &Path) -> Result<Arc<Self>, TlsError> {
        let stamp = stamp(cert_file, key_file);
        let pair = read_pair(cert_file, key_file)?;
        check_key(key_file)?;
        Ok(Arc::new(Self {
            cert_file: cert_file.to_owned(),
            key_file: key_file.to_owned(),
            current: ArcSwap::from_pointee(pair),
            last_read: Mutex::new(stamp),
        }))
    }

    /// Reads the files again, for new connections. A pair that can't be used changes nothing.
    ///
    /// # Errors
    /// As [`Certificates::load`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let stamp = stamp(&self.cert_file, &self.key_file);
        let pair = read_pair(&self.cert_file, &self.key_file)
            .and_then(|pair| check_key(&self.key_file).map(|()| pair));
        *self.last_read.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
        self.current.store(Arc::new(pair?));
        Ok(())
    }

    /// [`Certificates::reload`], with the outcome in the log.
    pub fn reload_and_log(&self) {
        match self.reload() {
            Ok(()) => tracing::info!(file = %self.cert_file.display(), "the certificate was reloaded"),
            Err(error) => {
                tracing::error!("the certificate was not reloaded, the previous one stays in use: {error}");
            }
        }
    }

    /// Reloads the files if they changed since they were last read.
    pub fn reload_if_changed(&self) {
        let now = stamp(&self.cert_file, &self.key_file);
        let last = *self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        if now != last {
            self.reload_and_log();
        }
    }

    /// The chain that new connections get, the server's own certificate first.
    #[must_use]
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current.load().cert.clone()
    }

    /// The file with the chain.
    #[must_use]
    pub fn cert_file(&self) -> &Path {
        &self.cert_file
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("cert_file", &self.cert_file).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn stamp(cert_file: &Path, key_file: &Path) -> Stamp {
    [cert_file, key_file].map(|file| {
        let metadata = fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}
