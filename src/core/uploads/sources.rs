//! Files that a client names by url or sends as base64, instead of streaming them.
//!
//! Every source is checked before any is stored. Then they are received concurrently, and committed together.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};

use super::file::{FileOutcome, FileUpload};
use super::message::RejectedFile;
use super::{Uploaded, WritePermission, base64};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::assets::within;
use crate::core::budget::Requester;
use crate::core::cancellation::cancelled;
use crate::error::{Error, Result, excerpt};

/// How many urls of one upload are fetched at a time.
const CONCURRENT_FETCHES: usize = 4;

/// A file that a client names or sends instead of streaming it.
#[derive(Debug, Clone)]
pub enum UploadSource {
    /// A url, which the server fetches.
    Url(String),
    /// The file itself.
    Base64 {
        /// The client's name for it.
        filename: String,
        /// The type that the client claims; the bytes decide.
        mime_type: String,
        /// The bytes in base64.
        data: String,
    },
}

/// The progress of an upload of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadProgress {
    /// Bytes received so far, of all files.
    pub done_bytes: u64,
    /// Bytes of all files, if every source announces its size.
    pub total_bytes: Option<u64>,
    /// Files received so far.
    pub done_files: usize,
    /// Files in all.
    pub files: usize,
}

impl Core {
    /// Uploads files that are named by url or sent as base64. Takes the caller by value, because its snapshot must not be
    /// kept for as long as a fetch may take.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `BAD_USER_INPUT` for a source that is malformed, not public or can't be fetched, and
    /// when no file is accepted; `RESOURCE_NOT_FOUND` for the parent; `RATE_LIMITED` when the key has too many uploads or
    /// fetches running. Nothing is stored then.
    pub async fn upload_sources(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        sources: Vec<UploadSource>,
        parent: Option<&str>,
        report: impl Fn(UploadProgress) + Send + Sync,
    ) -> Result<Uploaded> {
        let mut upload = self.begin_upload(&caller, path)?;
        let cancellation = caller.cancellation().clone();
        drop(caller);
        within("sources", sources.len(), 1, self.settings().limits.files_per_upload)?;
        if let Some(parent) = parent {
            upload.set_parent(parent)?;
        }
        let sources = sources
            .into_iter()
            .enumerate()
            .map(|(n, source)| self.check_source(n + 1, source))
            .collect::<Result<Vec<_>>>()?;
        let urls = sources.iter().filter(|source| matches!(source, CheckedSource::Url(_))).count();
        let requester = Requester::of(upload.permission.grant.actor());
        // Reserved before the first fetch, so that no upload fails halfway because the key's other fetches took them.
        let _slots = self.budget().fetches.reserve(&requester, urls.min(CONCURRENT_FETCHES) as u64)?;
        let progress = SourceProgress::new(report, sources.len());
        upload.files = sources.len();
        let mut outcomes = stream::iter(
            sources.into_iter().map(|source| receive(upload.permission.clone(), source, &progress)),
        )
        .buffered(CONCURRENT_FETCHES);
        let receiving = async {
            let mut received = Vec::new();
            while let Some(outcome) = outcomes.next().await {
                received.push(outcome?);
            }
            Ok::<_, Error>(received)
        };
        // A server that does not answer would delay the end of a cancelled upload.
        let received = cancellation.unless_cancelled(receiving).await.ok_or_else(cancelled)?;
        drop(outcomes);
        for outcome in received? {
            upload.add(outcome);
        }
        upload.finish().await
    }

    fn check_source(&self, number: usize, source: UploadSource) -> Result<CheckedSource> {
        match source {
            UploadSource::Url(url) => {
                self.fetcher().check(&url)?;
                Ok(CheckedSource::Url(url))
            }
            UploadSource::Base64 { filename, mime_type: _, data } => {
                let bytes = base64::decode(&data).map_err(|reason| {
                    Error::bad_input(format!(
                        "The data of source {number} (\"{}\") is not base64: {reason}.",
                        excerpt(&filename)
                    ))
                })?;
                Ok(CheckedSource::Bytes { file_name: filename, bytes })
            }
        }
    }
}

/// A well-formed source.
enum CheckedSource {
    Url(String),
    Bytes { file_name: String, bytes: Vec<u8> },
}

/// Reports the progress to the client.
struct SourceProgress<F> {
    report: F,
    done_bytes: AtomicU64,
    done_files: AtomicUsize,
    files: usize,
}

impl<F: Fn(UploadProgress)> SourceProgress<F> {
    fn new(report: F, files: usize) -> Self {
        Self { report, done_bytes: AtomicU64::new(0), done_files: AtomicUsize::new(0), files }
    }

    fn bytes_done(&self, bytes: usize, announced: Option<u64>) {
        self.done_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.report(announced.filter(|_| self.files == 1));
    }

    fn file_done(&self) {
        self.done_files.fetch_add(1, Ordering::Relaxed);
        self.report(None);
    }

    fn report(&self, total_bytes: Option<u64>) {
        (self.report)(UploadProgress {
            done_bytes: self.done_bytes.load(Ordering::Relaxed),
            total_bytes,
            done_files: self.done_files.load(Ordering::Relaxed),
            files: self.files,
        });
    }
}

/// Receives one source completely.
async fn receive<F: Fn(UploadProgress)>(
    permission: WritePermission,
    source: CheckedSource,
    progress: &SourceProgress<F>,
) -> Result<FileOutcome> {
    let outcome = match source {
        CheckedSource::Bytes { file_name, bytes } => {
            let mut file = FileUpload::begin(permission, &file_name)?;
            file.write(&bytes).await?;
            file.finish().await?
        }
        CheckedSource::Url(url) => fetch(permission, &url, progress).await?,
    };
    progress.file_done();
    Ok(outcome)
}

async fn fetch<F: Fn(UploadProgress)>(
    permission: WritePermission,
    url: &str,
    progress: &SourceProgress<F>,
) -> Result<FileOutcome> {
    let core = permission.core.clone();
    let max_bytes = core.settings().limits.url_bytes;
    let mut download = core.fetcher().open(url).await?;
    let announced = download.announced_bytes();
    // Before the first byte. A file above its own limit is left out, whatever the quota is.
    if announced.is_some_and(|announced| announced <= max_bytes) {
        permission.expect_room(announced.unwrap_or(0))?;
    }
    let temporary = core.budget().temporary.reserve(&Requester::of(permission.grant.actor()), 0)?;
    let mut file = FileUpload::begin(permission, download.file_name())?.fetched(max_bytes, temporary);
    while let Some(bytes) = download.chunk().await? {
        if announced.unwrap_or(0).max(file.size() + bytes.len() as u64) > max_bytes {
            return Ok(FileOutcome::Rejected(RejectedFile {
                file_name: url.to_owned(),
                reason: format!("it is larger than {max_bytes} bytes"),
            }));
        }
        progress.bytes_done(bytes.len(), announced);
        file.write(&bytes).await?;
    }
    file.finish().await
}
