//! Debian's Chromium, driven by its debugging protocol over two pipes.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rasterd::testing::TempFolder;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

/// How long an answer of the browser may take.
const DEADLINE: Duration = Duration::from_mins(1);
/// The browser reads commands from its descriptor 3 and writes to 4; the rest of its output is of no interest.
const START: &str = r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;
const FLAGS: [&str; 16] = [
    "--headless",
    "--no-startup-window",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--password-store=basic",
    "--ignore-certificate-errors",
    "--remote-debugging-pipe",
];

/// A running browser, attached to its only page.
pub struct Devtools {
    browser: Child,
    commands: Mutex<ChildStdin>,
    messages: Arc<Messages>,
    last: Cell<u64>,
    session: String,
    _profile: TempFolder,
}

/// All messages of the browser so far.
#[derive(Default)]
struct Messages {
    all: Mutex<Vec<Value>>,
    more: Condvar,
}

impl Devtools {
    /// Starts a browser with an empty profile.
    pub fn start() -> Self {
        let profile = TempFolder::new();
        let mut browser = Command::new("sh")
            .args(["-c", START, "chromium"])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            // What it puts there is deleted with the profile.
            .env("TMPDIR", profile.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's chromium is installed");
        let commands = Mutex::new(browser.stdin.take().unwrap());
        let messages = Arc::new(Messages::default());
        let (listening, from) = (Arc::clone(&messages), browser.stdout.take().unwrap());
        std::thread::spawn(move || listening.listen(BufReader::new(from)));
        let mut devtools = Self {
            browser,
            commands,
            messages,
            last: Cell::new(0),
            session: String::new(),
            _profile: profile,
        };
        devtools.attach();
        devtools
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", &attached);
        attached["sessionId"].as_str().unwrap().clone_into(&mut self.session);
        for domain in ["Page", "Runtime", "Log", "DOM", "Accessibility", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        self.call("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }));
    }

    /// Gives a command and returns its result.
    pub fn call(&self, method: &str, parameters: &Value) -> Value {
        self.try_call(method, parameters)
            .unwrap_or_else(|error| panic!("{method} {parameters:.300}: {error}"))
    }

    /// [`Devtools::call`] for a command that may fail, for example if a node is gone meanwhile.
    pub fn try_call(&self, method: &str, parameters: &Value) -> Result<Value, Value> {
        let id = self.last.get() + 1;
        self.last.set(id);
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        let before = self.messages.all.lock().unwrap().len();
        self.commands.lock().unwrap().write_all(format!("{command}\0").as_bytes()).unwrap();
        let answer = self.messages.wait_for(before, |message| message["id"] == id);
        let answer = answer.unwrap_or_else(|| panic!("the browser does not answer {method}"));
        if answer["error"].is_null() { Ok(answer["result"].clone()) } else { Err(answer["error"].clone()) }
    }

    /// Whether there was such an event since the browser started.
    pub fn has_event(&self, event: &str, is_it: impl Fn(&Value) -> bool) -> bool {
        self.events(event).iter().any(is_it)
    }

    /// The parameters of all events of a kind.
    pub fn events(&self, event: &str) -> Vec<Value> {
        let messages = self.messages.all.lock().unwrap();
        messages
            .iter()
            .filter(|message| message["method"] == event)
            .map(|message| message["params"].clone())
            .collect()
    }
}

impl Drop for Devtools {
    fn drop(&mut self) {
        // All of its processes, or they would go on writing into the profile; they are a group of their own. One that
        // has ended already can't be killed, which is fine.
        let group = self.browser.id().try_into().ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.browser.wait();
    }
}

impl Messages {
    fn listen(&self, mut from: impl BufRead) {
        let mut bytes = Vec::new();
        while from.read_until(0, &mut bytes).is_ok_and(|count| count > 0) {
            if let Ok(message) = serde_json::from_slice(bytes.strip_suffix(&[0]).unwrap_or(&bytes)) {
                self.all.lock().unwrap().push(message);
                self.more.notify_all();
            }
            bytes.clear();
        }
    }

    /// Waits for such a message, after the first ones, which are `seen` already.
    fn wait_for(&self, mut seen: usize, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        let until = Instant::now() + DEADLINE;
        let mut messages = self.all.lock().unwrap();
        loop {
            if let Some(found) = messages.iter().skip(seen).find(|message| is_it(message)) {
                return Some(found.clone());
            }
            seen = messages.len();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            messages = self.more.wait_timeout(messages, left).unwrap().0;
        }
    }
}
