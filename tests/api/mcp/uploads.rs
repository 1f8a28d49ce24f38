//! Uploads through tools: several files, refusals, variants, and progress of what is fetched.

use std::io::{Read, Write};
use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rasterd::testing::TestServer;
use serde_json::{Value, json};

use super::{McpWorld, REVISION, UMANG, svg};
use crate::support::send;

fn sent(name: &str, bytes: &[u8]) -> Value {
    json!({ "kind": "base64", "filename": name, "mimeType": "image/png", "data": STANDARD.encode(bytes) })
}

fn to_photos(sources: &[Value]) -> Value {
    json!({ "organizationId": "acme", "libraryId": "photos", "sources": sources })
}

/// A server that answers each of some requests with this file, in two pieces.
fn file_server(bytes: &'static [u8], requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/night.webp", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming().take(requests) {
            let mut connection = connection.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                connection.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            write!(connection, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len()).unwrap();
            let (first, rest) = bytes.split_at(bytes.len() / 2);
            for piece in [first, rest] {
                connection.write_all(piece).unwrap();
                connection.flush().unwrap();
                std::thread::sleep(std::time::Duration::from_millis(300));
            }
        }
    });
    url
}

pub async fn with_fetching() -> McpWorld {
    McpWorld::on(TestServer::start_with(|settings, _| {
        settings.fetch.enabled = true;
        settings.fetch.allow = vec!["127.0.0.0/8".parse().unwrap()];
    }))
    .await
}

#[tokio::test]
async fn what_is_refused_is_left_out_and_named() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let sources = [sent("a.svg", &svg(1)), sent("notes.txt", b"just words"), sent("b.webp", UMANG)];
    let uploaded = mcp.answer("upload_assets", to_photos(&sources)).await;
    let names: Vec<&Value> =
        uploaded["assets"].as_array().unwrap().iter().map(|asset| &asset["name"]).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(uploaded["responseText"].as_str().unwrap().contains("notes.txt"));
    let failure = mcp.failure("upload_assets", to_photos(&[sent("notes.txt", b"just words")])).await;
    assert_eq!(failure["code"], "BAD_USER_INPUT");
    assert!(failure["message"].as_str().unwrap().contains("notes.txt"));
}

#[tokio::test]
async fn one_bad_source_fails_the_whole_call() {
    let world = with_fetching().await;
    let mcp = world.client();
    for bad in [
        json!({ "kind": "base64", "filename": "a.svg", "mimeType": "", "data": "***" }),
        json!({ "kind": "url", "url": "ftp://example.org/a.png" }),
        json!({ "kind": "url", "url": "http://[::1]/a.png" }),
        json!({ "kind": "url", "url": "no url" }),
    ] {
        let failure = mcp.failure("upload_assets", to_photos(&[sent("a.svg", &svg(1)), bad.clone()])).await;
        assert_eq!((&failure["code"], &failure["status"]), (&json!("BAD_USER_INPUT"), &json!(400)), "{bad}");
    }
    let listing = json!({ "organizationId": "acme", "libraryId": "photos" });
    assert_eq!(mcp.answer("list_assets", listing).await, json!([]));
}

#[tokio::test]
async fn a_file_with_a_parent_is_a_variant() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let original = mcp.upload("a.svg", &svg(1)).await;
    let arguments = |parent: &Value| json!({ "organizationId": "acme", "libraryId": "photos", "source": sent("b.svg", &svg(2)), "parentId": parent });
    let variant = mcp.answer("upload_asset", arguments(&original["id"])).await["assets"][0].clone();
    assert_eq!((&variant["parentId"], &variant["type"]), (&original["id"], &json!("variant")));
    let id = variant["id"].as_str().unwrap();
    assert_eq!(variant["url"], format!("{}/{id}", original["url"].as_str().unwrap()));
    let asking = json!({ "organizationId": "acme", "libraryId": "photos", "assetId": original["id"] });
    let shown = mcp.answer("get_asset", asking).await["variants"][0].clone();
    assert_eq!(
        (&shown["id"], &shown["url"], &shown["parentId"]),
        (&variant["id"], &variant["url"], &original["id"])
    );
    let orphan = mcp.failure("upload_asset", arguments(&json!("noSuchAsset12345"))).await;
    assert_eq!(orphan["code"], "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn a_fetch_reports_progress_if_the_client_asks_for_it() {
    let world = with_fetching().await;
    let mcp = world.client();
    let source = json!({ "kind": "url", "url": file_server(UMANG, 2) });
    let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "source": source });
    let call = |meta: Value| {
        let params = json!({ "name": "upload_asset", "arguments": arguments, "_meta": meta });
        let message = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params });
        send(mcp.post(message.to_string()).header("mcp-protocol-version", REVISION))
    };
    let plain = call(json!({})).await;
    assert_eq!(plain.header("content-type"), "application/json");

    let streamed = call(json!({ "progressToken": "t" })).await;
    assert_eq!(streamed.header("content-type"), "text/event-stream");
    let body = String::from_utf8(streamed.body).unwrap();
    let messages: Vec<Value> = body
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(|data| serde_json::from_str(data.trim()).unwrap())
        .collect();
    let (result, news) = messages.split_last().unwrap();
    assert_eq!((&result["id"], &result["result"]["isError"]), (&json!(5), &json!(false)));
    assert_eq!(result["result"]["structuredContent"]["assets"][0]["name"], "night");
    assert!(!news.is_empty());
    let counts: Vec<f64> =
        news.iter().map(|message| message["params"]["progress"].as_f64().unwrap()).collect();
    assert!(counts.windows(2).all(|pair| pair[0] < pair[1]), "{counts:?}");
    assert!(news.iter().all(|message| message["params"]["progressToken"] == "t"));
}
