//! Addresses that are of no use any more: one answer for all of them, also in the middle of an upload.

use std::time::Duration;

use rasterd::core::model::Access;
use rasterd::testing::TestKey;
use reqwest::Method;
use serde_json::json;

use super::{address, address_of, expect_no_such_upload, names, other_writer, put};
use crate::rest::{Scene, picture};
use crate::revocation::Change;
use crate::support::raw::Raw;
use crate::support::waiting::{a_file_arrives, no_file_is_temporary};
use crate::support::{Reply, send};

/// A picture by its first bytes, which takes several writes to arrive.
const LARGE: usize = 3_000_000;

/// Every request that an address takes.
async fn every_request(scene: &Scene, path: &str) -> Vec<Reply> {
    let tus = |method| scene.anyone.request(method, path).header("Tus-Resumable", "1.0.0");
    let part = tus(Method::PATCH).header("Content-Type", "application/offset+octet-stream");
    vec![
        put(&scene.anyone, path, picture("a")).await,
        send(part.header("Upload-Offset", "0").body(picture("a"))).await,
        send(tus(Method::DELETE)).await,
        send(tus(Method::HEAD)).await,
    ]
}

#[tokio::test]
async fn every_useless_address_gets_the_same_answer() {
    let scene = Scene::new().await;
    let mut useless = vec![("unknown", format!("/uploads/{}", "a".repeat(43)))];
    useless.push(("malformed", "/uploads/a".to_owned()));
    let used = address(&scene, json!({ "filename": "a.png" })).await;
    assert_eq!(put(&scene.anyone, &used, picture("a")).await.status, 201);
    useless.push(("used", used));
    for change in Change::ALL {
        let key = other_writer(&scene).await;
        let path = address_of(&scene, &key).await;
        change.make(&scene.server, &key).await;
        useless.push(("revoked", path));
    }
    let expired = address(&scene, json!({ "filename": "a.png" })).await;
    scene.server.clock().advance(Duration::from_mins(15));
    useless.push(("expired", expired));
    let mut answers: Option<Vec<_>> = None;
    for (why, path) in useless {
        let mut found = Vec::new();
        for mut reply in every_request(&scene, &path).await {
            assert_eq!(reply.status, 404, "{why}");
            reply.headers.remove("date");
            reply.headers.remove("x-request-id");
            found.push((reply.headers, reply.body));
        }
        assert_eq!(*answers.get_or_insert(found.clone()), found, "{why}");
    }
    let body = answers.unwrap()[0].1.clone();
    assert!(String::from_utf8(body).unwrap().contains("has been used or has expired"));
    assert_eq!(names(&scene).await, ["a"]);
}

/// The first half has arrived when the key changes; the client still sends the other half.
#[tokio::test]
async fn an_upload_whose_key_changes_is_ended_and_leaves_nothing() {
    let scene = Scene::new().await;
    for change in Change::ALL {
        let key = other_writer(&scene).await;
        let path = address_of(&scene, &key).await;
        let mut connection = Raw::open(&scene.server);
        connection.send(format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LARGE}\r\n\r\n"));
        let mut bytes = picture("a");
        bytes.resize(LARGE, 7);
        connection.send(&bytes[..LARGE / 2]);
        a_file_arrives(&scene.server.data_dir()).await;
        change.make(&scene.server, &key).await;
        let _cut_off = connection.try_send(&bytes[LARGE / 2..]);
        let answer = connection.answer();
        assert!(
            answer.starts_with("HTTP/1.1 404 ") && answer.contains("has been used or has expired"),
            "{answer}"
        );
        no_file_is_temporary(&scene.server.data_dir()).await;
    }
    assert_eq!(names(&scene).await.len(), 0);
}

#[tokio::test]
async fn a_key_that_expires_takes_its_addresses_along() {
    let scene = Scene::new().await;
    let (core, by) = (scene.server.core(), scene.server.administrator());
    let grants = vec![("photos".to_owned(), Some(Access::Write))];
    let (plain, info) = core.create_key(by, "acme", "brief", grants, Some(60_000)).await.unwrap();
    let key = TestKey { id: info.key.id, token: plain.reveal().to_owned() };
    let path = address_of(&scene, &key).await;
    scene.server.clock().advance(Duration::from_mins(1));
    expect_no_such_upload(&put(&scene.anyone, &path, picture("a")).await);
}
