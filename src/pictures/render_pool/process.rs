//! The child processes of the pool: how they are started, sent requests, and killed.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::pictures::Failure;
use crate::pictures::worker::{COMMAND, PictureRequest, WorkerOutput, read_message, write_message};

/// How often a waiting thread checks the time limit and whether the pool is closed.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The wall-clock limit as a multiple of the processor time limit: workers have a low priority on a busy machine.
const WALL_CLOCK_FACTOR: u32 = 6;
/// The unit in which the kernel reports processor time.
const TICK: Duration = Duration::from_millis(10);

/// Starts processes, all on one thread that lives as long as this value. The kernel kills a worker when the *thread* that
/// started it ends, and the threads that wait for pictures end when they are idle.
pub(super) struct Spawner(mpsc::Sender<Start>);

/// A request to start a process, and the channel for the result.
struct Start {
    program: PathBuf,
    started: mpsc::Sender<io::Result<WorkerProcess>>,
}

impl Spawner {
    pub(super) fn new() -> io::Result<Self> {
        let (starts, received) = mpsc::channel::<Start>();
        std::thread::Builder::new().name("rasterd-workers".to_owned()).spawn(move || {
            for Start { program, started } in received {
                // Fails only when the requesting thread is gone; the process is then killed on drop.
                let _ = started.send(WorkerProcess::start(&program));
            }
        })?;
        Ok(Self(starts))
    }

    /// Starts a process. Blocks until it runs.
    pub(super) fn spawn(&self, program: &Path) -> io::Result<WorkerProcess> {
        let (started, answer) = mpsc::channel();
        self.0.send(Start { program: program.to_owned(), started }).map_err(io::Error::other)?;
        answer.recv().map_err(io::Error::other)?
    }
}

/// A child process. Killed on drop.
pub(super) struct WorkerProcess {
    child: Child,
    requests: ChildStdin,
    replies: ChildStdout,
    /// How many requests it was sent.
    pub(super) pictures: u32,
}

impl WorkerProcess {
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

    /// Sends one request and waits for the reply, up to the time limit. `None` when the process died.
    pub(super) fn ask(
        &mut self,
        request: &PictureRequest,
        time_limit: Duration,
        is_closed: &AtomicBool,
    ) -> io::Result<Option<Result<WorkerOutput, Failure>>> {
        self.pictures += 1;
        let limit = TimeLimit::new(self.child.id(), time_limit);
        write_message(&mut self.requests, request)?;
        read_message(&mut DeadlineReader { pipe: &mut self.replies, limit, is_closed })
    }

    /// Kills it, if it did not end by itself.
    pub(super) fn kill(&mut self) -> Option<ExitStatus> {
        // Both fail only for a process that has ended.
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How long a process may work on a picture: by processor time, and a few times that by the wall clock.
struct TimeLimit {
    process: u32,
    /// The total processor time at which the limit is reached.
    processor: Duration,
    until: Instant,
}

impl TimeLimit {
    fn new(process: u32, time_limit: Duration) -> Self {
        let used = processor_time(process).unwrap_or_default();
        Self { process, processor: used + time_limit, until: Instant::now() + time_limit * WALL_CLOCK_FACTOR }
    }

    /// How long to wait before the next check; `None` when the limit is reached.
    fn left(&self) -> Option<Duration> {
        let by_clock = self.until.saturating_duration_since(Instant::now());
        let is_reached =
            by_clock.is_zero() || processor_time(self.process).is_some_and(|used| used >= self.processor);
        (!is_reached).then(|| by_clock.min(POLL_INTERVAL))
    }
}

/// The processor time that a process has used.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may contain spaces. The 14th and 15th fields are the user and system time.
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    let ticks: u32 = fields.map(|field| field.parse::<u32>().unwrap_or_default()).sum();
    Some(TICK * ticks)
}

/// Reads from a pipe until the time limit is reached or the pool is closed.
struct DeadlineReader<'a> {
    pipe: &'a mut ChildStdout,
    limit: TimeLimit,
    is_closed: &'a AtomicBool,
}

impl Read for DeadlineReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(left) = self.limit.left().filter(|_| !self.is_closed.load(Ordering::Relaxed)) else {
                return Err(io::ErrorKind::TimedOut.into());
            };
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            if poll(&mut [PollFd::from_borrowed_fd(self.pipe.as_fd(), PollFlags::IN)], Some(&timeout))? > 0 {
                return self.pipe.read(buffer);
            }
        }
    }
}
