//! Renditions on demand: a picture in the size and format that somebody asks for. Made once, kept in a folder that
//! may be deleted at any time, found again by what the picture is and what was asked. Knows no urls and no headers.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::spawn_blocking;

use super::App;
use super::clock::Millis;
use super::media::MediaType;
use super::model::{self, Content, ContentHash};
use super::pictures::places::Haste;
use super::pictures::studio::{Options, Place, Studio};
use super::pictures::{self, Derived, Failure, Pictured, Size};
use super::published::PublishedFile;
use super::settings::Settings;
use crate::error::{Code, Error, Result};

mod cache;
mod failures;
mod order;

pub use order::{Asked, AskedFormat, LADDER, LARGEST, SIZES, THUMB, THUMB_HIGH};

use cache::Cache;
use failures::Failures;
use order::{Key, Order, listed_edges};

/// How many renditions may wait to be made. More than that is a flood, which is told to come back.
const MOST_UNDERWAY: usize = 256;

/// What comes of making one. Whoever asks while it is being made waits for the same.
type Making = Shared<BoxFuture<'static, Result<Found, Failure>>>;

/// Makes renditions and keeps them.
pub(super) struct Renditions {
    studio: Studio,
    cache: Cache,
    failures: Failures,
    underway: Mutex<HashMap<Key, Making>>,
}

/// A file in the cache, opened, and the key that it is kept under.
#[derive(Clone)]
struct Found {
    file: Arc<File>,
    key: Key,
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

    /// How many pictures are worked on at a time.
    pub(super) fn places(&self) -> usize {
        self.studio.places()
    }

    /// Gives up what is being made.
    pub(super) fn close(&self) {
        self.studio.close();
    }

    /// Gives a file another chance that could not be opened.
    pub(super) fn forget_failure(&self, hash: ContentHash) {
        self.failures.forget_file(hash);
    }

    /// Waits for a place to work at, behind all that somebody waits for.
    pub(super) async fn patient_place(&self) -> Place {
        self.studio.place(Haste::CanWait).await
    }

    /// What is kept of an order already, made in either way.
    fn find(&self, order: &Order, hash: ContentHash, now: Millis) -> io::Result<Option<Found>> {
        for key in order.cascaded_key(hash).into_iter().chain([order.key(hash)]) {
            if let Some(file) = self.cache.find(key, now)? {
                return Ok(Some(Found { file: Arc::new(file), key }));
            }
        }
        Ok(None)
    }

