//! The memory of what waits: bodies that never end, and answers that no client reads.

use reqwest::Method;
use serde_json::json;

use crate::rest::{Form, picture};
use crate::support::Reply;
use crate::support::mcp::{base64_source, call};
use crate::support::program::{ASSETS, Program, TestDir, poll};
use crate::support::raw::Raw;
use crate::support::waiting::until;

/// In KiB.
const MIB: u64 = 1 << 10;

/// The head of a request with a key, without its length and the empty line.
fn head(method: &str, path: &str, key: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nApi-Version: 2026-07-08\r\n\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
    )
}

/// Connections on which this much of a larger body for `/mcp` was sent.
fn half_sent(program: &Program, key: &str, connections: usize, bytes: usize) -> Vec<Raw> {
    let piece = vec![b' '; 1 << 20];
    (0..connections)
        .map(|_| {
            let mut connection = program.connect();
            connection.send(format!("{}Content-Length: 33000000\r\n\r\n", head("POST", "/mcp", key)));
            // The server stops reading from a client that it refuses.
            let _refused = (0..bytes >> 20).try_for_each(|_| connection.try_send(&piece));
            connection
        })
        .collect()
}

/// Waits until the server uses no more memory than this, in KiB.
fn settles_below(program: &Program, most: u64) {
    poll("the memory is given back", || (program.memory().now() < most).then_some(()));
}

#[tokio::test]
async fn large_bodies_wait_on_disk_and_are_parsed_when_complete() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let client = program.client_of(program.first_key());
    let upload = async |name: &str, bytes: &[u8]| {
        let source = base64_source(name, bytes);
        let arguments = json!({ "organizationId": "default", "libraryId": "library", "source": source });
        call(&client, "upload_asset", &arguments).await.unwrap()
    };
    upload("warm.png", &picture("warm")).await;
    let before = program.memory().reset_peak();
    let waiting = half_sent(&program, program.first_key(), 12, 16 << 20);
    let grown = program.memory().peak() - before;
    assert!(grown < 64 * MIB, "{grown} KiB for twelve half-sent bodies");
    let large = [&picture("large")[..], &vec![0; 20 << 20]].concat();
    assert_eq!(upload("large.png", &large).await["assets"][0]["size"], large.len());
    drop(waiting);
    settles_below(&program, before + 64 * MIB);
}

#[tokio::test]
async fn a_key_without_grants_may_send_only_small_bodies() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key =
        test_dir.json(&["key", "create", "None", "--org", "default"])["key"].as_str().unwrap().to_owned();
    let client = program.client_of(&key);
    let large = " ".repeat(100 << 10);
    for path in ["/mcp", "/graphql"] {
        let request = client
            .request(Method::POST, path)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream");
        assert_eq!(crate::support::send(request.body(large.clone())).await.status, 413, "{path}");
    }
    let small = client.post_json("/graphql", &json!({ "query": "{ viewer { organizationId } }" })).await;
    assert_eq!(small.status, 200);
}

#[tokio::test]
async fn unread_answers_take_no_more_memory_than_their_share() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    // 160 descriptions of 40 KB are a page of 6.5 MB.
    let description = "\u{1F4F7}".repeat(10_000);
    for batch in 0..8 {
        let mut form = Form::default();
        (0..20).for_each(|n| form.file("files", "a.png", &picture(&format!("{batch} {n}"))));
        let uploaded = rest.send_form(ASSETS, form).await.json();
        for asset in uploaded["data"]["assets"].as_array().unwrap() {
            let path = format!("{ASSETS}/{}/description", asset["id"].as_str().unwrap());
            let reply = rest.json(Method::PATCH, &path, json!({ "description": description })).await;
            assert_eq!(reply.status, 200);
        }
    }
    let page = format!("{ASSETS}?pageSize=500");
    let size = rest.get(&page).await.body.len() as u64;
    assert!(size > 6_000_000, "{size}");
    let before = program.memory().reset_peak();
    let request = format!("{}\r\n", head("GET", &page, program.first_key()));
    let unread: Vec<Raw> = (0..40)
        .map(|_| {
            let mut connection = program.connect();
            connection.send(&request);
            connection
        })
        .collect();
    let refused = ask_until(&program, &page, 429).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (429, "RATE_LIMITED"));
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    let grown = program.memory().peak().saturating_sub(before);
    // The key's 64 MiB, what is being written meanwhile, and what was freed within the last second, which the allocator
    // still keeps. All forty would be 247 MiB before anything else.
    assert!(grown < 200 * MIB, "{grown} KiB for forty answers of {size} bytes");
    drop(unread);
    let answered = ask_until(&program, &page, 200).await;
    assert!(answered.body.len() > 6_000_000);
    settles_below(&program, before + 96 * MIB);
}

/// Sends requests until an answer has this status.
async fn ask_until(program: &Program, path: &str, status: u16) -> Reply {
    let rest = program.rest_of(program.first_key());
    let answered = async || Some(rest.get(path).await).filter(|reply| reply.status == status);
    until(&format!("the answer is {status}"), answered).await
}
