//! Uploads: files on their way into a library, from whichever transport.
//!
//! The grant is taken before the first byte is read. The files of one upload go to disk as they arrive, are
//! looked at, and are committed together; until then nothing of them can be seen, and whatever ends the upload
//! early leaves nothing behind.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::App;
use super::access::{Caller, LibraryPath, WriteGrant};
use super::assets::{AssetDetail, parse_id};
use super::clock::Millis;
use super::id::AssetId;
use super::media::{self, Inspected};
use super::model::{Asset, Content};
use super::name::{Slug, asset_name, file_name};
use super::processing::work_on_arrival;
use super::store::blobs::{IncomingFile, KeptFile};
use super::store::{AssetQueries, Created};
use crate::error::{Code, Error, Result};

mod sources;

pub use sources::{Source, UploadProgress};

/// How many bytes go to disk in one hop to a thread that may block.
const WRITE_BATCH: usize = 1 << 20;
/// How long a running upload goes on before its key is looked at again.
const RECHECK: Duration = Duration::from_millis(250);
/// What an upload did.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// The new assets, in the order of their files.
    pub assets: Vec<AssetDetail>,
    /// What the client called these files, in the same order.
    pub file_names: Vec<String>,
    /// What happened, for a person: how many were uploaded, and which were left out and why.
    pub text: String,
}

/// An upload that has begun.
pub struct Upload {
    gate: Gate,
    organization: Slug,
    uploaded_by: String,
    parent: Option<AssetId>,
    files: usize,
    arrived: Vec<Arrived>,
    refused: Vec<Refused>,
}

/// What became of a file.
enum Outcome {
    Arrived(Arrived),
    Refused(Refused),
}

/// A file that is here as a whole, and accepted.
struct Arrived {
    file_name: String,
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
    gate: Gate,
    file_name: String,
    most: u64,
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

    /// Takes in the next bytes.
    ///
    /// # Errors
    /// `PAYLOAD_TOO_LARGE` above the limit of a file; `INVALID_API_KEY` and the like when the key was revoked
    /// meanwhile; when the disk is full or fails.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(too_large(&self.file_name, self.most));
        }
        self.gate.still_allowed()?;
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_bytes < WRITE_BATCH {
            return Ok(());
        }
        self.waiting_bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        let file = std::mem::replace(&mut self.file, self.gate.app.blobs().begin()?);
        self.file = blocking(move || written(file, &waiting)).await?;
        Ok(())
    }

    /// Looks at what a file is that is here as a whole.
    async fn ended(self) -> Result<Outcome> {
        let Self { gate, file_name, file, waiting, .. } = self;
        let most_pixels = gate.app.settings().limits.image_pixels;
        let (file, inspected) = blocking(move || {
            let mut file = written(file, &waiting)?;
            let inspected = media::inspect(file.as_file_mut(), most_pixels);
            Ok((file, inspected))
        })
        .await?;
        Ok(match inspected {
            Ok(inspected) => Outcome::Arrived(Arrived { file_name, file, inspected }),
            Err(reason) => Outcome::Refused(Refused { file_name, reason }),
        })
    }
}

/// Looks now and then whether a running upload's key may still write.
#[derive(Clone)]
struct Gate {
    app: App,
    grant: WriteGrant,
    checked: Instant,
}

impl Gate {
    fn still_allowed(&mut self) -> Result<()> {
        if self.checked.elapsed() < RECHECK {
            return Ok(());
        }
        self.confirm()?;
        self.checked = Instant::now();
        Ok(())
    }

    fn confirm(&self) -> Result<()> {
        self.grant.confirm(&self.app.store().view()?, self.app.now())
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
            uploaded_by: grant.actor().name.clone(),
            gate: Gate { app: self.clone(), grant, checked: Instant::now() },
            organization: caller.organization().slug.clone(),
            parent: None,
            files: 0,
            arrived: Vec::new(),
            refused: Vec::new(),
        })
    }
}

fn begun(gate: Gate, claimed_name: &str) -> Result<Arriving> {
    Ok(Arriving {
        file_name: file_name(claimed_name),
        most: gate.app.settings().limits.file_bytes,
        file: gate.app.blobs().begin()?,
        gate,
        waiting: Vec::new(),
        waiting_bytes: 0,
        size: 0,
    })
}

