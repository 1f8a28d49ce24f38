//! The program itself, as a person starts it: a process on directories of its own, and what it prints.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Client, trusting};
use crate::rest::{NEW, Rest};
use crate::support::raw::{DEADLINE, Raw};

/// The program.
pub const RASTERD: &str = env!("CARGO_BIN_EXE_rasterd");
/// The library that the first start makes.
pub const LIBRARY: &str = "/organizations/default/libraries/library";
/// The assets of the library that the first start makes.
pub const ASSETS: &str = "/organizations/default/libraries/library/assets";
/// How often a state is looked at that is waited for.
const PAUSE: Duration = Duration::from_millis(5);

/// The directories and variables of one installation. They outlive the program that runs on them.
pub struct Home {
    directory: TempDir,
    certificates: &'static str,
    variables: Vec<(String, String)>,
}

/// A command that ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A running server. Killed when dropped.
pub struct Program {
    child: Child,
    out: Printed,
    err: Printed,
    greeting: String,
    ca_pem: String,
}

impl Home {
    pub fn new() -> Self {
        Self::with_certificates_in("certs")
    }

    /// A home whose development certificate is in a folder of this name.
    pub fn with_certificates_in(certificates: &'static str) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), certificates, variables: Vec::new() }
    }

    /// The same home with one more variable in its environment.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn certificates(&self) -> PathBuf {
        self.path().join(self.certificates)
    }

    /// A command of a program in this home. Nothing of the environment of the tests is in its.
    pub fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("RASTERD__SERVER__BIND", "127.0.0.1:0")
            .env("RASTERD__DATA__DIR", self.data_dir())
            .env("RASTERD__TLS__DIR", self.certificates())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of ours to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command_of(RASTERD).args(arguments))
    }

    /// Runs a command of ours that succeeds, and returns what it prints.
    pub fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    /// Runs a command of ours that succeeds and prints JSON.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments = [arguments, &["--json"]].concat();
        let out = self.done(&arguments);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
    }

    /// Starts the server, and returns when it is ready.
    pub fn serve(&self) -> Program {
        let mut child = self
            .command_of(RASTERD)
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = Printed::by(child.stdout.take().unwrap());
        let err = Printed::by(child.stderr.take().unwrap());
        let greeting = out
            .wait_for(|text| is_whole_greeting(text).then(|| text.to_owned()))
            .unwrap_or_else(|said| panic!("the server is not ready; it said:\n{said}\n{}", err.text()));
        let ca_pem = std::fs::read_to_string(self.certificates().join("ca.pem")).unwrap();
        Program { child, out, err, greeting, ca_pem }
    }

    /// Every file below the data directory.
    pub fn files(&self) -> Vec<PathBuf> {
        files_below(&self.data_dir())
    }
}

/// Both greetings end with an empty line behind what is said last.
fn is_whole_greeting(text: &str) -> bool {
    text.ends_with("\n\n") && (text.contains("SSL_CERT_FILE=") || text.contains("Lost a key?"))
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

impl Ended {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks that the command failed in this way without a word on its output, and returns what it said of it.
    pub fn failed(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}

impl Program {
    /// What it printed when it was ready.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Everything it printed so far.
    pub fn output(&self) -> String {
        self.out.text()
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        self.err.text()
    }

    /// Waits until the log says something.
    pub fn wait_for_log(&self, words: &str) {
        let seen = self.err.wait_for(|text| text.contains(words).then_some(()));
        seen.unwrap_or_else(|log| panic!("{words:?} is not in the log:\n{log}"));
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its origin.
    pub fn url(&self) -> &str {
        let line = self.greeting.lines().find_map(|line| line.trim().strip_prefix("Server "));
        line.unwrap_or_else(|| panic!("no url in {}", self.greeting)).trim()
    }

    pub fn port(&self) -> u16 {
        self.url().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The key that the first start shows, on a line of its own.
    pub fn first_key(&self) -> &str {
        let mut lines = self.greeting.lines().map(str::trim);
        lines.find(|line| line.starts_with("pk_")).unwrap_or_else(|| panic!("no key in {}", self.greeting))
    }

    pub fn client(&self) -> Client {
        Client::of(self.url(), &self.ca_pem)
    }

    pub fn client_of(&self, key: &str) -> Client {
        self.client().with_key(key)
    }

    pub fn rest_of(&self, key: &str) -> Rest {
        Rest::new(&self.client_of(key), NEW)
    }

    /// A TLS connection to it.
    pub fn connect(&self) -> Raw {
        Raw::to(self.port(), trusting(&self.ca_pem)).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// Ends it without any warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits for that.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait().code(), Some(0), "{}", self.log());
    }

    /// Waits until it ended.
    pub fn wait(&mut self) -> ExitStatus {
        poll("the server ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already can't be killed, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until there is something to see.
pub fn poll<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < DEADLINE, "waited in vain until {what}");
        std::thread::sleep(PAUSE);
    }
}

/// What a process prints, as it prints it.
#[derive(Clone, Default)]
struct Printed(Arc<(Mutex<Text>, Condvar)>);

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    is_complete: bool,
}

impl Printed {
    fn by(mut from: impl Read + Send + 'static) -> Self {
        let printed = Self::default();
        let writer = printed.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let count = from.read(&mut buffer).unwrap_or(0);
                let mut text = writer.0.0.lock().unwrap();
                text.bytes.extend_from_slice(&buffer[..count]);
                text.is_complete = count == 0;
                writer.0.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        printed
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.0.lock().unwrap().bytes).into_owned()
    }

    /// Waits until there is something to see. When nothing comes, returns what came in its place.
    fn wait_for<T>(&self, look: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let until = Instant::now() + DEADLINE;
        let mut text = self.0.0.lock().unwrap();
        loop {
            let so_far = String::from_utf8_lossy(&text.bytes).into_owned();
            if let Some(seen) = look(&so_far) {
                return Ok(seen);
            }
            let left = until.saturating_duration_since(Instant::now());
            if text.is_complete || left.is_zero() {
                return Err(so_far);
            }
            text = self.0.1.wait_timeout(text, left).unwrap().0;
        }
    }
}
