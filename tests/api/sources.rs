//! Files from urls: what is fetched, and what is never reached. The web is a server of the test, on loopback addresses;
//! the configuration opens one of them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use serde_json::{Value, json};

use crate::rest::picture;
use crate::support::Client;
use crate::support::mcp::{base64_source, call};
use crate::support::program::files_below;
use crate::support::waiting::no_file_is_temporary;

/// The one address that may be fetched from.
const OPEN: &str = "127.0.0.9";
/// The largest file that is accepted from a url.
const MAX_BYTES: u64 = 100_000;

/// A web server with a fixed answer for each path.
struct Web {
    origin: String,
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Web {
    fn start(address: &str, answers: &[(&'static str, Vec<u8>)]) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (answers, counter): (BTreeMap<_, _>, _) =
            (answers.iter().cloned().collect(), connections.clone());
        // The thread ends with the test's process.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                serve(&mut connection.unwrap(), &answers);
            }
        });
        Self { origin: format!("http://{address}:{port}"), port, connections }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(connection: &mut TcpStream, answers: &BTreeMap<&'static str, Vec<u8>>) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).is_ok_and(|count| count == 1) {
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    // A client may disconnect early.
    let _ = connection.write_all(answers.get(path).map_or(missing, Vec::as_slice));
}

fn file(bytes: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
    [head.as_bytes(), bytes].concat()
}

/// A file without an announced size.
fn unannounced(bytes: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", bytes].concat()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

/// A server that may fetch from [`OPEN`], and a client with a key that writes.
struct FetchScene {
    server: TestServer,
    client: Client,
}

impl FetchScene {
    async fn new() -> Self {
        Self::on(TestServer::start_with(|settings, _| {
            settings.fetch.allow = vec![format!("{OPEN}/32").parse().unwrap()];
            settings.limits.url_bytes = MAX_BYTES;
        }))
        .await
    }

    async fn on(server: TestServer) -> Self {
        server.organization("Acme").await;
        server.library("acme", "Photos").await;
        let key = server.key("acme", &[("photos", Access::Write)]).await;
        let client = Client::new(&server).with_key(&key.token);
        Self { server, client }
    }

    async fn upload(&self, url: &str) -> Result<Value, Value> {
        let source = json!({ "kind": "url", "url": url });
        let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "source": source });
        call(&self.client, "upload_asset", &arguments).await
    }

    async fn upload_all(&self, sources: &[Value]) -> Result<Value, Value> {
        let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "sources": sources });
        call(&self.client, "upload_assets", &arguments).await
    }

    /// Checks that an upload failed as a whole, and returns the reason.
    async fn expect_refused(&self, outcome: Result<Value, Value>) -> String {
        let error = outcome.unwrap_err();
        assert_eq!((&error["code"], &error["status"]), (&"BAD_USER_INPUT".into(), &400.into()), "{error}");
        self.expect_nothing_stored().await;
        error["message"].as_str().unwrap().to_owned()
    }

    async fn expect_nothing_stored(&self) {
        let libraries = call(&self.client, "list_libraries", &json!({ "organizationId": "acme" })).await;
        assert_eq!(libraries.unwrap()[0]["assetsCount"], 0);
        no_file_is_temporary(&self.server.data_dir()).await;
        let mut files = files_below(&self.server.data_dir().join("files"));
        files.retain(|file| !file.ends_with("files/rasterd-files"));
        assert_eq!(files, [] as [std::path::PathBuf; 0]);
    }
}

#[tokio::test]
async fn a_file_from_an_open_address_is_uploaded() {
    let scene = FetchScene::new().await;
    let web = Web::start(
        OPEN,
        &[("/na%C3%AFve%20art.png", file(&picture("naïve"))), ("/first", redirect("/na%C3%AFve%20art.png"))],
    );
    for path in ["/na%C3%AFve%20art.png", "/first"] {
        let uploaded = scene.upload(&web.url(path)).await.unwrap();
        assert_eq!(uploaded["responseText"], "Uploaded 1 asset.");
        let asset = &uploaded["assets"][0];
        assert_eq!((&asset["name"], &asset["width"]), (&"naïve art".into(), &3.into()));
        let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
        assert_eq!(scene.client.get(url.path()).await.body, picture("naïve"));
    }
}

