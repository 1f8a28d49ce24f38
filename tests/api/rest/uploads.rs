//! Uploads as forms: what is accepted, what is refused and how early, and that nothing is left of what failed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rasterd::testing::TestServer;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;

use super::{ASSETS, Form, NEW, OLD, Scene, VERSIONS, picture, text};
use crate::support::{send, tls_config};

/// A server that takes files of at most 64 KB.
async fn narrow() -> Scene {
    Scene::on(TestServer::start_with(|settings, _| settings.limits.file_bytes = 64 << 10)).await
}

/// A form of this many pictures.
fn pictures(count: usize) -> Form {
    let mut form = Form::default();
    for number in 0..count {
        form.file("files", &format!("{number}.png"), &picture(&number.to_string()));
    }
    form
}

/// How many files the data directory holds of what was uploaded, finished or not.
fn stored(scene: &Scene) -> usize {
    fn count(dir: &Path) -> usize {
        let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
        let entries = entries.filter(|entry| entry.file_name() != "rasterd-files");
        entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
    }
    let dirs = std::fs::read_dir(scene.server.data_dir()).unwrap().map(|entry| entry.unwrap().path());
    dirs.filter(|path| path.is_dir() && !path.ends_with("index")).map(|path| count(&path)).sum()
}

/// Waits until nothing is left of what was uploaded, and checks that no asset is listed.
async fn nothing_stored(scene: &Scene) {
    no_file_stored(scene).await;
    let listed = scene.writer.get(ASSETS).await.json();
    assert_eq!(listed["data"], json!([]));
}

