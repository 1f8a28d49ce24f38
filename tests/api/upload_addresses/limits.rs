//! What an address refuses before the bytes are sent, and how many may be open.

use std::time::Duration;

use rasterd::core::quotas::QuotaChange;
use rasterd::testing::{TestDisk, TestServer};
use serde_json::json;

use super::resumable::patch;
use super::{UPLOADS, address, address_of, names, other_writer, put};
use crate::rest::{Scene, picture};
use crate::support::raw::Raw;
use crate::support::waiting::no_file_is_temporary;

/// The answer to the head of a `PUT` whose client waits before it sends the body, as `curl -T` does.
fn waiting(scene: &Scene, path: &str, length: u64) -> (Raw, String) {
    let mut connection = Raw::open(&scene.server);
    connection.send(format!(
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    ));
    let answer = connection.answer();
    (connection, answer)
}

#[tokio::test]
async fn a_body_that_would_be_refused_is_not_sent() {
    let scene = Scene::on(TestServer::start_with(|settings, _| settings.limits.file_bytes = 1 << 20)).await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    for (path, length, answer) in [
        (path.clone(), (1 << 20) + 1, "HTTP/1.1 413 "),
        (format!("/uploads/{}", "a".repeat(43)), 10, "HTTP/1.1 404 "),
    ] {
        let (_, found) = waiting(&scene, &path, length);
        assert!(found.starts_with(answer), "{found}");
        // A client that does not wait gets the same.
        let mut connection = Raw::open(&scene.server);
        connection
            .send(format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"));
        let found = connection.answer();
        assert!(found.starts_with(answer), "{found}");
    }
    let (core, by) = (scene.server.core(), scene.server.administrator());
    let little = QuotaChange { storage: Some(Some(1000)), ..QuotaChange::default() };
    core.set_quota(by.clone(), "acme", little).await.unwrap();
    let (_, found) = waiting(&scene, &path, 1001);
    assert!(found.starts_with("HTTP/1.1 403 ") && found.contains("STORAGE_LIMIT_EXCEEDED"), "{found}");
    // What arrived of other uploads counts, too.
    let other = address(&scene, json!({ "filename": "b.png" })).await;
    assert_eq!(patch(&scene.anyone, &other, 0, &picture("b")).await.status, 204);
    let (_, found) = waiting(&scene, &path, 1000);
    assert!(found.starts_with("HTTP/1.1 403 ") && found.contains("STORAGE_LIMIT_EXCEEDED"), "{found}");
    core.set_quota(by, "acme", QuotaChange { storage: Some(None), ..little }).await.unwrap();

    // None of that has used the address.
    let bytes = picture("a");
    let (mut connection, found) = waiting(&scene, &path, bytes.len() as u64);
    assert!(found.starts_with("HTTP/1.1 100 "), "{found}");
    connection.send(bytes);
    let found = connection.answer();
    assert!(found.starts_with("HTTP/1.1 201 "), "{found}");
}

/// One whose size is not announced is refused where it is too much, before the rest of it is sent.
#[tokio::test]
async fn a_body_of_unknown_size_is_cut_off_where_it_is_too_much() {
    let scene = Scene::on(TestServer::start_with(|settings, _| settings.limits.file_bytes = 1 << 20)).await;
    let (core, by) = (scene.server.core(), scene.server.administrator());
    let part =
        "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n";
    let part_of_1000 = format!("{part}Upload-Length: 1000\r\n");
    for (method, headers, quota, size, status) in [
        ("PUT", "", Some(1000), 300_000, 403),
        ("PATCH", part, Some(1000), 300_000, 403),
        ("PATCH", &part_of_1000, None, 1001, 413),
        ("PATCH", part, None, (1 << 20) + 1, 413),
    ] {
        let quota = QuotaChange { storage: Some(quota), ..QuotaChange::default() };
        core.set_quota(by.clone(), "acme", quota).await.unwrap();
        let path = address(&scene, json!({ "filename": "a.png" })).await;
        let mut connection = Raw::open(&scene.server);
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n");
        connection.send(format!("{head}{headers}\r\n"));
        let mut bytes = picture("a");
        bytes.resize(size, 7);
        let _cut_off = connection.try_send([format!("{size:x}\r\n").as_bytes(), &bytes, b"\r\n"].concat());
        let found = connection.answer();
        assert!(found.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {headers}{size}: {found}");
    }
    no_file_is_temporary(&scene.server.data_dir()).await;
    assert_eq!(names(&scene).await.len(), 0);
}

#[tokio::test]
async fn an_upload_without_room_on_the_disk_is_not_sent() {
    let disk = TestDisk::default();
    let scene = Scene::on(TestServer::builder().disk(&disk).start()).await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    disk.leave_room(8 << 20);
    let (_, found) = waiting(&scene, &path, 32 << 20);
    assert!(found.starts_with("HTTP/1.1 507 ") && found.contains("STORAGE_FULL"), "{found}");
    disk.repair();
    assert_eq!(put(&scene.anyone, &path, picture("a")).await.status, 201);
}

#[tokio::test]
async fn a_file_of_another_type_is_refused_by_its_first_bytes() {
    let scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    let mut connection = Raw::open(&scene.server);
    connection.send(format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\n"));
    connection.send(vec![b'x'; 600_000]);
    let found = connection.answer();
    assert!(found.starts_with("HTTP/1.1 400 ") && found.contains("its type is not accepted"), "{found}");
    no_file_is_temporary(&scene.server.data_dir()).await;
    assert_eq!(put(&scene.anyone, &path, picture("a")).await.status, 201);
}

#[tokio::test]
async fn a_body_that_is_too_long_or_breaks_off_leaves_the_address_as_it_was() {
    let scene = Scene::on(TestServer::start_with(|settings, _| settings.limits.file_bytes = 1 << 20)).await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    let head = format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\n");
    let mut connection = Raw::open(&scene.server);
    connection.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
    let mut bytes = picture("a");
    bytes.resize((1 << 20) + 1, 7);
    let _cut_off = connection.try_send([format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes].concat());
    let found = connection.answer();
    assert!(found.starts_with("HTTP/1.1 413 "), "{found}");
    let mut connection = Raw::open(&scene.server);
    connection.send(format!("{head}Content-Length: 1000\r\n\r\n"));
    connection.send(picture("a"));
    drop(connection);
    no_file_is_temporary(&scene.server.data_dir()).await;
    assert_eq!(names(&scene).await.len(), 0);
    assert_eq!(put(&scene.anyone, &path, picture("a")).await.status, 201);
}

#[tokio::test]
async fn a_key_may_have_only_so_many_addresses_open() {
    let scene =
        Scene::on(TestServer::start_with(|settings, _| settings.limits.open_uploads_per_key = 2)).await;
    let new = || scene.writer.post(UPLOADS, json!({ "filename": "a.png" }));
    let first = address(&scene, json!({ "filename": "a.png" })).await;
    assert_eq!(new().await.status, 201);
    let refused = new().await;
    assert_eq!((refused.status, refused.error_code().as_str()), (429, "RATE_LIMITED"));
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    let other = other_writer(&scene).await;
    address_of(&scene, &other).await;
    assert_eq!(put(&scene.anyone, &first, picture("a")).await.status, 201);
    assert_eq!(new().await.status, 201, "one that was used is not open");
    assert_eq!(new().await.status, 429);
    scene.server.clock().advance(Duration::from_mins(15));
    assert_eq!(new().await.status, 201, "those that have expired are not open");
}
