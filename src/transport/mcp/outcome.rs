//! The error code of an answer, for the access log: the HTTP status of MCP is 200 even for most errors, so the log has the
//! code that REST would give.

use std::borrow::Cow;

use rmcp::model::{CallToolResult, ErrorCode};
use serde::Deserialize;

use crate::error::Code;

/// The parts of an answer that show whether it is an error, and which.
#[derive(Deserialize)]
struct JsonRpcAnswer<'a> {
    #[serde(borrow)]
    error: Option<ProtocolError<'a>>,
    result: Option<ToolOutcome<'a>>,
}

#[derive(Deserialize)]
struct ProtocolError<'a> {
    code: i32,
    #[serde(borrow)]
    data: Option<ErrorDetails<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorDetails<'a> {
    Coded { code: Cow<'a, str> },
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolOutcome<'a> {
    #[serde(default)]
    is_error: bool,
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ToolFailure {
    error: ToolFailureBody,
}

#[derive(Deserialize)]
struct ToolFailureBody {
    code: String,
}

/// The code of the error that a JSON-RPC message is, if it is one.
pub fn code_of_message(message: &[u8]) -> Option<&'static str> {
    let JsonRpcAnswer { error, result } = serde_json::from_slice(message).ok()?;
    if let Some(ProtocolError { code, data }) = error {
        return Some(match data {
            Some(ErrorDetails::Coded { code }) => known_code(&code),
            Some(ErrorDetails::Other(_)) | None => of_protocol(ErrorCode(code)).name(),
        });
    }
    let ToolOutcome { is_error, content } = result?;
    is_error.then(|| code_in_text(content.first().and_then(|block| block.text.as_deref())))
}

/// The code of the error that is among these events of a stream, if one is.
pub fn code_in_stream(events: &[u8]) -> Option<&'static str> {
    events
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"data:"))
        .find_map(code_of_message)
}

/// The code of the error that a tool's result is, if it is one.
pub fn code_of_result(result: &CallToolResult) -> Option<&'static str> {
    if result.is_error != Some(true) {
        return None;
    }
    Some(code_in_text(
        result.content.first().and_then(|block| block.as_text()).map(|block| block.text.as_str()),
    ))
}

/// The code in the text of a failed tool. A plain text is about invalid arguments.
fn code_in_text(text: Option<&str>) -> &'static str {
    let failure = text.and_then(|text| serde_json::from_str::<ToolFailure>(text).ok());
    failure.map_or(Code::BadUserInput.name(), |failure| known_code(&failure.error.code))
}

fn known_code(name: &str) -> &'static str {
    Code::from_name(name).unwrap_or(Code::Internal).name()
}

/// The code that REST has for an error of the protocol.
pub fn of_protocol(code: ErrorCode) -> Code {
    match code {
        ErrorCode::METHOD_NOT_FOUND => Code::EndpointNotFound,
        ErrorCode::RESOURCE_NOT_FOUND => Code::NotFound,
        ErrorCode::INTERNAL_ERROR => Code::Internal,
        _ => Code::BadUserInput,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn errors_have_the_codes_of_rest() {
        let failure = |text: Value| json!({ "result": { "isError": true, "content": [{ "type": "text", "text": text.to_string() }] } });
        for (answer, code) in [
            (json!({ "result": { "tools": [] } }), None),
            (json!({ "result": { "isError": false, "content": [{ "type": "text", "text": "{}" }] } }), None),
            (failure(json!({ "error": { "code": "RATE_LIMITED" } })), Some("RATE_LIMITED")),
            (failure(json!("MCP error -32602")), Some("BAD_USER_INPUT")),
            (json!({ "error": { "code": -32601, "message": "" } }), Some("ENDPOINT_NOT_FOUND")),
            (json!({ "error": { "code": -32602, "data": { "uri": "x" } } }), Some("BAD_USER_INPUT")),
            (json!({ "error": { "code": -32603 } }), Some("INTERNAL_SERVER_ERROR")),
            (
                json!({ "error": { "code": -32002, "data": { "code": "RESOURCE_NOT_FOUND" } } }),
                Some("RESOURCE_NOT_FOUND"),
            ),
        ] {
            assert_eq!(code_of_message(answer.to_string().as_bytes()), code, "{answer}");
            assert_eq!(code_in_stream(format!("id: 1\ndata: {answer}\n\n").as_bytes()), code);
        }
    }
}
