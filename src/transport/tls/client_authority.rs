//! The authority that clients have to trust before they accept the server: that of the development certificate, or one
//! that is configured, such as a company's own.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;

use super::TlsError;
use super::development::{Bundle, DevelopmentCertificate};
use super::files::{read_authorities, read_chain};

/// The file of the machine's authorities with a configured one among them, beside those of the development certificate.
const BUNDLE: &str = "authority-bundle.pem";

/// Its files on this machine.
#[derive(Debug, Clone)]
pub struct ClientAuthority {
    /// Its certificate, PEM.
    pub file: PathBuf,
    /// The authorities of this machine with this one among them.
    pub bundle: Bundle,
    /// Whether the server made it itself, so that no machine trusts it by default.
    pub is_development: bool,
}

impl ClientAuthority {
    /// The one of a development certificate.
    #[must_use]
    pub fn of_development(files: &DevelopmentCertificate) -> Self {
        Self { file: files.ca_file.clone(), bundle: files.bundle.clone(), is_development: true }
    }

    /// One that is configured. Writes the bundle into the folder `dir`.
    ///
    /// # Errors
    /// When the file has something else than authorities, or the folder can't be written.
    pub fn configured(file: &Path, dir: &Path) -> Result<Self, TlsError> {
        let authorities = read_authorities(file)?;
        let bundle = Bundle::of(dir, BUNDLE, &authorities)?;
        Ok(Self { file: file.to_owned(), bundle, is_development: false })
    }

    /// As [`ClientAuthority::configured`] names it, without looking at the file or writing anything.
    #[must_use]
    pub fn expected(file: &Path, dir: &Path) -> Self {
        Self { file: file.to_owned(), bundle: Bundle::expected(dir.join(BUNDLE)), is_development: false }
    }

    /// Its certificates as they are now, the first one most important.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        read_chain(&self.file)
    }
}

/// Why [`ClientAuthority::configured`] would refuse a file.
#[must_use]
pub fn authority_problem(file: &Path) -> Option<TlsError> {
    read_authorities(file).err()
}