#[tokio::test]
async fn addresses_that_are_not_public_are_never_reached_in_any_form() {
    let scene = FetchScene::new().await;
    let inside = Web::start("127.0.0.1", &[("/", file(&picture("inside")))]);
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "①②⑦.⓪.⓪.①",
        "127%2E0%2E0%2E1",
        "localhost",
        "LOCALHOST.",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fc00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
    ] {
        let url = format!("http://{host}:{}/", inside.port);
        let message = scene.expect_refused(scene.upload(&url).await).await;
        assert!(message.contains("it does not resolve to a public address"), "{url}: {message}");
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn urls_that_are_not_plain_web_addresses_are_refused() {
    let scene = FetchScene::new().await;
    let web = Web::start(OPEN, &[("/", file(&picture("open")))]);
    let with_user = |user: &str| format!("http://{user}@{OPEN}:{}/", web.port);
    for (url, reason) in [
        (with_user("user"), "a user name or a password"),
        (with_user("user:password"), "a user name or a password"),
        (with_user(":password"), "a user name or a password"),
        (format!("ftp://{OPEN}/"), "only http and https"),
        ("file:///etc/passwd".to_owned(), "only http and https"),
        ("data:image/png;base64,AAAA".to_owned(), "only http and https"),
        ("javascript:alert(1)".to_owned(), "only http and https"),
        ("http://".to_owned(), "not a url"),
        ("/etc/passwd".to_owned(), "not a url"),
        ("http://[::1".to_owned(), "not a url"),
        ("http://no such host/".to_owned(), "not a url"),
        (format!("{}{}", web.url("/"), "x".repeat(10_000)), "at most"),
    ] {
        let message = scene.expect_refused(scene.upload(&url).await).await;
        assert!(message.contains(reason), "{url}: {message}");
    }
    assert_eq!(web.connections(), 0);
    let without_url = json!({ "kind": "url" });
    let refused = scene.upload_all(&[base64_source("a.png", &picture("a")), without_url]).await.unwrap_err();
    assert!(refused.as_str().unwrap().starts_with("MCP error -32602: Input validation error"), "{refused}");
    scene.expect_nothing_stored().await;
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_not_followed() {
    let scene = FetchScene::new().await;
    let inside = Web::start("127.0.0.1", &[("/", file(&picture("inside")))]);
    let port = inside.port;
    let web = Web::start(
        OPEN,
        &[
            ("/loopback", redirect(&inside.url("/"))),
            ("/name", redirect(&format!("http://localhost:{port}/"))),
            ("/mapped", redirect(&format!("http://[::ffff:127.0.0.1]:{port}/"))),
            ("/number", redirect(&format!("//2130706433:{port}/"))),
            ("/user", redirect(&format!("http://user@{OPEN}/"))),
            ("/file", redirect("file:///etc/passwd")),
            ("/then", redirect("/loopback")),
            ("/round", redirect("/round")),
        ],
    );
    for path in ["/loopback", "/name", "/mapped", "/number", "/user", "/file", "/then", "/round"] {
        let message = scene.expect_refused(scene.upload(&web.url(path)).await).await;
        assert!(message.contains("could not be fetched"), "{path}: {message}");
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn one_bad_source_fails_the_whole_call_and_nothing_is_stored() {
    let scene = FetchScene::new().await;
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nshort".to_vec();
    let web = Web::start(OPEN, &[("/good.png", file(&picture("good"))), ("/short.png", short)]);
    let gone = {
        let listener = TcpListener::bind((OPEN, 0)).unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let url = |url: String| json!({ "kind": "url", "url": url });
    let good = [base64_source("a.png", &picture("a")), url(web.url("/good.png"))];
    for bad in [
        url("http://127.0.0.1/".to_owned()),
        url(web.url("/missing.png")),
        url(web.url("/short.png")),
        url(gone),
        json!({ "kind": "base64", "filename": "b.png", "mimeType": "image/png", "data": "&&&" }),
    ] {
        let sources = [&good[..], std::slice::from_ref(&bad)].concat();
        scene.expect_refused(scene.upload_all(&sources).await).await;
        let sources = [std::slice::from_ref(&bad), &good[..]].concat();
        scene.expect_refused(scene.upload_all(&sources).await).await;
    }
    let uploaded = scene.upload_all(&good).await.unwrap();
    assert_eq!(uploaded["assets"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn files_that_are_too_large_or_not_pictures_are_left_out_and_named() {
    let scene = FetchScene::new().await;
    let large = picture(&"x".repeat(usize::try_from(MAX_BYTES).unwrap()));
    let web = Web::start(
        OPEN,
        &[
            ("/large.png", file(&large)),
            ("/endless.png", unannounced(&large)),
            ("/page.html", file(b"<html>no picture</html>")),
            ("/good.png", unannounced(&picture("good"))),
        ],
    );
    let paths = ["/large.png", "/endless.png", "/page.html", "/good.png"];
    let sources = paths.map(|path| json!({ "kind": "url", "url": web.url(path) }));
    scene.expect_refused(scene.upload_all(&sources[..3]).await).await;
    let uploaded = scene.upload_all(&sources).await.unwrap();
    let assets = uploaded["assets"].as_array().unwrap();
    assert_eq!((assets.len(), &assets[0]["name"]), (1, &"good".into()));
    let text = uploaded["responseText"].as_str().unwrap();
    assert!(text.starts_with("Uploaded 1 asset. Left out: "), "{text}");
    for named in ["/large.png\": it is larger than", "/endless.png\": it is larger than", "page.html\": "] {
        assert!(text.contains(named), "{named} in {text}");
    }
    assert!(!text.contains("good"), "{text}");
}

#[tokio::test]
async fn nothing_is_fetched_where_fetching_is_turned_off() {
    let server = TestServer::start_with(|settings, _| {
        settings.fetch.enabled = false;
        settings.fetch.allow = vec![format!("{OPEN}/32").parse().unwrap()];
    });
    let scene = FetchScene::on(server).await;
    let web = Web::start(OPEN, &[("/", file(&picture("open")))]);
    let error = scene.upload(&web.url("/")).await.unwrap_err();
    assert_eq!((&error["code"], &error["status"]), (&"FORBIDDEN".into(), &403.into()));
    assert!(error["message"].as_str().unwrap().contains("turned off"), "{error}");
    assert_eq!(web.connections(), 0);
    scene.expect_nothing_stored().await;
    let sent = [base64_source("a.png", &picture("a"))];
    assert_eq!(scene.upload_all(&sent).await.unwrap()["responseText"], "Uploaded 1 asset.");
}
