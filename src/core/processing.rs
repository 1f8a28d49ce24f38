//! The work after an upload: the pictures that every client will request, a blurhash, and the metadata in the file. It is
//! queued in the transaction that adds the asset, newest upload first, and runs in the background with the lowest
//! priority. Whether it succeeds or fails, the upload stays.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use tokio::sync::watch;

use super::Core;
use super::assets::parse_id;
use super::model::{Asset, Content, PendingWork, ProcessingResult, ProcessingState};
use super::renditions::{LibraryFile, with_dimensions};
use super::store::{Next, WorkQueries};
use crate::core::access::Administrator;
use crate::core::maintenance::log_failure;
use crate::core::model::id::AssetId;
use crate::core::model::name::Slug;
use crate::core::model::text::{TextKind, without_hidden};
use crate::core::model::time::{Millis, millis};
use crate::error::{Error, Result};
use crate::pictures::media::MediaType;
use crate::pictures::render_pool::RenderPermit;
use crate::pictures::{Failure, Metadata, RenderableTypes};
use crate::telemetry::metrics::JobResult;

mod older;
mod outcome;
mod perceptual_hashes;

use outcome::ProcessingOutcome;

/// How long the work waits after each failure that may be temporary.
const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_mins(1), Duration::from_mins(10), Duration::from_hours(1)];
/// How long to wait after the store failed.
const STORE_RETRY_DELAY: Duration = Duration::from_secs(5);
/// For how long a file may wait while no other is finished, before the queue counts as stuck. Far longer than any takes.
const STUCK_AFTER: Duration = Duration::from_mins(15);
/// How many failures one transaction puts back into the queue.
const RETRY_BATCH: usize = 500;

/// The work that is going on.
pub(super) struct Processing {
    /// The assets whose files are being processed.
    claimed: Mutex<HashSet<AssetId>>,
    /// When the last was finished, or this was opened.
    last_end: AtomicU64,
}

impl Processing {
    pub(super) fn since(opened: Millis) -> Self {
        Self { claimed: Mutex::default(), last_end: AtomicU64::new(opened) }
    }

    pub(super) fn claimed(&self) -> MutexGuard<'_, HashSet<AssetId>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An asset whose file is being processed by the holder of this value.
struct Claim<'a> {
    asset: Asset,
    processing: &'a Processing,
    is_set_aside: bool,
}

impl Claim<'_> {
    /// Keeps the asset claimed until the next start, so that it does not block the others.
    fn set_aside(mut self) {
        self.is_set_aside = true;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_set_aside {
            self.processing.claimed().remove(&self.asset.id);
        }
    }
}

/// An asset whose file could not be processed.
#[derive(Debug, Clone)]
pub struct FailedWork {
    /// The asset, or the variant.
    pub asset: AssetId,
    /// Its name.
    pub name: String,
    /// The slug of its library.
    pub library: Slug,
    /// The name of its library.
    pub library_name: String,
    /// Why, as a clause about the file: "it is damaged: …".
    pub reason: String,
    /// The number of attempts.
    pub tries: u32,
    /// When the last attempt failed.
    pub when: Millis,
}

/// The work to queue for a newly uploaded file of this type.
pub(super) fn work_on_upload(
    media_type: MediaType,
    renderable_types: RenderableTypes,
    import: bool,
) -> ProcessingState {
    if !needs_work(media_type, renderable_types) {
        return ProcessingState::Nothing;
    }
    ProcessingState::Waiting(PendingWork {
        import_caption: import,
        import_keywords: import,
        ..PendingWork::default()
    })
}

/// Whether files of this type have anything to find out: pictures, or at least metadata.
const fn needs_work(media_type: MediaType, renderable_types: RenderableTypes) -> bool {
    renderable_types.includes(media_type) || matches!(media_type, MediaType::Heic)
}

impl Core {
    /// Runs the work after uploads, as long as it is polled.
    pub(super) async fn process_uploads(&self) {
        let older = async {
            log_failure("look for assets that were never processed", self.queue_older_assets().await);
            log_failure("find pictures that look alike", self.find_missing_perceptual_hashes().await);
        };
        join(older, join_all((0..self.renditions().concurrency()).map(|_| self.process_queue()))).await;
    }

