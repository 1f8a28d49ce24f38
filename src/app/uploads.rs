//! Uploads: files on their way into a library, from whichever transport.
//!
//! The grant is taken before the first byte is read. The files of one upload go to disk as they arrive, are
//! looked at, and are committed together; until then nothing of them can be seen, and whatever ends the upload
//! early leaves nothing behind.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::App;
use super::access::{Caller, LibraryPath, WriteGrant};
use super::assets::{AssetDetail, parse_id, within};
use super::clock::Millis;
use super::fetch::Download;
use super::id::AssetId;
use super::media::{self, Inspected};
use super::model::{Asset, Content};
use super::name::{Slug, asset_name, file_name};
use super::store::blobs::{IncomingFile, KeptFile};
use super::store::{AssetQueries, Created};
use crate::error::{Code, Error, Result};

/// How many bytes go to disk in one hop to a thread that may block.
const WRITE_BATCH: usize = 1 << 20;
/// How long a running upload goes on before its key is looked at again.
const RECHECK: Duration = Duration::from_millis(250);
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

/// What an upload did.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// The new assets, in the order of their files.
    pub assets: Vec<AssetDetail>,
    /// What happened, for a person: how many were uploaded, and which were left out and why.
    pub text: String,
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

/// An upload that has begun.
pub struct Upload {
    app: App,
    grant: WriteGrant,
    organization: Slug,
    uploaded_by: String,
    parent: Option<AssetId>,
    checked: Instant,
    files: usize,
    arrived: Vec<Arrived>,
    refused: Vec<Refused>,
}

/// A file that is here as a whole, and accepted.
struct Arrived {
    name: String,
    file: IncomingFile,
    inspected: Inspected,
}

/// A file that is left out.
struct Refused {
    file_name: String,
    reason: String,
}

/// A file that is arriving.
pub struct Arriving {
    file_name: String,
    file: IncomingFile,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    size: u64,
}

