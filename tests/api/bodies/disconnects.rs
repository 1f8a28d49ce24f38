//! A client that disconnects: nothing of its request is stored that was not committed before.

use rustix::process::Signal;
use serde_json::json;

use super::endpoints::{Endpoint, endpoints, exchange, uploads};
use crate::rest::picture;
use crate::support::program::{ASSETS, Program, TestDir, poll};
use crate::support::raw::is_served;

/// How many assets are listed, and how many libraries there are.
async fn stored(program: &Program) -> (usize, usize) {
    let rest = program.rest_of(program.first_key());
    let count = async |path: &str| rest.get(path).await.json()["data"].as_array().unwrap().len();
    (count(ASSETS).await, count("/organizations/default/libraries").await)
}

#[tokio::test]
async fn a_client_that_disconnects_during_an_upload_leaves_nothing() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let temporary = test_dir.data_dir().join("tmp");
    let arriving = || std::fs::read_dir(&temporary).unwrap().count();
    for endpoint in uploads(&test_dir, &program).await {
        let request = endpoint.request(&endpoint.around(&[&picture("a")[..], &vec![0; 1 << 20]].concat()));
        let mut connection = program.connect();
        connection.send(&request[..request.len() / 2]);
        poll("the file arrives", || (arriving() > 0).then_some(()));
        drop(connection);
        poll("nothing is left of it", || (arriving() == 0).then_some(()));
        assert_eq!(stored(&program).await.0, 0, "{}", endpoint.name);
    }
    assert!(!program.log().contains("ERROR"), "it is no fault of the server: {}", program.log());
}

/// The body of a request that stores something, for the attempt of this number.
fn body(endpoint: &Endpoint, attempt: usize) -> Vec<u8> {
    if endpoint.takes_files() {
        return endpoint.around(&picture(endpoint.name));
    }
    let name = format!("Made by {}, attempt {attempt}", endpoint.name);
    let body = match endpoint.name {
        "REST JSON" => json!({ "name": name }),
        "GraphQL JSON" => json!({
            "query": "mutation ($name: String!) { createLibrary(organizationId: \"default\", name: $name) { id } }",
            "variables": { "name": name },
        }),
        _ => json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "create_library", "arguments": { "organizationId": "default", "name": name } },
        }),
    };
    body.to_string().into_bytes()
}

/// Sends a request and disconnects, so that the server sees both together.
fn send_and_disconnect(program: &Program, request: &[u8]) {
    let mut connection = program.connect();
    let port = connection.client_port();
    program.pause();
    connection.send(request);
    drop(connection);
    program.signal(Signal::CONT);
    poll("the connection is closed", || (!is_served(program.port(), port)).then_some(()));
}

/// How often a request may be committed before the server finds out that its client has disconnected: on a busy machine
/// the thread that commits can be ahead of the one that reads the connection.
const ATTEMPTS: usize = 10;

#[tokio::test]
async fn a_client_that_disconnects_after_its_request_leaves_only_what_was_committed() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    for endpoint in &endpoints(&test_dir, &program).await {
        let before = stored(&program).await;
        let answer = exchange(&program, &endpoint.request(&body(endpoint, 0)), 1 << 20);
        let done = ["HTTP/1.1 200", "HTTP/1.1 201", "HTTP/1.1 303"];
        assert!(done.iter().any(|status| answer.starts_with(status)), "{}: {answer}", endpoint.name);
        let mut now = stored(&program).await;
        let whole = (now.0 - before.0, now.1 - before.1);
        assert_eq!(whole.0 + whole.1, 1, "{}: one request adds one asset or library", endpoint.name);

        let mut was_cancelled = false;
        for attempt in 1..=ATTEMPTS {
            send_and_disconnect(&program, &endpoint.request(&body(endpoint, attempt)));
            let after = stored(&program).await;
            let added = (after.0 - now.0, after.1 - now.1);
            assert!(
                added == (0, 0) || added == whole,
                "{}: all or nothing, and not {added:?}",
                endpoint.name
            );
            now = after;
            was_cancelled = added == (0, 0);
            if was_cancelled {
                break;
            }
        }
        assert!(was_cancelled, "{}: none of {ATTEMPTS} requests was cancelled", endpoint.name);
    }
}
