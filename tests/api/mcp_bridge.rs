//! The bridges for clients that start programs: `rasterd mcp`, and the one in the bundle, which runs in Node. What a client
//! gets through them is the same for both, so each test runs against both.

use std::fs;
use std::io::{Cursor, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use rasterd::client_setup::bundle::bundle;
use rasterd::core::model::api_key::PlainKey;
use rasterd::testing::TempFolder;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::support::output::Output;
use crate::support::program::{RASTERD, poll};

mod carried;
mod fake_server;
mod hostile;
mod key_and_trust;

/// A key that a server could have made.
fn some_key() -> String {
    PlainKey::random().reveal().to_owned()
}

/// One of the two bridges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Program,
    InNode,
}

/// Both.
pub const BOTH: [Kind; 2] = [Kind::Program, Kind::InNode];

/// A running bridge, with the client's ends of its input and output. Killed when dropped.
pub struct Bridge {
    child: Child,
    input: Option<ChildStdin>,
    output: Output,
    errors: Output,
    _folder: TempFolder,
}

impl Bridge {
    /// A bridge to the server at `url`, whose certificate is from this authority.
    pub fn start(kind: Kind, url: &str, ca_pem: &str, key: &str) -> Self {
        let folder = TempFolder::new();
        let mut command = match kind {
            Kind::Program => {
                let ca_file = folder.path().join("ca.pem");
                fs::write(&ca_file, ca_pem).unwrap();
                let mut command = Command::new(RASTERD);
                command.args(["mcp", "--url", url, "--ca"]).arg(ca_file);
                command
            }
            Kind::InNode => {
                let bundle = bundle(url, Some(ca_pem)).unwrap();
                ZipArchive::new(Cursor::new(bundle)).unwrap().extract(folder.path()).unwrap();
                let mut command = Command::new("node");
                command.arg(folder.path().join("server/bridge.mjs"));
                command
            }
        };
        let path = std::env::var_os("PATH").unwrap();
        command.env_clear().env("PATH", path).env("RASTERD_API_KEY", key);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{error}: {command:?}"));
        let input = child.stdin.take();
        let output = Output::of(child.stdout.take().unwrap());
        let errors = Output::of(child.stderr.take().unwrap());
        Self { child, input, output, errors, _folder: folder }
    }

    /// Writes a line as it is.
    pub fn write(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().unwrap();
        input.write_all(&[line.as_ref(), b"\n"].concat()).unwrap();
        input.flush().unwrap();
    }

    /// Sends a request.
    pub fn request(&mut self, id: impl Into<Value>, method: &str, params: &Value) {
        let id = id.into();
        self.write(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: &Value) {
        self.write(json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    /// Every message so far. Each line must be one.
    pub fn messages(&self) -> Vec<Value> {
        messages_in(&self.output.text())
    }

    /// The first message that `looked_for` is about.
    pub fn wait_for(&self, looked_for: impl Fn(&Value) -> bool) -> Value {
        let found =
            self.output.wait_for(|text| messages_in(text).into_iter().find(|message| looked_for(message)));
        found.unwrap_or_else(|output| panic!("not in the output:\n{output}\n{}", self.errors.text()))
    }

    /// The answer to the request with this id.
    pub fn answer(&self, id: impl Into<Value>) -> Value {
        let id = id.into();
        self.wait_for(|message| message["id"] == id && message.get("method").is_none())
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, id: impl Into<Value>, method: &str, params: &Value) -> Value {
        let id = id.into();
        self.request(id.clone(), method, params);
        self.answer(id)
    }

    /// Waits until it has written these words to standard error.
    pub fn wait_for_error(&self, words: &str) {
        let found = self.errors.wait_for(|text| text.contains(words).then_some(()));
        found.unwrap_or_else(|text| panic!("{words:?} is not in {text:?}"));
    }

    /// Ends its input, as a client does that goes.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    }

    /// Waits until it has ended, and returns what it wrote to standard error.
    pub fn ended(mut self) -> (ExitStatus, Vec<Value>, String) {
        let status = poll("the bridge ends", || self.child.try_wait().unwrap());
        (status, messages_in(&self.output.whole()), self.errors.whole())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // Fails when it has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The messages in the lines that were written to their end.
fn messages_in(output: &str) -> Vec<Value> {
    let lines = output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))).collect()
}

/// The params of a handshake in a revision.
fn handshake(revision: &str) -> Value {
    json!({
        "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    })
}

/// The same params as a message has in the revision without a handshake.
fn stateless(params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    params
}
