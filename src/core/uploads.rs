//! Uploads: files on their way into a library, from whichever transport.
//!
//! The grant is taken before the first byte is read. The files of one upload go to disk as they arrive, are
//! looked at, and are committed together; until then nothing of them can be seen, and whatever ends the upload
//! early leaves nothing behind.

use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use super::Core;
use super::assets::{AssetDetail, parse_id};
use super::budget::{Share, Taker};
use super::model::{Asset, Content};
use super::processing::work_on_upload;
use super::store::{AssetCommands, AssetQueries, NewAsset};
use crate::core::access::{Caller, LibraryPath, WriteGrant};
use crate::core::model::id::AssetId;
use crate::core::model::name::{Slug, asset_name, file_name};
use crate::core::store::files::{Blobs, IncomingFile, KeptFile};
use crate::error::{Code, Error, MAX_EXCERPT, MAX_MESSAGE, Result, excerpt};
use crate::pictures::media::{self, Inspected};

mod base64;
mod sources;

pub use sources::{Source, UploadProgress};

/// How many bytes go to disk in one hop to a thread that may block; the most that one file holds in memory.
const WRITE_BATCH: usize = 256 << 10;
/// How much of a message stands before the files that are left out, in characters.
const ROOM_BEFORE: usize = 100;
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
    /// Its place among the uploads of its key.
    _place: Share,
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
    /// What its temporary file takes, if that is counted.
    _temporary: Option<Share>,
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
    spool: Spool,
    size: u64,
    /// What its buffer takes.
    _buffer: Share,
    /// What its temporary file takes, if that is counted: of a file that comes from elsewhere.
    temporary: Option<Share>,
}

/// What arrived of a file: the start of it on the disk, the rest in a buffer of a known size. What a client sends is
/// copied into it: a slice of it, however short, would keep all of what was read from the connection with it.
#[derive(Default)]
struct Spool {
    file: Option<IncomingFile>,
    waiting: Vec<u8>,
}

impl Spool {
    /// Takes in what fits, and returns the rest.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let free = WRITE_BATCH.saturating_sub(self.waiting.len()).min(bytes.len());
        let (taken, rest) = bytes.split_at(free);
        self.waiting.extend_from_slice(taken);
        rest
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= WRITE_BATCH
    }

    /// Writes down what waits. Blocks.
    fn flush(&mut self, blobs: &Blobs) -> Result<&mut IncomingFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => blobs.begin()?,
        };
        let file = self.file.insert(file);
        file.write(&self.waiting)?;
        self.waiting.clear();
        Ok(file)
    }
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
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(too_large(&self.file_name, self.most));
        }
        if let Some(temporary) = &mut self.temporary {
            temporary.grow(bytes.len() as u64)?;
        }
        self.gate.still_allowed()?;
        let mut rest = self.spool.fill(bytes);
        while self.spool.is_full() {
            let (mut spool, blobs) = (std::mem::take(&mut self.spool), self.gate.core.blobs().clone());
            self.spool = blocking(move || spool.flush(&blobs).map(drop).map(|()| spool)).await?;
            rest = self.spool.fill(rest);
        }
        Ok(())
    }

    /// Looks at what a file is that is here as a whole.
    async fn ended(self) -> Result<Outcome> {
        let Self { gate, file_name, mut spool, temporary, .. } = self;
        let most_pixels = gate.core.settings().limits.image_pixels;
        let (file, inspected) = blocking(move || {
            spool.flush(gate.core.blobs())?;
            let mut file = spool.file.ok_or_else(|| Error::internal("a file that was written is gone"))?;
            let inspected = media::inspect(file.as_file_mut(), most_pixels);
            Ok((file, inspected))
        })
        .await?;
        Ok(match inspected {
            Ok(inspected) => Outcome::Arrived(Arrived { file_name, file, inspected, _temporary: temporary }),
            Err(reason) => Outcome::Refused(Refused { file_name, reason }),
        })
    }
}

/// Looks now and then whether a running upload's key may still write.
#[derive(Clone)]
struct Gate {
    core: Core,
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
        self.grant.confirm(&self.core.store().snapshot()?, self.core.now())
    }
}

impl Core {
    /// Begins an upload: takes the grant before any byte of it is read.
    ///
    /// # Errors
    /// Of [`Caller::write`]; `RATE_LIMITED` when the key has too many uploads running; `SERVICE_UNAVAILABLE` when the store
    /// takes no changes.
    pub fn begin_upload(&self, caller: &Caller, path: &LibraryPath<'_>) -> Result<Upload> {
        let grant = caller.write(path)?;
        let place = self.budget().uploads.take(&Taker::of(grant.actor()), 1)?;
        Ok(Upload {
            uploaded_by: grant.actor().name.clone(),
            gate: Gate { core: self.clone(), grant, checked: Instant::now() },
            organization: caller.organization().slug.clone(),
            parent: None,
            files: 0,
            arrived: Vec::new(),
            refused: Vec::new(),
            _place: place,
        })
    }
}

fn begun(gate: Gate, claimed_name: &str) -> Result<Arriving> {
    let most = gate.core.settings().limits.file_bytes;
    let buffer = gate.core.budget().memory.take(&Taker::of(gate.grant.actor()), WRITE_BATCH as u64)?;
    Ok(Arriving {
        file_name: file_name(claimed_name),
        most,
        gate,
        spool: Spool::default(),
        size: 0,
        _buffer: buffer,
        temporary: None,
    })
}

