//! Renditions that are being rendered: each once, however many clients wait for it, and only a bounded number at a time.
//! Rendering that nobody waits for any more is not started.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::key::RenditionKey;
use super::spec::RenditionSpec;
use super::{CachedRendition, RenditionRequester, Renditions, unavailable};
use crate::core::Core;
use crate::error::{Code, Error, Result};
use crate::pictures::Failure;
use crate::pictures::media::MediaType;
use crate::pictures::permits::{PermitRequest, Priority};
use crate::pictures::render_pool::RenderPermit;
use crate::telemetry::metrics::RenditionResult;

/// How many renditions may be in flight. Requests beyond that are told to retry.
const MAX_IN_FLIGHT: usize = 256;
/// How many of them may be for one client, so that it leaves room for others. A browser asks for six at a time.
const MAX_PER_CLIENT: usize = 64;
/// After how many seconds a refused client may retry.
const RETRY_AFTER: u64 = 2;

/// The result of a rendition in flight, shared by all requests that wait for it.
pub(super) type SharedRender = Shared<BoxFuture<'static, Result<CachedRendition, Failure>>>;

/// A rendition in flight. It holds the future weakly: when no request waits for it any more, it is dropped.
struct InFlightRendition {
    /// Distinguishes it from an earlier one with the same key that is just ending.
    number: u64,
    render: WeakShared<BoxFuture<'static, Result<CachedRendition, Failure>>>,
    address: Option<IpAddr>,
}

/// All renditions in flight.
#[derive(Default)]
pub(super) struct InFlight {
    entries: Mutex<HashMap<RenditionKey, InFlightRendition>>,
    started: AtomicU64,
}

impl InFlight {
    fn entries(&self) -> MutexGuard<'_, HashMap<RenditionKey, InFlightRendition>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A rendition to make, and of which file.
pub(super) struct RenderJob {
    pub(super) path: PathBuf,
    pub(super) media_type: MediaType,
    pub(super) requester: RenditionRequester,
    pub(super) spec: RenditionSpec,
    pub(super) key: RenditionKey,
}

impl RenderJob {
    fn permit_request(&self) -> PermitRequest {
        let priority = if self.spec.is_listed() { Priority::Listed } else { Priority::Custom };
        let picture = self.requester.file.key().number();
        PermitRequest { priority, address: self.requester.address, picture }
    }
}

impl Renditions {
    async fn render(&self, permit: &RenderPermit, job: &RenderJob) -> Result<Vec<u8>, Failure> {
        let RenderJob { path, media_type, spec, .. } = job;
        match spec {
            RenditionSpec::Blurred => {
                permit.derive(path, *media_type, &[]).await.map(|derived| derived.blurred)
            }
            RenditionSpec::Picture(rendition) => {
                permit.render(path, *media_type, *rendition).await.map(|rendered| rendered.bytes)
            }
        }
    }
}

impl Core {
    /// Joins the requests that already wait for the same rendition, or starts it.
    pub(super) fn join_or_start(&self, job: RenderJob) -> Result<SharedRender> {
        let (key, address) = (job.key, job.requester.address);
        let mut in_flight = self.renditions().in_flight.entries();
        if let Some(render) = in_flight.get(&key).and_then(|entry| entry.render.upgrade()) {
            return Ok(render);
        }
        // It may have finished between the caller's look into the cache and now.
        if let Some(found) = self.renditions().find(&job.spec, job.requester.file, self.now())? {
            return Ok(std::future::ready(Ok(found)).boxed().shared());
        }
        let for_this_client = in_flight.values().filter(|entry| entry.address == address).count();
        if address.is_some() && for_this_client >= MAX_PER_CLIENT {
            return Err(Error::new(
                Code::RateLimited,
                "Too many pictures are being rendered for your address at once. Try again in a moment.",
            )
            .retry_after(RETRY_AFTER));
        }
        if in_flight.len() >= MAX_IN_FLIGHT {
            return Err(Error::new(
                Code::ServiceUnavailable,
                "Too many pictures are being rendered at once. Try again in a moment.",
            )
            .retry_after(RETRY_AFTER));
        }
        let number = self.renditions().in_flight.started.fetch_add(1, Ordering::Relaxed);
        let guard = InFlightGuard { core: self.clone(), key, number };
        let render = guard.run(job).boxed().shared();
        if let Some(weak) = render.downgrade() {
            in_flight.insert(key, InFlightRendition { number, render: weak, address });
        }
        Ok(render)
    }

    async fn render_and_cache(
        &self,
        permit: RenderPermit,
        job: RenderJob,
    ) -> Result<CachedRendition, Failure> {
        let (renditions, file) = (self.renditions(), job.requester.file);
        // The previous holder of the permit may have rendered the same picture, or failed to.
        if let Some(found) = renditions.find(&job.spec, file, self.now())? {
            return Ok(found);
        }
        if let Some(failure) = renditions.failures.find(file, job.key, self.now()) {
            return Err(failure);
        }
        let started = Instant::now();
        let rendered = renditions.render(&permit, &job).await;
        drop(permit);
        let result = if rendered.is_ok() { RenditionResult::Made } else { RenditionResult::Failed };
        self.metrics().work.rendered(result, started.elapsed());
        match &rendered {
            Err(failure) if job.spec.is_small() => {
                renditions.failures.record_for_file(file, failure, self.now());
            }
            Err(failure) => renditions.failures.record(file, job.key, failure, self.now()),
            Ok(_) => {}
        }
        let cached = self.cache_files(vec![(job.key, rendered?)]).await?.pop();
        cached
            .map(|cached| CachedRendition { file: Arc::new(cached), key: job.key })
            .ok_or_else(|| unavailable("it was not cached"))
    }
}

/// Removes a rendition from the ones in flight when dropped, however it ends.
struct InFlightGuard {
    core: Core,
    key: RenditionKey,
    number: u64,
}

impl InFlightGuard {
    /// Waits for a permit as long as a request waits for the rendition, then renders it. Once started, rendering runs to
    /// its end even when every request is gone.
    async fn run(self, job: RenderJob) -> Result<CachedRendition, Failure> {
        let permit = self.core.renditions().pool.permit(job.permit_request()).await;
        let task = tokio::spawn(async move { self.core.render_and_cache(permit, job).await });
        task.await.unwrap_or_else(|error| Err(unavailable(error)))
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        let mut in_flight = self.core.renditions().in_flight.entries();
        if in_flight.get(&self.key).is_some_and(|entry| entry.number == self.number) {
            in_flight.remove(&self.key);
        }
    }
}
