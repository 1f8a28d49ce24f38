//! A message that the client wrote, and what the bridge has to know of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// The method of the handshake, in the revisions that have one.
pub(super) const HANDSHAKE: &str = "initialize";
const CANCELLED: &str = "notifications/cancelled";
const NOTIFICATION: &str = "notifications/";
/// Where a message of a revision without a handshake says which one it is.
const DECLARED: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
/// The first revision that is repeated in a header after the handshake.
const FIRST_IN_HEADER: &str = "2025-06-18";
const REVISION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD_HEADER: HeaderName = HeaderName::from_static("mcp-method");
const NAME_HEADER: HeaderName = HeaderName::from_static("mcp-name");
/// A header's value that is not plain text is wrapped in these, as base64.
const WRAPPED: (&str, &str) = ("=?base64?", "?=");

/// A message of the client.
pub(super) struct Message {
    text: Vec<u8>,
    value: Value,
}

impl Message {
    /// Reads the message in a line.
    ///
    /// # Errors
    /// When the line is not JSON. What is JSON but not a message is for the server to refuse.
    pub fn read(line: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self { text: line.trim_ascii().to_owned(), value: serde_json::from_slice(line)? })
    }

    /// The message as it was written.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Its id, or null.
    pub fn id(&self) -> &Value {
        &self.value["id"]
    }

    /// Its method, or an empty text.
    pub fn method(&self) -> &str {
        self.value["method"].as_str().unwrap_or_default()
    }

    /// Whether the client waits for an answer to it: it is neither a notification nor an answer itself.
    pub fn awaits_answer(&self) -> bool {
        if self.value.get("method").is_none() {
            return self.value.get("result").is_none() && self.value.get("error").is_none();
        }
        self.value.get("id").is_some() && !self.method().starts_with(NOTIFICATION)
    }

    /// The id of the request that it cancels, if it does.
    pub fn cancels(&self) -> Option<&Value> {
        (self.method() == CANCELLED).then(|| &self.value["params"]["requestId"])
    }

    /// The headers that the protocol wants for it. `agreed` is the revision of the handshake, if there was one.
    pub fn headers(&self, agreed: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut insert = |name: HeaderName, value: &str| {
            // A value that no header can have stays out, and the server says what is missing.
            let _fits = HeaderValue::from_str(value).map(|value| headers.insert(name, value));
        };
        if let Some(declared) = self.value.pointer(DECLARED).and_then(Value::as_str) {
            insert(REVISION_HEADER, declared);
            insert(METHOD_HEADER, self.method());
            if let Some(name) = self.name() {
                insert(NAME_HEADER, &header_text(name));
            }
        } else if let Some(agreed) = agreed.filter(|agreed| *agreed >= FIRST_IN_HEADER)
            && self.method() != HANDSHAKE
        {
            insert(REVISION_HEADER, agreed);
        }
        headers
    }

    /// What a method is about, which intermediaries read in a header.
    fn name(&self) -> Option<&str> {
        let name = match self.method() {
            "tools/call" | "prompts/get" => "name",
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => "uri",
            "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
            _ => return None,
        };
        self.value["params"][name].as_str()
    }
}

fn header_text(value: &str) -> String {
    let (prefix, suffix) = WRAPPED;
    let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && value.trim() == value
        && !value.starts_with(prefix);
    if is_plain { value.to_owned() } else { format!("{prefix}{}{suffix}", STANDARD.encode(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(value: &Value) -> Message {
        Message::read(value.to_string().as_bytes()).unwrap()
    }

    fn headers(value: &Value, agreed: Option<&str>) -> Vec<(String, String)> {
        let headers = message(value).headers(agreed);
        let pairs =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        pairs.collect()
    }

    #[test]
    fn the_revision_is_named_as_each_one_wants_it() {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        for (agreed, expected) in [
            (None, None),
            (Some("2024-11-05"), None),
            (Some("2025-03-26"), None),
            (Some("2025-06-18"), Some("2025-06-18")),
            (Some("2025-11-25"), Some("2025-11-25")),
        ] {
            let found = headers(&list, agreed);
            let expected = expected.map(|value| ("mcp-protocol-version".to_owned(), value.to_owned()));
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{agreed:?}");
        }
        let handshake = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize" });
        assert_eq!(headers(&handshake, Some("2025-11-25")), []);
    }

    #[test]
    fn without_a_handshake_method_and_name_are_in_headers() {
        let of = |method: &str, params: Value| {
            let mut params = params;
            params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
            headers(&json!({ "id": 1, "method": method, "params": params }), Some("2025-11-25"))
        };
        let expected = |method: &str, name: Option<&str>| {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let mut headers = vec![pair("mcp-protocol-version", "2026-07-28"), pair("mcp-method", method)];
            headers.extend(name.map(|name| pair("mcp-name", name)));
            headers
        };
        assert_eq!(of("tools/list", json!({})), expected("tools/list", None));
        for (name, header) in [
            ("whoami", "whoami"),
            ("naïve", "=?base64?bmHDr3Zl?="),
            (" a", "=?base64?IGE=?="),
            ("=?base64?x", "=?base64?PT9iYXNlNjQ/eA==?="),
            ("a\r\nb", "=?base64?YQ0KYg==?="),
        ] {
            assert_eq!(of("tools/call", json!({ "name": name })), expected("tools/call", Some(header)));
        }
        assert_eq!(
            of("resources/read", json!({ "uri": "x://y" })),
            expected("resources/read", Some("x://y"))
        );
    }

    #[test]
    fn notifications_and_answers_await_none() {
        for (value, awaits) in [
            (json!({ "id": 1, "method": "ping" }), true),
            (json!({ "id": null, "method": "ping" }), true),
            (json!({ "id": 1 }), true),
            (json!([]), true),
            (json!({ "method": "ping" }), false),
            (json!({ "id": null, "method": "notifications/initialized" }), false),
            (json!({ "id": 1, "result": {} }), false),
            (json!({ "id": 1, "error": {} }), false),
        ] {
            assert_eq!(message(&value).awaits_answer(), awaits, "{value}");
        }
    }
}
