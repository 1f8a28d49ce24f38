//! TLS: certificate files → `rustls::ServerConfig`, and their reload while connections stay open.
//! Knows files and rustls; knows no sockets and no HTTP.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub mod development;

/// How often the files are looked at for a change.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why a certificate or a key can't be used: which file, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct TlsError {
    /// The file that has the problem.
    pub file: PathBuf,
    /// The problem and what to do, as a clause for a person.
    pub problem: String,
}

impl TlsError {
    fn new(file: &Path, problem: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), problem: problem.to_string() }
    }
}

/// The cryptography that rustls uses here, in one place.
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

/// A certificate chain with its key, from two files, and what they held when last read.
pub struct Certificates {
    cert_file: PathBuf,
    key_file: PathBuf,
    current: ArcSwap<CertifiedKey>,
    read: Mutex<Stamp>,
}

/// What tells that a file was changed: time and size of both.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificates {
    /// Reads the chain and the key, both PEM.
    ///
    /// # Errors
    /// When a file can't be read or holds something else, or the key is another certificate's.
    pub fn load(cert_file: &Path, key_file: &Path) -> Result<Arc<Self>, TlsError> {
        let read = stamp(cert_file, key_file);
        let pair = read_pair(cert_file, key_file)?;
        Ok(Arc::new(Self {
            cert_file: cert_file.to_owned(),
            key_file: key_file.to_owned(),
            current: ArcSwap::from_pointee(pair),
            read: Mutex::new(read),
        }))
    }

    /// Reads the files again. New connections get what they hold; a pair that can't be used changes nothing.
    ///
    /// # Errors
    /// As [`Certificates::load`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let read = stamp(&self.cert_file, &self.key_file);
        let pair = read_pair(&self.cert_file, &self.key_file);
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
        self.current.store(Arc::new(pair?));
        Ok(())
    }

    /// [`Certificates::reload`], with the outcome in the log.
    pub fn reload_and_log(&self) {
        match self.reload() {
            Ok(()) => tracing::info!(file = %self.cert_file.display(), "the certificate was reloaded"),
            Err(error) => {
                tracing::error!("the certificate was not reloaded, the one before stays in use: {error}");
            }
        }
    }

    /// Reloads whenever the files change, as long as it is polled.
    pub async fn watch(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = stamp(&self.cert_file, &self.key_file);
            let known = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
            if now != known {
                self.reload_and_log();
            }
        }
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
        let about = fs::metadata(file).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

fn read_pair(cert_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(cert_file)?;
    let key = read_key(key_file)?;
    warn_of_dates(cert_file, &chain);
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::new(
            key_file,
            format_args!("this is not the key of the certificate in {}", cert_file.display()),
        ),
        other => TlsError::new(key_file, format_args!("the key can't be used: {other}")),
    })
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(file)?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::new(file, format_args!("not readable as PEM: {error}")))?;
    if chain.is_empty() {
        let hint = "no certificate in it; expected the server's certificate and then its chain, as PEM";
        return Err(TlsError::new(file, hint));
    }
    Ok(chain)
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            TlsError::new(file, "no private key in it; expected one as PEM, without a password")
        }
        other => TlsError::new(file, format_args!("not readable as PEM: {other}")),
    })
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|error| TlsError::new(file, reading(&error)))
}

fn reading(error: &io::Error) -> String {
    format!("can't be read: {error}")
}

/// A certificate out of its time still serves: some clients don't mind, and no server helps nobody.
fn warn_of_dates(file: &Path, chain: &[CertificateDer<'_>]) {
    let Some(Ok((_, certificate))) = chain.first().map(|first| x509_parser::parse_x509_certificate(first))
    else {
        return;
    };
    let validity = certificate.validity();
    if !validity.is_valid() {
        tracing::warn!(
            file = %file.display(), from = %validity.not_before, until = %validity.not_after,
            "the certificate is not valid now; clients will refuse it"
        );
    }
}
