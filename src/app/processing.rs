//! The work after an upload: the pictures that everybody will ask for, a blurhash, and what the file tells about
//! itself. It is queued in the transaction that adds the asset, newest upload first, and done in the background at
//! the places that nobody who waits has a use for. Whatever comes of it, the upload stays.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::sync::watch;

use super::App;
use super::access::Administrator;
use super::assets::parse_id;
use super::clock::{Millis, millis};
use super::id::AssetId;
use super::jobs::log_failure;
use super::media::MediaType;
use super::model::{Asset, Content, Look, Pending, Work};
use super::name::Slug;
use super::pictures::studio::Place;
use super::pictures::{Failure, Metadata, Pictured};
use super::renditions::sized;
use super::store::Next;
use crate::error::{Error, Result};

mod older;
mod outcome;

use outcome::Outcome;

/// How long the work waits after each try in vain that may go better the next time.
const PAUSES: [Duration; 3] = [Duration::from_mins(1), Duration::from_mins(10), Duration::from_hours(1)];
/// How long to leave a disk alone that failed.
const DISK_PAUSE: Duration = Duration::from_secs(5);
/// How many failures one transaction takes back.
const RETRY_BATCH: usize = 500;

/// Whose files are being worked on.
#[derive(Default)]
pub(super) struct Processing(Mutex<HashSet<AssetId>>);

impl Processing {
    fn taken(&self) -> MutexGuard<'_, HashSet<AssetId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An asset whose file is worked on by the one who has this.
struct Taken<'a> {
    asset: Asset,
    processing: &'a Processing,
    is_set_aside: bool,
}

impl Taken<'_> {
    /// Leaves it to the next start, so that the others get their turn.
    fn set_aside(mut self) {
        self.is_set_aside = true;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.is_set_aside {
            self.processing.taken().remove(&self.asset.id);
        }
    }
}

/// An asset whose file could not be worked on.
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
    /// How often it was tried.
    pub tries: u32,
    /// When it was given up.
    pub when: Millis,
}

/// The work on a file of this type that just arrived.
pub(super) fn work_on_arrival(media_type: MediaType, pictured: Pictured, import: bool) -> Work {
    if !is_worked_on(media_type, pictured) {
        return Work::Nothing;
    }
    Work::Waiting(Pending { import_caption: import, import_keywords: import, ..Pending::default() })
}

/// Whether there is something to find out about files of this type: how they look, or when they were taken.
const fn is_worked_on(media_type: MediaType, pictured: Pictured) -> bool {
    pictured.includes(media_type) || matches!(media_type, MediaType::Heic)
}

impl App {
    /// Does the work after uploads, as long as it is polled.
    pub(super) async fn process_uploads(&self) {
        let older =
            async { log_failure("look for assets that nobody worked on", self.queue_older_assets().await) };
        join(older, join_all((0..self.renditions().places()).map(|_| self.keep_working()))).await;
    }

    /// Works on one file after the other. Ends when nothing that comes of it could be written down.
    async fn keep_working(&self) {
        let mut commits = self.store().changes();
        while self.is_writable() {
            if let Err(error) = self.work_or_wait(&mut commits).await {
                log_failure("look for what is to be worked on", Err(error));
                tokio::time::sleep(DISK_PAUSE).await;
            }
        }
    }

    /// Works on a file, or waits until something happens that may make work.
    async fn work_or_wait(&self, commits: &mut watch::Receiver<()>) -> Result<()> {
        commits.mark_unchanged();
        match self.next_work()? {
            Next::Now(_) => return self.work_once().await,
            Next::At(when) => tokio::select! {
                () = self.clock().reach(when) => {}
                changed = commits.changed() => changed.map_err(Error::internal)?,
            },
            Next::Nothing => commits.changed().await.map_err(Error::internal)?,
        }
        Ok(())
    }

    fn next_work(&self) -> Result<Next> {
        let taken = self.processing().taken().clone();
        let by = Administrator::of_this_box();
        self.store().view()?.next_work(&by, self.now(), |id| taken.contains(id))
    }

