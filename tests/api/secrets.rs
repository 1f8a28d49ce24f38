//! The plain key is only in the output for its creator: not in the data directory, and not in the log at its finest level,
//! whatever was done with it.

use std::io::Write;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use crate::rest::{Form, picture};
use crate::support::mcp::{base64_source, tool};
use crate::support::program::{ASSETS, Program, TestDir};
use crate::support::raw::{read_to_end, tcp_to};
use crate::support::{Client, send};

/// The first characters of a key are stored, to recognise it.
const SHOWN: usize = 7;
/// A part of a key that is long enough not to occur by chance.
const PART: usize = 8;

#[tokio::test]
async fn no_key_is_stored_or_logged() {
    for format in ["text", "json"] {
        let test_dir =
            TestDir::new().with("RASTERD__LOG__LEVEL", "trace").with("RASTERD__LOG__FORMAT", format);
        let mut program = test_dir.serve();
        let mut keys = vec![program.first_key().to_owned()];
        // As the first start recommends: the key is read, and the file is removed.
        std::fs::remove_file(test_dir.first_key_file()).unwrap();
        keys.extend(keys_made_by_commands(&test_dir));
        for key in &keys {
            use_well(&program.client_of(key)).await;
            use_badly(&program, key).await;
        }
        program.wait_for_log("over plain HTTP");
        assert_unwritten(&test_dir, &program, &keys);
        program.signal(rustix::process::Signal::TERM);
        assert_eq!(program.wait().code(), Some(0));
        keys.extend(keys_made_by_commands(&test_dir));
        assert_unwritten(&test_dir, &program, &keys);
    }
}

/// Keys that are created and regenerated, through the server when one runs.
fn keys_made_by_commands(test_dir: &TestDir) -> Vec<String> {
    let made = test_dir.json(&["key", "create", "Made", "--org", "default", "--grant", "library=write"]);
    let id = made["id"].as_str().unwrap();
    let regenerated = test_dir.done(&["key", "regenerate", id]);
    vec![made["key"].as_str().unwrap().to_owned(), regenerated.trim().to_owned()]
}

/// Requests that most keys may make.
async fn use_well(client: &Client) {
    let versioned = |method, path: &str| client.request(method, path).header("Api-Version", "2026-07-08");
    send(versioned(Method::GET, "/me")).await;
    let mut form = Form::default();
    form.file("files", "a.png", &picture("a"));
    let upload = versioned(Method::POST, ASSETS).header(CONTENT_TYPE, Form::CONTENT_TYPE);
    send(upload.body(form.finish())).await;
    client.post_json("/graphql", &json!({ "query": "{ viewer { organizationId } }" })).await;
    send(tool(client, "whoami", &json!({}))).await;
    let source = base64_source("b.png", &picture("b"));
    let arguments = json!({ "organizationId": "default", "libraryId": "library", "source": source });
    send(tool(client, "upload_asset", &arguments)).await;
}

/// Requests that fail, in every layer, and those that have the key where it should not be.
async fn use_badly(program: &Program, key: &str) {
    let client = program.client_of(key);
    for path in ["/me", "/nowhere", "/organizations/none/libraries", "/organizations/default/libraries/none"]
    {
        client.get(path).await;
    }
    for path in [
        format!("/{key}"),
        format!("/organizations/{key}/libraries"),
        format!("/me?key={key}"),
        format!("{ASSETS}?tags={key}&page=x"),
        format!("/cdn/a/b?t={key}"),
    ] {
        client.get(&path).await;
        program.client().get(&path).await;
    }
    for (path, body) in [("/graphql", "{"), ("/graphql", r#"{"query":"{ nothing }"}"#), ("/mcp", "[]")] {
        let request = client.request(Method::POST, path).header(CONTENT_TYPE, "application/json");
        send(request.body(body)).await;
    }
    send(tool(&client, "no_such_tool", &json!({}))).await;
    send(tool(&client, "list_assets", &json!({ "organizationId": key, "libraryId": 7 }))).await;
    send(client.request(Method::POST, ASSETS).header("Api-Version", "2026-07-08").body("no form")).await;
    let other_scheme =
        program.client().request(Method::GET, "/me").header("Authorization", format!("Key {key}"));
    send(other_scheme).await;
    send(program.client().request(Method::GET, "/me").header("X-Api-Key", key)).await;
    send_raw(program, key);
}

/// Malformed requests: heads with mistakes around the key, a body that breaks off, and plain HTTP.
fn send_raw(program: &Program, key: &str) {
    let authorization = format!("Authorization: Bearer {key}\r\n");
    for head in [
        format!("GET /me HTTP/1.1\r\nHost: localhost\r\n{authorization}Bad Header\r\n\r\n"),
        format!("GET /me HTTP/1.1\n{authorization}\n\n"),
        format!("GET /me HTTP/1.1\r\nHost: a\r\nHost: b\r\n{authorization}\r\n"),
        format!("POST {ASSETS} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Length: x\r\n\r\n"),
        format!("BREW /{key} HTTP/9.9\r\nHost: localhost\r\n{authorization}\r\n"),
    ] {
        let mut connection = program.connect();
        connection.send(head);
        connection.read_to_end();
    }
    let mut broken = program.connect();
    broken.send(format!(
        "POST {ASSETS} HTTP/1.1\r\nHost: localhost\r\nApi-Version: 2026-07-08\r\n{authorization}\
         Content-Type: {}\r\nContent-Length: 1000\r\n\r\n------border\r\n",
        Form::CONTENT_TYPE
    ));
    drop(broken);
    let mut plain = tcp_to(program.port()).unwrap();
    plain
        .write_all(format!("GET /me HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n").as_bytes())
        .unwrap();
    assert!(read_to_end(&mut plain).contains("HTTPS_REQUIRED"));
}

fn assert_unwritten(test_dir: &TestDir, program: &Program, keys: &[String]) {
    let (output, log) = (program.output(), program.log());
    assert!(log.contains("/me") && log.contains("over plain HTTP"), "the log says what happened:\n{log}");
    let mut places = vec![("the log".to_owned(), log)];
    for file in test_dir.files() {
        // The socket of a running server can't be read, and contains nothing.
        let Ok(bytes) = std::fs::read(&file) else { continue };
        places.push((file.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    assert!(places.len() > 3, "there are files to look at");
    let parts = keys.iter().flat_map(|key| {
        let secret = &key.as_bytes()[SHOWN..];
        secret.chunks_exact(PART).map(|part| std::str::from_utf8(part).unwrap())
    });
    for part in parts {
        for (place, text) in &places {
            assert!(!text.contains(part), "{place} has a part of a key in it");
        }
    }
    for key in &keys[1..] {
        assert!(!output.contains(key.as_str()), "the server prints no key but the first");
    }
}
