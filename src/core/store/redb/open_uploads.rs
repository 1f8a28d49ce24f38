//! Open uploads in the tables: the record, and beside it what the organization and the credential have open.

use std::ops::ControlFlow;

use super::tables::{OPEN_UPLOADS, UPLOADS_OF, decode, encode};
use super::{Reader, Tx, between, everything};
use crate::core::access::grant::WriteGrant;
use crate::core::model::id::OrganizationId;
use crate::core::model::token::UploadDigest;
use crate::core::model::{OpenUpload, UploadCredential};
use crate::core::store::records::{OpenUploadCommands, OpenUploadQueries};
use crate::error::{Error, Result};

const FIRST: &[u8; 32] = &[0; 32];
const LAST: &[u8; 32] = &[0xFF; 32];

impl<R: Reader> OpenUploadQueries for R {
    fn open_upload(&self, digest: &UploadDigest) -> Result<Option<OpenUpload>> {
        self.lookup(OPEN_UPLOADS, &digest.0, decode)
    }

    fn open_uploads(&self) -> Result<Vec<(UploadDigest, OpenUpload)>> {
        let mut uploads = Vec::new();
        self.scan(OPEN_UPLOADS, everything(), |digest, bytes| {
            uploads.push((UploadDigest(*digest), decode(bytes)?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(uploads)
    }

    fn open_uploads_of(
        &self,
        organization: OrganizationId,
        credential: &UploadCredential,
    ) -> Result<Vec<UploadDigest>> {
        let mut digests = Vec::new();
        let credential = credential.digest();
        let range = between((organization.0, credential, FIRST), (organization.0, credential, LAST));
        self.scan(UPLOADS_OF, range, |(_, _, digest), _| {
            digests.push(UploadDigest(*digest));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(digests)
    }
}

/// How many bytes of open uploads an organization has on the disk.
pub(super) fn partial_bytes(reader: &impl Reader, organization: OrganizationId) -> Result<u64> {
    let mut bytes: u64 = 0;
    let range = between((organization.0, FIRST, FIRST), (organization.0, LAST, LAST));
    reader.scan(UPLOADS_OF, range, |_, received| {
        bytes = bytes.saturating_add(received);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(bytes)
}

impl OpenUploadCommands for Tx<'_> {
    fn put_open_upload(&self, grant: &WriteGrant, digest: &UploadDigest, upload: &OpenUpload) -> Result<()> {
        if upload.library != grant.library() || upload.organization != grant.organization() {
            return Err(Error::internal("an open upload was used under the grant of another library"));
        }
        let key = (upload.organization.0, upload.credential.digest(), &digest.0);
        let before = self.lookup(UPLOADS_OF, key, Ok)?.unwrap_or_default();
        self.put(UPLOADS_OF, key, upload.received)?;
        if upload.received > before {
            self.expect_storage(upload.organization)?;
        }
        self.put(OPEN_UPLOADS, &digest.0, encode(upload)?.as_slice())
    }

    fn delete_open_upload(&self, digest: &UploadDigest, upload: &OpenUpload) -> Result<()> {
        self.delete(UPLOADS_OF, (upload.organization.0, upload.credential.digest(), &digest.0))?;
        self.delete(OPEN_UPLOADS, &digest.0)
    }
}
