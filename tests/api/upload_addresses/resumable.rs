//! Uploads in parts by tus: they go on at the offset that was acknowledged, after a lost connection, a restart and a kill.

use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rasterd::core::quotas::QuotaChange;
use rasterd::testing::TestServer;
use reqwest::Method;
use serde_json::json;

use super::{address, address_of, expect_no_such_upload, names, other_writer, put};
use crate::rest::{Scene, picture};
use crate::support::program::{LIBRARY, TestDir, poll};
use crate::support::raw::Raw;
use crate::support::waiting::until;
use crate::support::{Client, Reply, send};

pub fn tus(client: &Client, method: Method, path: &str) -> reqwest::RequestBuilder {
    client.request(method, path).header("Tus-Resumable", "1.0.0")
}

pub async fn head(client: &Client, path: &str) -> Reply {
    send(tus(client, Method::HEAD, path)).await
}

fn part(client: &Client, path: &str, offset: u64, bytes: &[u8]) -> reqwest::RequestBuilder {
    tus(client, Method::PATCH, path)
        .header("Content-Type", "application/offset+octet-stream")
        .header("Upload-Offset", offset)
        .body(bytes.to_vec())
}

pub async fn patch(client: &Client, path: &str, offset: u64, bytes: &[u8]) -> Reply {
    send(part(client, path, offset, bytes)).await
}

async fn offset(client: &Client, path: &str) -> u64 {
    let reply = head(client, path).await;
    assert_eq!(reply.status, 200);
    reply.header("upload-offset").parse().unwrap()
}

/// A picture of this many bytes, which differ from one to the next.
fn large(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = picture(&format!("{seed}"));
    let mut random = StdRng::seed_from_u64(seed);
    bytes.extend((bytes.len()..length).map(|_| random.random::<u8>()));
    bytes
}

/// The files with what arrived of uploads.
fn partial(data_dir: &Path) -> usize {
    std::fs::read_dir(data_dir.join("partial")).map_or(0, Iterator::count)
}

/// How many bytes are in them.
fn partial_bytes(data_dir: &Path) -> u64 {
    let files = std::fs::read_dir(data_dir.join("partial")).unwrap();
    files.map(|file| file.unwrap().metadata().map_or(0, |found| found.len())).sum()
}

/// What the url of the newest asset serves.
async fn served(scene: &Scene) -> Vec<u8> {
    let assets = scene.writer.get(crate::rest::ASSETS).await.json();
    let url = assets["data"][0]["url"].as_str().unwrap().to_owned();
    scene.anyone.get(url.strip_prefix(scene.server.url()).unwrap()).await.body
}

