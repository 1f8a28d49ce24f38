//! Uploads in parts: what arrived of a file survives a lost connection and a restart, and the client goes on from there.
//! Only bytes that survive a power cut are acknowledged.

use super::active::ActiveUpload;
use super::addresses::{FoundUpload, expiry, hidden, no_such_upload};
use super::file::{FileOutcome, WRITE_BATCH, expect_type, too_large};
use super::{Upload, Uploaded, WritePermission, blocking, expect_original};
use crate::core::Core;
use crate::core::budget::{Requester, Reservation};
use crate::core::cancellation::Cancellation;
use crate::core::model::OpenUpload;
use crate::core::model::name::Slug;
use crate::core::model::time::Millis;
use crate::core::model::token::UploadDigest;
use crate::core::store::files::PartialFile;
use crate::core::store::{OpenUploadCommands, OpenUploadQueries, QuotaQueries};
use crate::error::{Code, Error, Result};

/// After how many bytes what arrived is made durable, while more arrives.
const CHECKPOINT: u64 = 8 << 20;

/// An open upload that a request has for itself.
pub struct ResumableUpload {
    permission: WritePermission,
    organization: Slug,
    digest: UploadDigest,
    record: OpenUpload,
    active: ActiveUpload,
}

/// An open upload that bytes are added to.
pub struct ReceivingUpload {
    upload: ResumableUpload,
    /// None while a blocking thread writes to it.
    file: Option<PartialFile>,
    pending: Vec<u8>,
    memory: Reservation,
    slot: Reservation,
}

/// What a client says about the bytes that it sends.
#[derive(Debug, Clone, Copy)]
pub struct UploadPart {
    /// Where they begin.
    pub offset: u64,
    /// The size of the whole file, if the client says it now.
    pub length: Option<u64>,
    /// How many they are, if the client says it.
    pub announced: Option<u64>,
}

/// What became of an upload.
pub enum PartOutcome {
    /// More bytes are missing.
    Incomplete(UploadState),
    /// The file is stored, and the address has ended.
    Stored(Uploaded),
}

/// How far an upload is.
#[derive(Debug, Clone, Copy)]
pub struct UploadState {
    /// How many bytes survive a power cut.
    pub offset: u64,
    /// The size of the file, if known.
    pub length: Option<u64>,
    /// When it expires, unless more bytes arrive.
    pub expires: Millis,
}

impl UploadState {
    /// Whether all bytes arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.length == Some(self.offset)
    }
}

impl Core {
    /// Takes an open upload for a request. An older request that has it ends.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the upload ended meanwhile.
    pub async fn take_upload(&self, found: FoundUpload) -> Result<ResumableUpload> {
        let digest = found.digest;
        // No snapshot is kept while the other request ends.
        drop(found);
        let active = ActiveUpload::take_over(self.clone(), digest).await;
        let found = self.find_upload_by(digest)?;
        let organization = found.caller().organization().slug.clone();
        let room = found.caller().snapshot().storage_room(&found.grant)?;
        let FoundUpload { grant, mut record, .. } = found;
        record.received = self.blobs().partial_size(&record.id, record.received)?;
        let permission = WritePermission::new(self.clone(), grant, room);
        Ok(ResumableUpload { permission, organization, digest, record, active })
    }
}

impl ResumableUpload {
    /// How far it is.
    #[must_use]
    pub fn state(&self) -> UploadState {
        let OpenUpload { received, length, expires, .. } = self.record;
        UploadState { offset: received, length, expires }
    }

    /// Cancelled when a newer request takes over.
    #[must_use]
    pub fn superseded(&self) -> Cancellation {
        self.active.superseded().clone()
    }

    /// Ends it, and removes what arrived.
    ///
    /// # Errors
    /// When the store or the disk fails.
    pub async fn terminate(self) -> Result<()> {
        let (digest, record) = (self.digest, self.record.clone());
        let core = self.core().clone();
        core.store().write_always(move |tx| tx.delete_open_upload(&digest, &record)).await?;
        let id = self.record.id.clone();
        blocking(move || Ok(core.blobs().remove_partial(&id)?)).await
    }

