//! TLS: turns certificate files into a `rustls::ServerConfig`, and reloads them while connections stay open.
//! Knows files and rustls; knows no sockets and no HTTP.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use std::{fmt, fs};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub mod challenges;
mod client_authority;
pub mod development;
mod files;
mod findings;
mod key_permissions;
mod summary;
pub mod system;

pub use client_authority::{ClientAuthority, authority_problem};
pub use files::{pem_of, problems, read_authorities, read_chain};
pub use findings::{Findings, expiry, inspect};
pub use key_permissions::check_key;
pub use summary::CertificateSummary;

use challenges::{CHALLENGE_PROTOCOL, ChallengeResolver, Challenges};
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
/// says hello. With `challenges`, an ACME server can ask for proofs in a handshake.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn server_config(
    certificates: Arc<Certificates>,
    challenges: Option<Challenges>,
) -> Result<ServerConfig, rustls::Error> {
    let mut protocols = vec![b"http/1.1".to_vec()];
    let resolver: Arc<dyn ResolvesServerCert> = match challenges {
        Some(challenges) => {
            protocols.push(CHALLENGE_PROTOCOL.to_vec());
            Arc::new(ChallengeResolver { certificates, challenges })
        }
        None => certificates,
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = protocols;
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(config)
}

/// A certificate chain with its key, from two files, or from one that has both.
pub struct Certificates {
    source: Mutex<CertificateSource>,
    current: ArcSwap<CertifiedKey>,
}

/// Where they were read from.
#[derive(Clone)]
struct CertificateSource {
    cert_file: PathBuf,
    key_file: PathBuf,
    stamp: Stamp,
}

/// Shows whether a file was changed: time and size of both.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificates {
    /// Reads the chain and the key, both PEM.
    ///
    /// # Errors
    /// When a file can't be read or holds something else, the key is not the certificate's, or others may access the key.
    pub fn load(cert_file: &Path, key_file: &Path) -> Result<Arc<Self>, TlsError> {
        let source = CertificateSource::new(cert_file, key_file);
        let pair = source.read()?;
        Ok(Arc::new(Self { source: Mutex::new(source), current: ArcSwap::from_pointee(pair) }))
    }

    /// Uses these files from now on, for new connections. Those that can't be used change nothing.
    ///
    /// # Errors
    /// As [`Certificates::load`].
    pub fn use_files(&self, cert_file: &Path, key_file: &Path) -> Result<(), TlsError> {
        let source = CertificateSource::new(cert_file, key_file);
        let pair = source.read()?;
        *self.source() = source;
        self.current.store(Arc::new(pair));
        Ok(())
    }

    /// Reads the files again, for new connections. A pair that can't be used changes nothing.
    ///
    /// # Errors
    /// As [`Certificates::load`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let source = {
            let mut source = self.source();
            *source = CertificateSource::new(&source.cert_file, &source.key_file);
            source.clone()
        };
        self.current.store(Arc::new(source.read()?));
        Ok(())
    }

    /// [`Certificates::reload`], with the outcome in the log.
    pub fn reload_and_log(&self) {
        match self.reload() {
            Ok(()) => tracing::info!(file = %self.cert_file().display(), "the certificate was reloaded"),
            Err(error) => {
                let page = "/docs/certificates#files-of-your-own";
                tracing::error!(
                    docUrl = page,
                    "the certificate was not reloaded, the previous one stays in use: {error}"
                );
            }
        }
    }

    /// Reloads the files if they changed since they were last read.
    pub fn reload_if_changed(&self) {
        let source = self.source().clone();
        if stamp(&source.cert_file, &source.key_file) != source.stamp {
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
    pub fn cert_file(&self) -> PathBuf {
        self.source().cert_file.clone()
    }

    fn source(&self) -> MutexGuard<'_, CertificateSource> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CertificateSource {
    /// These files as they are now.
    fn new(cert_file: &Path, key_file: &Path) -> Self {
        let stamp = stamp(cert_file, key_file);
        Self { cert_file: cert_file.to_owned(), key_file: key_file.to_owned(), stamp }
    }

    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let pair = read_pair(&self.cert_file, &self.key_file)?;
        check_key(&self.key_file)?;
        Ok(pair)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("cert_file", &self.cert_file()).finish_non_exhaustive()
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
