//! Calls of MCP tools, for tests that are not about MCP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, send};

/// The request that calls a tool.
pub fn tool(client: &Client, name: &str, arguments: &Value) -> reqwest::RequestBuilder {
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": name, "arguments": arguments },
    });
    client
        .request(Method::POST, "/mcp")
        .header("Content-Type", "application/json")
        .header("Accept", "application/json, text/event-stream")
        .body(call.to_string())
}

/// The result of a tool: its value, or its error.
pub async fn call(client: &Client, name: &str, arguments: &Value) -> Result<Value, Value> {
    let reply = send(tool(client, name, arguments)).await;
    assert_eq!(reply.status, 200, "{name}: {}", String::from_utf8_lossy(&reply.body));
    outcome(&reply.json()["result"])
}

/// The value or the error in a tool's result. An error that is plain text is a string.
pub fn outcome(result: &Value) -> Result<Value, Value> {
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {result}"));
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    if result["isError"] == true { Err(value.get("error").cloned().unwrap_or(value)) } else { Ok(value) }
}

/// A file as an argument of a tool.
pub fn base64_source(file_name: &str, bytes: &[u8]) -> Value {
    json!({ "kind": "base64", "filename": file_name, "mimeType": "image/png", "data": STANDARD.encode(bytes) })
}