#[tokio::test]
async fn a_file_arrives_in_parts_and_its_size_may_be_said_late() {
    let scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    let (bytes, client) = (large(1, 700_000), &scene.anyone);
    let begun = head(client, &path).await;
    assert_eq!((begun.header("upload-offset"), begun.header("upload-defer-length")), ("0", "1"));
    assert_eq!(begun.header("cache-control"), "private, no-store");
    let mut sent = 0;
    for end in [1, 300_000, 300_000, 699_999] {
        let reply = patch(client, &path, sent as u64, &bytes[sent..end]).await;
        assert_eq!((reply.status, reply.header("upload-offset")), (204, end.to_string().as_str()));
        assert_eq!(offset(client, &path).await, end as u64);
        sent = end;
    }
    assert_eq!(names(&scene).await.len(), 0);
    let last = part(client, &path, 699_999, &bytes[699_999..]).header("Upload-Length", 700_000);
    let last = send(last).await;
    assert_eq!((last.status, last.header("upload-offset")), (204, "700000"));
    assert!(!last.header("asset-id").is_empty() && last.header("content-location").contains("/cdn/"));
    assert!(served(&scene).await == bytes, "it is the file that was sent");
    assert_eq!(partial(&scene.server.data_dir()), 0);
    expect_no_such_upload(&patch(client, &path, 700_000, b"").await);
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_wherever_it_breaks_off() {
    let mut scene = Scene::new().await;
    let mut random = StdRng::seed_from_u64(7);
    for seed in 0..4 {
        let bytes = large(seed, random.random_range(100..900_000));
        let path = address(&scene, json!({ "filename": format!("{seed}.png") })).await;
        let mut breaks = 0;
        loop {
            let client = Client::new(&scene.server);
            let reply = head(&client, &path).await;
            let at: usize = reply.header("upload-offset").parse().unwrap();
            let cut = random.random_range(at..=bytes.len());
            if breaks < 6 && cut < bytes.len() {
                // More is announced than sent.
                let mut connection = Raw::open(&scene.server);
                let length = bytes.len();
                connection.send(format!(
                    "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {at}\r\n\
                     Upload-Length: {length}\r\nContent-Type: application/offset+octet-stream\r\n\
                     Content-Length: {}\r\n\r\n",
                    length - at
                ));
                connection.send(&bytes[at..cut]);
                drop(connection);
                let kept = offset(&client, &path).await;
                assert!((at as u64..=cut as u64).contains(&kept), "{kept} of {at} to {cut}");
                breaks += 1;
                if breaks % 3 == 0 {
                    scene.server.restart();
                }
                continue;
            }
            let last = part(&client, &path, at as u64, &bytes[at..]).header("Upload-Length", bytes.len());
            assert_eq!(send(last).await.status, 204);
            break;
        }
        scene.anyone = Client::new(&scene.server);
        scene.writer.client = scene.anyone.with_key(&scene.writer_key.token);
        assert!(served(&scene).await == bytes, "{seed}");
    }
    assert_eq!(names(&scene).await, ["3", "2", "1", "0"]);
}

/// What was acknowledged before a kill is there after it.
#[tokio::test]
async fn an_upload_goes_on_after_the_server_is_killed() {
    let test_dir = TestDir::new();
    let mut program = test_dir.serve();
    let key = program.first_key().to_owned();
    let bytes = large(3, 40 << 20);
    let made =
        program.rest_of(&key).post(&format!("{LIBRARY}/uploads"), json!({ "filename": "a.png" })).await;
    let url = made.json()["data"]["uploadUrl"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(program.url()).unwrap().to_owned();
    let acknowledged = patch(&program.client(), &path, 0, &bytes[..100_000]).await;
    assert_eq!(acknowledged.status, 204);
    let mut before = 100_000;
    for round in 0..3_usize {
        let mut connection = program.connect();
        connection.send(format!(
            "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {before}\r\n\
             Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
            bytes.len() as u64 - before
        ));
        let at = usize::try_from(before).unwrap();
        connection.send(&bytes[at..at + (10 << 20) + 70_000 * round]);
        // What is made durable after 8 MiB is written before what follows it.
        let data_dir = test_dir.data_dir();
        poll("it is written", || (partial_bytes(&data_dir) >= before + (9 << 20)).then_some(()));
        program.kill();
        program = test_dir.serve();
        let now = offset(&program.client(), &path).await;
        assert!(now >= before + (8 << 20), "{now} bytes are left, of {before} and more");
        assert!(now <= before + (11 << 20));
        before = now;
    }
    let at = usize::try_from(before).unwrap();
    let last = part(&program.client(), &path, before, &bytes[at..]).header("Upload-Length", bytes.len());
    assert_eq!(send(last).await.status, 204);
    let rest = program.rest_of(&key);
    let asset = rest.get(&format!("{LIBRARY}/assets")).await.json()["data"][0].clone();
    let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
    assert!(program.client().get(url.path()).await.body == bytes, "it is the file that was sent");
    assert_eq!(partial(&test_dir.data_dir()), 0);
}

/// A damaged disk may have less than was recorded.
#[tokio::test]
async fn what_the_disk_lost_is_sent_again() {
    let scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    let (bytes, client) = (large(2, 1000), &scene.anyone);
    assert_eq!(patch(client, &path, 0, &bytes[..600]).await.status, 204);
    let folder = scene.server.data_dir().join("partial");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(100).unwrap();
    assert_eq!(offset(client, &path).await, 100);
    assert_eq!(patch(client, &path, 600, &bytes[600..]).await.status, 409);
    std::fs::remove_file(file).unwrap();
    assert_eq!(offset(client, &path).await, 0);
    let whole = part(client, &path, 0, &bytes).header("Upload-Length", 1000);
    assert_eq!(send(whole).await.status, 204);
    assert!(served(&scene).await == bytes);
}

/// A client that reads that everything arrived sends nothing more, so the file has to be stored then.
#[tokio::test]
async fn a_file_of_which_all_bytes_arrived_is_stored_when_its_client_asks() {
    let scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    // As many as are written at once, so that the disk shows when they arrived.
    let bytes = large(9, 256 << 10);
    // The last bytes are followed by what breaks the body.
    let mut connection = Raw::open(&scene.server);
    let length = bytes.len();
    connection.send(format!(
        "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Upload-Length: {length}\r\nContent-Type: application/offset+octet-stream\r\n\
         Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n"
    ));
    connection.send(&bytes);
    connection.send("\r\n");
    let data_dir = scene.server.data_dir();
    until("all bytes arrived", async || (partial_bytes(&data_dir) == length as u64).then_some(())).await;
    drop(connection);
    let reply = until("the file is stored", async || {
        let reply = head(&scene.anyone, &path).await;
        (!reply.header("asset-id").is_empty()).then_some(reply)
    })
    .await;
    assert_eq!((reply.status, reply.header("upload-offset")), (200, length.to_string().as_str()));
    assert_eq!(names(&scene).await, ["a"]);
    expect_no_such_upload(&patch(&scene.anyone, &path, length as u64, b"").await);
}

#[tokio::test]
async fn a_newer_request_ends_one_that_hangs() {
    let scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    let bytes = large(5, 600_000);
    let mut hanging = Raw::open(&scene.server);
    hanging.send(format!(
        "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n"
    ));
    assert!(hanging.answer().starts_with("HTTP/1.1 100 "));
    hanging.send(&bytes[..500_000]);
    let data_dir = scene.server.data_dir();
    until("bytes are written", async || (partial_bytes(&data_dir) >= 256 << 10).then_some(())).await;
    // The connection is open, and sends nothing more.
    let at = offset(&scene.anyone, &path).await;
    assert!((256 << 10..=500_000).contains(&at), "{at}");
    let answer = hanging.answer();
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
    let at_bytes = usize::try_from(at).unwrap();
    let last = part(&scene.anyone, &path, at, &bytes[at_bytes..]).header("Upload-Length", bytes.len());
    assert_eq!(send(last).await.status, 204);
    assert!(served(&scene).await == bytes);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_keeps_what_arrived() {
    let scene = Scene::on(TestServer::start_with(|settings, _| settings.limits.file_bytes = 1 << 20)).await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    let (bytes, client) = (large(1, 1000), &scene.anyone);
    let first = send(part(client, &path, 0, &bytes[..10]).header("Upload-Length", 1000)).await;
    assert_eq!(first.status, 204);
    let typed = |kind: &str| {
        tus(client, Method::PATCH, &path).header("Upload-Offset", 10).header("Content-Type", kind).body("x")
    };
    for (request, status) in [
        (part(client, &path, 9, b"x"), 409),
        (part(client, &path, 11, b"x"), 409),
        (part(client, &path, 10, b"x").header("Upload-Length", 999), 400),
        (part(client, &path, 10, b"x").header("Upload-Length", "many"), 400),
        (part(client, &path, 10, b"x").header("Upload-Offset", 11), 400),
        (part(client, &path, 10, b"x").header("Upload-Length", 1000).header("Upload-Length", 1), 400),
        (part(client, &path, 10, &[0; 991]), 413),
        (typed("image/png"), 415),
        (client.request(Method::PATCH, &path).header("Upload-Offset", 10).body("x"), 412),
        (client.request(Method::HEAD, &path), 412),
        (client.request(Method::DELETE, &path).header("Tus-Resumable", "0.2.2"), 412),
        (tus(client, Method::PATCH, &path).header("Content-Type", "application/offset+octet-stream"), 400),
        (tus(client, Method::POST, &path), 405),
    ] {
        let reply = send(request).await;
        assert_eq!(reply.status, status, "{}", String::from_utf8_lossy(&reply.body));
        assert_eq!(status == 412, !reply.header("tus-version").is_empty());
        assert_eq!(offset(client, &path).await, 10);
    }
    let other = address(&scene, json!({ "filename": "b.png" })).await;
    let too_large = send(part(client, &other, 0, b"x").header("Upload-Length", (1 << 20) + 1)).await;
    assert_eq!((too_large.status, too_large.error_code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    let options = send(client.request(Method::OPTIONS, &path)).await;
    assert_eq!((options.status, options.header("tus-version")), (204, "1.0.0"));
    assert_eq!(options.header("tus-max-size"), (1_u64 << 20).to_string());
    assert!(options.header("tus-extension").contains("termination"));
    assert_eq!(patch(client, &path, 10, &bytes[10..]).await.status, 204);
    assert!(served(&scene).await == bytes);
}

#[tokio::test]
async fn a_file_that_is_not_accepted_is_forgotten_and_another_may_be_sent() {
    let scene = Scene::new().await;
    let client = &scene.anyone;
    for (wrong, length) in [(vec![b'x'; 100], 100_usize), (vec![b'x'; 600_000], 900_000_000)] {
        let path = address(&scene, json!({ "filename": "a.png" })).await;
        let refused = send(part(client, &path, 0, &wrong).header("Upload-Length", length)).await;
        assert_eq!((refused.status, refused.error_code().as_str()), (400, "BAD_USER_INPUT"));
        assert!(String::from_utf8_lossy(&refused.body).contains("its type is not accepted"));
        assert_eq!(offset(client, &path).await, 0);
        assert_eq!(put(client, &path, picture("right")).await.status, 201);
    }
    assert_eq!(names(&scene).await.len(), 2);
}

#[tokio::test]
async fn parts_count_towards_the_quota_until_they_are_deleted() {
    let scene = Scene::new().await;
    let (core, by) = (scene.server.core(), scene.server.administrator());
    let quota = QuotaChange { storage: Some(Some(1000)), ..QuotaChange::default() };
    core.set_quota(by, "acme", quota).await.unwrap();
    let client = &scene.anyone;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    assert_eq!(patch(client, &path, 0, &large(1, 950)).await.status, 204);
    let other = address(&scene, json!({ "filename": "b.png" })).await;
    let refused = put(client, &other, picture("b")).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (403, "STORAGE_LIMIT_EXCEEDED"));
    let refused = patch(client, &path, 950, &[0; 51]).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (403, "STORAGE_LIMIT_EXCEEDED"));
    let ended = send(tus(client, Method::DELETE, &path)).await;
    assert_eq!(ended.status, 204);
    assert_eq!(partial(&scene.server.data_dir()), 0);
    expect_no_such_upload(&patch(client, &path, 950, b"").await);
    assert_eq!(put(client, &other, picture("b")).await.status, 201);
}

#[tokio::test]
async fn parts_that_nobody_may_finish_are_deleted() {
    let scene = Scene::new().await;
    let (core, data_dir) = (scene.server.core().clone(), scene.server.data_dir());
    let key = other_writer(&scene).await;
    let revoked = address_of(&scene, &key).await;
    let kept = address(&scene, json!({ "filename": "a.png" })).await;
    for path in [&revoked, &kept] {
        assert_eq!(patch(&scene.anyone, path, 0, &picture("a")).await.status, 204);
    }
    core.maintenance_pass().await;
    assert_eq!(partial(&data_dir), 2);
    core.delete_key(scene.server.administrator(), &key.id).await.unwrap();
    core.maintenance_pass().await;
    assert_eq!(partial(&data_dir), 1);
    // Each part keeps the address open.
    scene.server.clock().advance(Duration::from_mins(14));
    let at = picture("a").len() as u64;
    assert_eq!(patch(&scene.anyone, &kept, at, b"x").await.status, 204);
    scene.server.clock().advance(Duration::from_mins(14));
    core.maintenance_pass().await;
    assert_eq!((partial(&data_dir), offset(&scene.anyone, &kept).await), (1, at + 1));
    scene.server.clock().advance(Duration::from_mins(1));
    expect_no_such_upload(&patch(&scene.anyone, &kept, at + 1, b"x").await);
    core.maintenance_pass().await;
    assert_eq!(partial(&data_dir), 0);
}

/// What is on its way is nobody's garbage, and not in a backup.
#[tokio::test]
async fn parts_are_fine_for_the_doctor_and_not_in_a_backup() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    let made =
        program.rest_of(&key).post(&format!("{LIBRARY}/uploads"), json!({ "filename": "a.png" })).await;
    let url = made.json()["data"]["uploadUrl"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(program.url()).unwrap().to_owned();
    assert_eq!(patch(&program.client(), &path, 0, &picture("a")).await.status, 204);
    let found = test_dir.run(&["doctor", "--json"]).stdout;
    assert!(
        found.contains("findings") && !found.contains("partial") && !found.contains("unnamed"),
        "{found}"
    );
    test_dir.done(&["backup", "kept"]);
    program.stop();
    assert_eq!(partial(&test_dir.data_dir()), 1);
    let restored = TestDir::new();
    restored.done(&["restore", test_dir.path().join("kept").to_str().unwrap()]);
    let program = restored.serve();
    expect_no_such_upload(&put(&program.client(), &path, picture("a")).await);
    assert_eq!(program.rest_of(&key).get(&format!("{LIBRARY}/assets")).await.json()["data"], json!([]));
}
