//! Runs an installed program on a hostile file: in a process of its own, with resource limits and a deadline. Both sides
//! are here: the parent starts this binary again, which limits itself and then executes the program. Where the kernel has
//! Landlock, the program sees one file, its own folder and the system's files, and no network. Knows nothing of pictures.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::Instant;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, Scope,
    path_beneath_rules,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal};

use super::worker::NICENESS;

/// The hidden command of the binary that runs [`exec_sandboxed`].
pub const COMMAND: &str = "run-sandboxed";

/// How many processes and threads the program may add to those of its user. Only a rough limit against fork bombs: the
/// server's own threads come and go meanwhile, and the kernel does not count processes of root.
const MAX_ADDED_TASKS: u64 = 256;
/// The exit code for a program that can't be started, as in the shell.
const NOT_STARTED: u8 = 127;

/// Where programs, their libraries and fonts are. All of it is world-readable.
const SYSTEM_PATHS: [&str; 12] = [
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/etc",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/var/cache/fontconfig",
    "/proc/cpuinfo",
    "/sys/devices/system/cpu",
    "/dev/urandom",
];

/// The resource limits of a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResourceLimits {
    /// Seconds of processor time.
    pub(super) seconds: u64,
    /// Bytes of private memory in each of its processes.
    pub(super) memory: u64,
    /// Bytes of each file that it writes.
    pub(super) file: u64,
}

/// How a run of a program ended.
#[derive(Debug)]
pub(super) enum RunOutcome {
    /// It exited with success.
    Succeeded,
    /// It exited with an error.
    Failed,
    /// It did not start.
    NotStarted,
    /// A signal ended it: it crashed, or hit a limit.
    Killed,
    /// It was killed at the deadline.
    TimedOut,
}

/// A program to run in the sandbox.
pub(super) struct SandboxedRun<'a> {
    /// This binary, which limits itself first.
    pub(super) launcher: &'a Path,
    /// The program.
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [OsString],
    /// The one file that it may read.
    pub(super) file: &'a Path,
    /// Its working directory, and the only folder that it may write to.
    pub(super) folder: &'a Path,
    /// Receives its standard error.
    pub(super) stderr: File,
    pub(super) limits: ResourceLimits,
    /// When it is killed.
    pub(super) deadline: Instant,
}

impl SandboxedRun<'_> {
    /// Runs it and waits for its end. Afterwards its whole process group is gone; only a process that left the group on
    /// purpose can remain.
    ///
    /// # Errors
    /// When no process can be started.
    pub(super) fn run(self) -> io::Result<RunOutcome> {
        let ResourceLimits { seconds, memory, file } = self.limits;
        let child = Command::new(self.launcher)
            .arg(COMMAND)
            .args([seconds, memory, file].map(|limit| limit.to_string()))
            .arg(self.file)
            .arg(self.program)
            .args(self.arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.folder)
            .env("TMPDIR", self.folder)
            .current_dir(self.folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.stderr)
            .spawn()?;
        let mut group = ProcessGroup(child);
        let in_time = group.wait_until(self.deadline);
        let status = group.kill()?;
        Ok(if in_time? { RunOutcome::from(status) } else { RunOutcome::TimedOut })
    }
}

impl From<ExitStatus> for RunOutcome {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::Succeeded,
            Some(code) if code == i32::from(NOT_STARTED) => Self::NotStarted,
            Some(_) => Self::Failed,
            None => Self::Killed,
        }
    }
}

/// A process and everything that it started in its group.
struct ProcessGroup(Child);

impl ProcessGroup {
    /// Waits until the process ends; false when the deadline passes first.
    fn wait_until(&self, deadline: Instant) -> io::Result<bool> {
        let process = rustix::process::pidfd_open(self.id()?, PidfdFlags::empty())?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)) {
                Ok(ended) => return Ok(ended > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Kills the whole group. This happens before the process is waited for, because until then the group's id can't be
    /// reused.
    fn kill(&mut self) -> io::Result<ExitStatus> {
        match rustix::process::kill_process_group(self.id()?, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => self.0.wait(),
            Err(error) => Err(error.into()),
        }
    }

    fn id(&self) -> io::Result<Pid> {
        let id = i32::try_from(self.0.id()).map_err(io::Error::other)?;
        Pid::from_raw(id).ok_or_else(|| io::Error::other("a process without an id"))
    }
}

/// The child's side: limits this process, and then executes the program that its arguments name.
#[must_use]
pub fn exec_sandboxed() -> ExitCode {
    let mut arguments = std::env::args_os().skip(2);
    let mut limit = || arguments.next()?.to_str()?.parse().ok();
    let limits = limit().zip(limit()).zip(limit());
    let paths = arguments.next().zip(arguments.next());
    let Some((((seconds, memory), file), (original, program))) = limits.zip(paths) else {
        eprintln!("{COMMAND}: it is not meant to be run by hand");
        return ExitCode::from(NOT_STARTED);
    };
    let sandboxed = set_limits(ResourceLimits { seconds, memory, file })
        .and_then(|()| restrict_access(Path::new(&original), Path::new(&program)).map_err(io::Error::other));
    let error = match sandboxed {
        Ok(()) => Command::new(&program).args(arguments).exec(),
        Err(error) => error,
    };
    eprintln!("{COMMAND}: {}: {error}", program.display());
    ExitCode::from(NOT_STARTED)
}

/// Sets limits for the program's whole life. The kernel also kills it when its parent ends.
fn set_limits(limits: ResourceLimits) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::process::nice(NICENESS)?;
    for (resource, maximum) in [
        (Resource::Core, 0),
        (Resource::Fsize, limits.file),
        (Resource::Data, limits.memory),
        (Resource::Cpu, limits.seconds),
        (Resource::Nproc, tasks_of_this_user()?.saturating_add(MAX_ADDED_TASKS)),
    ] {
        let limit = Rlimit { current: Some(maximum), maximum: Some(maximum) };
        match rustix::process::setrlimit(resource, limit) {
            // A stricter limit is already set, and stays.
            Ok(()) | Err(Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Forbids access to all files but the needed ones, TCP connections, and signals to other processes, as far as the kernel
/// supports that.
fn restrict_access(original: &Path, program: &Path) -> Result<(), RulesetError> {
    let all = ABI::V6;
    // A wrapper script may be next to the program that it starts.
    let program_folder = program.parent().unwrap_or(program);
    let readable = SYSTEM_PATHS.map(Path::new).into_iter().chain([original, program_folder]);
    let writable = [Path::new("."), Path::new("/dev/null")];
    Ruleset::default()
        .handle_access(AccessFs::from_all(all))?
        .handle_access(AccessNet::from_all(all))?
        .scope(Scope::from_all(all))?
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::from_read(all)))?
        .add_rules(path_beneath_rules(writable, AccessFs::from_all(all)))?
        .restrict_self()?;
    Ok(())
}

/// How many processes and threads the user of this process has, which is what the kernel compares its limit with.
fn tasks_of_this_user() -> io::Result<u64> {
    let me = rustix::process::getuid().as_raw();
    let mut tasks = 0;
    for process in std::fs::read_dir("/proc")?.flatten() {
        // A process that ends meanwhile is not counted.
        let is_mine = process.metadata().is_ok_and(|metadata| metadata.uid() == me);
        if is_mine && let Ok(threads) = std::fs::read_dir(process.path().join("task")) {
            tasks += threads.count() as u64;
        }
    }
    Ok(tasks)
}
