//! No metric has a label from outside.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Monitored, TOKEN};
use crate::support::{Client, send};

/// A message to the MCP endpoint.
pub fn mcp(client: &Client, method: &str, params: &Value) -> reqwest::RequestBuilder {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    client
        .request(Method::POST, "/mcp")
        .header("Content-Type", "application/json")
        .header("Accept", "application/json, text/event-stream")
        .body(message.to_string())
}

/// Whatever clients send, the values of labels are those that are listed in the code.
#[tokio::test]
async fn labels_have_only_known_values() {
    let monitored = Monitored::start().await;
    let (writer, anyone) = (&monitored.scene.writer, &monitored.scene.anyone);
    let id = writer.uploaded("a-name-of-an-asset").await;
    for path in
        ["/me", "/evil\"\n{}", "/organizations/acme/libraries/photos", "/cdn/a/b/c?w=1", "/mcp", "/app/acme"]
    {
        for client in [&writer.client, anyone] {
            client.get(path).await;
        }
    }
    send(mcp(&writer.client, "tools/call", &json!({ "name": "evil_tool", "arguments": {} }))).await;
    send(mcp(
        &writer.client,
        "tools/call",
        &json!({ "name": "evil\"tool", "_meta": { "progressToken": 1 } }),
    ))
    .await;
    writer
        .client
        .post_json("/graphql", &json!({ "query": "query evil { viewer { organizationId } }" }))
        .await;
    let operations: Vec<&str> =
        rasterd::operations::declarations().iter().map(|declared| declared.name).collect();
    let known = |label: &str, value: &str| match label {
        "operation" => operations.contains(&value) || ["none", "several", "get_file"].contains(&value),
        "transport" => ["rest", "graphql", "mcp", "files", "webapp", "monitoring", "other"].contains(&value),
        "status" => value.parse::<u16>().is_ok_and(|status| (200..600).contains(&status)),
        "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
        "version" => value == env!("CARGO_PKG_VERSION"),
        "result" | "method" | "check" | "folder" => {
            value.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
        }
        _ => false,
    };
    for (label, value) in monitored.scrape().await.labels() {
        assert!(known(&label, &value), "{label}={value}");
    }
    let text = String::from_utf8(monitored.monitor.get("/metrics").await.body).unwrap();
    let key = &monitored.scene.writer_key;
    for secret in ["acme", "photos", "a-name-of", "evil", id.as_str(), TOKEN, &key.token, key.id.as_str()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