impl Upload {
    /// Makes the one file of this upload a variant of an asset.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the asset is not in the library; `BAD_USER_INPUT` when it is a variant itself.
    pub fn set_parent(&mut self, id: &str) -> Result<()> {
        let id = parse_id(id)?;
        expect_original(&self.gate.app.store().view()?, &self.gate.grant, &id)?;
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
        let most = self.gate.app.settings().limits.files_per_upload;
        if self.files > most {
            return Err(Error::bad_input(format!("Upload 1 to {most} files at a time; this call has more.")));
        }
        begun(self.gate.clone(), claimed_name)
    }

    /// The files that are left out so far, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (&str, &str)> {
        self.refused.iter().map(|refused| (refused.file_name.as_str(), refused.reason.as_str()))
    }

    /// Ends a file: looks at what it is, and leaves it out when it can't be accepted.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub async fn end_file(&mut self, arriving: Arriving) -> Result<()> {
        let outcome = arriving.ended().await?;
        self.take(outcome);
        Ok(())
    }

    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Arrived(file) => self.arrived.push(file),
            Outcome::Refused(file) => self.refused.push(file),
        }
    }

    /// Puts the files in their place and commits them, all together. Goes on when nobody waits for it any more.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when there is no file, none is accepted, or a variant has more than one;
    /// `RESOURCE_NOT_FOUND` for the parent; what a revoked key gets. Nothing is stored then.
    pub async fn finish(self) -> Result<Uploaded> {
        // Before anything is said of the files: whoever lost the library meanwhile learns nothing more of them.
        self.gate.confirm()?;
        self.expect_files(self.parent.is_some())?;
        tokio::spawn(self.commit()).await.map_err(Error::internal)?
    }

    /// [`Upload::set_parent`] and [`Upload::finish`] in one: what is wrong with the files is answered before
    /// what is wrong with the parent.
    ///
    /// # Errors
    /// Of both.
    pub async fn finish_as_variant(mut self, parent: &str) -> Result<Uploaded> {
        self.gate.confirm()?;
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
        let Self {
            gate: Gate { app, grant, .. }, organization, uploaded_by, parent, arrived, refused, ..
        } = self;
        let blobs = app.blobs().clone();
        let placed = blocking(move || {
            arrived
                .into_iter()
                .map(|Arrived { file_name, file, inspected }| Ok((file_name, inspected, blobs.keep(file)?)))
                .collect::<Result<Vec<_>>>()
        })
        .await?;
        let now = app.now();
        let records: Vec<Asset> = placed
            .iter()
            .map(|(file_name, inspected, kept)| {
                let content = new_content(&app, *inspected, kept);
                new_asset(&grant, asset_name(file_name), content, parent, &uploaded_by, now)
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
        let (file_names, kept) = placed.into_iter().map(|(file_name, _, kept)| (file_name, kept)).unzip();
        let assets = settle(&app, kept, committed).await?;
        let text = summary(assets.len(), &refused);
        let library = grant.slug();
        let detail = |asset| AssetDetail {
            asset,
            variants: Vec::new(),
            organization: organization.clone(),
            library: library.clone(),
            pictured: app.pictured(),
        };
        Ok(Uploaded { assets: assets.into_iter().map(detail).collect(), file_names, text })
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
    name: String,
    content: Content,
    parent: Option<AssetId>,
    uploaded_by: &str,
    now: Millis,
) -> Asset {
    Asset {
        id: AssetId::random(),
        library: grant.library(),
        parent,
        name,
        content,
        description: String::new(),
        tags: Vec::new(),
        created: now,
        updated: now,
        uploaded_by: uploaded_by.to_owned(),
        trashed: None,
    }
}

fn new_content(app: &App, inspected: Inspected, kept: &KeptFile) -> Content {
    let Inspected { media_type, width, height } = inspected;
    let work = work_on_arrival(media_type, app.pictured(), app.settings().media.import_metadata);
    Content { hash: kept.hash(), size: kept.size(), media_type, width, height, work }
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

fn written(mut file: IncomingFile, waiting: &[Bytes]) -> Result<IncomingFile> {
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
