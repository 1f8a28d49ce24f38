//! Runs the program as a person does: a process with its own directories, and its output.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rasterd::testing::TempFolder;
use rustix::process::{Pid, Signal, kill_process};

use super::memory::Memory;
use super::output::Output;
use super::{Client, trusting};
use crate::rest::{NEW, Rest};
use crate::support::raw::{DEADLINE, Raw};

/// The program.
pub const RASTERD: &str = env!("CARGO_BIN_EXE_rasterd");
/// The library that the first start creates.
pub const LIBRARY: &str = "/organizations/default/libraries/library";
/// The assets of the library that the first start creates.
pub const ASSETS: &str = "/organizations/default/libraries/library/assets";
/// How long to wait between two checks.
const PAUSE: Duration = Duration::from_millis(5);

/// The directories and variables of one installation. They outlive the program that runs on them.
pub struct TestDir {
    directory: TempFolder,
    certificates: &'static str,
    variables: Vec<(String, String)>,
    removed: Vec<&'static str>,
}

/// The result of a command.
#[derive(Debug)]
pub struct Exit {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A running server. Killed when dropped.
pub struct Program {
    child: Child,
    stdout: Output,
    stderr: Output,
    greeting: String,
    /// The output of the first start in its file, as long as the file exists.
    first_steps: String,
    ca_pem: String,
}

impl TestDir {
    pub fn new() -> Self {
        Self::with_certificates_in("certs")
    }

    /// A directory whose development certificate is in a folder of this name.
    pub fn with_certificates_in(certificates: &'static str) -> Self {
        Self { directory: TempFolder::new(), certificates, variables: Vec::new(), removed: Vec::new() }
    }

    /// The same directory with one more variable in the environment of its programs.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The same directory without a variable that is set by default.
    pub fn without(mut self, variable: &'static str) -> Self {
        self.removed.push(variable);
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

    /// Where a first start without a terminal writes its key.
    pub fn first_key_file(&self) -> PathBuf {
        self.data_dir().join("first-key.txt")
    }

    /// Where a start without a terminal writes the link for the first owner.
    pub fn owner_link_file(&self) -> PathBuf {
        self.data_dir().join("owner-link.txt")
    }

    /// A command in this directory. It does not inherit the environment of the tests.
    pub fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("RASTERD__SERVER__BIND", "127.0.0.1:0")
            .env("RASTERD__DATA__DIR", self.data_dir())
            .env("RASTERD__TLS__DIR", self.certificates())
            // Tests are faster than any client.
            .env("RASTERD__LIMITS__REQUESTS_PER_SECOND_PER_KEY", "0")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        for variable in &self.removed {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a command of rasterd to its end.
    pub fn run(&self, arguments: &[&str]) -> Exit {
        Exit::of(self.command_of(RASTERD).args(arguments))
    }

    /// Runs a command of rasterd that succeeds, and returns its output.
    pub fn done(&self, arguments: &[&str]) -> String {
        let exit = self.run(arguments);
        assert_eq!(exit.code, Some(0), "{arguments:?}: {}{}", exit.stdout, exit.stderr);
        exit.stdout
    }

    /// Runs a command of rasterd that succeeds and prints JSON.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments = [arguments, &["--json"]].concat();
        let stdout = self.done(&arguments);
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {stdout}"))
    }

    /// Starts the server, and returns when it is ready.
    pub fn serve(&self) -> Program {
        self.serve_with(&[])
    }

    /// [`TestDir::serve`], with more flags.
    pub fn serve_with(&self, flags: &[&str]) -> Program {
        let mut command = self.command_of(RASTERD);
        command.arg("serve").args(flags);
        self.serve_by(command)
    }

    /// [`TestDir::serve`], with a command that becomes the server.
    pub fn serve_by(&self, command: Command) -> Program {
        self.started(command).unwrap_or_else(|exit| panic!("the server is not ready; its output:\n{exit:?}"))
    }

    /// Starts the server, and returns when it is ready, or has exited.
    pub fn try_to_serve(&self) -> Result<Program, Exit> {
        let mut command = self.command_of(RASTERD);
        command.arg("serve");
        self.started(command)
    }

    fn started(&self, mut command: Command) -> Result<Program, Exit> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = Output::of(child.stderr.take().unwrap());
        let greeting = stdout.wait_for(|text| is_whole_greeting(text).then(|| text.to_owned()));
        let greeting = match greeting {
            Ok(greeting) => greeting,
            Err(stdout) => {
                // It may still run, and was not ready in time.
                let _ended = child.kill();
                let code = child.wait().unwrap().code();
                return Err(Exit { code, stdout, stderr: stderr.whole() });
            }
        };
        // A server with a configured certificate has no authority.
        let ca_pem = std::fs::read_to_string(self.certificates().join("ca.pem")).unwrap_or_default();
        let first_steps = std::fs::read_to_string(self.first_key_file()).unwrap_or_default();
        Ok(Program { child, stdout, stderr, greeting, first_steps, ca_pem })
    }

