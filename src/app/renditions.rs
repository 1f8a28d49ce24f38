//! Renditions on demand: a picture in the size and format that somebody asks for. Made once, kept in a folder that
//! may be deleted at any time, found again by what the picture is and what was asked. Knows no urls and no headers.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::spawn_blocking;

use super::App;
use super::clock::Millis;
use super::media::MediaType;
use super::model::{Content, ContentHash};
use super::pictures::studio::{Options, Studio};
use super::pictures::{self, Failure, Pictured};
use super::published::PublishedFile;
use super::settings::Settings;
use crate::error::{Code, Error, Result};

mod cache;
mod failures;
mod order;

pub use order::{Asked, AskedFormat, LADDER, LARGEST};

use cache::Cache;
use failures::Failures;
use order::{Key, Order};

/// How many renditions may wait to be made. More than that is a flood, which is told to come back.
const MOST_UNDERWAY: usize = 256;

/// What comes of making one. Whoever asks while it is being made waits for the same.
type Making = Shared<BoxFuture<'static, Result<Arc<File>, Failure>>>;

/// Makes renditions and keeps them.
pub(super) struct Renditions {
    studio: Studio,
    cache: Cache,
    failures: Failures,
    underway: Mutex<HashMap<Key, Making>>,
}

/// A rendition, opened.
#[derive(Debug)]
pub struct RenditionFile {
    /// Its bytes.
    pub file: File,
    /// How many.
    pub size: u64,
    /// What they are.
    pub media_type: MediaType,
    /// The same for the same picture and the same wish, and for nothing else.
    pub tag: String,
}

impl Renditions {
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        let wanted = &settings.renditions;
        let cache = Cache::open(settings.data_dir.join("renditions"), wanted.cache_bytes)?;
        let defaults = Options::default();
        let options = Options {
            program: wanted.program.clone(),
            at_a_time: if wanted.workers == 0 { defaults.at_a_time } else { wanted.workers },
            tools: wanted.tools.clone(),
            scratch: cache.scratch(),
            limits: pictures::Limits { pixels: settings.limits.image_pixels, memory: wanted.picture_bytes },
            patience: defaults.patience,
        };
        Ok(Self {
            studio: Studio::new(options),
            cache,
            failures: Failures::default(),
            underway: Mutex::default(),
        })
    }

    fn underway(&self) -> MutexGuard<'_, HashMap<Key, Making>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes it, in a process of its own, and keeps it or the reason why there is none.
    async fn make(&self, work: &Work, now: Millis) -> Result<Vec<u8>, Failure> {
        let Work { path, media_type, order, .. } = work;
        let made = match order {
            Order::Blurred => self.studio.derive(path, *media_type, &[]).await.map(|derived| derived.blurred),
            Order::Picture(rendition) => {
                self.studio.render(path, *media_type, *rendition).await.map(|rendered| rendered.bytes)
            }
        };
        if let Err(failure) = &made {
            self.failures.remember(work.hash, work.key, failure, now);
        }
        made
    }
}

/// A rendition that is to be made, and of what.
struct Work {
    path: PathBuf,
    media_type: MediaType,
    hash: ContentHash,
    order: Order,
    key: Key,
}

impl App {
    /// The types that pictures are made of.
    #[must_use]
    pub fn pictured(&self) -> Pictured {
        self.renditions().studio.pictured()
    }

    /// A rendition of a published picture: from the cache, or made now.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the type is not decoded, or the file can't be; `SERVICE_UNAVAILABLE` when too many
    /// are waiting, or the disk is full.
    pub async fn rendition(&self, published: &PublishedFile, asked: &Asked) -> Result<RenditionFile> {
        self.rendition_of(&published.asset.content, asked).await
    }

    /// A rendition of this file, for whoever proved already that it may be seen.
    pub(super) async fn rendition_of(&self, content: &Content, asked: &Asked) -> Result<RenditionFile> {
        let order =
            Order::new(asked, content, self.pictured()).ok_or_else(|| not_decoded(content.media_type))?;
        let key = order.key(content.hash);
        let file = match self.renditions().cache.find(key, self.now())? {
            Some(file) => file,
            None => self.made(content, order, key).await?,
        };
        let size = file.metadata()?.len();
        Ok(RenditionFile { file, size, media_type: order.format().media_type(), tag: key.to_hex() })
    }

    async fn made(&self, content: &Content, order: Order, key: Key) -> Result<File> {
        if let Some(failure) = self.renditions().failures.recall(content.hash, key, self.now()) {
            return Err(not_made(&failure));
        }
        let path = self.blobs().path(content.hash);
        let work = Work { path, media_type: content.media_type, hash: content.hash, order, key };
        let made = self.begin(work)?.await.map_err(|failure| not_made(&failure))?;
        Ok(made.try_clone()?)
    }

    /// Joins those who wait for it already, or begins.
    fn begin(&self, work: Work) -> Result<Making> {
        let mut underway = self.renditions().underway();
        if let Some(making) = underway.get(&work.key) {
            return Ok(making.clone());
        }
        // Between the first look and this one, somebody may have finished it.
        if let Some(file) = self.renditions().cache.find(work.key, self.now())? {
            return Ok(std::future::ready(Ok(Arc::new(file))).boxed().shared());
        }
        if underway.len() >= MOST_UNDERWAY {
            return Err(Error::new(
                Code::ServiceUnavailable,
                "Too many pictures are being made at once. Try again in a moment.",
            ));
        }
        let (app, key) = (self.clone(), work.key);
        // A task of its own: it comes to its end also when whoever asked for it is gone.
        let task = tokio::spawn(async move {
            let ending = Ending { app, key: work.key };
            ending.app.carry_out(work).await
        });
        let making = task.map(|ended| ended.unwrap_or_else(|error| Err(unavailable(error)))).boxed().shared();
        underway.insert(key, making.clone());
        Ok(making)
    }

    async fn carry_out(&self, work: Work) -> Result<Arc<File>, Failure> {
        let bytes = self.renditions().make(&work, self.now()).await?;
        let app = self.clone();
        let kept = spawn_blocking(move || app.renditions().cache.keep(work.key, &bytes, app.now()));
        Ok(Arc::new(kept.await.map_err(unavailable)?.map_err(unavailable)?))
    }
}

/// Takes a rendition off the list of those that are being made, however that ends.
struct Ending {
    app: App,
    key: Key,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.app.renditions().underway().remove(&self.key);
    }
}

fn unavailable(error: impl std::fmt::Display) -> Failure {
    Failure::Unavailable(error.to_string())
}

fn not_decoded(media_type: MediaType) -> Error {
    Error::bad_input(format!(
        "This asset has no renditions: {} is served only as it is. Ask for its url without parameters.",
        media_type.mime()
    ))
}

fn not_made(failure: &Failure) -> Error {
    match failure {
        Failure::Unsupported(_)
        | Failure::TooLarge(_)
        | Failure::Damaged(_)
        | Failure::TooSlow(_)
        | Failure::Crashed => {
            Error::bad_input(format!("There is no such rendition of this asset: {failure}."))
        }
        Failure::Unavailable(_) => Error::new(
            Code::ServiceUnavailable,
            "The picture can't be made right now. Try again in a moment.",
        )
        .caused_by(failure.clone()),
    }
}
