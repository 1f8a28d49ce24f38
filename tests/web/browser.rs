//! A browser as a person uses it: pages, buttons, fields, keys. Everything is waited for, up to a deadline.

use std::path::Path;
use std::time::{Duration, Instant};

use rasterd::testing::TestServer;
use serde_json::{Value, json};

mod check;
mod devtools;
mod locator;

use devtools::Devtools;
pub use locator::Locator;

/// How long anything is waited for. A machine may be busy with other things.
const DEADLINE: Duration = Duration::from_mins(1);
/// How often it is looked for.
const PAUSE: Duration = Duration::from_millis(20);
/// Whether every image is loaded; scrolls to one that is not, else to the top.
const ALL_IMAGES_LOADED: &str = "(() => {
    const missing = [...document.images].find((image) => !image.complete || image.naturalWidth === 0);
    if (missing) missing.scrollIntoView();
    else scrollTo(0, 0);
    return !missing;
  })()";

/// How a page is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appearance {
    /// A large screen, in light colours.
    Light,
    /// A large screen, in dark colours.
    Dark,
    /// A small phone.
    Phone,
}

/// A browser with one page and an empty profile.
pub struct Browser {
    devtools: Devtools,
    url: String,
}

impl Browser {
    /// Starts a browser whose addresses are those of a server.
    pub fn on(server: &TestServer) -> Self {
        Self::at(server.url())
    }

    /// Starts a browser whose addresses are those of the server at an origin.
    pub fn at(url: &str) -> Self {
        let browser = Self { devtools: Devtools::start(), url: url.to_owned() };
        browser.set_appearance(Appearance::Light);
        browser
    }

    /// Loads the page again; if it is the answer to a form, the form is sent again.
    pub fn reload(&self) {
        let before = self.devtools.events("Page.loadEventFired").len();
        self.devtools.call("Page.reload", &json!({}));
        self.wait("the page is loaded again", || self.devtools.events("Page.loadEventFired").len() > before);
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&self, path: &str) {
        let url = format!("{}{path}", self.url);
        let opened = self.devtools.call("Page.navigate", &json!({ "url": url }));
        assert!(opened["errorText"].is_null(), "{url}: {opened}");
        let loader = &opened["loaderId"];
        self.wait(&format!("{path} is loaded"), || {
            self.devtools.has_event("Page.lifecycleEvent", |event| {
                event["loaderId"] == *loader && event["name"] == "load"
            })
        });
    }

    /// The path and query of the page that is open.
    pub fn path(&self) -> String {
        let path = self.read("location.pathname + location.search");
        path.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the open page has this path and query, and is loaded.
    pub fn wait_for_path(&self, path: &str) {
        let whole = || self.read("document.readyState") == "complete";
        self.wait(&format!("the address is {path}, and not {}", self.path()), || {
            self.path() == path && whole()
        });
    }

    /// Waits until something is on the page.
    pub fn wait_for(&self, what: &Locator) {
        self.node(what);
    }

    /// Waits until something is no longer on the page.
    pub fn wait_until_gone(&self, what: &Locator) {
        self.wait(&format!("{what:?} is gone"), || locator::nodes(&self.devtools, what).is_empty());
    }

    /// Whether something is on the page now.
    pub fn has(&self, what: &Locator) -> bool {
        !locator::nodes(&self.devtools, what).is_empty()
    }

    /// Clicks in the middle of something.
    pub fn click(&self, what: &Locator) {
        self.wait_for_scripts();
        let (x, y) = self.middle(what);
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.devtools.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Types a text into the field with this label, in place of what is there.
    pub fn fill(&self, label: &str, text: &str) {
        self.wait_for_scripts();
        let field = Locator::field(label);
        self.wait(&format!("{field:?} has the focus"), || {
            let node = json!({ "backendNodeId": self.node(&field) });
            self.devtools.try_call("DOM.focus", &node).is_ok()
        });
        self.evaluate("document.activeElement.select?.()");
        self.devtools.call("Input.insertText", &json!({ "text": text }));
    }

    /// Presses a key, such as `Enter`, `Escape`, `Tab`, `ArrowRight` or `a`; also with others held down, as in
    /// `Shift+ArrowRight` or `Control+a`.
    pub fn press(&self, keys: &str) {
        self.wait_for_scripts();
        let (held, key) = keys.rsplit_once('+').unwrap_or(("", keys));
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "Tab" => 9,
            "Delete" => 46,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => key.bytes().next().map_or(0, |byte| u32::from(byte.to_ascii_uppercase())),
        };
        let text = match key {
            "Enter" => "\r",
            key if key.chars().count() == 1 && !held.contains("Control") => key,
            _ => "",
        };
        let held: u32 = held
            .split('+')
            .map(|key| match key {
                "Control" => 2,
                "Shift" => 8,
                _ => 0,
            })
            .sum();
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text, "modifiers": held });
            self.devtools.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Chooses an option of the list with this label.
    pub fn choose(&self, label: &str, option: &str) {
        self.wait_for_scripts();
        let choose = "function(option) { this.value = [...this.options].find((o) => o.label === option).value; \
                      this.dispatchEvent(new Event('input', { bubbles: true })); \
                      this.dispatchEvent(new Event('change', { bubbles: true })); }";
        self.call_on(&Locator::role("combobox", label), choose, &[json!(option)]);
    }

