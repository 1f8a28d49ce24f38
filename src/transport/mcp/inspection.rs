//! Inspects a message before rmcp gets it: its id, which request it cancels, and which of its texts are too long to be
//! repeated in an answer.

use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use rmcp::model::{ErrorCode, ErrorData, JsonRpcError, ProtocolVersion, RequestId};
use serde_json::Value;

use super::direct::VERSION_HEADER;
use crate::error::{MAX_EXCERPT, MAX_MESSAGE, excerpt};

/// The method of a message that calls a tool.
const CALL: &str = "tools/call";
/// The method of a message that cancels a request.
const CANCELLED: &str = "notifications/cancelled";
/// The method of the handshake, in the revisions that have one.
const HANDSHAKE: &str = "initialize";
/// The prefix of the methods of notifications, which get no answer.
const NOTIFICATION: &str = "notifications/";

/// What is known of a message after its inspection.
#[derive(Debug, Default)]
pub struct InspectedMessage {
    /// Its id, if it has one.
    pub id: Option<RequestId>,
    /// The id of the request that it cancels, if it does.
    pub cancels: Option<RequestId>,
    /// The name of the tool that it calls, as the client wrote it.
    pub tool: Option<String>,
    /// What is too long to be repeated.
    long: Vec<String>,
}

impl InspectedMessage {
    /// Inspects a message.
    ///
    /// # Errors
    /// The answer to a body that is not a JSON-RPC message, to a message whose id or progress token is too long to be
    /// repeated, and to a handshake in a revision that has none.
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, JsonRpcError> {
        let message = serde_json::from_slice::<Value>(body)
            .map_err(|_| refused(ErrorData::parse_error("Parse error: the body is not JSON", None)))?;
        if !message.is_object() {
            return Err(not_a_message());
        }
        let method = message["method"].as_str().unwrap_or_default();
        let id = match &message["id"] {
            // Some clients send `null` as the id of a notification.
            Value::Null if message.get("id").is_none() || method.starts_with(NOTIFICATION) => None,
            id => Some(parse_id(id)?),
        };
        if method == HANDSHAKE && is_stateless(headers) {
            let error = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, HANDSHAKE, None);
            return Err(JsonRpcError::new(id, error));
        }
        if let Value::String(token) = &message["params"]["_meta"]["progressToken"]
            && is_long(token)
        {
            let error = invalid(format!("the progress token is longer than {MAX_EXCERPT} characters"));
            return Err(JsonRpcError::new(id, error));
        }
        let cancels = (method == CANCELLED && id.is_none())
            .then(|| parse_id(&message["params"]["requestId"]).ok())
            .flatten();
        let name = message["params"]["name"].as_str();
        let tool = name.filter(|_| method == CALL).map(str::to_owned);
        let mut long = Vec::new();
        for (name, value) in headers {
            if name.as_str().starts_with("mcp-") && value.len() > MAX_EXCERPT {
                long.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
        }
        collect_long(&message, &mut long);
        Ok(Self { id, cancels, tool, long })
    }

    /// An answer in which texts that are too long are abridged. Only errors repeat text of the client.
    pub fn abridged(&self, answer: Bytes) -> Bytes {
        if self.long.is_empty() {
            return answer;
        }
        let Ok(Value::Object(mut message)) = serde_json::from_slice(&answer) else { return answer };
        let Some(error) = message.get_mut("error") else { return answer };
        self.abridge(error);
        serde_json::to_vec(&message).map_or(answer, Bytes::from)
    }

    /// [`InspectedMessage::abridged`] of a text.
    pub fn abridged_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for long in &self.long {
            text = text.replace(long, &excerpt(long).to_string());
        }
        if let Some((cut, _)) = text.char_indices().nth(MAX_MESSAGE) {
            text.truncate(cut);
        }
        text
    }

    fn abridge(&self, value: &mut Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => *text = self.abridged_text(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.abridge(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.abridge(value)),
        }
    }
}

/// Parses an id, and checks that it can be repeated in an answer.
///
/// # Errors
/// The answer to a message with an invalid id.
pub fn parse_id(id: &Value) -> Result<RequestId, JsonRpcError> {
    let id = serde_json::from_value(id.clone())
        .map_err(|_| refused(invalid("the id must be a string or a whole number")))?;
    check_repeatable(&id).map(|()| id)
}

