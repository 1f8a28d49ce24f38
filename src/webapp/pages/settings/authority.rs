//! The authority that clients must trust first, if there is one.

use actix_web::{HttpRequest, web};
use aws_lc_rs::digest::{SHA256, digest};

use crate::client_setup::AuthorityFiles;
use crate::error::{Error, Result};
use crate::transport::tls::{ClientAuthority, pem_of};
use crate::webapp::WebappOptions;

/// What clients trust the server by.
pub struct TrustedAuthority {
    /// The authority's certificate as it is downloaded.
    pub pem: Vec<u8>,
    /// The SHA-256 of its DER form, as other programs show it: `A1:B2:…`.
    pub fingerprint: String,
    files: ClientAuthority,
}

impl TrustedAuthority {
    /// The one of this server, if it has one. Read each time, since it is made again when it ends.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn of(request: &HttpRequest) -> Result<Option<Self>> {
        let options = request.app_data::<web::Data<WebappOptions>>();
        let files = options.and_then(|options| options.authority.as_ref());
        files.map(Self::read).transpose()
    }

    fn read(files: &ClientAuthority) -> Result<Self> {
        let certificates = files.certificates().map_err(|error| Error::internal(error.to_string()))?;
        let digest = certificates.first().map(|der| digest(&SHA256, der));
        let bytes = digest.as_ref().map_or(&[][..], AsRef::as_ref);
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        // Only the certificates, whatever else has come into the file.
        Ok(Self {
            pem: pem_of(&certificates).into_bytes(),
            fingerprint: pairs.join(":"),
            files: files.clone(),
        })
    }

    /// Whether this server made it itself.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.files.is_development
    }

    /// The authorities of this machine with this one among them, PEM.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn bundle(&self) -> Result<Vec<u8>> {
        Ok(std::fs::read(&self.files.bundle.file)?)
    }

    /// As configurations name it on a machine to which both files were downloaded.
    #[must_use]
    pub fn at_home(&self) -> AuthorityFiles<'_> {
        AuthorityFiles::in_home_folder(&self.files)
    }
}
