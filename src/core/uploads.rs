//! Uploads: files on their way into a library, from whichever transport.
//!
//! Permission is checked before the first byte is read. The files of one upload are written to disk as they arrive,
//! inspected, and committed together. Until then they are invisible, and an upload that ends early leaves nothing
//! behind.

use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use super::Core;
use super::assets::{AssetDetail, parse_id};
use super::budget::{Requester, Reservation};
use super::model::{Asset, StorageRoom};
use super::store::{AssetQueries, QuotaQueries};
use crate::core::access::{Caller, LibraryPath, WriteGrant};
use crate::core::model::id::AssetId;
use crate::core::model::name::Slug;
use crate::core::model::token::UploadDigest;
use crate::error::{Error, Result};
use crate::telemetry::metrics::{FileResult, UploadResult};
use file::{AcceptedFile, FileOutcome};
use message::RejectedFile;

mod active;
mod addresses;
mod base64;
mod commit;
mod file;
mod message;
mod resumable;
mod sources;

pub(in crate::core) use active::ActiveUploads;
pub use addresses::{AddressedUpload, FoundUpload, NewUpload, UploadAddress, upload_path};
pub use file::FileUpload;
pub use resumable::{PartOutcome, ReceivingUpload, ResumableUpload, UploadPart, UploadState};
pub use sources::{UploadProgress, UploadSource};

/// How often the key of a running upload is checked again.
const RECHECK: Duration = Duration::from_millis(250);
/// How many bytes of a form are not files, at most: 20 heads of parts, and some fields.
const FORM_BYTES: u64 = 64 << 10;

/// The result of an upload.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// The new assets, in the order of their files.
    pub assets: Vec<AssetDetail>,
    /// The clients' names of these files, in the same order.
    pub file_names: Vec<String>,
    /// The result for a person: how many files were uploaded, and which were left out and why.
    pub text: String,
}

/// An upload that has begun.
pub struct Upload {
    permission: WritePermission,
    organization: Slug,
    uploaded_by: String,
    parent: Option<AssetId>,
    files: usize,
    accepted: Vec<AcceptedFile>,
    rejected: Vec<RejectedFile>,
    /// The address that it came to, which ends when the file is stored.
    address: Option<UploadDigest>,
    /// Counts as one of the concurrent uploads of its key.
    _slot: Reservation,
}

/// The permission of a running upload, checked again from time to time.
#[derive(Clone)]
struct WritePermission {
    core: Core,
    grant: WriteGrant,
    checked: Instant,
    /// What the organization's storage quota left when the upload began. A file that exceeds it alone is not received.
    /// The commit checks the quota again, with all files.
    room: Option<StorageRoom>,
}

impl WritePermission {
    /// A permission that was checked just now.
    fn new(core: Core, grant: WriteGrant, room: Option<StorageRoom>) -> Self {
        Self { core, grant, checked: Instant::now(), room }
    }

    fn check_if_due(&mut self) -> Result<()> {
        if self.checked.elapsed() < RECHECK {
            return Ok(());
        }
        self.check()?;
        self.checked = Instant::now();
        Ok(())
    }

    /// Checks that a file of this many bytes may fit into the storage quota.
    fn expect_room(&self, bytes: u64) -> Result<()> {
        self.room.map_or(Ok(()), |room| room.expect(bytes))
    }

    fn check(&self) -> Result<()> {
        self.grant.confirm(&self.core.store().snapshot()?, self.core.now())
    }
}

impl Core {
    /// Begins an upload: checks the permission before any byte is read.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `RATE_LIMITED` when the key has too many uploads running; `SERVICE_UNAVAILABLE` when
    /// the store takes no changes.
    pub fn begin_upload(&self, caller: &Caller, path: &LibraryPath<'_>) -> Result<Upload> {
        let grant = caller.write(path)?;
        let room = caller.snapshot().storage_room(&grant)?;
        let slot = self.budget().uploads.reserve(&Requester::of(grant.actor()), 1)?;
        let permission = WritePermission::new(self.clone(), grant, room);
        Ok(Upload::new(permission, caller.organization().slug.clone(), slot))
    }

    /// Counts an upload that stored these files, or none, and left out `rejected`.
    fn count_upload(&self, stored: Option<&Uploaded>, rejected: u64) {
        let metrics = &self.metrics().work;
        metrics.uploads.inc(if stored.is_some() { UploadResult::Stored } else { UploadResult::Refused });
        metrics.files.add(FileResult::Rejected, rejected);
        for detail in stored.iter().flat_map(|uploaded| &uploaded.assets) {
            metrics.files.inc(FileResult::Stored);
            metrics.file_bytes.inc_by(detail.asset.content.size);
        }
    }
}

