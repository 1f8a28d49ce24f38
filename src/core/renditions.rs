//! Renditions on demand: a picture in the size and format that a client asks for. Each is rendered once and cached in a
//! folder that may be deleted at any time. Knows no urls and no headers.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::Core;
use super::budget::client_network;
use super::data_dir::RENDITIONS;
use super::model::{self, Content};
use super::public_file::PublicFile;
use super::settings::Settings;
use super::store::Reserve;
use super::stored_file::StoredFile;
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};
use crate::pictures::media::MediaType;
use crate::pictures::permits::{PermitRequest, Priority};
use crate::pictures::render_pool::{RenderPermit, RenderPool, RenderPoolOptions};
use crate::pictures::{self, Derived, Failure, PixelSize, RenderableTypes, memory};
use crate::telemetry::metrics::CacheResult;

mod cache;
mod failures;
mod in_flight;
mod key;
mod request;
mod size_steps;
mod spec;

pub use request::{LISTED_EDGES, RenditionRequest, RequestedFormat, THUMB, THUMB_HIGH};
pub use size_steps::{MAX_EDGE, WIDTH_STEPS};

use cache::Cache;
use failures::Failures;
use in_flight::{InFlight, RenderJob};
pub(super) use key::LibraryFile;
use key::RenditionKey;
use request::listed_edges;
use spec::RenditionSpec;

/// Which file a rendition is made of, and for which client.
#[derive(Debug, Clone, Copy)]
pub(super) struct RenditionRequester {
    file: LibraryFile,
    address: Option<IpAddr>,
}

impl RenditionRequester {
    /// A client at this address; `None` for a client that is authenticated.
    pub fn of(file: LibraryFile, address: Option<IpAddr>) -> Self {
        Self { file, address: address.map(client_network) }
    }
}

/// Makes renditions and caches them.
pub(super) struct Renditions {
    pool: RenderPool,
    cache: Cache,
    failures: Failures,
    in_flight: InFlight,
}

/// A file in the cache, opened, and its key.
#[derive(Clone)]
struct CachedRendition {
    file: Arc<File>,
    key: RenditionKey,
}

/// A rendition, opened.
#[derive(Debug)]
pub struct RenditionFile {
    /// Its bytes.
    pub file: StoredFile,
    /// How many bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: MediaType,
    /// The entity tag: the same for the same picture and equal requests, and for nothing else.
    pub tag: String,
}

impl Renditions {
    pub(super) fn open(settings: &Settings, reserve: Reserve) -> Result<Self> {
        let configured = &settings.renditions;
        let cache = Cache::open(settings.data_dir.join(RENDITIONS), configured.cache_bytes, reserve)?;
        let defaults = RenderPoolOptions::default();
        let concurrency = if configured.workers == 0 { defaults.concurrency } else { configured.workers };
        let memory = match configured.picture_bytes {
            0 => memory::default_per_picture(concurrency),
            bytes => bytes,
        };
        let options = RenderPoolOptions {
            program: configured.program.clone(),
            concurrency,
            tools: configured.tools.clone(),
            fonts: configured.fonts.clone(),
            scratch: cache.scratch(),
            limits: pictures::DecodeLimits { pixels: settings.limits.image_pixels, memory },
            time_limit: defaults.time_limit,
        };
        Ok(Self {
            pool: RenderPool::new(options),
            cache,
            failures: Failures::default(),
            in_flight: InFlight::default(),
        })
    }

    /// How many pictures are worked on at a time.
    pub(super) fn concurrency(&self) -> usize {
        self.pool.concurrency()
    }

    /// Stops the work that is running.
    pub(super) fn close(&self) {
        self.pool.close();
    }

    /// Deletes the cached renditions, because the disk is full.
    pub(super) fn empty_cache(&self) -> io::Result<()> {
        self.cache.empty()
    }

    /// The bytes that the cached renditions take, and the most that they may take. Blocks.
    pub(super) fn cache_use(&self) -> io::Result<(u64, u64)> {
        Ok((self.cache.used()?, self.cache.max_bytes()))
    }

    /// Lets a file be tried again that could not be opened.
    pub(super) fn clear_failure(&self, file: LibraryFile) {
        self.failures.clear(file);
    }

    /// Waits for a permit with the lowest priority, after all work that a client waits for.
    pub(super) async fn background_permit(&self) -> RenderPermit {
        self.permit(PermitRequest::internal(Priority::Background)).await
    }

    /// Waits for a permit to work on a file.
    pub(super) async fn permit(&self, request: PermitRequest) -> RenderPermit {
        self.pool.permit(request).await
    }

    /// The cached rendition for a spec, made in either way.
    fn find(
        &self,
        spec: &RenditionSpec,
        file: LibraryFile,
        now: Millis,
    ) -> io::Result<Option<CachedRendition>> {
        for key in spec.cascaded_key(file).into_iter().chain([spec.key(file)]) {
            if let Some(found) = self.cache.find(key, now)? {
                return Ok(Some(CachedRendition { file: Arc::new(found), key }));
            }
        }
        Ok(None)
    }
}

impl Core {
    /// The types that can be rendered.
    #[must_use]
    pub fn renderable_types(&self) -> RenderableTypes {
        self.renditions().pool.renderable_types()
    }

    /// A rendition of a public file: from the cache, or rendered now.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when the type can't be rendered, or the file can't be decoded; `RATE_LIMITED` when too many
    /// renditions are waiting for this address; `SERVICE_UNAVAILABLE` when too many are waiting in all, or the disk is
    /// full.
    pub async fn rendition(
        &self,
        public_file: &PublicFile,
        request: &RenditionRequest,
        address: Option<IpAddr>,
    ) -> Result<RenditionFile> {
        let requester = RenditionRequester::of(LibraryFile::of(&public_file.asset), address);
        self.rendition_of(requester, &public_file.asset.content, request).await
    }

