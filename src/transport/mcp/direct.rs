//! The fast path for a plain `tools/call`: from the body to the tool and back, without the service loop that rmcp starts
//! for each request. It takes only calls that are clearly valid; rmcp handles everything else, and every protocol error.

use actix_web::http::header::{HeaderMap, HeaderName};
use bytes::Bytes;
use rmcp::model::{CallToolResult, JsonObject, ProtocolVersion, RequestId, RequestMetaObject, ResultType};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The header that says which revision a message is in.
pub const VERSION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD_HEADER: HeaderName = HeaderName::from_static("mcp-method");
const NAME_HEADER: HeaderName = HeaderName::from_static("mcp-name");
const METHOD: &str = "tools/call";

/// A handler whose tools can be called without rmcp. `C` is who the request was admitted as.
pub trait DirectTools<C> {
    /// The tool of this name, with its name as the metrics have it.
    fn known_tool(&self, tool: &str) -> Option<&'static str>;

    /// Whether a known tool can be called directly: it sends nothing before its result, and has no argument that must be in
    /// a header, too.
    fn answers_directly(&self, tool: &str) -> bool;

    /// What such a tool answers.
    fn answer(&self, tool: &str, arguments: JsonObject, admitted: C) -> impl Future<Output = CallToolResult>;
}

/// A call that is clearly valid.
pub struct DirectCall {
    /// The id that the answer repeats.
    pub id: RequestId,
    /// The name of the tool.
    pub tool: String,
    /// Its arguments, as they were sent.
    pub arguments: JsonObject,
    /// The version of the protocol that the client speaks.
    pub revision: ProtocolVersion,
}

#[derive(Deserialize)]
struct Message {
    jsonrpc: String,
    id: RequestId,
    method: String,
    params: Params,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    name: String,
    arguments: Option<JsonObject>,
    #[serde(rename = "_meta")]
    meta: Option<RequestMetaObject>,
    input_responses: Option<IgnoredAny>,
    request_state: Option<IgnoredAny>,
}

#[derive(Serialize)]
struct JsonRpcAnswer<'a> {
    jsonrpc: &'static str,
    id: &'a RequestId,
    result: &'a CallToolResult,
}

impl DirectCall {
    /// The call in a request, if it is one and is clearly valid.
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Option<Self> {
        let Message { jsonrpc, id, method, params } = serde_json::from_slice(body).ok()?;
        let Params { name, arguments, meta, input_responses, request_state } = params;
        let continues = input_responses.is_some() || request_state.is_some();
        if jsonrpc != "2.0" || method != METHOD || continues {
            return None;
        }
        let meta = meta.unwrap_or_default();
        if meta.get_progress_token().is_some() {
            return None;
        }
        let revision = revision(headers, &meta, &name)?;
        Some(Self { id, tool: name, arguments: arguments.unwrap_or_default(), revision })
    }

    /// The body of the answer.
    ///
    /// # Errors
    /// When the result can't be JSON, which ours can.
    pub fn answered(&self, mut result: CallToolResult) -> Result<Bytes> {
        if self.revision.has_initialize() {
            // Revisions with a handshake have no result types.
            result.result_type = None;
        } else {
            result.result_type = Some(ResultType::COMPLETE);
        }
        let answer = JsonRpcAnswer { jsonrpc: "2.0", id: &self.id, result: &result };
        serde_json::to_vec(&answer).map(Bytes::from).map_err(Error::internal)
    }
}

/// The revision that a request is in, if its headers and its `_meta` agree on everything.
fn revision(headers: &HeaderMap, meta: &RequestMetaObject, tool: &str) -> Option<ProtocolVersion> {
    let named = single_value(headers, &VERSION_HEADER).ok()?;
    let declared = meta.protocol_version();
    match (named, declared) {
        (None | Some("2025-03-26"), None) => Some(ProtocolVersion::V_2025_03_26),
        (Some("2025-06-18"), None) => Some(ProtocolVersion::V_2025_06_18),
        (Some("2025-11-25"), None) => Some(ProtocolVersion::V_2025_11_25),
        (Some("2026-07-28"), Some(declared)) if declared == ProtocolVersion::V_2026_07_28 => {
            let routed = single_value(headers, &METHOD_HEADER).ok()? == Some(METHOD)
                && single_value(headers, &NAME_HEADER).ok()? == Some(tool)
                && meta.client_capabilities().is_some();
            routed.then_some(declared)
        }
        _ => None,
    }
}

/// A header that occurs more than once, or is not text.
struct AmbiguousHeader;

/// The value of a header, if it is there.
fn single_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, AmbiguousHeader> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| AmbiguousHeader),
        (Some(_), Some(_)) => Err(AmbiguousHeader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use serde_json::{Value, json};

    fn read(headers: &[(HeaderName, &str)], message: &Value) -> Option<DirectCall> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        DirectCall::read(&map, &Bytes::from(message.to_string()))
    }

    fn call(meta: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": "whoami", "_meta": meta } })
    }

    #[test]
    fn plain_calls_are_read_in_every_revision() {
        assert_eq!(read(&[], &call(&json!({}))).unwrap().revision, ProtocolVersion::V_2025_03_26);
        let legacy = read(&[(VERSION_HEADER, "2025-11-25")], &call(&json!({}))).unwrap();
        assert_eq!((legacy.tool.as_str(), legacy.revision.as_str()), ("whoami", "2025-11-25"));
        let stateless = read(&stateless_headers(), &call(&stateless_meta())).unwrap();
        assert_eq!(stateless.revision, ProtocolVersion::V_2026_07_28);
    }

    fn stateless_headers() -> Vec<(HeaderName, &'static str)> {
        vec![(VERSION_HEADER, "2026-07-28"), (METHOD_HEADER, "tools/call"), (NAME_HEADER, "whoami")]
    }

    fn stateless_meta() -> Value {
        json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        })
    }

    #[test]
    fn anything_unusual_is_left_to_rmcp() {
        let plain = call(&json!({}));
        for message in [
            json!({ "jsonrpc": "1.0", "id": 3, "method": "tools/call", "params": { "name": "whoami" } }),
            json!({ "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "whoami" } }),
            json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": { "name": "whoami" } }),
            json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {} }),
            json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": "whoami", "arguments": [] } }),
            json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": "whoami", "requestState": "x" } }),
            json!([plain]),
            call(&json!({ "progressToken": 1 })),
            call(&stateless_meta()),
        ] {
            assert!(read(&[], &message).is_none(), "{message}");
        }
        for version in ["2026-07-28", "1999-01-01", ""] {
            assert!(read(&[(VERSION_HEADER, version)], &plain).is_none(), "{version}");
        }
        assert!(read(&[(VERSION_HEADER, "2025-11-25"), (VERSION_HEADER, "2025-11-25")], &plain).is_none());
    }

    #[test]
    fn headers_that_contradict_are_left_to_rmcp() {
        for at in 0..3 {
            let mut missing = stateless_headers();
            missing.remove(at);
            assert!(read(&missing, &call(&stateless_meta())).is_none());
            let mut wrong = stateless_headers();
            wrong[at].1 = "other";
            assert!(read(&wrong, &call(&stateless_meta())).is_none());
            let mut twice = stateless_headers();
            twice.push(twice[at].clone());
            assert!(read(&twice, &call(&stateless_meta())).is_none());
        }
        let mut capable = stateless_meta();
        capable.as_object_mut().unwrap().remove("io.modelcontextprotocol/clientCapabilities");
        assert!(read(&stateless_headers(), &call(&capable)).is_none());
    }
}
