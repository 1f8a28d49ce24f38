//! Upload addresses: each takes one file, from anyone who has its secret, with the permission of the key or the person who
//! created it. The permission is checked as in every other upload: before the first byte, while bytes arrive, and in the
//! transaction that stores the file and deletes the address.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::file::{FileUpload, too_large};
use super::{Upload, Uploaded, blocking, expect_original};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath, WriteGrant};
use crate::core::assets::parse_id;
use crate::core::cancellation::Cancellation;
use crate::core::model::id::UploadId;
use crate::core::model::name::file_name;
use crate::core::model::time::{Millis, millis};
use crate::core::model::token::{Token, UploadDigest};
use crate::core::model::{OpenUpload, StorageRoom};
use crate::core::store::{OpenUploadCommands, OpenUploadQueries, QuotaQueries, Snapshot, Tx};
use crate::core::uploads::active::ActiveUpload;
use crate::error::{Code, Error, Result};

/// How long a key's address lives without bytes. The contract with agents.
const IDLE: Duration = Duration::from_mins(15);
/// The same of a person in the web app, who may close the computer for the night.
const IDLE_OF_PERSON: Duration = Duration::from_hours(24);
/// How long an address lives at most.
const LIFE: Duration = Duration::from_hours(7 * 24);
/// After how many seconds a client with too many open uploads should try again.
const RETRY_AFTER: u64 = 60;

/// A file that an address is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewUpload<'a> {
    /// The name that the client gives it.
    pub file_name: &'a str,
    /// The asset that it becomes a variant of.
    pub parent: Option<&'a str>,
    /// Its size, if the client says it.
    pub length: Option<u64>,
}

/// A new address. The token is only here.
pub struct UploadAddress {
    /// The secret.
    pub token: Token,
    /// When it expires.
    pub expires: Millis,
    /// The largest file that it takes.
    pub max_bytes: u64,
}

/// An open upload that a request names, with the permission that it uses.
pub struct FoundUpload {
    caller: Caller,
    pub(super) grant: WriteGrant,
    pub(super) digest: UploadDigest,
    pub(super) record: OpenUpload,
}

/// A file that is sent to an address in one go.
pub struct AddressedUpload {
    upload: Upload,
    file: FileUpload,
    _active: ActiveUpload,
}

impl Core {
    /// Creates an address that takes one file.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `BAD_USER_INPUT` without a name; `RESOURCE_NOT_FOUND` or `BAD_USER_INPUT` for the
    /// parent; `PAYLOAD_TOO_LARGE`, `STORAGE_LIMIT_EXCEEDED` or `STORAGE_FULL` for the size; `RATE_LIMITED` when too many
    /// are open.
    pub async fn create_upload(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        new: NewUpload<'_>,
    ) -> Result<UploadAddress> {
        let grant = caller.write(path)?;
        if new.file_name.is_empty() {
            return Err(Error::bad_input(
                "`filename` is empty. Give the name of the file, with its extension.",
            ));
        }
        let parent = new.parent.filter(|parent| !parent.is_empty()).map(parse_id).transpose()?;
        if let Some(parent) = &parent {
            expect_original(caller.snapshot(), &grant, parent)?;
        }
        let file_name = file_name(new.file_name);
        self.expect_size(&file_name, new.length)?;
        self.expect_room_for(new.length, caller.snapshot().storage_room(&grant)?)?;
        let now = self.now();
        let record = OpenUpload {
            id: UploadId::random(),
            credential: grant.upload_credential(),
            organization: grant.organization(),
            library: grant.library(),
            slug: grant.slug().clone(),
            parent,
            file_name,
            length: new.length,
            received: 0,
            created: now,
            expires: expiry(&grant, now, now),
        };
        let (token, expires) = (Token::random(), record.expires);
        let (digest, most) = (token.upload_digest(), self.settings().limits.open_uploads_per_key);
        self.change(&grant, move |tx, grant, now| {
            make_way(tx, &record, most, now)?;
            tx.put_open_upload(grant, &digest, &record)
        })
        .await?;
        Ok(UploadAddress { token, expires, max_bytes: self.settings().limits.file_bytes })
    }

    /// The url of an address.
    #[must_use]
    pub fn upload_url(&self, token: &Token) -> String {
        format!("{}{}", self.settings().public_url, upload_path(token))
    }