impl Arriving {
    /// How many bytes arrived.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl App {
    /// Begins an upload: takes the grant before any byte of it is read.
    ///
    /// # Errors
    /// Of [`Caller::write`]; `SERVICE_UNAVAILABLE` when the store takes no changes.
    pub fn begin_upload(&self, caller: &Caller, path: &LibraryPath<'_>) -> Result<Upload> {
        let grant = caller.write(path)?;
        Ok(Upload {
            app: self.clone(),
            uploaded_by: grant.writer_name().to_owned(),
            grant,
            organization: caller.organization().slug.clone(),
            parent: None,
            checked: Instant::now(),
            files: 0,
            arrived: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// Uploads files that are named by url or sent as base64.
    ///
    /// # Errors
    /// Of [`Caller::write`]; `BAD_USER_INPUT` for a source that is malformed, not public or can't be fetched, and
    /// when no file is accepted; `RESOURCE_NOT_FOUND` for the parent. Nothing is stored then.
    pub async fn upload_sources(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        sources: Vec<Source>,
        parent: Option<&str>,
        progress: impl Fn(UploadProgress) + Send + Sync,
    ) -> Result<Uploaded> {
        let mut upload = self.begin_upload(caller, path)?;
        within("sources", sources.len(), 1, self.settings().limits.files_per_upload)?;
        if let Some(parent) = parent {
            upload.set_parent(parent)?;
        }
        let mut given = Vec::with_capacity(sources.len());
        for (number, source) in sources.into_iter().enumerate() {
            given.push(self.checked_source(number, source)?);
        }
        let mut progress = Progress { report: progress, done_bytes: 0, done_files: 0, files: given.len() };
        for source in given {
            match source {
                Checked::Bytes { file_name, bytes } => upload.receive_bytes(&file_name, bytes).await?,
                Checked::Url(url) => upload.receive_url(&url, &mut progress).await?,
            }
            progress.file_done();
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
                        "The data of source {} (\"{filename}\") is not base64: {error}.",
                        number + 1
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
    done_bytes: u64,
    done_files: usize,
    files: usize,
}

impl<F: Fn(UploadProgress)> Progress<F> {
    fn bytes_done(&mut self, bytes: u64, announced: Option<u64>) {
        self.done_bytes += bytes;
        let total_bytes = announced.filter(|_| self.files == 1);
        self.tell(total_bytes);
    }

    fn file_done(&mut self) {
        self.done_files += 1;
        self.tell(None);
    }

    fn tell(&self, total_bytes: Option<u64>) {
        (self.report)(UploadProgress {
            done_bytes: self.done_bytes,
            total_bytes,
            done_files: self.done_files,
            files: self.files,
        });
    }
}

impl Upload {
    /// Makes the one file of this upload a variant of an asset.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the asset is not in the library; `BAD_USER_INPUT` when it is a variant itself.
    pub fn set_parent(&mut self, id: &str) -> Result<()> {
        let id = parse_id(id)?;
        expect_original(&self.app.store().view()?, &self.grant, &id)?;
        self.parent = Some(id);
        Ok(())
    }

    /// Records somebody else than the key as the uploader.
    pub fn set_uploader(&mut self, name: &str) {
        name.clone_into(&mut self.uploaded_by);
    }

    /// Begins the next file under the name that the client gave it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it is one too many; when the disk is full or fails.
    pub fn begin_file(&mut self, claimed_name: &str) -> Result<Arriving> {
        self.files += 1;
        let most = self.app.settings().limits.files_per_upload;
        if self.files > most {
            return Err(Error::bad_input(format!("Upload 1 to {most} files at a time; this call has more.")));
        }
        Ok(Arriving {
            file_name: file_name(claimed_name),
            file: self.app.blobs().begin()?,
            waiting: Vec::new(),
            waiting_bytes: 0,
            size: 0,
        })
    }

    /// Takes in the next bytes of a file.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE` above the limit of a file; `INVALID_API_KEY` and the like when the key was revoked
    /// meanwhile; when the disk is full or fails.
    pub async fn write(&mut self, arriving: &mut Arriving, bytes: Bytes) -> Result<()> {
        let most = self.app.settings().limits.file_bytes;
        arriving.size += bytes.len() as u64;
        if arriving.size > most {
            return Err(too_large(&arriving.file_name, most));
        }
        self.still_allowed()?;
        arriving.waiting_bytes += bytes.len();
        arriving.waiting.push(bytes);
        if arriving.waiting_bytes < WRITE_BATCH {
            return Ok(());
        }
        let waiting = std::mem::take(&mut arriving.waiting);
        arriving.waiting_bytes = 0;
        let mut file = self.app.blobs().begin()?;
        std::mem::swap(&mut file, &mut arriving.file);
        arriving.file = blocking(move || written(file, waiting)).await?;
        Ok(())
    }

    /// Ends a file: looks at what it is, and leaves it out when it can't be accepted.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub async fn end_file(&mut self, arriving: Arriving) -> Result<()> {
        let Arriving { file_name, file, waiting, .. } = arriving;
        let most_pixels = self.app.settings().limits.image_pixels;
        let (file, inspected) = blocking(move || {
            let mut file = written(file, waiting)?;
            let inspected = media::inspect(file.as_file_mut(), most_pixels);
            Ok((file, inspected))
        })
        .await?;
        match inspected {
            Ok(inspected) => self.arrived.push(Arrived { name: asset_name(&file_name), file, inspected }),
            Err(reason) => self.refused.push(Refused { file_name, reason }),
        }
        Ok(())
    }

    /// Leaves a file out, for a reason that is not in its bytes.
    pub fn refuse_file(&mut self, file_name: &str, reason: String) {
        self.refused.push(Refused { file_name: file_name.to_owned(), reason });
    }

    /// Puts the files in their place and commits them, all together. Goes on when nobody waits for it any more.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when there is no file, none is accepted, or a variant has more than one;
    /// `RESOURCE_NOT_FOUND` for the parent; what a revoked key gets. Nothing is stored then.
    pub async fn finish(self) -> Result<Uploaded> {
        self.expect_files(self.parent.is_some())?;
        tokio::spawn(self.commit()).await.map_err(Error::internal)?
    }

    /// [`Upload::set_parent`] and [`Upload::finish`] in one: what is wrong with the files is answered before
    /// what is wrong with the parent.
    ///
    /// # Errors
    /// Of both.
    pub async fn finish_as_variant(mut self, parent: &str) -> Result<Uploaded> {
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
                "A variant is one file; this call has more. Upload each with a call of its own.",
            ));
        }
        if self.arrived.is_empty() {
            return Err(Error::bad_input(format!("No file was accepted. {}", left_out(&self.refused))));
        }
        Ok(())
    }

    async fn commit(self) -> Result<Uploaded> {
        let Self { app, grant, organization, uploaded_by, parent, arrived, refused, .. } = self;
        let blobs = app.blobs().clone();
        let placed = blocking(move || {
            arrived
                .into_iter()
                .map(|Arrived { name, file, inspected }| Ok((name, inspected, blobs.keep(file)?)))
                .collect::<Result<Vec<_>>>()
        })
        .await?;
        let now = app.now();
        let records: Vec<Asset> = placed
            .iter()
            .map(|(name, inspected, kept)| {
                new_asset(&grant, name, *inspected, kept, parent, &uploaded_by, now)
            })
            .collect();
        let committed = app
            .change(&grant, move |tx, grant, now| {
                if let Some(parent) = &parent {
                    let original = expect_original(tx, grant, parent)?;
                    tx.put_asset(grant, &original.touched(now))?;
                }
                records
                    .iter()
                    .map(|asset| tx.add_asset(grant, Created(asset.clone())))
                    .collect::<Result<Vec<_>>>()
            })
            .await;
        let kept = placed.into_iter().map(|(_, _, kept)| kept).collect();
        let assets = settle(&app, kept, committed).await?;
        let text = summary(assets.len(), &refused);
        let library = grant.slug();
        let detail = |asset| AssetDetail {
            asset,
            variants: Vec::new(),
            organization: organization.clone(),
            library: library.clone(),
        };
        Ok(Uploaded { assets: assets.into_iter().map(detail).collect(), text })
    }

    async fn receive_bytes(&mut self, file_name: &str, bytes: Bytes) -> Result<()> {
        let mut arriving = self.begin_file(file_name)?;
        self.write(&mut arriving, bytes).await?;
        self.end_file(arriving).await
    }

    async fn receive_url<F: Fn(UploadProgress)>(
        &mut self,
        url: &str,
        progress: &mut Progress<F>,
    ) -> Result<()> {
        let most = self.app.settings().limits.url_bytes;
        let mut download: Download = self.app.clone().fetcher().open(url).await?;
        let announced = download.announced_bytes();
        let mut arriving = self.begin_file(download.file_name())?;
        while let Some(bytes) = download.chunk().await? {
            if announced.unwrap_or(0).max(arriving.size() + bytes.len() as u64) > most {
                self.refuse_file(url, format!("it is larger than {most} bytes"));
                return Ok(());
            }
            progress.bytes_done(bytes.len() as u64, announced);
            self.write(&mut arriving, bytes).await?;
        }
        self.end_file(arriving).await
    }

    /// Ends the upload when its key was revoked meanwhile.
    fn still_allowed(&mut self) -> Result<()> {
        if self.checked.elapsed() < RECHECK {
            return Ok(());
        }
        self.grant.confirm(&self.app.store().view()?, self.app.now())?;
        self.checked = Instant::now();
        Ok(())
    }
}

/// The asset of this id, which may get a variant.
fn expect_original(reader: &impl AssetQueries, grant: &WriteGrant, id: &AssetId) -> Result<Asset> {
    let asset = reader.asset(grant, id)?;
    if asset.parent.is_some() {
        return Err(Error::bad_input(format!(
            "\"{id}\" is a variant itself. Give the id of its original as the parent."
        )));
    }
    Ok(asset)
}

fn new_asset(
    grant: &WriteGrant,
    name: &str,
    inspected: Inspected,
    kept: &KeptFile,
    parent: Option<AssetId>,
    uploaded_by: &str,
    now: Millis,
) -> Asset {
    let Inspected { media_type, width, height } = inspected;
    Asset {
        id: AssetId::random(),
        library: grant.library(),
        parent,
        name: name.to_owned(),
        content: Content { hash: kept.hash(), size: kept.size(), media_type, width, height },
        description: String::new(),
        tags: Vec::new(),
        created: now,
        updated: now,
        uploaded_by: uploaded_by.to_owned(),
        trashed: None,
    }
}

/// Takes the files away again when their commit was refused; not when nobody knows whether it happened.
async fn settle<T>(app: &App, kept: Vec<KeptFile>, committed: Result<T>) -> Result<T> {
    let refused = committed.as_ref().is_err_and(|error| error.code() != Code::ServiceUnavailable);
    if refused {
        let store = app.store().clone();
        blocking(move || kept.into_iter().try_for_each(|file| file.discard(&store))).await?;
    }
    committed
}

fn written(mut file: IncomingFile, waiting: Vec<Bytes>) -> Result<IncomingFile> {
    waiting.iter().try_for_each(|bytes| file.write(bytes))?;
    Ok(file)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?
}

fn too_large(file_name: &str, most: u64) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!("\"{file_name}\" is larger than {most} bytes, the limit of a file. Nothing was stored."),
    )
}

fn summary(uploaded: usize, refused: &[Refused]) -> String {
    let done = match uploaded {
        1 => "Uploaded 1 asset.".to_owned(),
        more => format!("Uploaded {more} assets."),
    };
    if refused.is_empty() { done } else { format!("{done} {}", left_out(refused)) }
}

fn left_out(refused: &[Refused]) -> String {
    let files: Vec<String> =
        refused.iter().map(|file| format!("\"{}\": {}", file.file_name, file.reason)).collect();
    format!("Left out: {}.", files.join("; "))
}
