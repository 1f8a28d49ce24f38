//! Who may read the metrics, and where.

use std::fs;
use std::sync::Arc;

use rasterd::testing::TempFolder;
use rasterd::transport::server::MetricsToken;
use reqwest::Method;
use rustix::process::Signal;

use super::{Monitored, TOKEN, with_own_listener};
use crate::support::program::TestDir;
use crate::support::{Client, send};

fn token(folder: &TempFolder) -> Arc<MetricsToken> {
    let file = folder.path().join("token");
    fs::write(&file, TOKEN).unwrap();
    rasterd::file_mode::set_mode(&file, 0o640).unwrap();
    Arc::new(MetricsToken::load(&file).unwrap())
}

#[tokio::test]
async fn without_a_token_and_a_listener_there_are_no_metrics() {
    let server = rasterd::testing::TestServer::start();
    let client = Client::new(&server);
    let (metrics, unknown) = (client.get("/metrics").await, client.get("/unknown").await);
    assert_eq!((metrics.status, &metrics.body), (404, &unknown.body));
    assert_eq!(metrics.error_code(), "ENDPOINT_NOT_FOUND");
}

#[tokio::test]
async fn on_the_main_listener_only_the_token_reads_them() {
    let monitored = Monitored::start().await;
    let client = &monitored.scene.anyone;
    let key = &monitored.scene.writer_key.token;
    for refused in
        [client.clone(), client.with_key(key), client.with_key("wrong"), client.with_key(&TOKEN[1..])]
    {
        let reply = refused.get("/metrics").await;
        assert_eq!((reply.status, reply.error_code().as_str()), (401, "UNAUTHENTICATED"));
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let reply = monitored.monitor.get("/metrics").await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!((reply.status, reply.header("cache-control")), (200, "private, no-store"));
    let posted = send(monitored.monitor.request(Method::POST, "/metrics")).await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
    // The token opens nothing else.
    let me = send(monitored.monitor.request(Method::GET, "/me").header("Api-Version", "2026-07-08")).await;
    assert_eq!(me.error_code(), "INVALID_API_KEY");
}

#[tokio::test]
async fn a_listener_of_their_own_answers_nothing_else() {
    let (server, monitor) = with_own_listener(None);
    for (path, status) in
        [("/metrics", 200), ("/livez", 200), ("/readyz", 200), ("/me", 404), ("/app", 404), ("/docs", 404)]
    {
        assert_eq!(monitor.get(path).await.status, status, "{path}");
    }
    assert_eq!(Client::new(&server).get("/metrics").await.status, 404);

    let folder = TempFolder::new();
    let (server, monitor) = with_own_listener(Some(token(&folder)));
    assert_eq!(monitor.get("/metrics").await.status, 401);
    assert_eq!(monitor.with_key(TOKEN).get("/metrics").await.status, 200);
    assert_eq!(Client::new(&server).with_key(TOKEN).get("/metrics").await.status, 404, "one place is enough");
}

#[tokio::test]
async fn a_token_is_replaced_without_a_restart() {
    let test_dir = TestDir::new();
    let file = test_dir.path().join("token");
    let write = |token: &str| {
        fs::write(&file, token).unwrap();
        rasterd::file_mode::set_mode(&file, 0o600).unwrap();
    };
    write(TOKEN);
    let path = file.display().to_string();
    let test_dir = test_dir.with("RASTERD__METRICS__TOKEN_FILE", &path);
    let program = test_dir.serve();
    let status = async |token: &str| program.client_of(token).get("/metrics").await.status;
    assert_eq!(status(TOKEN).await, 200);
    write("short");
    program.signal(Signal::HUP);
    program.wait_for_log("the token of metrics was not reloaded");
    assert_eq!(status(TOKEN).await, 200);
    let next = "another-0123456789abcdef";
    write(next);
    program.signal(Signal::HUP);
    program.wait_for_log_lines("the certificate was reloaded", 2);
    let until = std::time::Instant::now() + crate::support::raw::DEADLINE;
    while status(next).await != 200 {
        assert!(std::time::Instant::now() < until, "the new token is taken");
    }
    assert_eq!(status(TOKEN).await, 401);
}

#[test]
fn a_token_that_can_not_be_used_prevents_the_start() {
    let test_dir = TestDir::new();
    let file = test_dir.path().join("token");
    let set = format!("metrics.token_file={}", file.display());
    let refused = |expected: &str| {
        for command in [&["serve"][..], &["config", "check"]] {
            let stderr = test_dir.run(&[command, &["--set", &set]].concat()).failed(1);
            assert!(stderr.contains("metrics.token_file: ") && stderr.contains(expected), "{stderr}");
        }
    };
    refused("can't be read");
    fs::write(&file, "short").unwrap();
    rasterd::file_mode::set_mode(&file, 0o600).unwrap();
    refused("at least 16 characters");
    fs::write(&file, "two words 0123456789").unwrap();
    refused("at least 16 characters");
    fs::write(&file, TOKEN).unwrap();
    rasterd::file_mode::set_mode(&file, 0o644).unwrap();
    refused("every user of this machine can read");
    assert!(!test_dir.data_dir().exists());
}

#[test]
fn the_addresses_are_checked() {
    let test_dir = TestDir::new();
    for (bind, own, expected) in [
        ("127.0.0.1:8443", "here", "metrics.bind must be an IP address and a port"),
        ("127.0.0.1:8443", "127.0.0.1:8443", "metrics.bind is 127.0.0.1:8443, where server.bind"),
        ("0.0.0.0:8443", "127.0.0.1:8443", "choose another port"),
        ("127.0.0.1:8443", "192.0.2.1:9464", "It is not an address of this machine"),
    ] {
        let (bind, own) = (format!("server.bind={bind}"), format!("metrics.bind={own}"));
        let stderr = test_dir.run(&["config", "check", "--set", &bind, "--set", &own]).failed(1);
        assert!(stderr.contains(expected), "{own}: {stderr}");
    }
    let exit = test_dir.run(&["config", "check", "--set", "metrics.bind=0.0.0.0:0"]);
    assert_eq!(exit.code, Some(0), "{}", exit.stderr);
    assert!(exit.stderr.contains("everybody who reaches 0.0.0.0:0 can read the metrics"), "{}", exit.stderr);
}
