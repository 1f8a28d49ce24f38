//! Starts: the time from starting the program to its ready line, of an ordinary first start and of servers for tests.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::median;

/// How often each is started.
const STARTS: usize = 15;

/// Prints the median times, and their ratios to an ordinary first start in the same folder.
pub fn run() {
    println!("{:<38} {:>9} {:>9} {:>7}", "start to ready", "ms", "first", "ratio");
    for (place, folder) in [("memory", Path::new("/dev/shm")), ("disk", Path::new("target"))] {
        let Ok(dir) = tempfile::tempdir_in(folder) else { continue };
        let first = measured(|number| {
            let mut command = serve();
            command
                .args(["--bind", "127.0.0.1:0", "--data-dir"])
                .arg(dir.path().join(format!("data{number}")));
            command.env("RASTERD__TLS__DIR", dir.path().join(format!("certs{number}")));
            command
        });
        let ephemeral = measured(|_| {
            let mut command = serve();
            command.args(["--ephemeral", "--data-dir"]).arg(dir.path());
            command
        });
        for (name, time) in [("first start", first), ("ephemeral", ephemeral)] {
            let (ms, first) = (time.as_secs_f64() * 1e3, first.as_secs_f64() * 1e3);
            println!("{:<38} {ms:>9.1} {first:>9.1} {:>6.2}x", format!("{name}, in {place}"), first / ms);
        }
    }
}

fn serve() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rasterd"));
    command.arg("serve").env("RASTERD__LOG__LEVEL", "warn").stdout(Stdio::piped());
    command
}

/// The median time of a start.
fn measured(command: impl Fn(usize) -> Command) -> Duration {
    let times = (0..STARTS).map(|number| {
        let begun = Instant::now();
        let mut child = command(number).spawn().expect("rasterd starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it is ready");
        let time = begun.elapsed().as_secs_f64();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        // What else it prints must not fill the pipe.
        let _rest = std::io::copy(&mut output, &mut std::io::sink());
        child.wait().expect("it ends");
        time
    });
    Duration::from_secs_f64(median(times))
}