    /// Puts files into a file field, as if a person had picked them.
    pub fn pick_files(&self, field: &Locator, files: &[&Path]) {
        let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
        self.devtools
            .call("DOM.setFileInputFiles", &json!({ "backendNodeId": self.node(field), "files": files }));
    }

    /// Drops files and folders of the disk in the middle of something, as if a person had dragged them there.
    pub fn drop_on(&self, what: &Locator, paths: &[&Path]) {
        let (x, y) = self.middle(what);
        let files: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": x, "y": y, "data": data });
            self.devtools.call("Input.dispatchDragEvent", &event);
        }
    }

    /// From now on uploads do not get anywhere: a byte a second.
    pub fn hold_uploads(&self) {
        self.limit_upload_rate(1);
    }

    /// Ends [`Browser::hold_uploads`].
    pub fn release_uploads(&self) {
        self.limit_upload_rate(-1);
    }

    /// At most this many bytes a second; -1 for no limit.
    fn limit_upload_rate(&self, bytes_per_second: i32) {
        self.limit_line(0, -1, bytes_per_second);
    }

    /// From now on the line is a slow one: 400 kbit/s, with a latency of 400 ms.
    pub fn slow_line(&self) {
        self.limit_line(400, 50_000, 50_000);
    }

    /// How many requests for this path the browser began and gave up.
    pub fn abandoned_requests(&self, path: &str) -> usize {
        let sent = self.devtools.events("Network.requestWillBeSent");
        let is_there = |id: &Value| {
            sent.iter().any(|sent| {
                sent["requestId"] == *id
                    && sent["request"]["url"].as_str().is_some_and(|url| url.contains(path))
            })
        };
        let failed = self.devtools.events("Network.loadingFailed");
        failed.iter().filter(|failed| failed["canceled"] == true && is_there(&failed["requestId"])).count()
    }

    fn limit_line(&self, latency: u32, download: i32, upload: i32) {
        let conditions = json!({
            "offline": false, "latency": latency, "downloadThroughput": download, "uploadThroughput": upload,
        });
        self.devtools.call("Network.emulateNetworkConditions", &conditions);
    }

    /// Drags something with the mouse onto something that appears while it is dragged.
    pub fn drag(&self, what: &Locator, onto: &Locator) {
        self.wait_for_scripts();
        self.devtools.call("Input.setInterceptDrags", &json!({ "enabled": true }));
        let (x, y) = self.middle(what);
        let before = self.devtools.events("Input.dragIntercepted").len();
        for (kind, offset) in
            [("mouseMoved", 0.0), ("mousePressed", 0.0), ("mouseMoved", 8.0), ("mouseMoved", 16.0)]
        {
            let event = json!({ "type": kind, "x": x + offset, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
            self.devtools.call("Input.dispatchMouseEvent", &event);
        }
        self.wait("something is dragged", || self.devtools.events("Input.dragIntercepted").len() > before);
        let data = self.devtools.events("Input.dragIntercepted").pop().unwrap()["data"].clone();
        let (x, y) = self.middle(onto);
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": x, "y": y, "data": data });
            self.devtools.call("Input.dispatchDragEvent", &event);
        }
        let released = json!({ "type": "mouseReleased", "x": x, "y": y, "button": "left", "clickCount": 1 });
        self.devtools.call("Input.dispatchMouseEvent", &released);
        self.devtools.call("Input.setInterceptDrags", &json!({ "enabled": false }));
    }

    /// Dismisses all messages that are still there: good news disappears by itself after some seconds.
    pub fn dismiss_messages(&self) {
        self.evaluate(
            "document.querySelectorAll('#toasts [data-dismiss]').forEach((button) => button.click())",
        );
    }

    /// The text of something, as it is shown.
    pub fn text(&self, what: &Locator) -> String {
        let text = self.call_on(what, "function() { return this.innerText ?? this.textContent; }", &[]);
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// What is in a field.
    pub fn value(&self, what: &Locator) -> String {
        self.call_on(what, "function() { return this.value; }", &[]).as_str().unwrap_or_default().to_owned()
    }

    /// The value of an expression in the page; a promise is waited for.
    pub fn evaluate(&self, expression: &str) -> Value {
        self.try_evaluate(expression).unwrap_or_else(|error| panic!("{expression:.200}: {error}"))
    }

    /// [`Browser::evaluate`] for an expression that changes nothing: evaluated on the next page if this one goes away
    /// meanwhile.
    fn read(&self, expression: &str) -> Value {
        let started = Instant::now();
        loop {
            match self.try_evaluate(expression) {
                Ok(value) => return value,
                Err(error) => assert!(started.elapsed() < DEADLINE, "{expression:.200}: {error}"),
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn try_evaluate(&self, expression: &str) -> Result<Value, Value> {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let outcome = self.devtools.try_call("Runtime.evaluate", &parameters)?;
        assert!(outcome["exceptionDetails"].is_null(), "{expression:.200}: {}", outcome["exceptionDetails"]);
        Ok(outcome["result"]["value"].clone())
    }

    /// Waits until the page is loaded and its scripts listen, also to a part that htmx has just put into it. A key that
    /// a person presses before that is lost, too.
    pub fn wait_for_scripts(&self) {
        self.wait_until(
            "document.readyState === 'complete' && \
             !document.querySelector('.htmx-swapping, .htmx-settling, .htmx-added')",
        );
    }

    /// Waits until every image of the page is loaded, also those further down, which load when somebody scrolls there.
    /// An image that is still loading when its asset is moved to the trash is not found, and the console says so.
    pub fn wait_for_images(&self) {
        self.wait_for_scripts();
        self.wait_until(ALL_IMAGES_LOADED);
    }

    /// Waits until an expression is true in the page. One that fails is not true yet.
    pub fn wait_until(&self, expression: &str) {
        let safe = format!("(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()");
        self.wait(expression, || self.read(&safe) == true);
    }

    /// Turns scripts of pages off, for everything that is opened from now on.
    pub fn without_scripts(&self) {
        self.devtools.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// Gives the browser a device that stores passkeys and whose owner agrees to everything; returns its id.
    pub fn with_passkeys(&self) -> String {
        self.devtools.call("WebAuthn.enable", &json!({}));
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true, "automaticPresenceSimulation": true,
        });
        let added = self.devtools.call("WebAuthn.addVirtualAuthenticator", &json!({ "options": device }));
        added["authenticatorId"].as_str().unwrap().to_owned()
    }

    /// Replaces the passkeys of a device by copies of themselves that have signed nothing yet.
    pub fn copy_passkeys(&self, device: &str) {
        let device = json!(device);
        let kept = self.devtools.call("WebAuthn.getCredentials", &json!({ "authenticatorId": device }));
        self.devtools.call("WebAuthn.clearCredentials", &json!({ "authenticatorId": device }));
        for mut passkey in kept["credentials"].as_array().cloned().unwrap_or_default() {
            passkey["signCount"] = json!(0);
            let copy = json!({ "authenticatorId": device, "credential": passkey });
            self.devtools.call("WebAuthn.addCredential", &copy);
        }
    }

    /// Deletes all cookies.
    pub fn clear_cookies(&self) {
        self.devtools.call("Network.clearBrowserCookies", &json!({}));
    }

    /// The cookies that the browser has for the server.
    pub fn cookies(&self) -> Vec<Value> {
        let cookies = self.devtools.call("Network.getCookies", &json!({ "urls": [self.url] }));
        cookies["cookies"].as_array().cloned().unwrap_or_default()
    }

    fn call_on(&self, what: &Locator, function: &str, arguments: &[Value]) -> Value {
        let mut object = Value::Null;
        // What was found may be replaced before it is resolved.
        self.wait(&format!("{what:?} is there"), || {
            let node = json!({ "backendNodeId": self.node(what) });
            let resolved = self.devtools.try_call("DOM.resolveNode", &node);
            resolved.is_ok_and(|resolved| {
                object = resolved;
                true
            })
        });
        let arguments: Vec<_> = arguments.iter().map(|value| json!({ "value": value })).collect();
        let outcome = self.devtools.call(
            "Runtime.callFunctionOn",
            &json!({ "objectId": object["object"]["objectId"], "functionDeclaration": function,
                     "arguments": arguments, "returnByValue": true }),
        );
        assert!(outcome["exceptionDetails"].is_null(), "{what:?}: {}", outcome["exceptionDetails"]);
        outcome["result"]["value"].clone()
    }

    fn node(&self, what: &Locator) -> i64 {
        let mut found = None;
        self.wait(&format!("{what:?} is there"), || {
            found = locator::nodes(&self.devtools, what).first().copied();
            found.is_some()
        });
        found.unwrap()
    }

    /// The middle of something that is shown, once it has been scrolled to, lies still, and nothing covers it.
    fn middle(&self, what: &Locator) -> (f64, f64) {
        let mut last = None;
        self.wait(&format!("{what:?} can be clicked"), || {
            let before = last;
            last = locator::nodes(&self.devtools, what)
                .first()
                .and_then(|node| locator::middle(&self.devtools, *node));
            last.is_some() && last == before && locator::is_hit(&self.devtools, what, last.unwrap())
        });
        last.unwrap()
    }

    fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(
                started.elapsed() < DEADLINE,
                "waited too long until {what}; the page says: {}",
                self.read("document.body.innerText")
            );
            std::thread::sleep(PAUSE);
        }
    }
}
