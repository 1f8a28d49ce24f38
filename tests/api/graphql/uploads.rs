//! Uploads by the multipart request convention.

use std::time::{Duration, Instant};

use rasterd::core::model::Access;
use rasterd::testing::TestServer;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{MultipartBody, PICTURE, Site, UPLOAD, data, failure, upload};
use crate::support::waiting::{a_file_arrives, no_file_is_temporary};
use crate::support::{Client, send};

#[tokio::test]
async fn twenty_files_are_uploaded_in_order_and_listed_at_once() {
    let site = Site::start().await;
    let names: Vec<String> = (0..20).map(|n| format!("pictüre {n}.v1.webp")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), PICTURE)).collect();
    let reply = upload(&site.writer, "brand", &json!({ "email": "ann@example.org" }), &files).await;
    let result = reply.json()["data"]["uploadAssets"].clone();
    assert_eq!((reply.status, &result["responseText"]), (200, &json!("Uploaded 20 assets.")));
    for (number, asset) in result["assets"].as_array().unwrap().iter().enumerate() {
        assert_eq!(asset["filename"], names[number]);
        assert_eq!(asset["name"], format!("pictüre {number}.v1"));
        assert_eq!((&asset["status"], &asset["progress"]), (&json!("processing"), &json!(0)));
        assert_eq!((&asset["contentType"], &asset["tags"]), (&json!("image/webp"), &json!([])));
        assert_eq!(asset["parentId"], Value::Null);
    }
    let listed = "{ assets(organizationId: \"acme\", libraryId: \"brand\") { uploadedBy { name } } }";
    let listed = data(&site.reader, listed, json!({})).await;
    assert_eq!(listed["assets"].as_array().unwrap().len(), 20);
    assert_eq!(listed["assets"][0]["uploadedBy"]["name"], "ann@example.org");
}

#[tokio::test]
async fn a_refused_file_is_named_and_the_others_are_uploaded() {
    let site = Site::start().await;
    let files: [(&str, &[u8]); 3] = [("notes.webp", b"not a picture"), ("a.webp", PICTURE), ("b.webp", b"")];
    let reply = upload(&site.writer, "brand", &json!({}), &files).await;
    let result = reply.json()["data"]["uploadAssets"].clone();
    assert_eq!(result["assets"].as_array().unwrap().len(), 1);
    assert_eq!(result["assets"][0]["filename"], "a.webp");
    let text = result["responseText"].as_str().unwrap();
    assert!(text.contains("notes.webp") && text.contains("b.webp"), "{text}");

    let reply = upload(&site.writer, "brand", &json!({}), &[("notes.webp", b"not a picture")]).await;
    let (status, code, message) = failure(&reply);
    assert_eq!((status, code.as_str()), (400, "BAD_USER_INPUT"));
    assert!(message.contains("notes.webp"), "{message}");
}

#[tokio::test]
async fn a_variant_is_one_file_of_an_original() {
    let site = Site::start().await;
    let ids = site.pictures(&["a.webp"]).await;
    let parent = json!({ "parent": ids[0] });
    let one: [(&str, &[u8]); 1] = [("b.webp", PICTURE)];
    let variant = upload(&site.writer, "brand", &parent, &one).await.json()["data"]["uploadAssets"]["assets"]
        [0]
    .clone();
    assert_eq!(variant["parentId"], *ids[0]);
    let of_variant = json!({ "parent": variant["id"] });
    for (more, files, status, code) in [
        (&parent, vec![one[0]; 2], 400, "BAD_USER_INPUT"),
        (&of_variant, one.to_vec(), 400, "BAD_USER_INPUT"),
        (&json!({ "parent": "nothing" }), one.to_vec(), 404, "RESOURCE_NOT_FOUND"),
    ] {
        let (found_status, found, _) = failure(&upload(&site.writer, "brand", more, &files).await);
        assert_eq!((found_status, found.as_str()), (status, code), "{more}");
    }
}

#[tokio::test]
async fn numbers_and_sizes_are_limited_and_nothing_is_stored_above_them() {
    let site = Site::of(TestServer::start_with(|settings, _| settings.limits.file_bytes = 100_000)).await;
    let files = vec![("a.webp", PICTURE); 21];
    assert_eq!(failure(&upload(&site.writer, "brand", &json!({}), &files).await).1, "BAD_USER_INPUT");
    let large = vec![0; 3_000_000];
    let reply =
        upload(&site.writer, "brand", &json!({}), &[("a.webp", PICTURE), ("large.png", &large)]).await;
    let (status, code, _) = failure(&reply);
    assert_eq!((status, code.as_str()), (413, "PAYLOAD_TOO_LARGE"));
    let listed = "{ assets(organizationId: \"acme\", libraryId: \"brand\") { id } }";
    assert_eq!(data(&site.reader, listed, json!({})).await, json!({ "assets": [] }));
    no_file_is_temporary(&site.server.data_dir()).await;
}