impl Upload {
    /// Makes the one file of this upload a variant of an asset.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the asset is not in the library; `BAD_USER_INPUT` when it is a variant itself.
    pub fn set_parent(&mut self, id: &str) -> Result<()> {
        let id = parse_id(id)?;
        expect_original(&self.gate.core.store().snapshot()?, &self.gate.grant, &id)?;
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
    /// `BAD_USER_INPUT` when it is one too many; `RATE_LIMITED` when too much is waiting.
    pub fn begin_file(&mut self, claimed_name: &str) -> Result<Arriving> {
        self.files += 1;
        let most = self.gate.core.settings().limits.files_per_upload;
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
            gate: Gate { core, grant, .. }, organization, uploaded_by, parent, arrived, refused, ..
        } = self;
        let blobs = core.blobs().clone();
        let placed = blocking(move || {
            arrived
                .into_iter()
                .map(|Arrived { file_name, file, inspected, .. }| {
                    Ok((file_name, inspected, blobs.keep(file)?))
                })
                .collect::<Result<Vec<_>>>()
        })
        .await?;
        let records: Vec<Asset> = placed
            .iter()
            .map(|(file_name, inspected, kept)| {
                let content = new_content(&core, *inspected, kept);
                new_asset(&grant, asset_name(file_name), content, parent, &uploaded_by)
            })
            .collect();
        let committed = core
            .change(&grant, move |tx, grant, now| {
                if let Some(parent) = &parent {
                    let original = expect_original(tx, grant, parent)?;
                    tx.put_asset(grant, &original.touched(now))?;
                }
                let times = tx.creation_times(grant, records.len(), now)?;
                records
                    .iter()
                    .zip(times)
                    .map(|(asset, time)| {
                        tx.add_asset(grant, NewAsset(Asset { created: time, updated: time, ..asset.clone() }))
                    })
                    .collect::<Result<Vec<_>>>()
            })
            .await;
        let (file_names, kept) = placed.into_iter().map(|(file_name, _, kept)| (file_name, kept)).unzip();
        let assets = settle(&core, kept, committed).await?;
        let text = summary(assets.len(), &refused);
        let library = grant.slug();
        let detail = |asset| AssetDetail {
            asset,
            variants: Vec::new(),
            organization: organization.clone(),
            library: library.clone(),
            renderable_types: core.renderable_types(),
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

/// The record of a new asset, to which the time is missing: it gets one when it is committed.
fn new_asset(
    grant: &WriteGrant,
    name: String,
    content: Content,
    parent: Option<AssetId>,
    uploaded_by: &str,
) -> Asset {
    Asset {
        id: AssetId::random(),
        library: grant.library(),
        parent,
        name,
        content,
        description: String::new(),
        tags: Vec::new(),
        created: 0,
        updated: 0,
        uploaded_by: uploaded_by.to_owned(),
        trashed: None,
    }
}

fn new_content(core: &Core, inspected: Inspected, kept: &KeptFile) -> Content {
    let Inspected { media_type, width, height } = inspected;
    let work = work_on_upload(media_type, core.renderable_types(), core.settings().media.import_metadata);
    Content { hash: kept.hash(), size: kept.size(), media_type, width, height, work }
}

/// Takes the files away again when their commit was refused; not when nobody knows whether it happened.
async fn settle<T>(core: &Core, kept: Vec<KeptFile>, committed: Result<T>) -> Result<T> {
    let refused = committed.as_ref().is_err_and(|error| error.code() != Code::ServiceUnavailable);
    if refused {
        let store = core.store().clone();
        blocking(move || kept.into_iter().try_for_each(|file| file.discard(&store))).await?;
    }
    committed
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?
}

fn too_large(file_name: &str, most: u64) -> Error {
    Error::new(
        Code::PayloadTooLarge,
        format!(
            "\"{}\" is larger than {most} bytes, the limit of a file. Nothing was stored.",
            excerpt(file_name)
        ),
    )
}

fn summary(uploaded: usize, refused: &[Refused]) -> String {
    let done = match uploaded {
        1 => "Uploaded 1 asset.".to_owned(),
        more => format!("Uploaded {more} assets."),
    };
    if refused.is_empty() { done } else { format!("{done} {}", left_out(refused)) }
}

/// The files that are left out, each with its reason; those of one reason together where there are too many for that.
fn left_out(refused: &[Refused]) -> String {
    // However many there are, the names have one room among them.
    let share = (4 * MAX_EXCERPT / refused.len().max(1)).max(16);
    let name = |file: &Refused| format!("\"{}\"", excerpt(&file.file_name).at_most(share));
    let each: Vec<String> = refused.iter().map(|file| format!("{}: {}", name(file), file.reason)).collect();
    let each = each.join("; ");
    if each.chars().count() < MAX_MESSAGE - ROOM_BEFORE {
        return format!("Left out: {each}.");
    }
    let mut reasons: Vec<&str> = Vec::new();
    for file in refused {
        if !reasons.contains(&file.reason.as_str()) {
            reasons.push(&file.reason);
        }
    }
    let of_reason = |reason: &&str| {
        let names: Vec<String> = refused.iter().filter(|file| file.reason == *reason).map(name).collect();
        format!("{}: {reason}", names.join(", "))
    };
    format!("Left out: {}.", reasons.iter().map(of_reason).collect::<Vec<_>>().join("; "))
}
