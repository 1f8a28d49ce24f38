//! The authority that clients must trust first, if the server's certificate is a development one.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::client_setup::AuthorityFiles;
use crate::error::{Error, Result};
use crate::transport::tls::development::CertificateRenewer;
use crate::webapp::WebappOptions;

/// What clients trust the server by.
pub struct Authority {
    /// The authority's certificate as it is downloaded.
    pub pem: Vec<u8>,
    /// The SHA-256 of its DER form, as other programs show it: `A1:B2:…`.
    pub fingerprint: String,
    renewer: Arc<CertificateRenewer>,
}

impl Authority {
    /// The one of this server, if it has one. Read each time, since it is made again when it ends.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn of(request: &HttpRequest) -> Result<Option<Self>> {
        let options = request.app_data::<web::Data<WebappOptions>>();
        let renewer = options.and_then(|options| options.development.as_ref());
        renewer.map(|renewer| Self::read(Arc::clone(renewer))).transpose()
    }

    fn read(renewer: Arc<CertificateRenewer>) -> Result<Self> {
        let pem = std::fs::read(&renewer.files().ca_file)?;
        let der = CertificateDer::from_pem_slice(&pem).map_err(|error| Error::internal(error.to_string()))?;
        let digest = digest(&SHA256, &der);
        let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { pem, fingerprint: pairs.join(":"), renewer })
    }

    /// The authorities of this machine with ours among them, PEM.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn bundle(&self) -> Result<Vec<u8>> {
        Ok(std::fs::read(&self.renewer.files().bundle.file)?)
    }

    /// As configurations name it on a machine to which both files were downloaded.
    #[must_use]
    pub fn at_home(&self) -> AuthorityFiles<'_> {
        AuthorityFiles::in_home_folder(self.renewer.files())
    }
}
