//! One file on its way into a library: written to disk as it arrives, inspected when it is complete.

use super::message::{RejectedFile, none_accepted};
use super::{WritePermission, blocking};
use crate::core::Core;
use crate::core::budget::{Requester, Reservation};
use crate::core::model::name::file_name;
use crate::core::store::files::IncomingFile;
use crate::error::{Code, Error, Result, excerpt};
use crate::pictures::media::{self, Inspected};

/// How many bytes are written to disk in one call on a blocking thread; also the most that one file keeps in memory.
pub(super) const WRITE_BATCH: usize = 256 << 10;

/// A file that is being uploaded.
pub struct FileUpload {
    permission: WritePermission,
    file_name: String,
    max_bytes: u64,
    buffer: FileBuffer,
    size: u64,
    /// Whether it is refused as soon as its first bytes tell that its type is not accepted.
    refused_early: bool,
    /// The memory of its buffer.
    _memory: Reservation,
    /// The disk space of its temporary file. Reserved only for files that the server fetches.
    temporary: Option<Reservation>,
}

/// What became of a file.
pub(super) enum FileOutcome {
    Accepted(Box<AcceptedFile>),
    Rejected(RejectedFile),
}

/// A file that is complete and accepted.
pub(super) struct AcceptedFile {
    pub(super) file_name: String,
    pub(super) file: IncomingFile,
    pub(super) inspected: Inspected,
    /// The disk space of its temporary file, if that was reserved.
    _temporary: Option<Reservation>,
}

/// The bytes of a file so far: the beginning on disk, the rest in a buffer of limited size. Bytes are copied into the
/// buffer, because even a short slice would keep the whole read buffer of the connection in memory.
#[derive(Default)]
struct FileBuffer {
    file: Option<IncomingFile>,
    pending: Vec<u8>,
}

impl FileBuffer {
    /// Takes the bytes that fit, and returns the rest.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let free = WRITE_BATCH.saturating_sub(self.pending.len()).min(bytes.len());
        let (taken, rest) = bytes.split_at(free);
        self.pending.extend_from_slice(taken);
        rest
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= WRITE_BATCH
    }

    /// Writes the buffer to disk. Blocks.
    fn flush(&mut self, core: &Core) -> Result<&mut IncomingFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => core.begin_incoming_file()?,
        };
        let file = self.file.insert(file);
        file.write(&self.pending)?;
        self.pending.clear();
        Ok(file)
    }
}

impl FileUpload {
    /// Begins a file under the name that the client gave it.
    ///
    /// # Errors
    /// `RATE_LIMITED` or `SERVICE_UNAVAILABLE` when there is no memory left for its buffer.
    pub(super) fn begin(permission: WritePermission, claimed_name: &str) -> Result<Self> {
        let max_bytes = permission.core.settings().limits.file_bytes;
        let requester = Requester::of(permission.grant.actor());
        let memory = permission.core.budget().memory.reserve(&requester, WRITE_BATCH as u64)?;
        Ok(Self {
            file_name: file_name(claimed_name),
            max_bytes,
            permission,
            buffer: FileBuffer::default(),
            size: 0,
            refused_early: false,
            _memory: memory,
            temporary: None,
        })
    }

    /// The same for a file that the server fetches: with its own limit, and disk space that counts.
    pub(super) fn fetched(self, max_bytes: u64, temporary: Reservation) -> Self {
        Self { max_bytes, temporary: Some(temporary), ..self }
    }

    /// The same for the only file of an upload, which need not arrive as a whole to be refused.
    pub(super) fn refused_early(self) -> Self {
        Self { refused_early: true, ..self }
    }

    /// How many bytes have arrived.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE` above the limit of a file; `STORAGE_LIMIT_EXCEEDED` above the organization's quota;
    /// `INVALID_API_KEY` and the like when the key was revoked
    /// meanwhile; when the disk is full or fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.max_bytes {
            return Err(too_large(&self.file_name, self.max_bytes));
        }
        self.permission.expect_room(self.size)?;
        if let Some(temporary) = &mut self.temporary {
            temporary.grow(bytes.len() as u64)?;
        }
        if self.permission.core.upload_arrives(&self.permission.grant, bytes.len()).await? {
            self.permission.check()?;
        }
        self.permission.check_if_due()?;
        let mut rest = self.buffer.fill(bytes);
        while self.buffer.is_full() {
            if self.refused_early && self.buffer.file.is_none() {
                expect_type(&self.file_name, &self.buffer.pending)?;
            }
            let (mut buffer, core) = (std::mem::take(&mut self.buffer), self.permission.core.clone());
            self.buffer = blocking(move || buffer.flush(&core).map(drop).map(|()| buffer)).await?;
            rest = self.buffer.fill(rest);
        }
        Ok(())
    }

    /// Inspects the complete file.
    pub(super) async fn finish(self) -> Result<FileOutcome> {
        let Self { permission, file_name, mut buffer, temporary, .. } = self;
        let core = permission.core.clone();
        let file = blocking(move || {
            buffer.flush(&core)?;
            buffer.file.ok_or_else(|| Error::internal("a file that was written is missing"))
        })
        .await?;
        FileOutcome::inspected(&permission, file_name, file, temporary).await
    }
}

impl FileOutcome {
    /// Inspects a complete file.
    pub(super) async fn inspected(
        permission: &WritePermission,
        file_name: String,
        mut file: IncomingFile,
        temporary: Option<Reservation>,
    ) -> Result<Self> {
        let max_pixels = permission.core.settings().limits.image_pixels;
        let (file, inspected) = blocking(move || {
            let inspected = media::inspect(file.as_file_mut(), max_pixels);
            Ok((file, inspected))
        })
        .await?;
        Ok(match inspected {
            Ok(inspected) => {
                Self::Accepted(Box::new(AcceptedFile { file_name, file, inspected, _temporary: temporary }))
            }
            Err(reason) => Self::Rejected(RejectedFile { file_name, reason }),
        })
    }
}

/// Refuses a file by its first bytes, if they tell that its type is not accepted.
pub(super) fn expect_type(file_name: &str, start: &[u8]) -> Result<()> {
    if media::may_be_accepted(start) {
        return Ok(());
    }
    let reason = media::NOT_ACCEPTED.to_owned();
    let rejected = RejectedFile { file_name: file_name.to_owned(), reason };
    Err(none_accepted(&[rejected]))
}

pub(super) fn too_large(file_name: &str, max_bytes: u64) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!(
            "\"{}\" is larger than {max_bytes} bytes, the limit of a file. Nothing was stored.",
            excerpt(file_name)
        ),
    )
}