    /// Begins to add bytes.
    ///
    /// # Errors
    /// `CONFLICT` when they begin elsewhere; `BAD_USER_INPUT` for another size than before; `PAYLOAD_TOO_LARGE`,
    /// `STORAGE_LIMIT_EXCEEDED` or `STORAGE_FULL` for the size; `RESOURCE_NOT_FOUND` for the parent; `RATE_LIMITED` when
    /// too many uploads are running.
    pub async fn receive(mut self, part: UploadPart) -> Result<ReceivingUpload> {
        let offset = self.record.received;
        if part.offset != offset {
            return Err(conflict(format!("The upload is at byte {offset}. Send the bytes from there.")));
        }
        self.learn_length(part.length)?;
        let end = part.announced.map(|announced| offset.saturating_add(announced));
        if let (Some(end), Some(length)) = (end, self.record.length)
            && end > length
        {
            return Err(too_many_bytes(length));
        }
        self.core().expect_size(&self.record.file_name, end)?;
        let missing = self.record.length.or(end).map(|end| end.saturating_sub(offset));
        self.core().expect_room_for(missing, self.permission.room)?;
        if let Some(parent) = &self.record.parent {
            expect_original(&self.core().store().snapshot()?, &self.permission.grant, parent)?;
        }
        let requester = Requester::of(self.permission.grant.actor());
        let slot = self.core().budget().uploads.reserve(&requester, 1)?;
        let memory = self.core().budget().memory.reserve(&requester, WRITE_BATCH as u64)?;
        let file = self.open_file().await?;
        Ok(ReceivingUpload { upload: self, file: Some(file), pending: Vec::new(), memory, slot })
    }

    /// Stores the file of which all bytes arrived before: the server was stopped, or the client left, just then.
    ///
    /// # Errors
    /// Those of [`Upload::finish`]; `RATE_LIMITED` when too many uploads are running.
    pub async fn complete(self) -> Result<Uploaded> {
        let slot = self.core().budget().uploads.reserve(&Requester::of(self.permission.grant.actor()), 1)?;
        let file = self.open_file().await?;
        self.store(file, slot).await
    }

    async fn store(self, file: PartialFile, slot: Reservation) -> Result<Uploaded> {
        let Self { permission, organization, digest, record, active } = self;
        let incoming = blocking(move || file.into_incoming()).await?;
        let outcome = FileOutcome::inspected(&permission, record.file_name.clone(), incoming, None).await?;
        let is_rejected = matches!(outcome, FileOutcome::Rejected(_));
        let mut upload = Upload::new(permission.clone(), organization.clone(), slot);
        (upload.parent, upload.files, upload.address) = (record.parent, 1, Some(digest));
        upload.add(outcome);
        let outcome = upload.finish().await.map_err(hidden);
        if is_rejected {
            Self { permission, organization, digest, record, active }.start_over().await?;
        }
        outcome
    }

    /// Forgets what arrived, so that another file may be sent.
    async fn start_over(mut self) -> Result<()> {
        self.save(0).await?;
        let (core, id) = (self.core().clone(), self.record.id.clone());
        blocking(move || Ok(core.blobs().remove_partial(&id)?)).await
    }

    async fn open_file(&self) -> Result<PartialFile> {
        let (core, id, received) = (self.core().clone(), self.record.id.clone(), self.record.received);
        blocking(move || core.blobs().open_partial(&id, received)).await
    }

    fn core(&self) -> &Core {
        &self.permission.core
    }

    fn learn_length(&mut self, length: Option<u64>) -> Result<()> {
        match (self.record.length, length) {
            (_, None) => {}
            (None, Some(length)) if length >= self.record.received => {
                self.core().expect_size(&self.record.file_name, Some(length))?;
                self.record.length = Some(length);
            }
            (Some(known), Some(length)) if known == length => {}
            (None | Some(_), Some(_)) => {
                return Err(Error::bad_input(
                    "`Upload-Length` differs from what is known of this upload. Leave it out, or begin a new upload.",
                ));
            }
        }
        Ok(())
    }

