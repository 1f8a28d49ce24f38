//! Files that a client names by url or sends as base64, instead of streaming them.
//!
//! Every source is checked before any is stored; then they arrive side by side, and are committed together.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{Arriving, Gate, Outcome, Refused, Uploaded, begun};
use crate::app::App;
use crate::app::access::{Caller, LibraryPath};
use crate::app::assets::within;
use crate::error::{Error, Result};

/// How many urls of one upload are fetched at a time.
const FETCHES: usize = 4;
/// Base64 with and without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

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

impl App {
    /// Uploads files that are named by url or sent as base64. Takes the caller, because its snapshot must not
    /// be kept as long as a fetch may take.
    ///
    /// # Errors
    /// Of [`Caller::write`]; `BAD_USER_INPUT` for a source that is malformed, not public or can't be fetched, and
    /// when no file is accepted; `RESOURCE_NOT_FOUND` for the parent. Nothing is stored then.
    pub async fn upload_sources(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        sources: Vec<Source>,
        parent: Option<&str>,
        report: impl Fn(UploadProgress) + Send + Sync,
    ) -> Result<Uploaded> {
        let mut upload = self.begin_upload(&caller, path)?;
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
        let progress = Progress::new(report, given.len());
        upload.files = given.len();
        let mut outcomes =
            stream::iter(given.into_iter().map(|source| received(upload.gate.clone(), source, &progress)))
                .buffered(FETCHES);
        let mut ended = Vec::new();
        while let Some(outcome) = outcomes.next().await {
            ended.push(outcome?);
        }
        drop(outcomes);
        for outcome in ended {
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
                let bytes = BASE64.decode(data.as_bytes()).map_err(|error| {
                    Error::bad_input(format!(
                        "The data of source {number} (\"{filename}\") is not base64: {error}."
                    ))
                })?;
                Ok(Checked::Bytes { file_name: filename, bytes: bytes.into() })
            }
        }
    }
}

/// A source that is well-formed.
enum Checked {
    Url(String),
    Bytes { file_name: String, bytes: Bytes },
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
            arriving.write(bytes).await?;
            arriving.ended().await?
        }
        Checked::Url(url) => fetched(gate, &url, progress).await?,
    };
    progress.file_done();
    Ok(outcome)
}

async fn fetched<F: Fn(UploadProgress)>(gate: Gate, url: &str, progress: &Progress<F>) -> Result<Outcome> {
    let app = gate.app.clone();
    let most = app.settings().limits.url_bytes;
    let mut download = app.fetcher().open(url).await?;
    let announced = download.announced_bytes();
    let mut arriving = Arriving { most, ..begun(gate, download.file_name())? };
    while let Some(bytes) = download.chunk().await? {
        if announced.unwrap_or(0).max(arriving.size() + bytes.len() as u64) > most {
            return Ok(Outcome::Refused(Refused {
                file_name: url.to_owned(),
                reason: format!("it is larger than {most} bytes"),
            }));
        }
        progress.bytes_done(bytes.len(), announced);
        arriving.write(bytes).await?;
    }
    arriving.ended().await
}