impl Upload {
    fn new(permission: WritePermission, organization: Slug, slot: Reservation) -> Self {
        Self {
            uploaded_by: permission.grant.actor().name.clone(),
            permission,
            organization,
            parent: None,
            files: 0,
            accepted: Vec::new(),
            rejected: Vec::new(),
            address: None,
            _slot: slot,
        }
    }

    /// Makes the only file of this upload a variant of an asset.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the asset is not in the library; `BAD_USER_INPUT` when it is a variant itself.
    pub fn set_parent(&mut self, id: &str) -> Result<()> {
        let id = parse_id(id)?;
        expect_original(&self.permission.core.store().snapshot()?, &self.permission.grant, &id)?;
        self.parent = Some(id);
        Ok(())
    }

    /// Refuses an upload whose body is announced to be larger than the organization's storage quota allows, before it is
    /// received.
    ///
    /// # Errors
    /// `STORAGE_LIMIT_EXCEEDED`.
    pub fn expect_body(&self, announced: Option<u64>) -> Result<()> {
        // The body is a form: less than all of it is files. What is wrong with a small one is said first.
        self.permission.expect_room(announced.unwrap_or(0).saturating_sub(FORM_BYTES))
    }

    /// Records this name as the uploader, instead of the key's.
    pub fn set_uploader(&mut self, name: &str) {
        name.clone_into(&mut self.uploaded_by);
    }

    /// Begins the next file under the name that the client gave it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when there are too many files; `RATE_LIMITED` when the client has too much data waiting.
    pub fn begin_file(&mut self, claimed_name: &str) -> Result<FileUpload> {
        self.files += 1;
        let max = self.permission.core.settings().limits.files_per_upload;
        if self.files > max {
            return Err(Error::bad_input(format!("Upload 1 to {max} files at a time; this call has more.")));
        }
        FileUpload::begin(self.permission.clone(), claimed_name)
    }

    /// The names of the files that were rejected so far, each with the reason.
    pub fn rejected_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rejected.iter().map(|file| (file.file_name.as_str(), file.reason.as_str()))
    }

    /// Ends a file: inspects it, and leaves it out when it can't be accepted.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub async fn end_file(&mut self, file: FileUpload) -> Result<()> {
        let outcome = file.finish().await?;
        self.add(outcome);
        Ok(())
    }

    fn add(&mut self, outcome: FileOutcome) {
        match outcome {
            FileOutcome::Accepted(file) => self.accepted.push(*file),
            FileOutcome::Rejected(file) => self.rejected.push(file),
        }
    }

    /// Stores the files and commits them together. Once started, it finishes even if the client disconnects.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when there is no file, none is accepted, or a variant has more than one;
    /// `RESOURCE_NOT_FOUND` for the parent; `STORAGE_LIMIT_EXCEEDED` for the organization's quota; the errors of a revoked
    /// key. Nothing is stored then.
    pub async fn finish(self) -> Result<Uploaded> {
        let (core, rejected) = (self.permission.core.clone(), self.rejected.len() as u64);
        let outcome = self.store().await;
        core.count_upload(outcome.as_ref().ok(), rejected);
        outcome
    }

    async fn store(self) -> Result<Uploaded> {
        // First, so that a caller who lost access meanwhile learns nothing about the files.
        self.permission.check()?;
        self.expect_files(self.parent.is_some())?;
        tokio::spawn(self.commit()).await.map_err(Error::internal)?
    }

    /// [`Upload::set_parent`] and [`Upload::finish`] in one: problems with the files are reported before problems with
    /// the parent.
    ///
    /// # Errors
    /// Those of both.
    pub async fn finish_as_variant(mut self, parent: &str) -> Result<Uploaded> {
        self.permission.check()?;
        self.expect_files(true)?;
        self.set_parent(parent)?;
        self.finish().await
    }

    fn expect_files(&self, as_variant: bool) -> Result<()> {
        if self.files == 0 {
            return Err(Error::bad_input("The upload has no file. Send at least one."));
        }
        if as_variant && self.files > 1 {
            return Err(Error::bad_input(
                "A variant is one file; this call has more. Upload each in a separate call.",
            ));
        }
        if self.accepted.is_empty() {
            return Err(message::none_accepted(&self.rejected));
        }
        Ok(())
    }
}

/// The asset with this id, which must not be a variant itself.
fn expect_original(reader: &impl AssetQueries, grant: &WriteGrant, id: &AssetId) -> Result<Asset> {
    let asset = reader.asset(grant, id)?;
    if asset.parent.is_some() {
        return Err(Error::bad_input(format!(
            "\"{id}\" is a variant itself. Give the id of its original as the parent."
        )));
    }
    Ok(asset)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?
}