    /// Makes it, in a process of its own.
    async fn make(&self, place: &Place, work: &Work) -> Result<Vec<u8>, Failure> {
        let Work { path, media_type, order, .. } = work;
        match order {
            Order::Blurred => place.derive(path, *media_type, &[]).await.map(|derived| derived.blurred),
            Order::Picture(rendition) => {
                place.render(path, *media_type, *rendition).await.map(|rendered| rendered.bytes)
            }
        }
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

    /// The tags of such a rendition, whether or not it is kept: who has one of them need not be sent it again.
    #[must_use]
    pub fn rendition_tags(&self, published: &PublishedFile, asked: &Asked) -> Vec<String> {
        let content = &published.asset.content;
        let Some(order) = Order::new(asked, content, self.pictured()) else { return Vec::new() };
        let keys = order.cascaded_key(content.hash).into_iter().chain([order.key(content.hash)]);
        keys.map(Key::to_hex).collect()
    }

    /// A rendition of this file, for whoever proved already that it may be seen.
    pub(super) async fn rendition_of(&self, content: &Content, asked: &Asked) -> Result<RenditionFile> {
        let order =
            Order::new(asked, content, self.pictured()).ok_or_else(|| not_decoded(content.media_type))?;
        let found = match self.renditions().find(&order, content.hash, self.now())? {
            Some(found) => found,
            None => self.made(content, order).await?,
        };
        let file = found.file.try_clone()?;
        let size = file.metadata()?.len();
        Ok(RenditionFile { file, size, media_type: order.format().media_type(), tag: found.key.to_hex() })
    }

    async fn made(&self, content: &Content, order: Order) -> Result<Found> {
        let key = order.key(content.hash);
        let remembered = || self.renditions().failures.recall(content.hash, key, self.now());
        if let Some(failure) = kept_failure(content).or_else(remembered) {
            return Err(not_made(&failure));
        }
        let path = self.blobs().path(content.hash);
        let work = Work { path, media_type: content.media_type, hash: content.hash, order, key };
        self.begin(work)?.await.map_err(|failure| not_made(&failure))
    }

    /// Joins those who wait for it already, or begins.
    fn begin(&self, work: Work) -> Result<Making> {
        let mut underway = self.renditions().underway();
        if let Some(making) = underway.get(&work.key) {
            return Ok(making.clone());
        }
        // Between the first look and this one, somebody may have finished it.
        if let Some(found) = self.renditions().find(&work.order, work.hash, self.now())? {
            return Ok(std::future::ready(Ok(found)).boxed().shared());
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

    async fn carry_out(&self, work: Work) -> Result<Found, Failure> {
        let renditions = self.renditions();
        let place = renditions.studio.place(Haste::Now).await;
        // Whoever had the place before may have been at the same picture, with success or without.
        if let Some(found) = renditions.find(&work.order, work.hash, self.now())? {
            return Ok(found);
        }
        if let Some(failure) = renditions.failures.recall(work.hash, work.key, self.now()) {
            return Err(failure);
        }
        let made = renditions.make(&place, &work).await;
        drop(place);
        match &made {
            Err(failure) if work.order.is_small() => {
                renditions.failures.remember_file(work.hash, failure, self.now());
            }
            Err(failure) => renditions.failures.remember(work.hash, work.key, failure, self.now()),
            Ok(_) => {}
        }
        let file = self.keep(vec![(work.key, made?)]).await?.pop();
        file.map(|file| Found { file: Arc::new(file), key: work.key })
            .ok_or_else(|| unavailable("it was not kept"))
    }

    /// Makes all pictures of a file that browsers will ask for, and keeps them where they are looked for.
    pub(super) async fn derive_renditions(
        &self,
        place: &Place,
        content: &Content,
    ) -> Result<Derived, Failure> {
        let path = self.blobs().path(content.hash);
        let made = place.derive(&path, content.media_type, &listed_edges(content)).await;
        let mut derived = made.inspect_err(|failure| {
            self.renditions().failures.remember_file(content.hash, failure, self.now());
        })?;
        self.renditions().failures.forget_file(content.hash);
        let content = sized(content, derived.size);
        let blurred = Asked { blurred: true, ..Asked::default() };
        let mut files = vec![(blurred, std::mem::take(&mut derived.blurred))];
        files.extend(derived.thumbnails.drain(..).map(|made| (Asked::listed(made.edge), made.bytes)));
        let key = |asked: &Asked| Order::new(asked, &content, self.pictured())?.cascaded_key(content.hash);
        let files = files.into_iter().filter_map(|(asked, bytes)| Some((key(&asked)?, bytes))).collect();
        // What is not kept is made when somebody asks for it.
        if let Err(failure) = self.keep(files).await {
            tracing::warn!(%failure, "the pictures of an upload could not be kept");
        }
        Ok(derived)
    }

    /// Puts files into the cache.
    async fn keep(&self, files: Vec<(Key, Vec<u8>)>) -> Result<Vec<File>, Failure> {
        let app = self.clone();
        let keep = move |(key, bytes): (Key, Vec<u8>)| app.renditions().cache.keep(key, &bytes, app.now());
        let kept = spawn_blocking(move || files.into_iter().map(keep).collect::<io::Result<Vec<_>>>());
        kept.await.map_err(unavailable)?.map_err(unavailable)
    }
}

/// The content with the size that its picture turned out to have, where nobody knew it.
pub(super) fn sized(content: &Content, size: Size) -> Content {
    let (width, height) = (content.width.or(Some(size.width)), content.height.or(Some(size.height)));
    Content { width, height, ..content.clone() }
}

/// Why no picture of the file can be made, if the work after its upload found that out.
fn kept_failure(content: &Content) -> Option<Failure> {
    match &content.work {
        // That was not the file's fault; it may go well now.
        model::Work::Failed { failure: Failure::Unavailable(_), .. }
        | model::Work::Nothing
        | model::Work::Waiting(_)
        | model::Work::Done(_) => None,
        model::Work::Failed { failure, .. } => Some(failure.clone()),
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