/// Waits until no file is left of what was uploaded.
async fn no_file_stored(scene: &Scene) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while stored(scene) > 0 {
        assert!(Instant::now() < deadline, "{} files are left", stored(scene));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn twenty_files_are_uploaded_in_their_order_under_their_names() {
    let scene = Scene::new().await;
    let reply = scene.writer.send_form(ASSETS, pictures(20)).await;
    assert_eq!(reply.status, 200);
    let data = &reply.json()["data"];
    let names: Vec<String> =
        data["assets"].as_array().unwrap().iter().map(|asset| text(&asset["name"])).collect();
    assert_eq!(names, (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(data["responseText"], "Uploaded 20 assets.");
}

#[tokio::test]
async fn an_uploaded_asset_is_answered_in_the_shape_of_its_version() {
    let scene = Scene::new().await;
    for version in VERSIONS {
        let reply = scene.writer.in_version(version).upload(&[("日本 é.b.png", &picture(version))]).await;
        let asset = &reply.json()["data"]["assets"][0];
        assert_eq!(
            (&asset["name"], &asset["width"], &asset["height"]),
            (&json!("日本 é.b"), &json!(3), &json!(2))
        );
        assert_eq!(asset["contentType"], "image/png");
        assert!(text(&asset["url"]).starts_with(&format!("{}/cdn/acme/photos/", scene.server.url())));
        assert_eq!(asset.get("views").is_some(), version == OLD);
        assert_eq!(asset.get("variants").is_some(), version == NEW);
    }
}

#[tokio::test]
async fn a_refused_file_is_left_out_and_named() {
    let scene = Scene::new().await;
    let reply = scene.writer.upload(&[("notes.txt", b"plain words"), ("a.png", &picture("a"))]).await;
    assert_eq!(reply.status, 200);
    let data = &reply.json()["data"];
    assert_eq!(data["assets"].as_array().unwrap().len(), 1);
    assert!(text(&data["responseText"]).contains("\"notes.txt\": "), "{data}");
}

#[tokio::test]
async fn refused_uploads_leave_nothing() {
    let scene = narrow().await;
    let large = vec![7; (64 << 10) + 1];
    let mut forms = vec![(400, Form::default()), (400, pictures(21))];
    let mut form = Form::default();
    form.file("files", "notes.txt", b"plain words");
    forms.push((400, form));
    let mut form = pictures(1);
    form.file("file", "b.png", &picture("b"));
    forms.push((400, form));
    let mut form = Form::default();
    form.text("files", "no picture, and without a file name");
    forms.push((400, form));
    let mut form = pictures(2);
    form.file("files", "large.png", &large);
    forms.push((413, form));
    let mut form = pictures(2);
    form.text("parentId", "0000000000000000");
    forms.push((400, form));
    let mut form = pictures(1);
    form.text("parentId", "0000000000000000");
    forms.push((404, form));
    for (number, (status, form)) in forms.into_iter().enumerate() {
        let reply = scene.writer.send_form(ASSETS, form).await;
        assert_eq!(reply.status, status, "form {number}: {}", String::from_utf8_lossy(&reply.body));
        nothing_stored(&scene).await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_form_is_refused() {
    let scene = Scene::new().await;
    for (content_type, body) in [
        ("application/json", "{}"),
        ("multipart/form-data", "------border--\r\n"),
        (Form::CONTENT_TYPE, "no border"),
        (
            Form::CONTENT_TYPE,
            "------border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nhalf",
        ),
        (Form::CONTENT_TYPE, ""),
    ] {
        let request =
            scene.writer.request(Method::POST, ASSETS).header(CONTENT_TYPE, content_type).body(body);
        let reply = send(request).await;
        assert_eq!(
            (reply.status, reply.error_code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{content_type} {body}"
        );
    }
    nothing_stored(&scene).await;
}

#[tokio::test]
async fn a_parent_may_be_named_before_or_after_the_file_and_must_be_an_original_of_the_library() {
    let scene = Scene::new().await;
    let original = scene.writer.uploaded("original.png").await;
    let variant = async |before: bool, parent: &str| {
        let mut form = Form::default();
        if before {
            form.text("parentId", parent);
        }
        form.file("files", "variant.png", &picture(&format!("{parent} {before}")));
        if !before {
            form.text("parentId", parent);
        }
        scene.writer.send_form(ASSETS, form).await
    };
    let mut made = Vec::new();
    for before in [true, false] {
        let reply = variant(before, &original).await.json();
        let asset = &reply["data"]["assets"][0];
        assert_eq!(asset["parentId"], json!(original));
        made.push(text(&asset["id"]));
    }
    assert_eq!(variant(true, &made[0]).await.error_code(), "BAD_USER_INPUT");
    assert_eq!(variant(false, "0000000000000000").await.error_code(), "RESOURCE_NOT_FOUND");
    let listed = scene.writer.get(ASSETS).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "variants are not listed on their own");
    let shown: Vec<String> = listed["data"][0]["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variant| text(&variant["id"]))
        .collect();
    assert_eq!(shown.len(), 2);
    assert!(made.iter().all(|id| shown.contains(id)));
}

/// A TLS connection to the server, to write a request byte by byte.
fn raw(scene: &Scene) -> StreamOwned<ClientConnection, TcpStream> {
    let tcp = TcpStream::connect(("127.0.0.1", scene.server.port())).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::new(tls_config(&scene.server)), name).unwrap();
    StreamOwned::new(tls, tcp)
}

/// The head of an upload with these headers.
fn head(scene: &Scene, token: &str, library: &str, headers: &str) -> String {
    format!(
        "POST /organizations/acme/libraries/{library}/assets HTTP/1.1\r\nHost: localhost:{}\r\nApi-Version: {NEW}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: {}\r\n{headers}\r\n",
        scene.server.port(),
        Form::CONTENT_TYPE,
    )
}

/// Reads until this is in what was read.
fn read_until(stream: &mut impl Read, wanted: &str) -> String {
    let (mut read, mut buffer) = (String::new(), [0; 4096]);
    while !read.contains(wanted) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection ended after: {read}");
        read.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    read
}

#[tokio::test]
async fn a_waiting_client_is_asked_for_its_body_only_if_it_will_be_read() {
    let scene = Scene::new().await;
    let body = pictures(2).finish();
    let waits = format!("Expect: 100-continue\r\nContent-Length: {}\r\n", body.len());
    let mut stream = raw(&scene);
    stream.write_all(head(&scene, &scene.writer_key.token, "photos", &waits).as_bytes()).unwrap();
    assert_eq!(read_until(&mut stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body).unwrap();
    assert!(read_until(&mut stream, "Uploaded 2 assets.").starts_with("HTTP/1.1 200 OK"));

    for (token, library, status) in [
        (scene.writer_key.token.as_str(), "nope", "HTTP/1.1 404 Not Found"),
        ("pk_unknown", "photos", "HTTP/1.1 401 Unauthorized"),
    ] {
        let mut stream = raw(&scene);
        stream.write_all(head(&scene, token, library, &waits).as_bytes()).unwrap();
        let answer = read_until(&mut stream, "\"error\"");
        assert!(answer.starts_with(status), "{answer}");
        assert!(answer.to_lowercase().contains("x-request-id: "), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_upload_is_answered_while_its_body_still_arrives() {
    let scene = narrow().await;
    let endless = "Transfer-Encoding: chunked\r\n";
    let mut stream = raw(&scene);
    stream.write_all(head(&scene, "pk_unknown", "photos", endless).as_bytes()).unwrap();
    stream.write_all(b"5\r\n-----\r\n").unwrap();
    assert!(read_until(&mut stream, "INVALID_API_KEY").starts_with("HTTP/1.1 401"));

    let mut stream = raw(&scene);
    stream.write_all(head(&scene, &scene.writer_key.token, "photos", endless).as_bytes()).unwrap();
    let part = b"------border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n";
    stream.write_all(format!("{:x}\r\n", part.len() + (80 << 10)).as_bytes()).unwrap();
    stream.write_all(part).unwrap();
    stream.write_all(&vec![7; 80 << 10]).unwrap();
    assert!(read_until(&mut stream, "PAYLOAD_TOO_LARGE").starts_with("HTTP/1.1 413"));
    nothing_stored(&scene).await;
}

#[tokio::test]
async fn chunks_of_any_size_are_one_upload() {
    let scene = Scene::new().await;
    let mut stream = raw(&scene);
    stream
        .write_all(
            head(&scene, &scene.writer_key.token, "photos", "Transfer-Encoding: chunked\r\n").as_bytes(),
        )
        .unwrap();
    for chunk in pictures(3).finish().chunks(7) {
        stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).unwrap();
        stream.write_all(chunk).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert!(read_until(&mut stream, "Uploaded 3 assets.").starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_disconnects_during_its_upload_leaves_nothing() {
    let scene = Scene::new().await;
    let mut stream = raw(&scene);
    let length = "Content-Length: 9000000\r\n";
    stream.write_all(head(&scene, &scene.writer_key.token, "photos", length).as_bytes()).unwrap();
    stream
        .write_all(b"------border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n")
        .unwrap();
    stream.write_all(&vec![7; 3_000_000]).unwrap();
    stream.flush().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while stored(&scene) == 0 {
        assert!(Instant::now() < deadline, "the file never began to arrive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(stream);
    nothing_stored(&scene).await;
}

#[tokio::test]
async fn a_key_that_is_revoked_during_its_upload_ends_it() {
    let scene = Scene::new().await;
    let mut stream = raw(&scene);
    let length = "Content-Length: 90000000\r\n";
    stream.write_all(head(&scene, &scene.writer_key.token, "photos", length).as_bytes()).unwrap();
    stream
        .write_all(b"------border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n")
        .unwrap();
    stream.write_all(&vec![7; 100_000]).unwrap();
    let by = scene.server.administrator();
    scene.server.core().regenerate_key(by, &scene.writer_key.id, None).await.unwrap();
    stream.get_ref().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (deadline, mut answer) = (Instant::now() + Duration::from_secs(20), String::new());
    while !answer.contains("INVALID_API_KEY") {
        assert!(Instant::now() < deadline, "the upload went on: {answer}");
        // The server may have answered and stopped reading.
        let _ = stream.write_all(&[7; 1000]);
        let mut buffer = [0; 4096];
        if let Ok(count) = stream.read(&mut buffer) {
            answer.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    no_file_stored(&scene).await;
}
