//! Where pictures are worked on: a bounded number at a time, each in a child process that is stopped when it takes
//! too long and replaced when it dies. Without a program to start, the work is done in this process, unguarded.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::task::spawn_blocking;

use super::places::{Haste, Places, Seat};
use super::tools::{Made, Task};
use super::worker::{COMMAND, Product, Request, Work, read_message, write_message};
use super::{Derived, Failure, Limits, Metadata, Pictured, Rendered, Rendition, Tools};
use crate::app::media::MediaType;

/// After so many pictures a process is replaced, so that what an allocator keeps does not add up.
const PICTURES_PER_PROCESS: u32 = 200;
/// Drawings are programs of a kind, and can be made to run long; an honest one is drawn in a fraction of this.
const SVG_PATIENCE: Duration = Duration::from_secs(2);

/// How often a wait for a process looks whether the studio is closed.
const GLANCE: Duration = Duration::from_millis(100);

/// How a studio works.
#[derive(Debug, Clone)]
pub struct Options {
    /// The binary whose [`COMMAND`] is run as child process. `/proc/self/exe` is this one, also while it is being
    /// replaced. `None` works in this process.
    pub program: Option<PathBuf>,
    /// How many pictures are worked on at a time.
    pub at_a_time: usize,
    /// What opens the types that are not decoded here. Only used with a program, which confines them.
    pub tools: Tools,
    /// The folder in which tools get one of their own. Nothing in it is kept.
    pub scratch: PathBuf,
    /// What a picture may take.
    pub limits: Limits,
    /// How long a picture may take; an SVG at most two seconds of it.
    pub patience: Duration,
}

impl Default for Options {
    /// In this process; on half of the cores, so that requests have the others.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            program: None,
            at_a_time: (cores / 2).max(1),
            tools: Tools::default(),
            scratch: std::env::temp_dir(),
            limits: Limits::default(),
            patience: Duration::from_secs(10),
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Studio(Arc<Parts>);

struct Parts {
    options: Options,
    places: Places,
    idle: Mutex<Vec<Process>>,
    is_closed: AtomicBool,
}

impl Studio {
    /// A studio. Starts no process before there is work.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let places = Places::new(options.at_a_time.max(1));
        let (idle, is_closed) = (Mutex::default(), AtomicBool::new(false));
        Self(Arc::new(Parts { options, places, idle, is_closed }))
    }

    /// How many pictures are worked on at a time.
    #[must_use]
    pub fn places(&self) -> usize {
        self.0.options.at_a_time.max(1)
    }

    /// The types that it makes pictures of.
    #[must_use]
    pub fn pictured(&self) -> Pictured {
        match self.0.options.program {
            Some(_) => self.0.options.tools.pictured(),
            None => Pictured::default(),
        }
    }

    /// Waits for a place to work at.
    pub async fn place(&self, haste: Haste) -> Place {
        Place { parts: Arc::clone(&self.0), seat: Arc::new(self.0.places.take(haste).await) }
    }

    /// Gives up what is being worked on in child processes, and does no more work: nobody waits for it.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
    }

    /// [`Place::derive`], at a place for this alone.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn derive(
        &self,
        path: &Path,
        media_type: MediaType,
        edges: &[u32],
    ) -> Result<Derived, Failure> {
        self.place(Haste::Now).await.derive(path, media_type, edges).await
    }

    /// [`Place::render`], at a place for this alone.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn render(
        &self,
        path: &Path,
        media_type: MediaType,
        rendition: Rendition,
    ) -> Result<Rendered, Failure> {
        self.place(Haste::Now).await.render(path, media_type, rendition).await
    }

    /// [`Place::metadata`], at a place for this alone.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn metadata(&self, path: &Path, media_type: MediaType) -> Result<Metadata, Failure> {
        self.place(Haste::Now).await.metadata(path, media_type).await
    }
}

/// A place in a studio, taken. Work that was begun here holds it to its end, also when nobody waits for that any more.
pub struct Place {
    parts: Arc<Parts>,
    seat: Arc<Seat>,
}

impl Place {
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
        match self.work(path, media_type, Work::Derive { edges: edges.to_vec() }).await? {
            Product::Derived(derived) => Ok(derived),
            Product::Rendered(_) | Product::Metadata(_) => Err(mixed_up()),
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
        rendition: Rendition,
    ) -> Result<Rendered, Failure> {
        match self.work(path, media_type, Work::Render(rendition)).await? {
            Product::Rendered(rendered) => Ok(rendered),
            Product::Derived(_) | Product::Metadata(_) => Err(mixed_up()),
        }
    }

