//! What a person does with mouse, keyboard and files.

use std::path::Path;

use serde_json::json;

use super::{Browser, Locator};

impl Browser {
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
}
