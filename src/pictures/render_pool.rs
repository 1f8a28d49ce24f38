//! Runs the picture engine in child processes: a bounded number at a time. A process that takes too long is killed, one
//! that dies is replaced. Without a program to start, the work is done in this process, without protection.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::media_tools::{ToolOutput, ToolTask};
use super::permits::{Permit, PermitQueue, PermitRequest, Priority};
use super::worker::{PictureRequest, PictureTask, WorkerOutput};
use super::{DecodeLimits, Derived, Failure, MediaTools, Metadata, RenderSpec, RenderableTypes, Rendered};
use crate::pictures::media::MediaType;

mod process;

use process::{Spawner, WorkerProcess};

/// A process is replaced after this many pictures, so that memory its allocator keeps does not add up.
const PICTURES_PER_PROCESS: u32 = 200;
/// A hostile SVG can take very long to draw; an ordinary one takes a fraction of this.
const SVG_TIME_LIMIT: Duration = Duration::from_secs(2);

/// The settings of a pool.
#[derive(Debug, Clone)]
pub struct RenderPoolOptions {
    /// The binary that is started as a worker. `/proc/self/exe` is the running one, even while its file is being
    /// replaced. `None` does the work in this process.
    pub program: Option<PathBuf>,
    /// How many pictures are worked on at a time.
    pub concurrency: usize,
    /// Programs for the types that are not decoded here. Only used with a `program`, which sandboxes them.
    pub tools: MediaTools,
    /// A folder of fonts for text in vector images, in addition to the built-in ones.
    pub fonts: Option<PathBuf>,
    /// The folder in which each run of a tool gets a temporary folder.
    pub scratch: PathBuf,
    /// The limits for one picture.
    pub limits: DecodeLimits,
    /// The processor time that a picture may take; an SVG at most two seconds. The wall-clock limit is a few times as
    /// long, because workers run with a low priority.
    pub time_limit: Duration,
}

impl Default for RenderPoolOptions {
    /// Works in this process, on half of the cores, so that requests have the others.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            program: None,
            concurrency: (cores / 2).max(1),
            tools: MediaTools::default(),
            fonts: None,
            scratch: std::env::temp_dir(),
            limits: DecodeLimits::default(),
            time_limit: Duration::from_secs(10),
        }
    }
}

/// The pool. Cheap to clone.
#[derive(Clone)]
pub struct RenderPool(Arc<Inner>);

struct Inner {
    options: RenderPoolOptions,
    permits: PermitQueue,
    idle: Mutex<Vec<WorkerProcess>>,
    spawner: OnceLock<Spawner>,
    is_closed: AtomicBool,
}

impl RenderPool {
    /// A pool. Starts no process before there is work.
    #[must_use]
    pub fn new(options: RenderPoolOptions) -> Self {
        let permits = PermitQueue::new(options.concurrency.max(1));
        let (idle, is_closed) = (Mutex::default(), AtomicBool::new(false));
        Self(Arc::new(Inner { options, permits, idle, spawner: OnceLock::new(), is_closed }))
    }

    /// How many pictures are worked on at a time.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.0.options.concurrency.max(1)
    }

    /// The types that it can render.
    #[must_use]
    pub fn renderable_types(&self) -> RenderableTypes {
        match self.0.options.program {
            Some(_) => self.0.options.tools.renderable_types(),
            None => RenderableTypes::default(),
        }
    }

    /// Waits for permission to work on a picture.
    pub async fn permit(&self, request: PermitRequest) -> RenderPermit {
        RenderPermit { pool: Arc::clone(&self.0), permit: Arc::new(self.0.permits.acquire(request).await) }
    }

    /// Stops the work in child processes and does no more: the server is stopping.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
    }

    /// [`RenderPermit::derive`], with a permit for this call alone.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn derive(
        &self,
        path: &Path,
        media_type: MediaType,
        edges: &[u32],
    ) -> Result<Derived, Failure> {
        self.permit(PermitRequest::internal(Priority::Listed)).await.derive(path, media_type, edges).await
    }

    /// [`RenderPermit::render`], with a permit for this call alone.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn render(
        &self,
        path: &Path,
        media_type: MediaType,
        rendition: RenderSpec,
    ) -> Result<Rendered, Failure> {
        self.permit(PermitRequest::internal(Priority::Listed)).await.render(path, media_type, rendition).await
    }

    /// [`RenderPermit::metadata`], with a permit for this call alone.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn metadata(&self, path: &Path, media_type: MediaType) -> Result<Metadata, Failure> {
        self.permit(PermitRequest::internal(Priority::Listed)).await.metadata(path, media_type).await
    }
}

/// Permission to work on pictures, one at a time. Work that has started holds it to its end, even when nobody waits for
/// the result any more.
pub struct RenderPermit {
    pool: Arc<Inner>,
    permit: Arc<Permit>,
}