    /// [`metadata`](super::metadata), of the file at this path.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn metadata(&self, path: &Path, media_type: MediaType) -> Result<Metadata, Failure> {
        match self.work(path, media_type, Work::Metadata).await? {
            Product::Metadata(metadata) => Ok(metadata),
            Product::Derived(_) | Product::Rendered(_) => Err(mixed_up()),
        }
    }

    async fn work(&self, path: &Path, media_type: MediaType, work: Work) -> Result<Product, Failure> {
        let patience = match media_type {
            MediaType::Svg => self.parts.options.patience.min(SVG_PATIENCE),
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
            | MediaType::Pdf => self.parts.options.patience,
        };
        let request = Request::new(path, media_type, work, self.parts.options.limits, patience);
        let (parts, seat) = (Arc::clone(&self.parts), Arc::clone(&self.seat));
        spawn_blocking(move || {
            let _seat = seat;
            parts.perform(request, patience)
        })
        .await
        .map_err(unavailable)?
    }
}

impl Parts {
    fn perform(&self, request: Request, patience: Duration) -> Result<Product, Failure> {
        let Some(program) = &self.options.program else { return request.perform() };
        let Some(made) = self.run_tool(program, &request, patience)? else {
            return self.hand_over(program, &request, patience);
        };
        self.hand_over(program, &request.with(&made.path()), patience)
    }

    /// Has a tool make a picture of what is not decoded here, if one is needed and there is a tool.
    fn run_tool(
        &self,
        launcher: &Path,
        request: &Request,
        patience: Duration,
    ) -> Result<Option<Made>, Failure> {
        let Some(wanted) = request.wanted() else { return Ok(None) };
        let Options { tools, scratch, limits, .. } = &self.options;
        let original = &std::path::absolute(request.path())?;
        let (media_type, limits) = (request.media_type(), *limits);
        tools.open(&Task { launcher, scratch, original, media_type, wanted, limits, patience })
    }

    /// Has the request carried out by a process that waits, or by a new one.
    fn hand_over(&self, program: &Path, request: &Request, patience: Duration) -> Result<Product, Failure> {
        let reused = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(process) = reused {
            match self.ask(process, request, patience) {
                // It may have died in its sleep. Only a process that was started for it shows that the file did it.
                Err(Failure::Crashed) => {}
                answered => return answered,
            }
        }
        let process = Process::start(program).map_err(unavailable)?;
        self.ask(process, request, patience)
    }

    fn ask(&self, mut process: Process, request: &Request, patience: Duration) -> Result<Product, Failure> {
        let answer = process.ask(request, Instant::now() + patience, &self.is_closed);
        match answer {
            _ if self.is_closed.load(Ordering::Relaxed) => Err(unavailable("the server is stopping")),
            Ok(Some(product)) => {
                if process.pictures < PICTURES_PER_PROCESS {
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
                }
                product
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                Err(Failure::TooSlow(patience.as_secs()))
            }
            Ok(None) | Err(_) => {
                let status = process.end();
                tracing::warn!(?status, "a process that opened a picture died of it");
                Err(Failure::Crashed)
            }
        }
    }
}

/// A child process. Ends with its value.
struct Process {
    child: Child,
    requests: ChildStdin,
    replies: ChildStdout,
    pictures: u32,
}

impl Process {
    fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(COMMAND)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(requests), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the process has no pipes"));
        };
        Ok(Self { child, requests, replies, pictures: 0 })
    }

    /// Has one picture worked on. Nothing when the process died of it.
    fn ask(
        &mut self,
        request: &Request,
        until: Instant,
        is_closed: &AtomicBool,
    ) -> io::Result<Option<Result<Product, Failure>>> {
        self.pictures += 1;
        write_message(&mut self.requests, request)?;
        read_message(&mut Patient { pipe: &mut self.replies, until, is_closed })
    }

    fn end(&mut self) -> Option<std::process::ExitStatus> {
        // Both fail only for a process that has ended.
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads from a pipe until a moment, or until the studio is closed, and then no more.
struct Patient<'a> {
    pipe: &'a mut ChildStdout,
    until: Instant,
    is_closed: &'a AtomicBool,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_closed.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let a_while = Timespec::try_from(left.min(GLANCE)).map_err(io::Error::other)?;
            if poll(&mut [PollFd::from_borrowed_fd(self.pipe.as_fd(), PollFlags::IN)], Some(&a_while))? > 0 {
                return self.pipe.read(buffer);
            }
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> Failure {
    Failure::Unavailable(error.to_string())
}

fn mixed_up() -> Failure {
    unavailable("the process answered another question")
}
