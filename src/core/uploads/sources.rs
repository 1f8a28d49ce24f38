//! Files that a client names by url or sends as base64, instead of streaming them.
//!
//! Every source is checked before any is stored; then they arrive side by side, and are committed together.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};

use super::{Arriving, Gate, Outcome, Refused, Uploaded, base64, begun};
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::assets::within;
use crate::core::budget::Taker;
use crate::core::cancellation::cancelled;
use crate::error::{Error, Result, excerpt};

/// How many urls of one upload are fetched at a time.
const FETCHES: usize = 4;
/// A file that a client names or sends instead of streaming it.
#[derive(Debug, Clone)]
pub enum Source {
    /// To be fetched.
    Url(String),
    /// The file itself.
    Base64 {
        /// What the client calls it.
        filename: String,
        /// What the client says it is; the bytes decide.
        mime_type: String,
        /// The bytes in base64.
        data: String,
    },
}

/// How far an upload of sources is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadProgress {
    /// Bytes that arrived, of all files.
    pub done_bytes: u64,
    /// Bytes to come in all, if every source announces its size.
    pub total_bytes: Option<u64>,
    /// Files that arrived.
    pub done_files: usize,
    /// Files in all.
    pub files: usize,
}

impl Core {
    /// Uploads files that are named by url or sent as base64. Takes the caller, because its snapshot must not
    /// be kept as long as a fetch may take.
    ///
    /// # Errors
    /// Of [`Caller::write`]; `BAD_USER_INPUT` for a source that is malformed, not public or can't be fetched, and
    /// when no file is accepted; `RESOURCE_NOT_FOUND` for the parent; `RATE_LIMITED` when the key has too many uploads or
    /// fetches running. Nothing is stored then.
    pub async fn upload_sources(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        sources: Vec<Source>,
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
        let given = sources
            .into_iter()
            .enumerate()
            .map(|(n, source)| self.checked_source(n + 1, source))
            .collect::<Result<Vec<_>>>()?;
        let urls = given.iter().filter(|source| matches!(source, Checked::Url(_))).count();
        let taker = Taker::of(upload.gate.grant.actor());
        // Taken before the first of them, so that no upload ends in its middle for want of places.
        let _places = self.budget().fetches.take(&taker, urls.min(FETCHES) as u64)?;
        let progress = Progress::new(report, given.len());
        upload.files = given.len();
        let mut outcomes =
            stream::iter(given.into_iter().map(|source| received(upload.gate.clone(), source, &progress)))
                .buffered(FETCHES);
        let receiving = async {
            let mut ended = Vec::new();
            while let Some(outcome) = outcomes.next().await {
                ended.push(outcome?);
            }
            Ok::<_, Error>(ended)
        };
        // A fetch may wait long for a place outside that says nothing.
        let ended = cancellation.unless_cancelled(receiving).await.ok_or_else(cancelled)?;
        drop(outcomes);
        for outcome in ended? {
            upload.take(outcome);
        }
        upload.finish().await
    }

    fn checked_source(&self, number: usize, source: Source) -> Result<Checked> {
        match source {
            Source::Url(url) => {
                self.fetcher().check(&url)?;
                Ok(Checked::Url(url))
            }
            Source::Base64 { filename, mime_type: _, data } => {
                let bytes = base64::decode(&data).map_err(|reason| {
                    Error::bad_input(format!(
                        "The data of source {number} (\"{}\") is not base64: {reason}.",
                        excerpt(&filename)
                    ))
                })?;
                Ok(Checked::Bytes { file_name: filename, bytes })
            }
        }
    }
}

/// A source that is well-formed.
enum Checked {
    Url(String),
    Bytes { file_name: String, bytes: Vec<u8> },
}

/// Tells the one who waits how far it is.
struct Progress<F> {
    report: F,
    done_bytes: AtomicU64,
    done_files: AtomicUsize,
    files: usize,
}

impl<F: Fn(UploadProgress)> Progress<F> {
    fn new(report: F, files: usize) -> Self {
        Self { report, done_bytes: AtomicU64::new(0), done_files: AtomicUsize::new(0), files }
    }

    fn bytes_done(&self, bytes: usize, announced: Option<u64>) {
        self.done_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.tell(announced.filter(|_| self.files == 1));
    }

    fn file_done(&self) {
        self.done_files.fetch_add(1, Ordering::Relaxed);
        self.tell(None);
    }

    fn tell(&self, total_bytes: Option<u64>) {
        (self.report)(UploadProgress {
            done_bytes: self.done_bytes.load(Ordering::Relaxed),
            total_bytes,
            done_files: self.done_files.load(Ordering::Relaxed),
            files: self.files,
        });
    }
}

/// Gets one source as a whole.
async fn received<F: Fn(UploadProgress)>(
    gate: Gate,
    source: Checked,
    progress: &Progress<F>,
) -> Result<Outcome> {
    let outcome = match source {
        Checked::Bytes { file_name, bytes } => {
            let mut arriving = begun(gate, &file_name)?;
            arriving.write(&bytes).await?;
            arriving.ended().await?
        }
        Checked::Url(url) => fetched(gate, &url, progress).await?,
    };
    progress.file_done();
    Ok(outcome)
}

async fn fetched<F: Fn(UploadProgress)>(gate: Gate, url: &str, progress: &Progress<F>) -> Result<Outcome> {
    let core = gate.core.clone();
    let most = core.settings().limits.url_bytes;
    let mut download = core.fetcher().open(url).await?;
    let announced = download.announced_bytes();
    let temporary = core.budget().temporary.take(&Taker::of(gate.grant.actor()), 0)?;
    let mut arriving = Arriving { most, temporary: Some(temporary), ..begun(gate, download.file_name())? };
    while let Some(bytes) = download.chunk().await? {
        if announced.unwrap_or(0).max(arriving.size() + bytes.len() as u64) > most {
            return Ok(Outcome::Refused(Refused {
                file_name: url.to_owned(),
                reason: format!("it is larger than {most} bytes"),
            }));
        }
        progress.bytes_done(bytes.len(), announced);
        arriving.write(&bytes).await?;
    }
    arriving.ended().await
}