impl RenderPermit {
    /// [`derive`](super::derive), of the file at this path.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn derive(
        &self,
        path: &Path,
        media_type: MediaType,
        edges: &[u32],
    ) -> Result<Derived, Failure> {
        match self.work(path, media_type, PictureTask::Derive { edges: edges.to_vec() }).await? {
            WorkerOutput::Derived(derived) => Ok(derived),
            WorkerOutput::Rendered(_) | WorkerOutput::Metadata(_) => Err(wrong_reply()),
        }
    }

    /// [`render`](super::render), of the file at this path.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn render(
        &self,
        path: &Path,
        media_type: MediaType,
        rendition: RenderSpec,
    ) -> Result<Rendered, Failure> {
        match self.work(path, media_type, PictureTask::Render(rendition)).await? {
            WorkerOutput::Rendered(rendered) => Ok(rendered),
            WorkerOutput::Derived(_) | WorkerOutput::Metadata(_) => Err(wrong_reply()),
        }
    }

    /// [`metadata`](super::metadata), of the file at this path.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn metadata(&self, path: &Path, media_type: MediaType) -> Result<Metadata, Failure> {
        match self.work(path, media_type, PictureTask::Metadata).await? {
            WorkerOutput::Metadata(metadata) => Ok(metadata),
            WorkerOutput::Derived(_) | WorkerOutput::Rendered(_) => Err(wrong_reply()),
        }
    }

    async fn work(
        &self,
        path: &Path,
        media_type: MediaType,
        work: PictureTask,
    ) -> Result<WorkerOutput, Failure> {
        let time_limit = match media_type {
            MediaType::Svg => self.pool.options.time_limit.min(SVG_TIME_LIMIT),
            MediaType::Jpeg
            | MediaType::Png
            | MediaType::Gif
            | MediaType::WebP
            | MediaType::Avif
            | MediaType::Tiff
            | MediaType::Bmp
            | MediaType::Heic
            | MediaType::Mp4
            | MediaType::Mov
            | MediaType::WebM
            | MediaType::Pdf => self.pool.options.time_limit,
        };
        let RenderPoolOptions { limits, fonts, .. } = &self.pool.options;
        let request =
            PictureRequest::new(path, media_type, work, *limits, time_limit).with_fonts(fonts.as_deref());
        let (pool, permit) = (Arc::clone(&self.pool), Arc::clone(&self.permit));
        spawn_blocking(move || {
            let _permit = permit;
            pool.perform(request, time_limit)
        })
        .await
        .map_err(unavailable)?
    }
}

impl Inner {
    fn perform(&self, request: PictureRequest, time_limit: Duration) -> Result<WorkerOutput, Failure> {
        let Some(program) = &self.options.program else { return request.perform() };
        let Some(output) = self.run_tool(program, &request, time_limit)? else {
            return self.send_to_worker(program, &request, time_limit);
        };
        self.send_to_worker(program, &request.with_tool_output(&output.path()), time_limit)
    }

    /// Runs the tool for a type that is not decoded here, if a picture is needed and the tool is configured.
    fn run_tool(
        &self,
        launcher: &Path,
        request: &PictureRequest,
        time_limit: Duration,
    ) -> Result<Option<ToolOutput>, Failure> {
        let Some(resize) = request.resize_spec() else { return Ok(None) };
        let RenderPoolOptions { tools, scratch, limits, .. } = &self.options;
        let original = &std::path::absolute(request.path())?;
        let (media_type, limits) = (request.media_type(), *limits);
        tools.open(&ToolTask { launcher, scratch, original, media_type, resize, limits, time_limit })
    }

    /// Sends the request to an idle process, or to a new one.
    fn send_to_worker(
        &self,
        program: &Path,
        request: &PictureRequest,
        time_limit: Duration,
    ) -> Result<WorkerOutput, Failure> {
        let reused = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(process) = reused {
            match self.ask(process, request, time_limit) {
                // It may have been killed while idle, or an earlier file may have corrupted it. Only the death of a
                // fresh process shows that this file is the cause.
                WorkerReply::Died(_) => {}
                WorkerReply::Received(product) => return *product,
            }
        }
        let process = self.start(program).map_err(unavailable)?;
        match self.ask(process, request, time_limit) {
            WorkerReply::Died(status) => {
                tracing::warn!(?status, "a worker process died while it opened a picture");
                Err(Failure::Crashed)
            }
            WorkerReply::Received(product) => *product,
        }
    }

    fn start(&self, program: &Path) -> io::Result<WorkerProcess> {
        if let Some(spawner) = self.spawner.get() {
            return spawner.spawn(program);
        }
        // Two threads may create one at once; the second is dropped.
        let spawner = Spawner::new()?;
        self.spawner.get_or_init(|| spawner).spawn(program)
    }

    fn ask(&self, mut process: WorkerProcess, request: &PictureRequest, time_limit: Duration) -> WorkerReply {
        let reply = process.ask(request, time_limit, &self.is_closed);
        match reply {
            _ if self.is_closed.load(Ordering::Relaxed) => {
                WorkerReply::Received(Box::new(Err(unavailable("the server is stopping"))))
            }
            Ok(Some(product)) => {
                if process.pictures < PICTURES_PER_PROCESS {
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
                }
                WorkerReply::Received(Box::new(product))
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                WorkerReply::Received(Box::new(Err(Failure::TooSlow(time_limit.as_secs()))))
            }
            Ok(None) | Err(_) => WorkerReply::Died(process.kill()),
        }
    }
}

/// The result of sending a request to a process.
enum WorkerReply {
    /// It replied, or its time was up.
    Received(Box<Result<WorkerOutput, Failure>>),
    /// It died.
    Died(Option<ExitStatus>),
}

fn unavailable(error: impl std::fmt::Display) -> Failure {
    Failure::Unavailable(error.to_string())
}

fn wrong_reply() -> Failure {
    unavailable("the worker replied to another request")
}