    /// The open upload that a request names, if its creator may still write to its library.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, the same whatever the reason.
    pub fn find_upload(&self, token: &str) -> Result<FoundUpload> {
        let digest = Token::parse(token).map(|token| token.upload_digest()).ok_or_else(no_such_upload)?;
        let found = self.find_upload_by(digest)?;
        found.caller.key_id().into_iter().for_each(|id| self.key_use().record(id, self.now()));
        Ok(found)
    }

    pub(super) fn find_upload_by(&self, digest: UploadDigest) -> Result<FoundUpload> {
        let (snapshot, now) = (self.store().snapshot()?, self.now());
        let record = snapshot.open_upload(&digest)?.filter(|record| record.is_open(now));
        let record = record.ok_or_else(no_such_upload)?;
        let (caller, grant) = permission(snapshot, &record, now)?;
        Ok(FoundUpload { caller, grant, digest, record })
    }

    /// Begins to receive the whole file of an address. `announced` is the size of the body, if the client says it.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE`, `STORAGE_LIMIT_EXCEEDED` or `STORAGE_FULL` for the size; `RATE_LIMITED` when the key has too
    /// many uploads running; `RESOURCE_NOT_FOUND` for the parent.
    pub fn begin_put(&self, found: FoundUpload, announced: Option<u64>) -> Result<AddressedUpload> {
        let FoundUpload { caller, digest, record, .. } = found;
        let organization = caller.organization().slug.clone();
        let path = LibraryPath { organization: organization.as_str(), library: record.slug.as_str() };
        let mut upload = self.begin_upload(&caller, &path)?;
        drop(caller);
        self.expect_size(&record.file_name, announced)?;
        self.expect_room_for(announced, upload.permission.room)?;
        if let Some(parent) = &record.parent {
            upload.set_parent(parent.as_str())?;
        }
        upload.address = Some(digest);
        let file = upload.begin_file(&record.file_name)?.refused_early();
        Ok(AddressedUpload { upload, file, _active: ActiveUpload::join(self.clone(), digest) })
    }

    /// Refuses the size of a file, before its bytes are sent.
    pub(super) fn expect_size(&self, file_name: &str, size: Option<u64>) -> Result<()> {
        let max_bytes = self.settings().limits.file_bytes;
        if size.unwrap_or(0) > max_bytes { Err(too_large(file_name, max_bytes)) } else { Ok(()) }
    }

    /// Checks that there is room for bytes, before they are sent: in the quota, and on the disk.
    pub(super) fn expect_room_for(&self, bytes: Option<u64>, quota: Option<StorageRoom>) -> Result<()> {
        let bytes = bytes.unwrap_or(0);
        quota.map_or(Ok(()), |quota| quota.expect(bytes))?;
        if self.store().reserve().has_room_for(bytes) { Ok(()) } else { Err(Error::storage_full()) }
    }

    /// Deletes the uploads that have expired or that nobody may finish any more, and what arrived of them.
    pub(in crate::core) async fn sweep_open_uploads(&self) -> Result<()> {
        let (now, core) = (self.time_to_delete(), self.clone());
        let ended = blocking(move || core.ended_uploads(now)).await?;
        if !ended.is_empty() {
            self.store()
                .write_always(move |tx| {
                    ended.iter().try_for_each(|(digest, record)| tx.delete_open_upload(digest, record))
                })
                .await?;
        }
        let core = self.clone();
        blocking(move || {
            // The files come first: an upload that begins meanwhile has its record before its file.
            let files = core.blobs().partials()?;
            let open = core.store().snapshot()?.open_uploads()?;
            let open: HashSet<UploadId> = open.into_iter().map(|(_, record)| record.id).collect();
            Ok(files
                .iter()
                .filter(|id| !open.contains(id))
                .try_for_each(|id| core.blobs().remove_partial(id))?)
        })
        .await
    }

    fn ended_uploads(&self, now: Millis) -> Result<Vec<(UploadDigest, OpenUpload)>> {
        let mut ended = self.store().snapshot()?.open_uploads()?;
        ended.retain(|(digest, record)| {
            let is_useless = || {
                let permitted =
                    self.store().snapshot().and_then(|snapshot| permission(snapshot, record, now));
                permitted.is_err_and(|error| is_no_such_upload(&error))
            };
            // One that is in use ends by itself.
            !self.active_uploads().contains(digest) && (!record.is_open(now) || is_useless())
        });
        Ok(ended)
    }
}

