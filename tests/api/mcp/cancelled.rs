//! `notifications/cancelled`: a message of its own that ends a request that runs, and stores nothing of it.

use std::sync::Arc;

use rasterd::core::model::Access;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::uploads::with_fetching;
use super::{McpClient, svg};
use crate::support::{Reply, send};

const REVISIONS: [&str; 5] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

/// A file server that sends the rest of a file when it gets a signal.
struct Slow {
    url: String,
    /// News of each request to it.
    begun: mpsc::UnboundedReceiver<()>,
    /// Who gets one of these gets the rest.
    rest: Arc<Semaphore>,
}

impl Slow {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/slow.svg", listener.local_addr().unwrap());
        let (news, begun) = mpsc::unbounded_channel();
        let rest = Arc::new(Semaphore::new(0));
        let signal = Arc::clone(&rest);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (signal, news) = (Arc::clone(&signal), news.clone());
                tokio::spawn(async move {
                    let file = svg(77);
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n<", file.len());
                    assert_ne!(connection.read(&mut [0; 4096]).await.unwrap(), 0);
                    connection.write_all(head.as_bytes()).await.unwrap();
                    news.send(()).unwrap();
                    signal.acquire().await.unwrap().forget();
                    connection.write_all(&file[1..]).await.unwrap();
                });
            }
        });
        Self { url, begun, rest }
    }
}

/// A message in a revision.
fn message(
    mcp: &McpClient,
    revision: &str,
    method: &str,
    id: Option<&Value>,
    mut params: Value,
) -> reqwest::RequestBuilder {
    let stateless = revision == "2026-07-28";
    if stateless && id.is_some() {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(revision);
        params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    }
    let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
    if let Some(id) = id {
        message["id"] = id.clone();
    }
    let request = mcp.post(message.to_string()).header("mcp-protocol-version", revision);
    match (stateless, params["name"].as_str()) {
        (false, _) => request,
        (true, None) => request.header("mcp-method", method),
        (true, Some(name)) => request.header("mcp-method", method).header("mcp-name", name),
    }
}

/// An upload from a url, on its way.
fn upload(mcp: &McpClient, revision: &str, id: &Value, url: &str, meta: &Value) -> JoinHandle<Reply> {
    let arguments = json!({
        "organizationId": "acme", "libraryId": "photos", "source": { "kind": "url", "url": url },
    });
    let params = json!({ "name": "upload_asset", "arguments": arguments, "_meta": meta });
    tokio::spawn(send(message(mcp, revision, "tools/call", Some(id), params)))
}

async fn cancel(mcp: &McpClient, revision: &str, id: &Value) {
    let params = json!({ "requestId": id, "reason": "no longer wanted" });
    let reply = send(message(mcp, revision, "notifications/cancelled", None, params)).await;
    assert_eq!((reply.status, reply.body.len()), (202, 0), "{revision}: {id}");
}

/// The result in an answer: its only message, or the last one of a stream.
fn result(reply: &Reply) -> Value {
    let body = std::str::from_utf8(&reply.body).unwrap();
    let last = body.lines().filter_map(|line| line.strip_prefix("data:")).next_back().unwrap_or(body);
    serde_json::from_str::<Value>(last).unwrap_or_else(|_| panic!("{body:?}"))["result"].clone()
}

async fn stored(mcp: &McpClient) -> usize {
    let listing = json!({ "organizationId": "acme", "libraryId": "photos" });
    mcp.answer("list_assets", listing).await.as_array().unwrap().len()
}

#[tokio::test]
async fn a_cancelled_upload_stores_nothing_in_any_revision() {
    let world = with_fetching().await;
    let mcp = world.client();
    let mut slow = Slow::start().await;
    for revision in REVISIONS {
        for meta in [json!({}), json!({ "progressToken": "t" })] {
            let id = json!("upload");
            let upload = upload(&mcp, revision, &id, &slow.url, &meta);
            slow.begun.recv().await.unwrap();
            cancel(&mcp, revision, &id).await;
            let result = result(&upload.await.unwrap());
            assert_eq!(result["isError"], true, "{revision} {meta}: {result}");
            assert!(super::text(&result).contains("was cancelled"), "{revision} {meta}: {result}");
            assert_eq!(stored(&mcp).await, 0, "{revision} {meta}");
        }
    }
}

#[tokio::test]
async fn only_the_named_request_is_cancelled() {
    let world = with_fetching().await;
    let mcp = world.client();
    let other = world.client_of(&world.server.key("acme", &[("photos", Access::Write)]).await);
    let mut slow = Slow::start().await;
    for (n, meta) in [json!({}), json!({ "progressToken": 9 })].into_iter().enumerate() {
        // One that comes too early is about nothing.
        cancel(&mcp, super::REVISION, &json!(1)).await;
        let upload = upload(&mcp, super::REVISION, &json!(1), &slow.url, &meta);
        slow.begun.recv().await.unwrap();
        cancel(&other, super::REVISION, &json!(1)).await;
        for id in [json!("1"), json!(2), json!(null)] {
            cancel(&mcp, super::REVISION, &id).await;
        }
        slow.rest.add_permits(1);
        let result = result(&upload.await.unwrap());
        assert_eq!(result["isError"], false, "{result}");
        assert_eq!(stored(&mcp).await, n + 1);
    }
}

#[tokio::test]
async fn neither_of_two_requests_with_the_same_id_is_cancelled() {
    let world = with_fetching().await;
    let mcp = world.client();
    let mut slow = Slow::start().await;
    let uploads = [(); 2].map(|()| upload(&mcp, super::REVISION, &json!(3), &slow.url, &json!({})));
    for _ in &uploads {
        slow.begun.recv().await.unwrap();
    }
    cancel(&mcp, super::REVISION, &json!(3)).await;
    slow.rest.add_permits(2);
    for upload in uploads {
        assert_eq!(result(&upload.await.unwrap())["isError"], false);
    }
    assert_eq!(stored(&mcp).await, 2);
}
