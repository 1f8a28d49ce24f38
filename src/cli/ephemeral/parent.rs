//! Ends a server for tests with the process that it is for.
//!
//! The system's signal for the death of a parent is not used: it is also sent when only the thread ends that started this
//! process, and runtimes start processes from threads that come and go.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::process::{Pid, PidfdFlags, getppid, pidfd_open, test_kill_process};

use crate::transport::server::ServerControl;

/// How often it is looked for a process that can't be waited for.
const LOOK: Duration = Duration::from_millis(100);
/// How long requests in flight have to finish before the server ends at once.
const GRACE: Duration = Duration::from_secs(2);
/// A flag in `/proc/PID/stat`: the process was forked, and runs no program of its own.
const FORKED: u64 = 0x40;

/// The process that this one is for.
pub(super) struct ParentProcess {
    pid: Pid,
    is_direct: bool,
}

impl ParentProcess {
    /// The process to end with: the given one, or the parent if that is wanted. By default, it is wanted when the output
    /// goes to a program.
    pub(super) fn to_follow(wanted: Option<bool>, given: Option<i32>) -> Option<Self> {
        if let Some(pid) = given.and_then(Pid::from_raw) {
            return Some(Self { pid, is_direct: false });
        }
        // In a container of its own, this process has no parent.
        let pid = getppid().filter(|_| wanted.unwrap_or_else(output_is_a_pipe))?;
        Some(Self { pid, is_direct: true })
    }

    /// Stops the server when the process ends.
    pub(super) fn follow(self, control: ServerControl) -> io::Result<()> {
        std::thread::Builder::new().name("parent".into()).spawn(move || {
            self.wait();
            control.stop();
            std::thread::sleep(GRACE);
            control.stop();
        })?;
        Ok(())
    }

    fn wait(&self) {
        let Ok(process) = pidfd_open(self.pid, PidfdFlags::empty()) else { return self.poll() };
        if self.is_direct && getppid() != Some(self.pid) {
            // It ended before it was opened.
            return;
        }
        loop {
            match poll(&mut [PollFd::new(&process, PollFlags::IN)], None) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Waits where processes can't be opened: on an old kernel, or when it has ended.
    fn poll(&self) {
        let is_there = || {
            if self.is_direct { getppid() == Some(self.pid) } else { test_kill_process(self.pid).is_ok() }
        };
        while is_there() {
            std::thread::sleep(LOOK);
        }
    }
}

/// Whether the output is a pipe, or a socket, as some runtimes make it.
fn output_is_a_pipe() -> bool {
    fstat(io::stdout()).is_ok_and(|found| {
        matches!(FileType::from_raw_mode(found.st_mode), FileType::Fifo | FileType::Socket)
    })
}

/// The shell that runs `$(…)` in which this process is: the nearest ancestor that is not just a copy of its parent.
pub(super) fn shell() -> Option<i32> {
    let mut pid = getppid()?.as_raw_nonzero().get();
    while let Some((parent, flags)) = stat(pid)
        && flags & FORKED != 0
        && parent > 1
    {
        pid = parent;
    }
    Some(pid)
}

/// The parent and the flags of a process.
fn stat(pid: i32) -> Option<(i32, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name, which may have anything in it.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let parent = fields.nth(1)?.parse().ok()?;
    Some((parent, fields.nth(4)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_and_the_flags_of_a_process_are_read() {
        let own = i32::try_from(std::process::id()).unwrap();
        let (parent, flags) = stat(own).unwrap();
        assert_eq!(Pid::from_raw(parent), getppid());
        assert_eq!(flags & FORKED, 0, "a test runs a program of its own");
    }
}
