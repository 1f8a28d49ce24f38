//! Runs a program of the box on a hostile file: in a process of its own, within limits, and not a moment too long.
//! Both sides of that are here: this program, started once more, sets its own limits and becomes the other one. Where
//! the kernel has Landlock, the program sees one file, its own folder and what the system is made of, and no network.
//! Knows nothing of pictures.

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

/// The hidden command of the binary that runs [`become_another`].
pub const COMMAND: &str = "run-confined";

/// How many processes and threads the program may have beside those that its user has already. Only a brake on one
/// that multiplies: the server's own threads come and go meanwhile, and the kernel counts no process of root.
const TASKS: u64 = 256;
/// How much lower than the server's its priority is, on the scale of 0 to 19.
const NICENESS: i32 = 10;
/// What the shell exits with for a program that can't be started.
const NOT_STARTED: u8 = 127;

/// Where programs, what they are linked to and their fonts are; all of it can be read by everybody.
const SYSTEM: [&str; 12] = [
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

/// What a program may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Seconds on the processor.
    pub(super) seconds: u64,
    /// Bytes of memory of its own, in each of its processes.
    pub(super) memory: u64,
    /// Bytes of each file that it writes.
    pub(super) file: u64,
}

/// How a program ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// By itself, and as it should.
    Done,
    /// By itself, with a complaint.
    Failed,
    /// It did not start.
    NotStarted,
    /// By a signal: it crashed, or hit a limit.
    Killed,
    /// It was stopped because its time was up.
    Late,
}

/// A program that is to be run.
pub(super) struct Run<'a> {
    /// This binary, which confines itself first.
    pub(super) launcher: &'a Path,
    /// The program.
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [OsString],
    /// The one file that it is run for.
    pub(super) file: &'a Path,
    /// Where it works, and the only place that it is told of to write to.
    pub(super) folder: &'a Path,
    /// What it says on its standard error.
    pub(super) said: File,
    pub(super) bounds: Bounds,
    /// When it is stopped.
    pub(super) until: Instant,
}

impl Run<'_> {
    /// Runs it to its end. Nothing of what it started is left afterwards, unless it went out of its way to stay.
    ///
    /// # Errors
    /// When no process can be started.
    pub(super) fn ended(self) -> io::Result<Ending> {
        let Bounds { seconds, memory, file } = self.bounds;
        let child = Command::new(self.launcher)
            .arg(COMMAND)
            .args([seconds, memory, file].map(|bound| bound.to_string()))
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
            .stderr(self.said)
            .spawn()?;
        let mut group = Group(child);
        let in_time = group.wait_until(self.until);
        let status = group.end()?;
        Ok(if in_time? { Ending::from(status) } else { Ending::Late })
    }
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::Done,
            Some(code) if code == i32::from(NOT_STARTED) => Self::NotStarted,
            Some(_) => Self::Failed,
            None => Self::Killed,
        }
    }
}

/// A process and all that it started in its group. Ends with its value.
struct Group(Child);

impl Group {
    /// Waits until the process ended; false when that did not happen in time.
    fn wait_until(&self, until: Instant) -> io::Result<bool> {
        let process = rustix::process::pidfd_open(self.id()?, PidfdFlags::empty())?;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)) {
                Ok(ended) => return Ok(ended > 0),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends the whole group. Before the process is waited for: until then nobody else can get the group's number.
    fn end(&mut self) -> io::Result<ExitStatus> {
        match rustix::process::kill_process_group(self.id()?, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => self.0.wait(),
            Err(error) => Err(error.into()),
        }
    }

    fn id(&self) -> io::Result<Pid> {
        let id = i32::try_from(self.0.id()).map_err(io::Error::other)?;
        Pid::from_raw(id).ok_or_else(|| io::Error::other("a process without a number"))
    }
}

/// The other side: limits this process, and then becomes the program that its arguments name.
#[must_use]
pub fn become_another() -> ExitCode {
    let mut arguments = std::env::args_os().skip(2);
    let mut bound = || arguments.next()?.to_str()?.parse().ok();
    let bounds = bound().zip(bound()).zip(bound());
    let paths = arguments.next().zip(arguments.next());
    let Some((((seconds, memory), file), (original, program))) = bounds.zip(paths) else {
        eprintln!("{COMMAND}: it is not meant to be run by hand");
        return ExitCode::from(NOT_STARTED);
    };
    let confined = confine(Bounds { seconds, memory, file })
        .and_then(|()| enclose(Path::new(&original), Path::new(&program)).map_err(io::Error::other));
    let error = match confined {
        Ok(()) => Command::new(&program).args(arguments).exec(),
        Err(error) => error,
    };
    eprintln!("{COMMAND}: {}: {error}", program.display());
    ExitCode::from(NOT_STARTED)
}

/// What holds for the program's whole life. It goes with who started it, too.
fn confine(bounds: Bounds) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::process::nice(NICENESS)?;
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, bounds.file),
        (Resource::Data, bounds.memory),
        (Resource::Cpu, bounds.seconds),
        (Resource::Nproc, tasks_of_this_user()?.saturating_add(TASKS)),
    ] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        match rustix::process::setrlimit(resource, limit) {
            // A stricter limit is set already, and stays.
            Ok(()) | Err(Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Takes away all files but those that are needed, connections by TCP, and signals to others: as much of it as the
/// kernel can.
fn enclose(original: &Path, program: &Path) -> Result<(), RulesetError> {
    let all = ABI::V6;
    // A script may lie beside what it starts.
    let beside = program.parent().unwrap_or(program);
    let system = SYSTEM.map(Path::new).into_iter().chain([original, beside]);
    let own = [Path::new("."), Path::new("/dev/null")];
    Ruleset::default()
        .handle_access(AccessFs::from_all(all))?
        .handle_access(AccessNet::from_all(all))?
        .scope(Scope::from_all(all))?
        .create()?
        .add_rules(path_beneath_rules(system, AccessFs::from_read(all)))?
        .add_rules(path_beneath_rules(own, AccessFs::from_all(all)))?
        .restrict_self()?;
    Ok(())
}

/// How many processes and threads the user of this process has, which is what the kernel compares its limit with.
fn tasks_of_this_user() -> io::Result<u64> {
    let me = rustix::process::getuid().as_raw();
    let mut tasks = 0;
    for process in std::fs::read_dir("/proc")?.flatten() {
        // A process that ends meanwhile counts for nothing.
        let is_mine = process.metadata().is_ok_and(|told| told.uid() == me);
        if is_mine && let Ok(threads) = std::fs::read_dir(process.path().join("task")) {
            tasks += threads.count() as u64;
        }
    }
    Ok(tasks)
}
