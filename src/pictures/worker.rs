//! The worker process that opens hostile files, and the protocol between it and the pool.
//!
//! It reads requests from its standard input and writes replies to its standard output, each as a length and a postcard
//! message. It limits itself before it opens a file, and ends when its parent does.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal};
use rustix::time::ClockId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{
    BLURRED_EDGE, DecodeInput, DecodeLimits, Derived, Failure, Metadata, RenderSpec, Rendered, ResizeSpec,
    derive_of, metadata, render_of,
};
use crate::pictures::media::MediaType;

/// The hidden command of the binary that runs [`run`].
pub const COMMAND: &str = "render-worker";

/// The memory that the process takes in addition to a picture's: its own data and the allocator's overhead.
pub(super) const OWN_MEMORY: u64 = 64 << 20;
/// Its nice value, 0 to 19: on a busy processor it gets a third of the server's share. With a higher value it would get
/// next to nothing.
pub(super) const NICENESS: i32 = 5;
/// The longest message, in bytes. The largest renditions are far smaller.
const MAX_MESSAGE: u32 = 512 << 20;

/// One picture and what to do with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PictureRequest {
    path: Vec<u8>,
    /// The picture that a tool extracted from the file.
    tool_output: Option<Vec<u8>>,
    /// A folder of fonts.
    fonts: Option<Vec<u8>>,
    media_type: MediaType,
    work: PictureTask,
    limits: DecodeLimits,
    seconds: u64,
}

/// The kind of work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum PictureTask {
    Derive { edges: Vec<u32> },
    Render(RenderSpec),
    Metadata,
}

/// The result of the work.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WorkerOutput {
    Derived(Derived),
    Rendered(Rendered),
    Metadata(Metadata),
}

impl PictureRequest {
    /// `time_limit` is the processor time; whole seconds, at least one.
    pub(super) fn new(
        path: &Path,
        media_type: MediaType,
        work: PictureTask,
        limits: DecodeLimits,
        time_limit: Duration,
    ) -> Self {
        let path = path.as_os_str().as_bytes().to_vec();
        let seconds = time_limit.as_secs().max(1);
        Self { path, tool_output: None, fonts: None, media_type, work, limits, seconds }
    }

    /// The same, with the picture that a tool extracted from the file.
    pub(super) fn with_tool_output(mut self, picture: &Path) -> Self {
        self.tool_output = Some(picture.as_os_str().as_bytes().to_vec());
        self
    }

    /// The same, with a folder of fonts in addition to the built-in ones.
    pub(super) fn with_fonts(mut self, folder: Option<&Path>) -> Self {
        self.fonts = folder.map(|folder| folder.as_os_str().as_bytes().to_vec());
        self
    }

    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(self.path.clone()))
    }

    pub(super) fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// The size of the picture that the work needs, if it needs one.
    pub(super) fn resize_spec(&self) -> Option<ResizeSpec> {
        match &self.work {
            PictureTask::Derive { edges } => {
                Some(ResizeSpec::within(edges.iter().copied().max().unwrap_or(BLURRED_EDGE)))
            }
            PictureTask::Render(rendition) => Some(rendition.size),
            PictureTask::Metadata => None,
        }
    }

    /// Does the work in this process.
    pub(super) fn perform(&self) -> Result<WorkerOutput, Failure> {
        let open = |path| File::open(path).map_err(|error| Failure::Unavailable(error.to_string()));
        let original = open(self.path())?;
        let tool_output =
            self.tool_output.clone().map(OsString::from_vec).map(PathBuf::from).map(open).transpose()?;
        let fonts = self.fonts.clone().map(OsString::from_vec).map(PathBuf::from);
        let (media_type, tool_output, fonts) = (self.media_type, tool_output.as_ref(), fonts.as_deref());
        let input = DecodeInput { original: &original, media_type, tool_output, fonts };
        match &self.work {
            PictureTask::Derive { edges } => {
                derive_of(&input, edges, &self.limits).map(WorkerOutput::Derived)
            }
            PictureTask::Render(rendition) => {
                render_of(&input, rendition, &self.limits).map(WorkerOutput::Rendered)
            }
            PictureTask::Metadata => {
                metadata(&original, self.media_type, &self.limits).map(WorkerOutput::Metadata)
            }
        }
    }
}

/// Serves requests until the parent closes the pipe.
#[must_use]
pub fn run() -> ExitCode {
    match set_process_limits().and_then(|()| serve(&mut io::stdin().lock(), &mut io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{COMMAND}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(requests: &mut impl Read, replies: &mut impl Write) -> io::Result<()> {
    while let Some(request) = read_message::<PictureRequest>(requests)? {
        set_request_limits(&request)?;
        write_message(replies, &request.perform())?;
    }
    Ok(())
}

/// Limits for the life of the process: it ends with its parent, has a low priority, and writes no files or core dumps.
fn set_process_limits() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::process::nice(NICENESS)?;
    for resource in [Resource::Core, Resource::Fsize] {
        rustix::process::setrlimit(resource, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    Ok(())
}

/// Limits for one request: memory and processor time.
fn set_request_limits(request: &PictureRequest) -> io::Result<()> {
    let memory = request.limits.memory.saturating_add(OWN_MEMORY);
    rustix::process::setrlimit(Resource::Data, Rlimit { current: Some(memory), maximum: None })?;
    let used = u64::try_from(rustix::time::clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or_default();
    let until = used.saturating_add(request.seconds).saturating_add(1);
    Ok(rustix::process::setrlimit(Resource::Cpu, Rlimit { current: Some(until), maximum: None })?)
}

/// Writes a message: its length, then the message in postcard.
pub(super) fn write_message(pipe: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    pipe.write_all(&length.to_le_bytes())?;
    pipe.write_all(&bytes)?;
    pipe.flush()
}

/// The next message; `None` when the other side closed the pipe.
pub(super) fn read_message<T: DeserializeOwned>(pipe: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match pipe.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_MESSAGE {
        return Err(io::Error::other("a message is too long"));
    }
    let mut bytes = vec![0; length as usize];
    pipe.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map(Some).map_err(io::Error::other)
}
