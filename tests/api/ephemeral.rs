//! `rasterd serve --ephemeral`: a server that is started inside a test, and its control endpoint.

mod control;
mod faults;
mod life;
mod start;

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rasterd::testing::TempFolder;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::rest::{Form, NEW, Rest, picture, text};
use crate::support::output::Output;
use crate::support::program::{RASTERD, poll};
use crate::support::{Client, Reply, send};

/// The assets of the first library.
const ASSETS: &str = "/organizations/test/libraries/main/assets";

/// A server for tests, in a folder of its own. Killed when dropped.
struct Ephemeral {
    child: Child,
    stderr: Output,
    /// What it printed when it was ready.
    line: Value,
    folder: TempFolder,
}

/// A command that starts such a server in a folder. It does not inherit the environment of the tests.
fn command(folder: &TempFolder, flags: &[&str]) -> Command {
    let mut command = Command::new(RASTERD);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").args([
        "serve",
        "--ephemeral",
        "--data-dir",
    ]);
    command.arg(folder.path()).args(flags).stdin(Stdio::null());
    command
}

impl Ephemeral {
    fn start(flags: &[&str]) -> Self {
        Self::start_in(TempFolder::in_memory(), flags)
    }

    fn start_in(folder: TempFolder, flags: &[&str]) -> Self {
        let mut command = command(&folder, flags);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = Output::of(child.stderr.take().unwrap());
        let line = stdout.wait_for(|text| text.strip_suffix('\n').map(str::to_owned));
        let line = line.unwrap_or_else(|text| panic!("no line, but {text:?} and {}", stderr.whole()));
        let line = serde_json::from_str(&line).unwrap();
        Self { child, stderr, line, folder }
    }

    fn text(&self, pointer: &str) -> String {
        text(self.line.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", self.line)))
    }

    /// The temporary directory.
    fn directory(&self) -> PathBuf {
        let ca_file = PathBuf::from(self.text("/caFile"));
        ca_file.parent().unwrap().parent().unwrap().to_owned()
    }

    fn client(&self) -> Client {
        Client::of(&self.text("/url"), &self.text("/caPem"))
    }

    /// A client with one of the keys: `write`, `read` or `none`.
    fn rest(&self, key: &str) -> Rest {
        self.rest_with(&self.text(&format!("/keys/{key}")))
    }

    /// A client with this key.
    fn rest_with(&self, key: &str) -> Rest {
        Rest::new(&self.client().with_key(key), NEW)
    }

    /// Sends something to the control endpoint.
    async fn control(&self, method: Method, path: &str, body: Value) -> Reply {
        let client = self.client().with_key(&self.text("/control/token"));
        let request = client.request(method, &format!("/_test/{path}"));
        send(request.header("Content-Type", "application/json").body(body.to_string())).await
    }

    /// [`Ephemeral::control`] that succeeds.
    async fn controlled(&self, method: Method, path: &str, body: Value) -> Value {
        let reply = self.control(method, path, body).await;
        assert!(reply.status < 300, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply.json()
    }

    async fn fault(&self, fault: Value) -> Value {
        self.controlled(Method::POST, "faults", fault).await
    }

    async fn idle(&self) {
        assert_eq!(self.controlled(Method::POST, "idle", json!({})).await, json!({"idle": true}));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        poll("the server ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        // Asked first, so that it removes what it made elsewhere.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal(Signal::TERM);
            let _ended = self.child.wait();
        }
    }
}

/// Uploads a picture to the first library with a key, and returns its id.
async fn uploaded(rest: &Rest, name: &str) -> String {
    let reply = upload(rest, ASSETS, name).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    text(&reply.json()["data"]["assets"][0]["id"])
}

async fn upload(rest: &Rest, path: &str, name: &str) -> Reply {
    let mut form = Form::default();
    form.file("files", name, &picture(name));
    rest.send_form(path, form).await
}

/// The names of the assets of a library, newest first.
async fn names(rest: &Rest, path: &str) -> Vec<String> {
    rest.names(path).await.0
}

/// How many assets a search for a word finds.
async fn found(rest: &Rest, word: &str) -> u64 {
    let reply = rest.get(&format!("/organizations/test/search/assets?q={word}")).await;
    reply.json()["data"]["found"].as_u64().unwrap()
}