/// Checks that an id can be repeated in an answer.
///
/// # Errors
/// The answer to a message with an id that is too long.
pub fn check_repeatable(id: &RequestId) -> Result<(), JsonRpcError> {
    match id {
        RequestId::String(text) if is_long(text) => {
            Err(refused(invalid(format!("the id is longer than {MAX_EXCERPT} characters"))))
        }
        RequestId::String(_) | RequestId::Number(_) => Ok(()),
    }
}

/// Whether the headers name a revision without a handshake.
fn is_stateless(headers: &HeaderMap) -> bool {
    let version = headers.get(&VERSION_HEADER).and_then(|version| version.to_str().ok());
    version == Some(ProtocolVersion::V_2026_07_28.as_str())
}

fn invalid(what: impl std::fmt::Display) -> ErrorData {
    ErrorData::invalid_request(format!("Invalid Request: {what}"), None)
}

/// The answer to JSON that is not a JSON-RPC message.
pub fn not_a_message() -> JsonRpcError {
    refused(invalid("the body must be one JSON-RPC 2.0 message; batches are not accepted"))
}

/// The answer to a message whose id is not known, or not repeated.
fn refused(error: ErrorData) -> JsonRpcError {
    JsonRpcError::new(None, error)
}

fn is_long(text: &str) -> bool {
    text.len() > MAX_EXCERPT && text.chars().nth(MAX_EXCERPT).is_some()
}

/// The texts in a value that are too long to be repeated. The arguments of a tool are left out: only the tool reads them.
fn collect_long(value: &Value, long: &mut Vec<String>) {
    match value {
        Value::String(text) if is_long(text) => long.push(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(values) => values.iter().for_each(|value| collect_long(value, long)),
        Value::Object(members) => {
            for (_, value) in members.iter().filter(|(name, _)| *name != "arguments") {
                collect_long(value, long);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(message: &Value) -> Result<InspectedMessage, JsonRpcError> {
        InspectedMessage::read(&HeaderMap::new(), &Bytes::from(message.to_string()))
    }

    #[test]
    fn ids_are_short_strings_and_whole_numbers() {
        for (id, expected) in [
            (json!(1), RequestId::Number(1)),
            (json!(-7), RequestId::Number(-7)),
            (json!("1"), RequestId::String("1".into())),
            (json!("é".repeat(100)), RequestId::String("é".repeat(100).into())),
        ] {
            assert_eq!(read(&json!({ "id": id, "method": "ping" })).unwrap().id, Some(expected));
        }
        for id in [json!(null), json!(1.5), json!(u64::MAX), json!([]), json!({}), json!("x".repeat(101))] {
            let refused = read(&json!({ "id": id, "method": "ping" })).unwrap_err();
            assert_eq!((refused.id, refused.error.code.0), (None, -32600), "{id}");
        }
        for message in [
            json!({ "method": "notifications/initialized" }),
            json!({ "method": "notifications/initialized", "id": null }),
        ] {
            assert_eq!(read(&message).unwrap().id, None);
        }
    }

    #[test]
    fn a_cancellation_names_a_request_by_its_exact_id() {
        let cancels = |params: Value| {
            read(&json!({ "method": "notifications/cancelled", "params": params })).unwrap().cancels
        };
        assert_eq!(cancels(json!({ "requestId": 1 })), Some(RequestId::Number(1)));
        assert_eq!(cancels(json!({ "requestId": "1", "reason": "x" })), Some(RequestId::String("1".into())));
        for params in [json!({}), json!({ "requestId": null }), json!([]), json!(null)] {
            assert_eq!(cancels(params), None);
        }
        assert_eq!(read(&json!({ "method": "ping", "params": { "requestId": 1 } })).unwrap().cancels, None);
    }

    #[test]
    fn only_errors_are_abridged() {
        let long = "a b".repeat(1000);
        let message = read(&json!({ "id": 1, "method": "ping", "params": { "name": long } })).unwrap();
        let abridged = |answer: Value| {
            let bytes = message.abridged(Bytes::from(answer.to_string()));
            serde_json::from_slice::<Value>(&bytes).unwrap()
        };
        let error = abridged(json!({ "error": { "message": format!("No {long}."), "data": [long] } }));
        let shown = excerpt(&long).to_string();
        assert_eq!(error, json!({ "error": { "message": format!("No {shown}."), "data": [shown] } }));
        let result = json!({ "result": long });
        assert_eq!(abridged(result.clone()), result);
    }
}