    /// Processes one file after another. Waits while the store takes no writes, or the disk is full.
    async fn process_queue(&self) {
        let mut commits = self.store().changes();
        loop {
            if !self.is_writable() || self.store().reserve().is_short() {
                tokio::time::sleep(STORE_RETRY_DELAY).await;
                continue;
            }
            if let Err(error) = self.process_next_or_wait(&mut commits).await {
                log_failure("look for files to process", Err(error));
                tokio::time::sleep(STORE_RETRY_DELAY).await;
            }
        }
    }

    /// Processes a file, or waits until there may be work.
    async fn process_next_or_wait(&self, commits: &mut watch::Receiver<()>) -> Result<()> {
        commits.mark_unchanged();
        match self.next_work()? {
            Next::Now(_) => return self.process_next().await,
            Next::At(when) => tokio::select! {
                () = self.clock().reach(when) => {}
                changed = commits.changed() => changed.map_err(Error::internal)?,
            },
            Next::Nothing => commits.changed().await.map_err(Error::internal)?,
        }
        Ok(())
    }

    pub(super) fn next_work(&self) -> Result<Next> {
        let claimed = self.processing().claimed().clone();
        let by = Administrator::local();
        self.store().snapshot()?.next_work(&by, self.now(), |id| claimed.contains(id))
    }

    /// Waits for a permit, and then processes the file that is the newest by that time.
    async fn process_next(&self) -> Result<()> {
        let permit = self.renditions().background_permit().await;
        let Some(claim) = self.claim_work()? else { return Ok(()) };
        if let Err(error) = self.process(&permit, &claim.asset).await {
            log_failure("record the outcome of the work after an upload", Err(error));
            claim.set_aside();
        }
        Ok(())
    }

