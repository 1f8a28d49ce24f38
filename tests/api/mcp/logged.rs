//! What the log says of MCP: the code of each error, and little of what a client sent.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::program::{Program, TestDir};
use crate::support::{Reply, send};

/// A letter that stands for whatever a client sends at length.
const LETTER: &str = "Ж";

fn post(program: &Program, body: &Value) -> reqwest::RequestBuilder {
    program
        .client_of(program.first_key())
        .request(Method::POST, "/mcp")
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body(body.to_string())
}

fn message(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// The line of the access log about the request that got this answer.
fn line(program: &Program, reply: &Reply) -> Value {
    let id = format!("\"request\":\"{}\"", reply.header("x-request-id"));
    let line = program.wait_for_log_line(&[&id, "rasterd::access"]);
    serde_json::from_str(&line).unwrap()
}

#[tokio::test]
async fn errors_have_their_code_in_the_access_log() {
    let test_dir = TestDir::new().with("RASTERD__LOG__FORMAT", "json");
    let program = test_dir.serve();
    let call = |name: &str, arguments: Value| {
        message("tools/call", &json!({ "name": name, "arguments": arguments }))
    };
    let listing = |library: &str| json!({ "organizationId": "default", "libraryId": library });
    let with_progress = |name: &str, arguments: Value| {
        let mut call = call(name, arguments);
        call["params"]["_meta"] = json!({ "progressToken": 1 });
        call
    };
    for (body, code) in [
        (call("whoami", json!({})), None),
        (with_progress("whoami", json!({})), None),
        (call("list_assets", listing("library")), None),
        (call("list_assets", listing("no-such")), Some("API_KEY_NOT_AUTHORIZED_FOR_LIBRARY")),
        (with_progress("list_assets", listing("no-such")), Some("API_KEY_NOT_AUTHORIZED_FOR_LIBRARY")),
        (call("list_assets", json!({})), Some("BAD_USER_INPUT")),
        (with_progress("list_assets", json!({})), Some("BAD_USER_INPUT")),
        (call("no_such_tool", json!({})), Some("BAD_USER_INPUT")),
        (message("no/such", &json!({})), Some("ENDPOINT_NOT_FOUND")),
        (message("resources/read", &json!({ "uri": "raster://nothing" })), Some("NOT_FOUND")),
        (json!([]), Some("BAD_USER_INPUT")),
        (json!({ "jsonrpc": "2.0", "id": 1.5, "method": "ping" }), Some("BAD_USER_INPUT")),
    ] {
        let reply = send(post(&program, &body)).await;
        assert_eq!(line(&program, &reply)["code"].as_str(), code, "{body}");
    }
}

/// A long text of a client's, which has spaces in it where `every` says so.
fn long(every: usize, length: usize) -> String {
    (0..length).map(|n| if n % every == every - 1 { " " } else { LETTER }).collect()
}

/// The most letters that follow each other in a text, whatever spaces are between.
fn most_repeated(text: &str) -> usize {
    let runs = text.split(|character: char| !LETTER.contains(character) && character != ' ');
    runs.map(|run| run.chars().filter(|character| *character != ' ').count()).max().unwrap_or(0)
}

/// Messages with something long in them.
fn hostile(text: &str) -> Vec<Value> {
    let call = |name: &str, arguments: Value| {
        message("tools/call", &json!({ "name": name, "arguments": arguments }))
    };
    let mut unusual_ids = message("ping", &json!({}));
    unusual_ids["id"] = json!(text);
    let mut called = call("whoami", json!({}));
    called["id"] = json!(text);
    let mut jsonrpc = message("ping", &json!({}));
    jsonrpc["jsonrpc"] = json!(text);
    vec![
        unusual_ids,
        called,
        jsonrpc,
        call(text, json!({})),
        call("whoami", json!({ text: 1 })),
        call(
            "list_assets",
            json!({ "organizationId": text, "libraryId": text, "page": text, "fields": [text] }),
        ),
        call("upload_asset", json!({ "organizationId": "default", "libraryId": "library", "source": text })),
        call("get_asset", json!({ "organizationId": "default", "libraryId": "library", "assetId": text })),
        call(
            "upload_asset",
            json!({
                "organizationId": "default", "libraryId": "library",
                "source": { "kind": "base64", "filename": text, "mimeType": text, "data": text },
            }),
        ),
        call(
            "upload_asset",
            json!({
                "organizationId": "default", "libraryId": "library",
                "source": { "kind": "url", "url": format!("https://example.org/{text}") },
            }),
        ),
        message(text, &json!({})),
        message("resources/read", &json!({ "uri": text })),
        message("resources/read", &json!({ "uri": format!("raster://organizations/{text}/libraries") })),
        message("resources/list", &json!({ "cursor": text })),
        message("prompts/get", &json!({ "name": text, "arguments": { text: text } })),
        message(
            "completion/complete",
            &json!({ "ref": { "type": text }, "argument": { "name": text, "value": text } }),
        ),
        message(
            "completion/complete",
            &json!({ "ref": { "type": "ref/resource", "uri": text }, "argument": { "name": text, "value": text } }),
        ),
        message("logging/setLevel", &json!({ "level": text })),
        message(
            "initialize",
            &json!({ "protocolVersion": text, "capabilities": {}, "clientInfo": { "name": text, "version": text } }),
        ),
        message("initialize", &json!({ "protocolVersion": "2025-11-25", "clientInfo": text })),
        message(
            "server/discover",
            &json!({ "_meta": {
                "io.modelcontextprotocol/protocolVersion": text,
                "io.modelcontextprotocol/clientInfo": { "name": text, "version": text },
                "io.modelcontextprotocol/clientCapabilities": {},
            } }),
        ),
        message(
            "tools/call",
            &json!({ "name": "whoami", "arguments": {}, "_meta": { "progressToken": text } }),
        ),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": text, "reason": text } }),
        json!({ "jsonrpc": "2.0", "method": text }),
        json!({ "jsonrpc": "2.0", "id": text, "result": { text: text } }),
        json!(text),
    ]
}

#[tokio::test]
async fn answers_and_the_log_repeat_little_of_what_a_client_sends() {
    for level in ["info", "debug", "trace"] {
        let test_dir = TestDir::new().with("RASTERD__LOG__LEVEL", level).with("RASTERD__LOG__FORMAT", "json");
        let program = test_dir.serve();
        for text in [long(usize::MAX, 300_000), long(90, 300_000)] {
            for body in hostile(&text) {
                for version in [None, Some("2025-11-25"), Some("2026-07-28")] {
                    let request = post(&program, &body);
                    let request = match version {
                        None => request,
                        Some(version) => request.header("mcp-protocol-version", version).header(
                            "mcp-method",
                            body["method"]
                                .as_str()
                                .map_or("", |method| if method.contains(LETTER) { "x" } else { method }),
                        ),
                    };
                    let reply = send(request).await;
                    let answer = String::from_utf8_lossy(&reply.body).into_owned();
                    let shown = || body.to_string().replace(&text, "LONG");
                    assert!(most_repeated(&answer) <= 100, "{version:?} {}: {answer:.1000}", shown());
                    assert!(reply.status < 500, "{version:?} {}: {answer}", shown());
                }
            }
        }
        for (header, version) in [
            ("mcp-protocol-version", "2025-11-25"),
            ("mcp-method", "2026-07-28"),
            ("mcp-name", "2026-07-28"),
            ("user-agent", "2025-11-25"),
        ] {
            let text = "Y".repeat(3000) + &" Y".repeat(3000);
            let mut call = message("tools/call", &json!({ "name": "whoami", "arguments": {} }));
            call["params"]["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            let mut request = post(&program, &call);
            for (name, value) in
                [("mcp-protocol-version", version), ("mcp-method", "tools/call"), ("mcp-name", "whoami")]
            {
                request = request.header(name, if name == header { text.as_str() } else { value });
            }
            let reply = send(request).await;
            let answer = String::from_utf8_lossy(&reply.body).replace(' ', "");
            assert!(!answer.contains(&"Y".repeat(101)), "{header}: {answer:.1000}");
        }
        let log = program.log();
        for line in log.lines() {
            assert!(line.chars().count() <= 2000, "{level}: {line:.1000}");
        }
    }
}

#[tokio::test]
async fn an_id_that_is_too_long_to_be_repeated_is_refused() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    for method in ["tools/call", "tools/list", "no/such"] {
        for (length, fits) in [(100, true), (101, false), (300_000, false)] {
            let id = LETTER.repeat(length);
            let mut message = message(method, &json!({ "name": "whoami", "arguments": {} }));
            message["id"] = json!(id);
            let reply = send(post(&program, &message)).await;
            let answer = reply.json();
            if fits {
                assert_eq!((reply.status, &answer["id"]), (200, &json!(id)), "{method}");
                continue;
            }
            assert_eq!((reply.status, &answer["id"]), (400, &Value::Null), "{method}");
            assert_eq!(answer["error"]["code"], -32600);
            assert_eq!(answer["error"]["message"], "Invalid Request: the id is longer than 100 characters");
        }
    }
}
