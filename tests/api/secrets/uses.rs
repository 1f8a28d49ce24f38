//! Requests with a key: good ones, and every kind of bad one.

use std::io::Write;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use super::canaries::Canaries;
use crate::rest::{Form, picture};
use crate::support::mcp::{base64_source, tool};
use crate::support::program::{ASSETS, LIBRARY, Program};
use crate::support::raw::{read_to_end, tcp_to};
use crate::support::{Client, send};

/// Requests that most keys may make.
pub async fn use_well(client: &Client) {
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

/// Uses upload addresses, rightly and wrongly, and leaves one with a part of a file. Their tokens are secrets.
pub async fn use_addresses(program: &Program, key: &str, canaries: &mut Canaries, shown: &mut Vec<Vec<u8>>) {
    let anyone = program.client();
    for _ in 0..2 {
        let made =
            program.rest_of(key).post(&format!("{LIBRARY}/uploads"), json!({ "filename": "u.png" })).await;
        if made.status != 201 {
            // Some of the keys are not live.
            return;
        }
        let url = made.json()["data"]["uploadUrl"].as_str().unwrap().to_owned();
        let path = url.strip_prefix(program.url()).unwrap();
        canaries.add("an upload address", path.strip_prefix("/uploads/").unwrap());
        let part = || {
            let request = anyone.request(Method::PATCH, path).header("Tus-Resumable", "1.0.0");
            request.header("Upload-Offset", "0").header(CONTENT_TYPE, "application/offset+octet-stream")
        };
        for request in [
            anyone.request(Method::PUT, path).body("no picture"),
            anyone.request(Method::GET, path),
            anyone.request(Method::GET, &format!("{path}/x")),
            part().body(picture("part")),
            part().body("elsewhere"),
        ] {
            shown.push(send(request).await.body);
        }
        let mut plain = tcp_to(program.port()).unwrap();
        plain.write_all(format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
        shown.push(read_to_end(&mut plain).into());
        let stored = send(anyone.request(Method::PUT, path).body(picture("u"))).await;
        assert_eq!(stored.status, 201);
        shown.push(stored.body);
        shown.push(send(anyone.request(Method::PUT, path).body(picture("u"))).await.body);
    }
}

/// Requests that fail, in every layer, and those that have the key where it should not be. What is answered is added to
/// `shown`.
pub async fn use_badly(program: &Program, key: &str, shown: &mut Vec<Vec<u8>>) {
    let client = program.client_of(key);
    for path in ["/me", "/nowhere", "/organizations/none/libraries", "/organizations/default/libraries/none"]
    {
        shown.push(client.get(path).await.body);
    }
    for path in [
        format!("/{key}"),
        format!("/organizations/{key}/libraries"),
        format!("/me?key={key}"),
        format!("{ASSETS}?tags={key}&page=x"),
        format!("/cdn/a/b?t={key}"),
    ] {
        shown.push(client.get(&path).await.body);
        shown.push(program.client().get(&path).await.body);
    }
    for (path, body) in [("/graphql", "{"), ("/graphql", r#"{"query":"{ nothing }"}"#), ("/mcp", "[]")] {
        let request = client.request(Method::POST, path).header(CONTENT_TYPE, "application/json");
        shown.push(send(request.body(body)).await.body);
    }
    let anonymous = || program.client().request(Method::GET, "/me");
    for request in [
        tool(&client, "no_such_tool", &json!({})),
        tool(&client, "list_assets", &json!({ "organizationId": key, "libraryId": 7 })),
        client.request(Method::POST, ASSETS).header("Api-Version", "2026-07-08").body("no form"),
        anonymous().header("Authorization", format!("Key {key}")),
        anonymous().header("X-Api-Key", key),
    ] {
        shown.push(send(request).await.body);
    }
    send_raw(program, key, shown);
}

/// Malformed requests: heads with mistakes around the key, a body that breaks off, and plain HTTP.
fn send_raw(program: &Program, key: &str, shown: &mut Vec<Vec<u8>>) {
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
        shown.push(connection.read_to_end().into());
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