    /// Records how far it is. Whatever a newer request did in between wins.
    async fn save(&mut self, received: u64) -> Result<()> {
        let (digest, length, created) = (self.digest, self.record.length, self.record.created);
        let core = self.core().clone();
        let saved = core.change(&self.permission.grant, move |tx, grant, now| {
            let record = tx.open_upload(&digest)?.ok_or_else(no_such_upload)?;
            let record = OpenUpload { received, length, expires: expiry(grant, created, now), ..record };
            tx.put_open_upload(grant, &digest, &record)?;
            Ok(record)
        });
        self.record = saved.await.map_err(hidden)?;
        Ok(())
    }
}

impl ReceivingUpload {
    /// Adds the next bytes.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE`, `STORAGE_LIMIT_EXCEEDED` or `STORAGE_FULL`; `BAD_USER_INPUT` as soon as the type is known not
    /// to be accepted; `RESOURCE_NOT_FOUND` when the permission ended meanwhile; when the disk fails.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.expect_more(bytes.len() as u64)?;
        let permission = &mut self.upload.permission;
        if permission.core.upload_arrives(&permission.grant, bytes.len()).await? {
            permission.check().map_err(hidden)?;
        }
        permission.check_if_due().map_err(hidden)?;
        while !bytes.is_empty() {
            let free = WRITE_BATCH.saturating_sub(self.pending.len()).min(bytes.len());
            let (taken, rest) = bytes.split_at(free);
            self.pending.extend_from_slice(taken);
            bytes = rest;
            if self.pending.len() >= WRITE_BATCH {
                self.flush().await?;
            }
        }
        if self.arrived().saturating_sub(self.upload.record.received) >= CHECKPOINT {
            self.checkpoint().await?;
        }
        Ok(())
    }

    /// Makes what arrived durable, after the body broke off.
    ///
    /// # Errors
    /// Those of [`ReceivingUpload::write`].
    pub async fn keep(mut self) -> Result<()> {
        self.checkpoint().await
    }

    /// Makes what arrived durable, and stores the file when it is complete.
    ///
    /// # Errors
    /// Those of [`ReceivingUpload::write`] and of [`Upload::finish`].
    pub async fn finish(mut self) -> Result<PartOutcome> {
        self.checkpoint().await?;
        if !self.upload.state().is_complete() {
            return Ok(PartOutcome::Incomplete(self.upload.state()));
        }
        let Self { upload, file, slot, memory, .. } = self;
        drop(memory);
        let file = file.ok_or_else(|| Error::internal("an upload lost its file"))?;
        upload.store(file, slot).await.map(PartOutcome::Stored)
    }

    /// How many bytes arrived, durable or not.
    fn arrived(&self) -> u64 {
        self.file.as_ref().map_or(0, PartialFile::size) + self.pending.len() as u64
    }

    fn expect_more(&self, bytes: u64) -> Result<()> {
        let (end, record) = (self.arrived().saturating_add(bytes), &self.upload.record);
        if let Some(length) = record.length.filter(|length| end > *length) {
            return Err(too_many_bytes(length));
        }
        let max_bytes = self.upload.core().settings().limits.file_bytes;
        if end > max_bytes {
            return Err(too_large(&record.file_name, max_bytes));
        }
        self.upload.permission.expect_room(end.saturating_sub(record.received))
    }

    /// Writes what is in memory to the disk.
    async fn flush(&mut self) -> Result<()> {
        let mut file = self.file.take().ok_or_else(|| Error::internal("an upload lost its file"))?;
        let (mut pending, file_name) =
            (std::mem::take(&mut self.pending), self.upload.record.file_name.clone());
        let (file, pending) = blocking(move || {
            if file.size() == 0 && pending.len() >= WRITE_BATCH {
                expect_type(&file_name, &pending)?;
            }
            file.write(&pending)?;
            pending.clear();
            Ok((file, pending))
        })
        .await?;
        (self.file, self.pending) = (Some(file), pending);
        Ok(())
    }

    async fn checkpoint(&mut self) -> Result<()> {
        self.flush().await?;
        let mut file = self.file.take().ok_or_else(|| Error::internal("an upload lost its file"))?;
        let file = blocking(move || file.sync().map(|()| file)).await?;
        let received = file.size();
        self.file = Some(file);
        self.upload.save(received).await
    }
}

fn conflict(message: String) -> Error {
    Error::new(Code::Conflict, message)
}

fn too_many_bytes(length: u64) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!(
            "These are more bytes than the {length} of the whole file. What arrived before them is kept."
        ),
    )
}