/// The permission that an open upload uses, if it is still there.
fn permission(snapshot: Snapshot, record: &OpenUpload, now: Millis) -> Result<(Caller, WriteGrant)> {
    let caller = Caller::creator_of(snapshot, record, now).map_err(hidden)?;
    let organization = caller.organization().slug.clone();
    let path = LibraryPath { organization: organization.as_str(), library: record.slug.as_str() };
    let grant = caller.write(&path).map_err(hidden)?;
    if grant.library() == record.library { Ok((caller, grant)) } else { Err(no_such_upload()) }
}

impl FoundUpload {
    /// Its creator.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The library that the file goes into.
    #[must_use]
    pub fn library(&self) -> LibraryPath<'_> {
        LibraryPath {
            organization: self.caller.organization().slug.as_str(),
            library: self.record.slug.as_str(),
        }
    }

    /// The same, with the address of the request.
    #[must_use]
    pub fn from_address(self, address: Option<IpAddr>) -> Self {
        self.with(|caller| caller.from_address(address))
    }

    /// The same. After this is cancelled, nothing of it is committed.
    #[must_use]
    pub fn until(self, cancellation: Cancellation) -> Self {
        self.with(|caller| caller.until(cancellation))
    }

    fn with(self, change: impl FnOnce(Caller) -> Caller) -> Self {
        Self { caller: change(self.caller), ..self }
    }

    /// Refuses a body that is announced to be too large, before it is sent.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE`, `STORAGE_LIMIT_EXCEEDED` or `STORAGE_FULL`.
    pub fn expect_body(&self, core: &Core, announced: Option<u64>) -> Result<()> {
        core.expect_size(&self.record.file_name, announced)?;
        core.expect_room_for(announced, self.caller.snapshot().storage_room(&self.grant)?)
    }
}

impl AddressedUpload {
    /// Adds the next bytes.
    ///
    /// # Errors
    /// Those of [`FileUpload::write`]; `BAD_USER_INPUT` as soon as the type is known not to be accepted;
    /// `RESOURCE_NOT_FOUND` when the permission ended meanwhile.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write(bytes).await.map_err(hidden)
    }

    /// Stores the file, and ends the address.
    ///
    /// # Errors
    /// Those of [`Upload::finish`]; `RESOURCE_NOT_FOUND` when the address was used meanwhile.
    pub async fn finish(self) -> Result<Uploaded> {
        let Self { mut upload, file, _active } = self;
        upload.end_file(file).await?;
        upload.finish().await.map_err(hidden)
    }
}

/// The path of an address on this server.
#[must_use]
pub fn upload_path(token: &Token) -> String {
    format!("/uploads/{}", token.reveal())
}

/// When an upload with bytes that arrived just now expires.
pub(super) fn expiry(grant: &WriteGrant, created: Millis, now: Millis) -> Millis {
    let idle = if grant.is_of_person() { IDLE_OF_PERSON } else { IDLE };
    now.saturating_add(millis(idle)).min(created.saturating_add(millis(LIFE)))
}

/// Checks that the credential may have one more upload open. Those that have expired don't count.
fn make_way(tx: &Tx<'_>, new: &OpenUpload, most: usize, now: Millis) -> Result<()> {
    let mut open = 0;
    for digest in tx.open_uploads_of(new.organization, &new.credential)? {
        match tx.open_upload(&digest)? {
            Some(record) if !record.is_open(now) => tx.delete_open_upload(&digest, &record)?,
            Some(_) | None => open += 1,
        }
    }
    if open < most {
        return Ok(());
    }
    let message = format!(
        "{most} upload addresses are open, which is the most. Use one of them, or wait until one expires."
    );
    Err(Error::new(Code::RateLimited, message).retry_after(RETRY_AFTER))
}

/// The one answer for an address that never existed, was used, has expired, or lost its permission.
pub(super) fn no_such_upload() -> Error {
    Error::new(Code::ResourceNotFound, NO_SUCH_UPLOAD)
}

const NO_SUCH_UPLOAD: &str =
    "This upload address has been used or has expired. Nothing was stored; ask for a new address.";

fn is_no_such_upload(error: &Error) -> bool {
    error.code() == Code::ResourceNotFound && error.message() == NO_SUCH_UPLOAD
}

/// The error for a client that has an address: it says nothing about the permission that the address uses.
pub(super) fn hidden(error: Error) -> Error {
    let is_about_permission = matches!(
        error.code(),
        Code::Unauthenticated
            | Code::InvalidApiKey
            | Code::LibraryNotAuthorized
            | Code::OrganizationNotFound
            | Code::Forbidden
            | Code::NotFound
    );
    if is_about_permission { no_such_upload() } else { error }
}
