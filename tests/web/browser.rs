//! A browser as a person uses it: pages, buttons, fields, keys. Everything is waited for, up to a deadline.

use std::time::{Duration, Instant};

use rasterd::testing::TestServer;
use serde_json::{Value, json};

mod check;
mod devtools;
mod input;
mod locator;
mod network;
mod passkeys;

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
