//! What every page must stand: no error in the console, no violation of its content policy, nothing serious for
//! axe, no scrolling sideways; in light, dark and on a phone. A picture of each is kept in `target/screenshots`.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Browser, Look};

const AXE: &str = include_str!("../axe/axe.min.js");
/// Runs axe, and keeps what a person could stumble over.
const RUN_AXE: &str = "axe.run(document, { rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] })\
    .then((result) => result.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')\
    .map((v) => `${v.id}: ${v.help}: ` + v.nodes.map((n) => n.html + ' ' + n.failureSummary).join(' | ')))";
/// The tallest picture that is kept, in CSS pixels.
const TALLEST: f64 = 6000.0;

impl Look {
    const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Phone];

    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Phone => "phone",
        }
    }

    /// Width, height, and device pixels for each.
    fn screen(self) -> (u32, u32, u32) {
        match self {
            Self::Light | Self::Dark => (1280, 800, 1),
            Self::Phone => (360, 740, 2),
        }
    }
}

impl Browser {
    /// Looks at everything like this from now on.
    pub fn look(&self, look: Look) {
        let (width, height, scale) = look.screen();
        let (is_phone, is_dark) = (look == Look::Phone, look == Look::Dark);
        let scheme = if is_dark { "dark" } else { "light" };
        // Without motion, so that nothing is looked at half way.
        let scheme = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools.call("Emulation.setEmulatedMedia", &scheme);
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone });
        self.devtools.call("Emulation.setDeviceMetricsOverride", &screen);
        self.devtools.call("Emulation.setTouchEmulationEnabled", &json!({ "enabled": is_phone }));
    }

    /// Checks the page that is open in every look, and keeps pictures of it under this name.
    pub fn check(&self, name: &str) {
        self.wait_for_scripts();
        for look in Look::ALL {
            self.look(look);
            self.wait_until(
                "[...document.images].every((image) => image.complete || image.loading === 'lazy')",
            );
            self.keep_picture(name, look);
            let width =
                self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(width, 0, "{name} in {look:?} scrolls sideways");
            self.run_axe(name, look);
        }
        self.look(Look::Light);
        self.expect_no_complaints(name);
    }

    fn run_axe(&self, name: &str, look: Look) {
        if self.evaluate("typeof axe") == "undefined" {
            self.devtools.call("Runtime.evaluate", &json!({ "expression": AXE }));
        }
        let found = self.evaluate(RUN_AXE);
        assert_eq!(found, json!([]), "axe on {name} in {look:?}: {found:#}");
    }

    fn keep_picture(&self, name: &str, look: Look) {
        let mut asked = json!({ "format": "png" });
        // A dialog lies over what is seen of the page, so that is what is kept; else it is the page as a whole.
        if self.evaluate("document.querySelector('dialog:modal') === null") == true {
            let size = &self.devtools.call("Page.getLayoutMetrics", &json!({}))["cssContentSize"];
            let height = size["height"].as_f64().unwrap().min(TALLEST);
            asked["clip"] = json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
            asked["captureBeyondViewport"] = json!(true);
        }
        let picture = self.devtools.call("Page.captureScreenshot", &asked);
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}-{}.png", look.name())), bytes).unwrap();
    }

    /// Checks that no page since the browser started made the console complain.
    pub fn expect_no_complaints(&self, name: &str) {
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "the console on {name}: {complaints:#?}");
    }

    fn complaints(&self) -> Vec<String> {
        let logged = self.devtools.events("Log.entryAdded");
        let logged = logged.iter().map(|event| &event["entry"]);
        let logged = logged.filter(|entry| entry["level"] == "error" || entry["level"] == "warning");
        // That a page was answered with an error is what such a page is opened for.
        let logged = logged.filter(|entry| !(entry["source"] == "network" && self.is_page(&entry["url"])));
        let thrown = self.devtools.events("Runtime.exceptionThrown");
        let written = self.devtools.events("Runtime.consoleAPICalled");
        let written = written.iter().filter(|event| event["type"] == "error" || event["type"] == "warning");
        logged.chain(thrown.iter()).chain(written).map(Value::to_string).collect()
    }

    /// Whether an address was opened as a page, and not loaded by one.
    fn is_page(&self, url: &Value) -> bool {
        self.devtools.saw("Network.requestWillBeSent", |event| {
            event["type"] == "Document" && event["request"]["url"] == *url
        })
    }
}

/// Beside what is built, wherever that is.
fn folder() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    built.parent().unwrap_or(&built).join("screenshots")
}
