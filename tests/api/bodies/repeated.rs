//! Answers and the log repeat only a little of what a client sent.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::endpoints::{Endpoint, exchange, uploads};
use crate::rest::NEW;
use crate::support::program::{ASSETS, LIBRARY, Program, TestDir};
use crate::support::{Client, send};

/// The length of the client's text.
const LONG: usize = 300_000;
/// How much of it may be repeated.
const MAX: usize = 100;
/// A character that our own texts don't have.
const MARK: char = 'Q';

fn long() -> String {
    MARK.to_string().repeat(LONG)
}

fn expect_little(what: &str, answer: &str) {
    let repeated = answer.matches(MARK).count();
    assert!(repeated <= MAX + 20, "{what}: {repeated} characters come back");
    assert!(answer.len() < 4000, "{what}: {} bytes", answer.len());
}

/// Invalid bodies for REST, each in its own way.
fn invalid_bodies(long: &str) -> Vec<Value> {
    vec![
        json!(long),
        json!({ "name": long }),
        json!({ "name": { "a": long } }),
        json!({ "name": 5, long: 1 }),
        json!({ "assetIds": [long], "tags": ["a"] }),
        json!({ "assetIds": long, "tags": [long] }),
        json!({ "ids": [long] }),
        json!({ "targetLibraryId": long, "assetIds": [long] }),
        json!([long]),
    ]
}

async fn ask_rest(client: &Client) {
    let long = long();
    let paths = [
        (Method::POST, "/organizations/default/libraries".to_owned()),
        (Method::PATCH, LIBRARY.to_owned()),
        (Method::POST, format!("{ASSETS}/tag")),
        (Method::POST, format!("{ASSETS}/transfer")),
        (Method::DELETE, ASSETS.to_owned()),
    ];
    for (method, path) in paths {
        for body in invalid_bodies(&long) {
            let request = client.request(method.clone(), &path).header("Api-Version", NEW);
            let reply = send(request.header(CONTENT_TYPE, "application/json").body(body.to_string())).await;
            assert_ne!(reply.status, 500);
            expect_little(&path, &String::from_utf8(reply.body).unwrap());
        }
    }
}

async fn ask_graphql(client: &Client) {
    let long = long();
    for body in [
        json!({ "query": long }),
        json!({ "query": format!("{{ {long} }}") }),
        json!({ "query": format!("{{ viewer {{ {long} }} }}") }),
        json!({ "query": format!("{{ ...{long} }}") }),
        json!({ "query": "query a { viewer { plan } }", "operationName": long }),
        json!({ "query": format!("query (${long}: Int!) {{ viewer {{ plan }} }}") }),
        json!({ "query": format!("{{ viewer(a: \"{long}\") {{ plan }} }}") }),
        json!({ "query": format!("{{ assets(organizationId: \"{long}\", libraryId: \"a\") {{ id }} }}") }),
        json!({ "query": "{ viewer { plan } }", "variables": long }),
        json!({ "query": { "a": long } }),
    ] {
        let reply = client.post_json("/graphql", &body).await;
        assert_ne!(reply.status, 500);
        let about = body.to_string().chars().take(60).collect::<String>();
        expect_little(&about, &String::from_utf8(reply.body).unwrap());
    }
}

/// Forms with long texts where short ones are expected, as far as they fit into the head of a part.
fn ask_by_form(program: &Program, endpoint: &Endpoint) {
    let long: String = long().chars().take(10_000).collect();
    let named = endpoint.files(&[(format!("filename=\"{long}.png\"").as_str(), b"no picture")]);
    let field = format!("--cut\r\nContent-Disposition: form-data; name=\"{long}\"\r\n\r\nx\r\n");
    for body in [named, endpoint.form(&[field.into_bytes()])] {
        let answer = exchange(program, &endpoint.request(&body), 1 << 20);
        // A page has more text of its own.
        let repeated = answer.matches(MARK).count();
        assert!(repeated <= MAX + 20, "{}: {repeated} characters come back", endpoint.name);
    }
}

#[tokio::test]
async fn answers_repeat_only_a_little_of_a_clients_text() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let client = program.client_of(program.first_key());
    ask_rest(&client).await;
    ask_graphql(&client).await;
    for endpoint in uploads(&test_dir, &program).await {
        ask_by_form(&program, &endpoint);
    }
}

#[tokio::test]
async fn the_log_names_client_and_reason_and_repeats_little_of_the_request() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let nobody = program.client();
    assert_eq!(nobody.with_key("pk_nothing").get("/graphql?query=x").await.status, 401);
    program.wait_for_log("code=\"INVALID_API_KEY\"");
    let path: String = long().chars().take(8_000).collect();
    assert_eq!(nobody.get(&format!("/{path}")).await.status, 404);
    program.wait_for_log("code=\"ENDPOINT_NOT_FOUND\"");
    let log = program.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("rasterd::access")).collect();
    assert!(lines.iter().all(|line| line.contains("address=127.0.0.1")), "{lines:?}");
    assert!(lines.iter().all(|line| line.len() < 1000), "a line is too long");
}

#[test]
fn an_invalid_host_is_refused_and_a_final_dot_is_ignored() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let answer = |hosts: &str| {
        let mut connection = program.connect();
        connection
            .send(format!("POST /mcp HTTP/1.1\r\n{hosts}Connection: close\r\nContent-Length: 0\r\n\r\n"));
        connection.read_to_end()
    };
    for host in ["a b/c?<>", "", "localhost:1@evil", "localhost:x", "[::1"] {
        assert!(answer(&format!("Host: {host}\r\n")).starts_with("HTTP/1.1 400"), "{host}");
    }
    assert!(answer("Host: localhost\r\nHost: localhost\r\n").starts_with("HTTP/1.1 400"));
    assert!(answer("Host: evil.example\r\n").starts_with("HTTP/1.1 403"));
    for host in ["localhost", "localhost.", "localhost.:8443"] {
        assert!(answer(&format!("Host: {host}\r\n")).starts_with("HTTP/1.1 401"), "{host}");
    }
}
