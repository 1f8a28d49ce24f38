//! Open uploads: addresses that take one file. An address is found by the digest of a secret that only its holder has; a
//! change of one takes the grant of its library.

use crate::core::access::grant::WriteGrant;
use crate::core::model::id::OrganizationId;
use crate::core::model::token::UploadDigest;
use crate::core::model::{OpenUpload, UploadCredential};
use crate::error::Result;

/// Reads of open uploads.
pub trait OpenUploadQueries {
    /// The open upload with this digest, expired or not.
    fn open_upload(&self, digest: &UploadDigest) -> Result<Option<OpenUpload>>;

    /// All open uploads, expired or not.
    fn open_uploads(&self) -> Result<Vec<(UploadDigest, OpenUpload)>>;

    /// The open uploads of one credential in an organization, expired or not.
    fn open_uploads_of(
        &self,
        organization: OrganizationId,
        credential: &UploadCredential,
    ) -> Result<Vec<UploadDigest>>;
}

/// Changes of open uploads.
pub trait OpenUploadCommands {
    /// Writes an open upload under its digest. Bytes that arrived count towards the storage quota of the organization.
    ///
    /// # Errors
    /// `STORAGE_LIMIT_EXCEEDED`.
    fn put_open_upload(&self, grant: &WriteGrant, digest: &UploadDigest, upload: &OpenUpload) -> Result<()>;

    /// Deletes an open upload, if it is there.
    fn delete_open_upload(&self, digest: &UploadDigest, upload: &OpenUpload) -> Result<()>;
}
