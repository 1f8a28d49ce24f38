//! The checks that every page must pass: no error in the console, no violation of its content policy, nothing serious
//! for axe, no scrolling sideways; in light, in dark and on a phone. A screenshot of each is kept in `target/screenshots`.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Appearance, Browser};

const AXE: &str = include_str!("../axe/axe.min.js");
/// Runs axe with these options, and keeps its serious and critical findings.
const RUN_AXE: &str = "(options) => axe.run(document, { resultTypes: ['violations'], ...options })\
    .then((result) => result.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')\
    .map((v) => `${v.id}: ${v.help}: ` + v.nodes.map((n) => n.html + ' ' + n.failureSummary).join(' | ')))";
/// The tallest screenshot that is kept, in CSS pixels.
const TALLEST: f64 = 6000.0;

impl Appearance {
    const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Phone];

    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Phone => "phone",
        }
    }

    /// What axe looks for: everything, but in the dark, where only the colours are others.
    fn axe_options(self) -> &'static str {
        match self {
            Self::Light | Self::Phone => "{ rules: { 'target-size': { enabled: true } } }",
            Self::Dark => "{ runOnly: ['color-contrast', 'link-in-text-block'] }",
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
    /// Displays everything like this from now on.
    pub fn set_appearance(&self, appearance: Appearance) {
        let (width, height, scale) = appearance.screen();
        let (is_phone, is_dark) = (appearance == Appearance::Phone, appearance == Appearance::Dark);
        let scheme = if is_dark { "dark" } else { "light" };
        // Without motion, so that nothing is checked half way.
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

    /// Checks the open page in every appearance, and keeps screenshots of it under this name.
    pub fn check(&self, name: &str) {
        self.wait_for_scripts();
        for appearance in Appearance::ALL {
            self.set_appearance(appearance);
            self.wait_until(
                "[...document.images].every((image) => image.complete || image.loading === 'lazy')",
            );
            self.save_screenshot(name, appearance);
            let width =
                self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(width, 0, "{name} in {appearance:?} scrolls sideways");
            self.run_axe(name, appearance);
        }
        self.set_appearance(Appearance::Light);
        self.expect_no_console_errors(name);
    }

    fn run_axe(&self, name: &str, appearance: Appearance) {
        if self.evaluate("typeof axe") == "undefined" {
            self.devtools.call("Runtime.evaluate", &json!({ "expression": AXE }));
        }
        let found = self.evaluate(&format!("({RUN_AXE})({})", appearance.axe_options()));
        assert_eq!(found, json!([]), "axe on {name} in {appearance:?}: {found:#}");
    }

    fn save_screenshot(&self, name: &str, appearance: Appearance) {
        let mut parameters = json!({ "format": "png", "optimizeForSpeed": true });
        // A dialog covers the visible part of the page, so only that is kept; else it is the whole page.
        if self.evaluate("document.querySelector('dialog:modal') === null") == true {
            let size = &self.devtools.call("Page.getLayoutMetrics", &json!({}))["cssContentSize"];
            let height = size["height"].as_f64().unwrap().min(TALLEST);
            parameters["clip"] =
                json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
            parameters["captureBeyondViewport"] = json!(true);
        }
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}-{}.png", appearance.name()));
        std::fs::write(file, self.screenshot(&parameters)).unwrap();
    }

    /// A picture of the page as it looks now, with the parameters of the browser's protocol.
    pub fn screenshot(&self, parameters: &Value) -> Vec<u8> {
        let screenshot = self.devtools.call("Page.captureScreenshot", parameters);
        STANDARD.decode(screenshot["data"].as_str().unwrap()).unwrap()
    }

    /// Checks that no page since the browser started wrote an error or a warning to the console.
    pub fn expect_no_console_errors(&self, name: &str) {
        let console_errors = self.console_errors();
        assert!(console_errors.is_empty(), "the console on {name}: {console_errors:#?}");
    }

    fn console_errors(&self) -> Vec<String> {
        let logged = self.devtools.events("Log.entryAdded");
        let logged = logged.iter().map(|event| &event["entry"]);
        let logged = logged.filter(|entry| entry["level"] == "error" || entry["level"] == "warning");
        // A page that is itself the answer to an error was opened on purpose.
        let logged = logged.filter(|entry| {
            entry["source"] != "network"
                || !(self.is_page(&entry["url"]) || self.is_of_no_shown_asset(&entry["url"]))
        });
        let thrown = self.devtools.events("Runtime.exceptionThrown");
        let written = self.devtools.events("Runtime.consoleAPICalled");
        let written = written.iter().filter(|event| event["type"] == "error" || event["type"] == "warning");
        logged.chain(thrown.iter()).chain(written).map(Value::to_string).collect()
    }

    /// Whether an address is the image of an asset that the page does not show any more: the browser may have begun to load
    /// another size of it just before it was moved to the trash.
    fn is_of_no_shown_asset(&self, url: &Value) -> bool {
        let path = url.as_str().and_then(|url| url.split_once("/cdn/"));
        let Some(id) = path.and_then(|(_, path)| path.split(['/', '?']).nth(2)) else { return false };
        self.evaluate(&format!("document.documentElement.outerHTML.includes('{id}')")) == false
    }

    /// Whether an address was opened as a page, and not loaded by one.
    fn is_page(&self, url: &Value) -> bool {
        self.devtools.has_event("Network.requestWillBeSent", |event| {
            event["type"] == "Document" && event["request"]["url"] == *url
        })
    }
}

/// Beside what is built, wherever that is.
fn folder() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    built.parent().unwrap_or(&built).join("screenshots")
}