    /// Every file below the data directory.
    pub fn files(&self) -> Vec<PathBuf> {
        files_below(&self.data_dir())
    }
}

/// Both greetings end with an empty line.
fn is_whole_greeting(text: &str) -> bool {
    text.ends_with("\n\n") && (text.contains("first-key.txt") || text.contains("Lost a key?"))
}

/// The lines that have been written to their end.
fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'))
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

impl Exit {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks that the command failed with this code and without output, and returns its error message.
    pub fn failed(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

impl Program {
    /// The message that it printed when it was ready.
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Everything it printed so far.
    pub fn output(&self) -> String {
        self.stdout.text()
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        self.stderr.text()
    }

    /// Waits until a line of the log contains these words, and returns the line.
    pub fn wait_for_log(&self, words: &str) -> String {
        self.wait_for_log_line(&[words])
    }

    /// Waits until a line of the log contains all of these, and returns the line. The log may be written later than the
    /// answer is read.
    pub fn wait_for_log_line(&self, parts: &[&str]) -> String {
        let found = self.stderr.wait_for(|log| {
            let line = whole_lines(log).find(|line| parts.iter().all(|part| line.contains(part)));
            line.map(str::to_owned)
        });
        found.unwrap_or_else(|log| panic!("no line of the log has {parts:?}:\n{log}"))
    }

    /// Waits until this many lines of the log contain these words.
    pub fn wait_for_log_lines(&self, words: &str, count: usize) {
        let found = self.stderr.wait_for(|log| {
            let lines = whole_lines(log).filter(|line| line.contains(words));
            (lines.count() >= count).then_some(())
        });
        found.unwrap_or_else(|log| panic!("{words:?} is not in {count} lines of the log:\n{log}"));
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its memory.
    pub fn memory(&self) -> Memory {
        Memory::of(self.process())
    }

    /// Its origin.
    pub fn url(&self) -> &str {
        let line = self.greeting.lines().find_map(|line| line.trim().strip_prefix("Server "));
        line.unwrap_or_else(|| panic!("no url in {}", self.greeting)).trim()
    }

    pub fn port(&self) -> u16 {
        self.url().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The file of the first start: its key, and what to paste into each client.
    pub fn first_steps(&self) -> &str {
        &self.first_steps
    }

    /// The key of the first start, on a line of its own.
    pub fn first_key(&self) -> &str {
        let mut lines = self.first_steps.lines().map(str::trim);
        lines.find(|line| line.starts_with("pk_")).unwrap_or_else(|| panic!("no key in {}", self.first_steps))
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
        self.try_to_connect().unwrap()
    }

    /// [`Program::connect`], which may fail. Fails also when another server has its port by now.
    pub fn try_to_connect(&self) -> std::io::Result<Raw> {
        Raw::to(self.port(), trusting(&self.ca_pem))
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// Pauses it until [`Signal::CONT`], and returns when all of its threads are stopped.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        let tasks = PathBuf::from(format!("/proc/{}/task", self.process()));
        poll("every thread is stopped", || {
            let mut tasks = std::fs::read_dir(&tasks).unwrap();
            let is_stopped = |task: std::io::Result<std::fs::DirEntry>| {
                // A thread that has just ended is not running, either.
                let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
                stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('T'))
            };
            tasks.all(is_stopped).then_some(())
        });
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait().code(), Some(0), "{}", self.log());
    }

    /// Waits until it has exited.
    pub fn wait(&mut self) -> ExitStatus {
        poll("the server ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails when it has already exited, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks until there is a result.
pub fn poll<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = check() {
            return seen;
        }
        assert!(started.elapsed() < DEADLINE, "timed out waiting until {what}");
        std::thread::sleep(PAUSE);
    }
}
