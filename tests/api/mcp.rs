//! MCP as a client meets it: raw JSON-RPC over HTTPS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rasterd::core::model::Access;
use rasterd::testing::{TestKey, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Client, Reply, send};

mod access;
mod arguments;
mod cancelled;
mod hidden;
mod logged;
mod protocol;
mod resources;
mod tools;
mod uploads;

/// The revision that tests speak unless they are about revisions.
const REVISION: &str = "2025-11-25";

/// A server with a library `photos` in the organization `acme`, and a key that writes to it.
struct McpWorld {
    server: TestServer,
    key: TestKey,
}

impl McpWorld {
    async fn new() -> Self {
        Self::on(TestServer::start()).await
    }

    async fn on(server: TestServer) -> Self {
        assert_eq!(server.organization("Acme").await, "acme");
        assert_eq!(server.library("acme", "Photos").await, "photos");
        let key = server.key("acme", &[("photos", Access::Write)]).await;
        Self { server, key }
    }

    fn client(&self) -> McpClient {
        self.client_of(&self.key)
    }

    fn client_of(&self, key: &TestKey) -> McpClient {
        McpClient(Client::new(&self.server).with_key(&key.token))
    }
}

/// A client of the endpoint.
struct McpClient(Client);

impl McpClient {
    /// Posts a body as it is, with the headers that every message has.
    fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.0
            .request(Method::POST, "/mcp")
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(body)
    }

    async fn ask(&self, method: &str, params: Value) -> Reply {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        send(self.post(message.to_string()).header("mcp-protocol-version", REVISION)).await
    }

    /// The result of a request that succeeds.
    async fn result(&self, method: &str, params: Value) -> Value {
        let reply = self.ask(method, params).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json());
        reply.json()["result"].clone()
    }

    /// The JSON-RPC error of a request that fails.
    async fn error(&self, method: &str, params: Value) -> Value {
        self.ask(method, params).await.json()["error"].clone()
    }

    /// A tool's result, good or bad.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// What a tool answers that succeeds, after a look at both of its forms.
    async fn answer(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_ne!(result["isError"], true, "{tool}: {result}");
        let text: Value = serde_json::from_str(text(&result)).unwrap();
        let structured = &result["structuredContent"];
        match &text {
            Value::Array(_) => {
                let beside = ["nextPage", "total"];
                let members = structured.as_object().unwrap().iter();
                let named: Vec<&Value> = members
                    .filter(|(name, _)| !beside.contains(&name.as_str()))
                    .map(|(_, value)| value)
                    .collect();
                assert_eq!(named, [&text]);
            }
            _ => assert_eq!(structured, &text),
        }
        text
    }

    /// The error in the result of a tool that fails.
    async fn failure(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{tool}: {result}");
        assert!(result.get("structuredContent").is_none());
        serde_json::from_str::<Value>(text(&result)).unwrap()["error"].clone()
    }

    /// Uploads a file and returns its asset.
    async fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        let source = json!({
            "kind": "base64", "filename": name, "mimeType": "", "data": STANDARD.encode(bytes),
        });
        let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "source": source });
        self.answer("upload_asset", arguments).await["assets"][0].clone()
    }
}

/// The text of a tool's result.
fn text(result: &Value) -> &str {
    assert_eq!(result["content"][0]["type"], "text");
    result["content"][0]["text"].as_str().unwrap()
}

/// An SVG that no other test uploads.
fn svg(width: u32) -> Vec<u8> {
    format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="3"/>"#).into_bytes()
}

/// A photograph.
const UMANG: &[u8] = include_bytes!("../fixtures/umang.webp");
