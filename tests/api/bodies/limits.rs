//! How much one key may do at a time: more is refused temporarily, in the same way on every transport.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rasterd::core::model::Access;
use rasterd::core::settings::Limits;
use rasterd::testing::{TestKey, TestServer};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::rest::{ASSETS, Form, NEW, Rest, picture};
use crate::support::mcp::{call, tool};
use crate::support::raw::Raw;
use crate::support::waiting::{fill, no_file_is_temporary, until};
use crate::support::{Client, Reply, send};

struct LimitedSite {
    server: TestServer,
    key: TestKey,
    client: Client,
}

impl LimitedSite {
    async fn under(change: impl Fn(&mut Limits) + Send + Sync + 'static) -> Self {
        let server = TestServer::start_with(move |settings, _| {
            settings.fetch.allow = vec!["127.0.0.1/32".parse().unwrap()];
            change(&mut settings.limits);
        });
        let organization = server.organization("Acme").await;
        let library = server.library(&organization, "Photos").await;
        let key = server.key(&organization, &[(&library, Access::Write)]).await;
        let client = Client::new(&server).with_key(&key.token);
        Self { server, key, client }
    }

    fn rest(&self) -> Rest {
        Rest::new(&self.client, NEW)
    }

    /// A request that stops after its head and this start of its body.
    fn half_sent(&self, path: &str, kind: &str, start: &str) -> Raw {
        let mut connection = Raw::open(&self.server);
        connection.send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nApi-Version: {NEW}\r\n\
             Content-Type: {kind}\r\nContent-Length: 100000\r\n\r\n{start}",
            self.key.token
        ));
        connection
    }
}

/// Whether this is a 429 with the time to wait and the reason, as REST, GraphQL or MCP answers it.
fn is_rate_limited(reply: &Reply) -> bool {
    let has_retry_after = reply.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0);
    reply.status == 429
        && has_retry_after
        && String::from_utf8_lossy(&reply.body).contains(r#""RATE_LIMITED""#)
}

#[tokio::test]
async fn concurrent_requests_of_one_key_are_limited() {
    let site = LimitedSite::under(|limits| limits.requests_per_key = 2).await;
    let other = site.server.key("acme", &[("photos", Access::Write)]).await;
    let path = format!("{ASSETS}/tag");
    let waiting = fill(
        || site.half_sent(&path, "application/json", "{"),
        async || {
            let query = json!({ "query": "{ viewer { plan } }" });
            is_rate_limited(&site.rest().get("/me").await)
                && is_rate_limited(&site.client.post_json("/graphql", &query).await)
                && is_rate_limited(&send(tool(&site.client, "whoami", &json!({}))).await)
        },
    )
    .await;
    let unhindered = Rest::new(&Client::new(&site.server).with_key(&other.token), NEW);
    assert_eq!(unhindered.get("/me").await.status, 200, "another key is not kept waiting");
    drop(waiting);
    until("the key is answered again", async || (site.rest().get("/me").await.status == 200).then_some(()))
        .await;
}

#[tokio::test]
async fn concurrent_uploads_of_one_key_are_limited() {
    let site = LimitedSite::under(|limits| limits.uploads_per_key = 1).await;
    let upload = async || site.rest().upload(&[("a.png", &picture("a"))]).await;
    let waiting = fill(
        || site.half_sent(ASSETS, Form::CONTENT_TYPE, "------border\r\n"),
        async || {
            is_rate_limited(&upload().await)
                && is_rate_limited(&upload_over_graphql(&site.client).await)
                && call(&site.client, "upload_asset", &source(&picture("a"))).await.is_err_and(|error| {
                    (&error["code"], &error["status"]) == (&json!("RATE_LIMITED"), &json!(429))
                })
        },
    )
    .await;
    drop(waiting);
    until("uploads are taken again", async || (upload().await.status == 200).then_some(())).await;
}

