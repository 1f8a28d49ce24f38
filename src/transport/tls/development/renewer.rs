//! Renews the development certificate while the server runs: before it expires, and when the names change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{DevelopmentCertificate, ensure};
use crate::transport::tls::TlsError;

/// Gives the names that the certificate should have now.
type NamesProvider = Box<dyn Fn() -> Vec<String> + Send + Sync>;

/// Keeps the certificate in a folder valid, with the names that it should have.
pub struct CertificateRenewer {
    dir: PathBuf,
    names: NamesProvider,
    files: DevelopmentCertificate,
}

impl CertificateRenewer {
    /// Creates what is missing, as [`ensure`] does. `names` is called again each time the certificate is checked.
    ///
    /// # Errors
    /// As [`ensure`].
    pub fn open(
        dir: &Path,
        names: impl Fn() -> Vec<String> + Send + Sync + 'static,
        now: SystemTime,
    ) -> Result<Self, TlsError> {
        let files = ensure(dir, &names(), now)?;
        Ok(Self { dir: dir.to_owned(), names: Box::new(names), files })
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &DevelopmentCertificate {
        &self.files
    }

    /// Checks everything again, and creates what is missing, expires soon, or lacks a name.
    ///
    /// # Errors
    /// As [`ensure`].
    pub fn renew(&self, now: SystemTime) -> Result<(), TlsError> {
        ensure(&self.dir, &(self.names)(), now).map(|_| ())
    }
}

impl fmt::Debug for CertificateRenewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateRenewer").field("dir", &self.dir).finish_non_exhaustive()
    }
}