    /// The entity tags that such a rendition may have, whether or not it is cached: a client that has one of them need
    /// not be sent the file again.
    #[must_use]
    pub fn rendition_tags(&self, public_file: &PublicFile, request: &RenditionRequest) -> Vec<String> {
        let content = &public_file.asset.content;
        let Some(spec) = RenditionSpec::new(request, content, self.renderable_types()) else {
            return Vec::new();
        };
        let file = LibraryFile::of(&public_file.asset);
        let keys = spec.cascaded_key(file).into_iter().chain([spec.key(file)]);
        keys.map(RenditionKey::to_hex).collect()
    }

    /// A rendition of this file, for a caller that already proved its permission to read it.
    pub(super) async fn rendition_of(
        &self,
        requester: RenditionRequester,
        content: &Content,
        request: &RenditionRequest,
    ) -> Result<RenditionFile> {
        let spec = RenditionSpec::new(request, content, self.renderable_types())
            .ok_or_else(|| not_renderable(content.media_type))?;
        let found = self.renditions().find(&spec, requester.file, self.now())?;
        self.metrics().work.cache.inc(if found.is_some() { CacheResult::Hit } else { CacheResult::Miss });
        let found = match found {
            Some(found) => found,
            None => self.render(requester, content, spec).await?,
        };
        let file = found.file.try_clone()?;
        let size = file.metadata()?.len();
        Ok(RenditionFile {
            file: Box::new(file),
            size,
            media_type: spec.format().media_type(),
            tag: found.key.to_hex(),
        })
    }

    async fn render(
        &self,
        requester: RenditionRequester,
        content: &Content,
        spec: RenditionSpec,
    ) -> Result<CachedRendition> {
        let key = spec.key(requester.file);
        let remembered = || self.renditions().failures.find(requester.file, key, self.now());
        if let Some(failure) = stored_failure(content).or_else(remembered) {
            return Err(rendering_failed(&failure));
        }
        // Opened here because a missing file is our fault, and must not be reported as a damaged picture.
        drop(self.blobs().open_file(content.hash, content.size)?);
        let path = self.blobs().local_path(content.hash);
        let job = RenderJob { path, media_type: content.media_type, requester, spec, key };
        self.join_or_start(job)?.await.map_err(|failure| rendering_failed(&failure))
    }

    /// Makes all pictures of a file that browsers will request, and caches them under the keys of those requests.
    pub(super) async fn derive_renditions(
        &self,
        permit: &RenderPermit,
        file: LibraryFile,
        content: &Content,
    ) -> Result<Derived, Failure> {
        let path = self.blobs().local_path(content.hash);
        let derived = permit.derive(&path, content.media_type, &listed_edges(content)).await;
        let mut derived = derived.inspect_err(|failure| {
            self.renditions().failures.record_for_file(file, failure, self.now());
        })?;
        self.renditions().failures.clear(file);
        let content = with_dimensions(content, derived.size);
        let blurred = RenditionRequest { blurred: true, ..RenditionRequest::default() };
        let mut files = vec![(blurred, std::mem::take(&mut derived.blurred))];
        let thumbnails = derived.thumbnails.drain(..);
        files.extend(thumbnails.map(|thumbnail| (RenditionRequest::listed(thumbnail.edge), thumbnail.bytes)));
        let key = |request: &RenditionRequest| {
            RenditionSpec::new(request, &content, self.renderable_types())?.cascaded_key(file)
        };
        let files = files.into_iter().filter_map(|(request, bytes)| Some((key(&request)?, bytes))).collect();
        // What could not be cached is rendered again on request.
        if let Err(failure) = self.cache_files(files).await {
            tracing::warn!(%failure, "the pictures of an upload could not be cached");
        }
        Ok(derived)
    }

    async fn cache_files(&self, files: Vec<(RenditionKey, Vec<u8>)>) -> Result<Vec<File>, Failure> {
        let core = self.clone();
        let insert = move |(key, bytes): (RenditionKey, Vec<u8>)| {
            core.renditions().cache.insert(key, &bytes, core.now())
        };
        let cached = spawn_blocking(move || files.into_iter().map(insert).collect::<io::Result<Vec<_>>>());
        cached.await.map_err(unavailable)?.map_err(unavailable)
    }
}

/// The content with the dimensions of its decoded picture, where they were unknown.
pub(super) fn with_dimensions(content: &Content, size: PixelSize) -> Content {
    let (width, height) = (content.width.or(Some(size.width)), content.height.or(Some(size.height)));
    Content { width, height, ..content.clone() }
}

/// Why no picture of the file can be made, if the work after its upload found that out.
fn stored_failure(content: &Content) -> Option<Failure> {
    match &content.processing {
        // Not the file's fault, so it may work now.
        model::ProcessingState::Failed { failure: Failure::Unavailable(_), .. }
        | model::ProcessingState::Nothing
        | model::ProcessingState::Waiting(_)
        | model::ProcessingState::Done(_) => None,
        model::ProcessingState::Failed { failure, .. } => Some(failure.clone()),
    }
}

fn unavailable(error: impl std::fmt::Display) -> Failure {
    Failure::Unavailable(error.to_string())
}

fn not_renderable(media_type: MediaType) -> Error {
    Error::bad_input(format!(
        "This asset has no renditions: {} is served only unchanged. Request its url without parameters.",
        media_type.mime()
    ))
}

fn rendering_failed(failure: &Failure) -> Error {
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
            "The picture can't be rendered right now. Try again in a moment.",
        )
        .caused_by(failure.clone()),
    }
}