async fn upload_over_graphql(client: &Client) -> Reply {
    let mut form = Form::default();
    let query = "mutation ($files: [Upload!]!) { uploadAssets(organizationId: \"acme\", libraryId: \"photos\", \
                 files: $files) { responseText } }";
    form.text("operations", &json!({ "query": query, "variables": { "files": [null] } }).to_string());
    form.text("map", r#"{"0":["variables.files.0"]}"#);
    form.file("0", "a.png", &picture("a"));
    let request = client.request(Method::POST, "/graphql").header(CONTENT_TYPE, Form::CONTENT_TYPE);
    send(request.header("Apollo-Require-Preflight", "true").body(form.finish())).await
}

fn source(bytes: &[u8]) -> Value {
    let source = crate::support::mcp::base64_source("a.png", bytes);
    json!({ "organizationId": "acme", "libraryId": "photos", "source": source })
}

fn of_url(url: &str) -> Value {
    json!({ "organizationId": "acme", "libraryId": "photos", "source": { "kind": "url", "url": url } })
}

/// A file on a web server that has no end, and whether it was requested.
struct Endless {
    url: String,
    asked_for: Arc<AtomicBool>,
}

/// Serves a file without an end: this much is sent, as fast as it is read, and then nothing.
fn endless(bytes: usize) -> Endless {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.png", listener.local_addr().unwrap());
    let asked_for = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&asked_for);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            asked.store(true, Ordering::Release);
            std::thread::spawn(move || {
                let _head = stream.read(&mut [0; 4096]);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n";
                let _gone = stream.write_all(head.as_bytes());
                let chunk = [&b"10000\r\n"[..], &vec![7; 1 << 16], b"\r\n"].concat();
                if (0..bytes >> 16).all(|_| stream.write_all(&chunk).is_ok()) {
                    // Until the other side disconnects.
                    let _end = stream.read(&mut [0; 1]);
                }
            });
        }
    });
    Endless { url, asked_for }
}

#[tokio::test]
async fn concurrent_fetches_of_one_key_are_limited() {
    let site = LimitedSite::under(|limits| (limits.fetches_per_key, limits.url_seconds) = (1, 5)).await;
    let endless = endless(0);
    let client = site.client.clone();
    let hanging = of_url(&endless.url);
    let fetching = tokio::spawn(async move { call(&client, "upload_asset", &hanging).await });
    until("the file is asked for", async || endless.asked_for.load(Ordering::Acquire).then_some(())).await;
    let error = call(&site.client, "upload_asset", &of_url("http://127.0.0.1:1/")).await.unwrap_err();
    assert_eq!((&error["code"], &error["status"]), (&json!("RATE_LIMITED"), &json!(429)));
    let by_hand = call(&site.client, "upload_asset", &source(&picture("a"))).await;
    assert!(by_hand.is_ok(), "what needs no fetch is taken");
    assert_eq!(fetching.await.unwrap().unwrap_err()["code"], "BAD_USER_INPUT", "it took too long");
}

#[tokio::test]
async fn endless_urls_do_not_fill_the_disk() {
    let site = LimitedSite::under(|limits| limits.key_temporary_bytes = 1 << 20).await;
    let error = call(&site.client, "upload_asset", &of_url(&endless(64 << 20).url)).await.unwrap_err();
    assert_eq!((&error["code"], &error["status"]), (&json!("RATE_LIMITED"), &json!(429)));
    no_file_is_temporary(&site.server.data_dir()).await;
}

#[tokio::test]
async fn a_call_that_reports_its_progress_counts_until_its_last_event() {
    let site = LimitedSite::under(|limits| limits.requests_per_key = 1).await;
    let arguments = of_url(&endless(1 << 20).url);
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "upload_asset", "arguments": arguments, "_meta": { "progressToken": 1 } },
    });
    let asked = tool(&site.client, "upload_asset", &arguments).body(message.to_string());
    // The head arrives with the first event, and the file never ends.
    let events = asked.send().await.unwrap();
    assert_eq!(events.headers()[CONTENT_TYPE], "text/event-stream");
    assert!(is_rate_limited(&site.rest().get("/me").await));
    drop(events);
    until("the key is answered again", async || (site.rest().get("/me").await.status == 200).then_some(()))
        .await;
}