#[tokio::test]
async fn no_file_is_read_without_permission_to_write() {
    let site = Site::start().await;
    let large = vec![0; 20_000_000];
    for library in ["archive", "secret", "unknown"] {
        let reply = upload(&site.writer, library, &json!({}), &[("large.png", &large)]).await;
        let (status, code, _) = failure(&reply);
        assert_eq!((status, code.as_str()), (404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY"), "{library}");
    }
    no_file_is_temporary(&site.server.data_dir()).await;
}

#[tokio::test]
async fn a_form_out_of_order_is_refused() {
    let site = Site::start().await;
    let operations =
        json!({ "query": UPLOAD, "variables": { "o": "acme", "l": "brand", "files": [null, null] } });
    let operations = operations.to_string();
    let map = r#"{"0":["variables.files.0"],"1":["variables.files.1"]}"#;
    let whole = || MultipartBody::default().text("operations", &operations).text("map", map);
    for (what, form, code) in [
        ("empty", MultipartBody::default(), "BAD_REQUEST"),
        ("no map", MultipartBody::default().text("operations", &operations), "BAD_REQUEST"),
        (
            "map first",
            MultipartBody::default().text("map", map).text("operations", &operations),
            "BAD_REQUEST",
        ),
        (
            "a map of nothing",
            MultipartBody::default().text("operations", &operations).text("map", "[]"),
            "BAD_REQUEST",
        ),
        (
            "a map to nowhere",
            MultipartBody::default().text("operations", &operations).text("map", r#"{"0":["variables.x"]}"#),
            "BAD_REQUEST",
        ),
        ("a batch", MultipartBody::default().text("operations", "[]").text("map", "{}"), "BAD_REQUEST"),
        ("no files", whole(), "BAD_USER_INPUT"),
        ("one file", whole().file("0", "a.webp", PICTURE), "BAD_USER_INPUT"),
        ("an unknown file", whole().file("7", "a.webp", PICTURE), "BAD_USER_INPUT"),
        (
            "unmapped files",
            MultipartBody::default()
                .text("operations", &operations)
                .text("map", "{}")
                .file("0", "a.webp", PICTURE),
            "BAD_USER_INPUT",
        ),
    ] {
        let (status, found, message) = failure(&form.send(&site.writer).await);
        assert_eq!((status, found.as_str()), (400, code), "{what}: {message}");
    }
    no_file_is_temporary(&site.server.data_dir()).await;
}

#[tokio::test]
async fn files_need_a_form_and_a_form_needs_the_header() {
    let site = Site::start().await;
    let body = json!({ "query": UPLOAD, "variables": { "o": "acme", "l": "brand", "files": ["0"] } });
    assert_eq!(failure(&site.writer.post_json("/graphql", &body).await).1, "BAD_USER_INPUT");
    let form = MultipartBody::default().text("operations", "{}").ended();
    let request =
        site.writer.request(Method::POST, "/graphql").header(CONTENT_TYPE, MultipartBody::TYPE).body(form);
    assert_eq!(failure(&send(request).await).1, "BAD_REQUEST");
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_nothing() {
    let site = Site::start().await;
    let (pieces, sending) = start_sending(&site.writer);
    a_file_arrives(&site.server.data_dir()).await;
    sending.abort();
    drop(pieces);
    no_file_is_temporary(&site.server.data_dir()).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_ends_its_upload() {
    let site = Site::start().await;
    let key = site.server.key("acme", &[("brand", Access::Write)]).await;
    let (pieces, sending) = start_sending(&site.writer.with_key(&key.token));
    a_file_arrives(&site.server.data_dir()).await;
    site.server.core().delete_key(site.server.administrator(), &key.id).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !sending.is_finished() {
        assert!(Instant::now() < deadline, "the upload goes on");
        // The server may have hung up meanwhile.
        let _ = pieces.send(vec![7; 1000]).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let reply = sending.await.unwrap();
    assert_eq!(reply.status().as_u16(), 401);
    assert!(reply.text().await.unwrap().contains("INVALID_API_KEY"));
    no_file_is_temporary(&site.server.data_dir()).await;
}

#[tokio::test]
async fn a_connection_stays_open_after_an_upload() {
    let site = Site::start().await;
    let reply = upload(&site.writer, "brand", &json!({}), &[("a.webp", PICTURE)]).await;
    assert_eq!((reply.status, reply.header("connection")), (200, ""));
}

/// Begins to upload a file, and sends only a part of it.
fn start_sending(client: &Client) -> (mpsc::Sender<Vec<u8>>, JoinHandle<reqwest::Response>) {
    let operations = json!({ "query": UPLOAD, "variables": { "o": "acme", "l": "brand", "files": [null] } });
    let MultipartBody(mut start) = MultipartBody::default()
        .text("operations", &operations.to_string())
        .text("map", r#"{"0":["variables.files.0"]}"#)
        .file("0", "a.webp", &vec![7; 3_000_000]);
    start.truncate(start.len() - 10);
    let (pieces, waiting) = mpsc::channel(1);
    let body = futures_util::stream::unfold((Some(start), waiting), async |(start, mut waiting)| {
        let piece = match start {
            Some(start) => start,
            None => waiting.recv().await?,
        };
        Some((Ok::<_, std::io::Error>(piece), (None, waiting)))
    });
    let request = client
        .request(Method::POST, "/graphql")
        .header(CONTENT_TYPE, MultipartBody::TYPE)
        .header("Apollo-Require-Preflight", "true")
        .body(reqwest::Body::wrap_stream(body));
    (pieces, tokio::spawn(async { request.send().await.unwrap() }))
}
