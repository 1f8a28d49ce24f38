//! The results of tools: JSON text for the model, and the same as structured content for programs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::Value;

use super::json::{to_text, visible};
use crate::error::{Code, Error, Result};
use crate::operations::AgentAnswer;
use crate::transport::{self, RequestId};

/// The longest text of a refusal, in characters.
const MAX_LENGTH: usize = 1000;
/// Added to every refusal of a library or an organization, for an agent that may have used a name as an id. It is always
/// the same, so it does not show what exists.
const ID_HINT: &str = "Ids come from whoami and list_libraries. A name is not an id.";

/// The result of a call. A list is bare in the text, and under its name in the structured content.
///
/// # Errors
/// When the value can't be JSON, which ours can.
pub fn into_result<T: Serialize>(answer: AgentAnswer<T>, list_name: Option<&str>) -> Result<CallToolResult> {
    let text = to_text(&answer.value)?;
    // Parsed from the text, in which invisible characters are escaped.
    let value = serde_json::from_str(&text).map_err(Error::internal)?;
    let structured = match (list_name, answer.page_info) {
        (None, _) => value,
        (Some(name), None) => Value::Object([(name.to_owned(), value)].into_iter().collect()),
        (Some(name), Some(page_info)) => {
            let mut structured = serde_json::to_value(page_info).map_err(Error::internal)?;
            structured[name] = value;
            structured
        }
    };
    let mut content = vec![ContentBlock::text(text)];
    content.extend(
        answer
            .picture
            .map(|(media_type, bytes)| ContentBlock::image(STANDARD.encode(bytes), media_type.mime())),
    );
    let mut result = CallToolResult::success(content);
    result.structured_content = Some(structured);
    Ok(result)
}

#[derive(Serialize)]
struct ToolFailure<'a> {
    error: ToolFailureBody<'a>,
}

#[derive(Serialize)]
struct ToolFailureBody<'a> {
    code: &'static str,
    message: &'a str,
    status: u16,
}

/// The result of a call that failed. Writes the cause to the log.
pub fn failed(error: &Error, request: Option<RequestId>) -> CallToolResult {
    transport::log_cause_for_request(error, request);
    let (code, message) = (error.code(), transport::message_for_request(error, request));
    let failure = ToolFailure {
        error: ToolFailureBody { code: code.name(), message: &message, status: code.status() },
    };
    let mut blocks = vec![ContentBlock::text(to_text(&failure).unwrap_or_default())];
    if matches!(code, Code::LibraryNotAuthorized | Code::OrganizationNotFound) {
        blocks.push(ContentBlock::text(ID_HINT));
    }
    CallToolResult::error(blocks)
}

/// The result of a call whose arguments don't match the tool's schema.
pub fn invalid_arguments(tool: &str, reason: &str) -> CallToolResult {
    let reason = visible(reason);
    let text =
        format!("MCP error -32602: Input validation error: Invalid arguments for tool {tool}: {reason}");
    CallToolResult::error(vec![ContentBlock::text(text.chars().take(MAX_LENGTH).collect::<String>())])
}