    /// Waits for its turn, and then works on what is the newest by that time.
    async fn work_once(&self) -> Result<()> {
        let place = self.renditions().patient_place().await;
        let Some(taken) = self.take_work()? else { return Ok(()) };
        if let Err(error) = self.work_on(&place, &taken.asset).await {
            log_failure("write down what came of the work after an upload", Err(error));
            taken.set_aside();
        }
        Ok(())
    }

    fn take_work(&self) -> Result<Option<Taken<'_>>> {
        let Next::Now(asset) = self.next_work()? else { return Ok(None) };
        let is_free = self.processing().taken().insert(asset.id);
        Ok(is_free.then(|| Taken { asset: *asset, processing: self.processing(), is_set_aside: false }))
    }

    async fn work_on(&self, place: &Place, asset: &Asset) -> Result<()> {
        let outcome = self.look_at(place, &asset.content).await;
        if let Err(failure) = &outcome {
            tracing::warn!(asset = %asset.id, %failure, "the work after an upload failed");
        }
        let (by, now, limits) = (Administrator::of_this_box(), self.now(), self.settings().limits.clone());
        let (id, hash) = (asset.id, asset.content.hash);
        self.store().write(move |tx| outcome::settle(tx, &by, &id, hash, &outcome, &limits, now)).await
    }

    /// What a file shows, and what it tells about itself.
    async fn look_at(&self, place: &Place, content: &Content) -> Result<Outcome, Failure> {
        let derived = if self.pictured().includes(content.media_type) {
            Some(self.derive_renditions(place, content).await?)
        } else {
            None
        };
        let Metadata { captured, camera, title, caption, keywords } = self.told_by(place, content).await?;
        let size = derived.as_ref().map(|derived| derived.size);
        let (blurhash, colour) = derived.map(|derived| (derived.blurhash, derived.colour)).unzip();
        let look = Look { blurhash, colour, captured, camera, title };
        let content = size.map_or_else(|| content.clone(), |size| sized(content, size));
        Ok(Outcome { content: Content { work: Work::Done(look), ..content }, caption, keywords })
    }

    /// What a file tells about itself. Nothing when that can't be read: the picture can be seen all the same.
    async fn told_by(&self, place: &Place, content: &Content) -> Result<Metadata, Failure> {
        let path = self.blobs().path(content.hash);
        match place.metadata(&path, content.media_type).await {
            Err(failure @ Failure::Unavailable(_)) => Err(failure),
            told => Ok(told.unwrap_or_default()),
        }
    }

    /// How many uploaded files within reach are still to be worked on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn waiting_work(&self, by: &Administrator) -> Result<u64> {
        self.store().view()?.waiting_work(by)
    }

    /// The assets within reach whose files could not be worked on, the newest failure first, at most `most`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn failed_work(&self, by: &Administrator, most: usize) -> Result<Vec<FailedWork>> {
        let failed = self.store().view()?.failed_work(by, most)?.into_iter();
        Ok(failed
            .filter_map(|(asset, library)| {
                let Work::Failed { pending, failure, when } = asset.content.work else { return None };
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

    /// Has the file of one asset, or those of all within reach, worked on anew that could not be. Returns how many.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the one is not among those; when the store fails.
    pub async fn retry_failed_work(&self, by: &Administrator, only: Option<&str>) -> Result<usize> {
        let only = only.map(parse_id).transpose()?;
        let mut retried = 0;
        loop {
            let again = self
                .administrate(by.clone(), move |tx, by, now| outcome::retry(tx, by, only, RETRY_BATCH, now))
                .await?;
            for hash in &again {
                self.renditions().forget_failure(*hash);
            }
            retried += again.len();
            if only.is_some() || again.len() < RETRY_BATCH {
                return Ok(retried);
            }
        }
    }
}

/// What is to be done after a try in vain: another after a pause, or nothing any more.
fn after_failure(pending: Pending, failure: &Failure, now: Millis) -> Work {
    let pause = PAUSES.get(pending.tries as usize).filter(|_| failure.may_pass());
    let pending = Pending { tries: pending.tries.saturating_add(1), ..pending };
    match pause {
        Some(pause) => Work::Waiting(Pending { due: now + millis(*pause), ..pending }),
        None => Work::Failed { pending, failure: failure.clone(), when: now },
    }
}
