//! The child process that opens hostile files: its side of the conversation, and the conversation's form.
//!
//! It reads requests from its standard input and writes replies to its standard output, each a length and a
//! postcard. It limits itself before it opens anything. It ends when its parent does.

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
    BLURRED_EDGE, Derived, Failure, Limits, Metadata, Rendered, Rendition, Source, Wanted, derive_of,
    metadata, render_of,
};
use crate::app::media::MediaType;

/// The hidden command of the binary that runs [`run`].
pub const COMMAND: &str = "render-worker";

/// What the process takes beside the memory that a picture may take: its own data and the allocator's slack.
pub(super) const OWN_MEMORY: u64 = 64 << 20;
/// How much lower than the server's its priority is, on the scale of 0 to 19.
const NICENESS: i32 = 10;
/// The longest message. A rendition of the largest size stays far below.
const LONGEST_MESSAGE: u32 = 512 << 20;

/// One picture and what to do with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    path: Vec<u8>,
    /// The picture that a tool made of the file.
    made: Option<Vec<u8>>,
    media_type: MediaType,
    work: Work,
    limits: Limits,
    seconds: u64,
}

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Work {
    Derive { edges: Vec<u32> },
    Render(Rendition),
    Metadata,
}

/// What came out.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Product {
    Derived(Derived),
    Rendered(Rendered),
    Metadata(Metadata),
}

impl Request {
    /// `patience` is how long the process may compute; whole seconds, at least one.
    pub(super) fn new(
        path: &Path,
        media_type: MediaType,
        work: Work,
        limits: Limits,
        patience: Duration,
    ) -> Self {
        let path = path.as_os_str().as_bytes().to_vec();
        Self { path, made: None, media_type, work, limits, seconds: patience.as_secs().max(1) }
    }

    /// The same, of the picture that a tool made of the file.
    pub(super) fn with(mut self, made: &Path) -> Self {
        self.made = Some(made.as_os_str().as_bytes().to_vec());
        self
    }

    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(self.path.clone()))
    }

    pub(super) fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// How large a picture the work needs, if it needs one.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        match &self.work {
            Work::Derive { edges } => {
                Some(Wanted::within(edges.iter().copied().max().unwrap_or(BLURRED_EDGE)))
            }
            Work::Render(rendition) => Some(rendition.size),
            Work::Metadata => None,
        }
    }

    /// Does the work in this process.
    pub(super) fn perform(&self) -> Result<Product, Failure> {
        let open = |path| File::open(path).map_err(|error| Failure::Unavailable(error.to_string()));
        let original = open(self.path())?;
        let made = self.made.clone().map(OsString::from_vec).map(PathBuf::from).map(open).transpose()?;
        let source = Source { original: &original, media_type: self.media_type, made: made.as_ref() };
        match &self.work {
            Work::Derive { edges } => derive_of(&source, edges, &self.limits).map(Product::Derived),
            Work::Render(rendition) => render_of(&source, rendition, &self.limits).map(Product::Rendered),
            Work::Metadata => metadata(&original, self.media_type, &self.limits).map(Product::Metadata),
        }
    }
}

/// Serves requests until the parent closes the pipe.
#[must_use]
pub fn run() -> ExitCode {
    match settle_down().and_then(|()| serve(&mut io::stdin().lock(), &mut io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{COMMAND}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(requests: &mut impl Read, replies: &mut impl Write) -> io::Result<()> {
    while let Some(request) = read_message::<Request>(requests)? {
        limit(&request)?;
        write_message(replies, &request.perform())?;
    }
    Ok(())
}

/// What holds for the whole life: it goes with its parent, is no burden, leaves no core file, writes no file.
fn settle_down() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::process::nice(NICENESS)?;
    for resource in [Resource::Core, Resource::Fsize] {
        rustix::process::setrlimit(resource, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    Ok(())
}

/// What holds for one picture: memory, and time on the processor.
fn limit(request: &Request) -> io::Result<()> {
    let memory = request.limits.memory.saturating_add(OWN_MEMORY);
    rustix::process::setrlimit(Resource::Data, Rlimit { current: Some(memory), maximum: None })?;
    let used = u64::try_from(rustix::time::clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or_default();
    let until = used.saturating_add(request.seconds).saturating_add(1);
    Ok(rustix::process::setrlimit(Resource::Cpu, Rlimit { current: Some(until), maximum: None })?)
}

/// Writes a message: its length, then its postcard.
pub(super) fn write_message(pipe: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    pipe.write_all(&length.to_le_bytes())?;
    pipe.write_all(&bytes)?;
    pipe.flush()
}

/// The next message; nothing when the other side closed the pipe.
pub(super) fn read_message<T: DeserializeOwned>(pipe: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match pipe.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST_MESSAGE {
        return Err(io::Error::other("a message is too long"));
    }
    let mut bytes = vec![0; length as usize];
    pipe.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map(Some).map_err(io::Error::other)
}
