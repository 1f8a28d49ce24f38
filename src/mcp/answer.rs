//! What a tool answers, as an MCP result: JSON text for the model, the same as structured content for programs.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;
use serde_json::Value;

use super::json::{to_text, visible};
use crate::edge::{self, RequestId};
use crate::error::{Error, Result};

/// A tool's answer: a value, and what is shown beside it.
pub struct Reply<T> {
    pub value: T,
    pub blocks: Vec<ContentBlock>,
}

impl<T> From<T> for Reply<T> {
    fn from(value: T) -> Self {
        Self { value, blocks: Vec::new() }
    }
}

impl<T: Serialize> Reply<T> {
    /// The result of a call. A list is bare in the text, and under its name in the structured content.
    ///
    /// # Errors
    /// When the value can't be JSON, which ours can.
    pub fn into_result(self, list_name: Option<&str>) -> Result<CallToolResult> {
        let text = to_text(&self.value)?;
        let value = serde_json::to_value(&self.value).map_err(Error::internal)?;
        let structured = match list_name {
            None => value,
            Some(name) => Value::Object([(name.to_owned(), value)].into_iter().collect()),
        };
        let mut content = vec![ContentBlock::text(text)];
        content.extend(self.blocks);
        let mut result = CallToolResult::success(content);
        result.structured_content = Some(structured);
        Ok(result)
    }
}

#[derive(Serialize)]
struct Failure<'a> {
    error: FailureBody<'a>,
}

#[derive(Serialize)]
struct FailureBody<'a> {
    code: &'static str,
    message: &'a str,
    status: u16,
}

/// The result of a call that failed. Writes the cause to the log.
pub fn failed(error: &Error, request: Option<RequestId>) -> CallToolResult {
    edge::log_cause_about(error, request);
    let (code, message) = (error.code(), edge::message_about(error, request));
    let failure =
        Failure { error: FailureBody { code: code.name(), message: &message, status: code.status() } };
    CallToolResult::error(vec![ContentBlock::text(to_text(&failure).unwrap_or_default())])
}

/// The result of a call whose arguments don't fit the tool's schema.
pub fn misfit(tool: &str, reason: &str) -> CallToolResult {
    let reason = visible(reason);
    CallToolResult::error(vec![ContentBlock::text(format!(
        "MCP error -32602: Input validation error: Invalid arguments for tool {tool}: {reason}"
    ))])
}
