//! The authority that clients have to be told to trust, when the server's certificate is a development one.

use actix_web::{HttpRequest, web};
use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, Result};
use crate::web::Options;

/// Its certificate.
pub struct Authority {
    /// As it is downloaded.
    pub pem: Vec<u8>,
    /// The SHA-256 of its DER form, as other programs show it: `A1:B2:…`.
    pub fingerprint: String,
}

impl Authority {
    /// What the file is called that is downloaded.
    pub const FILE: &'static str = "rasterd-authority.crt";

    /// The one of this server, if it has one. Read anew each time, since it is made anew when it ends.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn of(request: &HttpRequest) -> Result<Option<Self>> {
        let options = request.app_data::<web::Data<Options>>();
        let path = options.and_then(|options| options.authority.as_ref());
        path.map(|path| Self::read(std::fs::read(path)?)).transpose()
    }

    fn read(pem: Vec<u8>) -> Result<Self> {
        let der = CertificateDer::from_pem_slice(&pem).map_err(|error| Error::internal(error.to_string()))?;
        let digest = digest(&SHA256, &der);
        let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { pem, fingerprint: pairs.join(":") })
    }
}