    fn claim_work(&self) -> Result<Option<Claim<'_>>> {
        let Next::Now(asset) = self.next_work()? else { return Ok(None) };
        let is_free = self.processing().claimed().insert(asset.id);
        Ok(is_free.then(|| Claim { asset: *asset, processing: self.processing(), is_set_aside: false }))
    }

    async fn process(&self, permit: &RenderPermit, asset: &Asset) -> Result<()> {
        let started = Instant::now();
        let outcome = self.examine(permit, LibraryFile::of(asset), &asset.content).await;
        self.count_work(asset, outcome.as_ref().err(), started.elapsed());
        if let Err(failure) = &outcome {
            tracing::warn!(asset = %asset.id, %failure, "the work after an upload failed");
        }
        let (by, now, limits) = (Administrator::local(), self.now(), self.settings().limits.clone());
        let (id, hash) = (asset.id, asset.content.hash);
        self.store().write(move |tx| outcome::settle(tx, &by, &id, hash, &outcome, &limits, now)).await
    }

    fn count_work(&self, asset: &Asset, failure: Option<&Failure>, duration: Duration) {
        let result = match (failure, &asset.content.processing) {
            (None, _) => JobResult::Done,
            (Some(failure), ProcessingState::Waiting(pending))
                if retry_delay(*pending, failure).is_some() =>
            {
                JobResult::Retried
            }
            (Some(_), _) => JobResult::Failed,
        };
        self.metrics().work.worked(result, duration);
        self.processing().last_end.store(self.now(), Ordering::Relaxed);
    }

    /// Whether files wait for their work, and none is finished.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn is_work_stuck(&self) -> Result<bool> {
        let is_long_ago = |when: Millis| self.now().saturating_sub(when) >= millis(STUCK_AFTER);
        if !is_long_ago(self.processing().last_end.load(Ordering::Relaxed)) {
            return Ok(false);
        }
        Ok(match self.next_work()? {
            Next::Now(asset) => match asset.content.processing {
                ProcessingState::Waiting(pending) => is_long_ago(pending.due.max(asset.updated)),
                ProcessingState::Nothing | ProcessingState::Done(_) | ProcessingState::Failed { .. } => false,
            },
            Next::At(_) | Next::Nothing => false,
        })
    }

    /// The pictures of a file, and its metadata.
    async fn examine(
        &self,
        permit: &RenderPermit,
        file: LibraryFile,
        content: &Content,
    ) -> Result<ProcessingOutcome, Failure> {
        // Nothing is made of a file that is known to be damaged.
        if self.blobs().damaged().contains(&content.hash) {
            return Err(Failure::Unavailable("its file is damaged".to_owned()));
        }
        let derived = if self.renderable_types().includes(content.media_type) {
            Some(self.derive_renditions(permit, file, content).await?)
        } else {
            None
        };
        let Metadata { captured, camera, title, caption, keywords, exposure: _, position: _ } =
            self.read_metadata(permit, content).await?;
        let size = derived.as_ref().map(|derived| derived.size);
        let perceptual_hash = derived.as_ref().map(|derived| derived.perceptual_hash);
        let (blurhash, colour) = derived.map(|derived| (derived.blurhash, derived.colour)).unzip();
        let result = ProcessingResult { blurhash, colour, captured, camera, title };
        let content = size.map_or_else(|| content.clone(), |size| with_dimensions(content, size));
        Ok(ProcessingOutcome {
            content: Content { processing: ProcessingState::Done(result), ..content },
            perceptual_hash,
            caption,
            keywords,
        })
    }

    /// The metadata in a file. Unreadable metadata counts as none: the picture can still be shown.
    pub(super) async fn read_metadata(
        &self,
        permit: &RenderPermit,
        content: &Content,
    ) -> Result<Metadata, Failure> {
        let path = self.blobs().local_path(content.hash);
        match permit.metadata(&path, content.media_type).await {
            Err(failure @ Failure::Unavailable(_)) => Err(failure),
            metadata => Ok(visible(metadata.unwrap_or_default())),
        }
    }

    /// How many uploaded files within the administrator's reach are waiting to be processed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn waiting_work(&self, by: &Administrator) -> Result<u64> {
        self.store().snapshot()?.waiting_work(by)
    }

    /// The assets within the administrator's reach whose files could not be processed, newest failure first, at most `max`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn failed_work(&self, by: &Administrator, max: usize) -> Result<Vec<FailedWork>> {
        let failed = self.store().snapshot()?.failed_work(by, max)?.into_iter();
        Ok(failed
            .filter_map(|(asset, library)| {
                let ProcessingState::Failed { pending, failure, when } = asset.content.processing else {
                    return None;
                };
                Some(FailedWork {
                    asset: asset.id,
                    name: asset.name,
                    library: library.slug,
                    library_name: library.name,
                    reason: failure.to_string(),
                    tries: pending.tries,
                    when,
                })
            })
            .collect())
    }

    /// Queues failed work again, of one asset or of all within the administrator's reach. Returns how many.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the one asset has no failed work; when the store fails.
    pub async fn retry_failed_work(&self, by: &Administrator, only: Option<&str>) -> Result<usize> {
        let only = only.map(parse_id).transpose()?;
        let mut retried = 0;
        loop {
            let batch = self
                .administrate(by.clone(), move |tx, by, now| outcome::retry(tx, by, only, RETRY_BATCH, now))
                .await?;
            for file in &batch {
                self.renditions().clear_failure(*file);
            }
            retried += batch.len();
            if only.is_some() || batch.len() < RETRY_BATCH {
                return Ok(retried);
            }
        }
    }
}

/// The metadata without invisible characters.
fn visible(metadata: Metadata) -> Metadata {
    let line = |text: String| without_hidden(&text, TextKind::Line).into_owned();
    let lines = |text: String| without_hidden(&text, TextKind::Lines).into_owned();
    let Metadata { captured, camera, title, caption, keywords, mut exposure, position } = metadata;
    exposure.lens = exposure.lens.map(line);
    Metadata {
        captured: captured.map(line),
        camera: camera.map(line),
        title: title.map(line),
        caption: caption.map(lines),
        keywords: keywords.into_iter().map(line).collect(),
        exposure,
        position,
    }
}

/// How long to wait until the next attempt, if there is one.
fn retry_delay(pending: PendingWork, failure: &Failure) -> Option<&'static Duration> {
    RETRY_DELAYS.get(pending.tries as usize).filter(|_| failure.is_transient())
}

/// What happens after a failed attempt: another one after a delay, or nothing more.
fn after_failure(pending: PendingWork, failure: &Failure, now: Millis) -> ProcessingState {
    let delay = retry_delay(pending, failure);
    let pending = PendingWork { tries: pending.tries.saturating_add(1), ..pending };
    match delay {
        Some(delay) => ProcessingState::Waiting(PendingWork { due: now + millis(*delay), ..pending }),
        None => ProcessingState::Failed { pending, failure: failure.clone(), when: now },
    }
}
