//! Finds things on a page as a person does: by their role and name.

use serde_json::{Value, json};

use super::devtools::Devtools;

/// Something on a page.
#[derive(Debug, Clone)]
pub enum Locator {
    /// Something with this role and accessible name.
    Role(&'static str, String),
    /// Something to type into, by its label.
    Field(String),
    /// Something with this visible text in it.
    Text(String),
    /// What a selector of CSS finds.
    Css(String),
}

impl Locator {
    pub fn role(role: &'static str, name: &str) -> Self {
        Self::Role(role, name.to_owned())
    }

    pub fn button(name: &str) -> Self {
        Self::role("button", name)
    }

    pub fn link(name: &str) -> Self {
        Self::role("link", name)
    }

    pub fn heading(name: &str) -> Self {
        Self::role("heading", name)
    }

    pub fn field(label: &str) -> Self {
        Self::Field(label.to_owned())
    }

    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub fn css(selector: &str) -> Self {
        Self::Css(selector.to_owned())
    }
}

/// The matching nodes, in the order of the page.
pub fn nodes(devtools: &Devtools, what: &Locator) -> Vec<i64> {
    match what {
        Locator::Role(role, name) => {
            accessible(devtools, name, |found| found == *role || is_toggle(found, role))
        }
        Locator::Field(label) => accessible(devtools, label, |role| {
            ["textbox", "searchbox", "combobox", "spinbutton", "Date"].contains(&role)
        }),
        Locator::Text(text) => {
            let text = text.to_lowercase();
            let path = format!(
                "[...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && \
                 e.innerText?.toLowerCase().includes({text:?}) && \
                 ![...e.children].some((c) => c.innerText?.toLowerCase().includes({text:?})))"
            );
            in_page(devtools, &path)
        }
        Locator::Css(selector) => in_page(devtools, &format!("[...document.querySelectorAll({selector:?})]")),
    }
}

/// A button that stays pressed or opens a menu is a button to a person, too.
fn is_toggle(found: &str, wanted: &str) -> bool {
    wanted == "button" && (found == "ToggleButton" || found == "DisclosureTriangle" || found == "popupbutton")
}

fn accessible(devtools: &Devtools, name: &str, is_role: impl Fn(&str) -> bool) -> Vec<i64> {
    let Ok(document) = devtools.try_call("DOM.getDocument", &json!({ "depth": 0 })) else {
        return Vec::new();
    };
    let parameters = json!({ "nodeId": document["root"]["nodeId"], "accessibleName": name });
    let Ok(found) = devtools.try_call("Accessibility.queryAXTree", &parameters) else { return Vec::new() };
    let nodes = found["nodes"].as_array().cloned().unwrap_or_default();
    let shown = nodes.iter().filter(|node| node["ignored"] != true);
    let fitting = shown.filter(|node| node["role"]["value"].as_str().is_some_and(&is_role));
    fitting.filter_map(|node| node["backendDOMNodeId"].as_i64()).collect()
}

fn in_page(devtools: &Devtools, expression: &str) -> Vec<i64> {
    let Ok(list) = devtools.try_call("Runtime.evaluate", &json!({ "expression": expression })) else {
        return Vec::new();
    };
    assert!(list["exceptionDetails"].is_null(), "{expression}: {}", list["exceptionDetails"]);
    let parameters = json!({ "objectId": list["result"]["objectId"], "ownProperties": true });
    let Ok(properties) = devtools.try_call("Runtime.getProperties", &parameters) else { return Vec::new() };
    let properties = properties["result"].as_array().cloned().unwrap_or_default();
    let objects = properties.iter().filter(|property| property["value"]["subtype"] == "node");
    objects.filter_map(|object| node_of(devtools, &object["value"]["objectId"])).collect()
}

fn node_of(devtools: &Devtools, object: &Value) -> Option<i64> {
    let node = devtools.try_call("DOM.describeNode", &json!({ "objectId": object })).ok()?;
    node["node"]["backendNodeId"].as_i64()
}

/// Whether a click at this point reaches the node: nothing covers it.
pub fn is_hit(devtools: &Devtools, what: &Locator, (x, y): (f64, f64)) -> bool {
    let Some(node) = nodes(devtools, what).first().copied() else { return false };
    let Ok(object) = devtools.try_call("DOM.resolveNode", &json!({ "backendNodeId": node })) else {
        return false;
    };
    let function = "function(x, y) { \
        const hit = document.elementFromPoint(x, y); \
        return Boolean(hit) && (this.contains(hit) || Boolean(hit.closest('a, button, label, summary')?.contains(this))); }";
    let parameters = json!({
        "objectId": object["object"]["objectId"], "functionDeclaration": function,
        "arguments": [{ "value": x }, { "value": y }], "returnByValue": true,
    });
    devtools
        .try_call("Runtime.callFunctionOn", &parameters)
        .is_ok_and(|answer| answer["result"]["value"] == true)
}

/// The middle of a node that is shown, scrolled to.
pub fn middle(devtools: &Devtools, node: i64) -> Option<(f64, f64)> {
    let node = json!({ "backendNodeId": node });
    devtools.try_call("DOM.scrollIntoViewIfNeeded", &node).ok()?;
    let shape = devtools.try_call("DOM.getContentQuads", &node).ok()?;
    let corners: Vec<f64> = shape["quads"].get(0)?.as_array()?.iter().filter_map(Value::as_f64).collect();
    let [x1, y1, _, _, x2, y2, ..] = corners[..] else { return None };
    Some((f64::midpoint(x1, x2), f64::midpoint(y1, y2)))
}
