//! The work after an upload, seen from outside: its results, their order, and that nothing waits for it.

mod failures;
mod import;
mod killed;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rasterd::core::access::LibraryPath;
use rasterd::core::settings::Settings;
use rasterd::pictures::media::MediaType;
use rasterd::pictures::{DecodeLimits, Derived, derive};
use rasterd::testing::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rest::{ASSETS, Form, OLD, Scene, text};
use crate::support::gate::Gate;
use crate::support::raw::DEADLINE;
use crate::support::{Reply, send};

/// 1200 × 800 pixels.
const SUNSET: &[u8] = include_bytes!("../fixtures/sunset.jpg");

impl Gate {
    /// A scene whose pictures wait for the gate.
    async fn scene(&self, change: impl Fn(&mut Settings) + Send + Sync + 'static) -> Scene {
        Scene::on(self.server(change)).await
    }
}

/// A small JPEG, different for each number.
fn small(number: u8) -> Vec<u8> {
    jpeg(60, 40, number)
}

/// A JPEG with a gradient from one corner to the other, in its own colour.
fn jpeg(width: u16, height: u16, number: u8) -> Vec<u8> {
    let shade = |x: u16, y: u16| {
        u8::try_from((u32::from(x) + u32::from(y)) * 255 / u32::from(width + height)).unwrap()
    };
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels: Vec<u8> =
        rows.flat_map(|(x, y)| [shade(x, y), number.wrapping_mul(37), 255 - number]).collect();
    let mut compress = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    compress.set_size(width.into(), height.into());
    let mut started = compress.start_compress(Vec::new()).unwrap();
    started.write_scanlines(&pixels).unwrap();
    started.finish().unwrap()
}

/// The thumbnails that the engine renders from a JPEG.
fn made_of(jpeg: &[u8]) -> Derived {
    let path = tempfile::NamedTempFile::new().unwrap();
    fs::write(path.path(), jpeg).unwrap();
    let file = fs::File::open(path.path()).unwrap();
    derive(&file, MediaType::Jpeg, &[400, 800], &DecodeLimits::default()).unwrap()
}

impl Scene {
    async fn photograph(&self, name: &str, bytes: &[u8]) -> String {
        let reply = self.writer.upload(&[(name, bytes)]).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        text(&reply.json()["data"]["assets"][0]["id"])
    }

    async fn photographs(&self, count: u8) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..count {
            ids.push(self.photograph(&format!("{number}.jpg"), &small(number)).await);
            self.server.clock().advance(Duration::from_millis(100));
        }
        ids
    }

    async fn variant(&self, original: &str, bytes: &[u8]) -> String {
        let mut form = Form::default();
        form.text("parentId", original);
        form.file("files", "variant.jpg", bytes);
        let reply = self.writer.send_form(ASSETS, form).await;
        text(&reply.json()["data"]["assets"][0]["id"])
    }

    async fn asset(&self, id: &str) -> Value {
        let reply = self.writer.get(&format!("{ASSETS}/{id}")).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        reply.json()["data"].clone()
    }

    /// How many of these have been processed.
    async fn done(&self, ids: &[String]) -> usize {
        let listed = self.writer.get(&format!("{ASSETS}?pageSize=500")).await.json()["data"].clone();
        let done = |asset: &&Value| asset["blurhash"].is_string() && ids.iter().any(|id| asset["id"] == **id);
        listed.as_array().unwrap().iter().filter(done).count()
    }

    /// A picture of an asset as a browser asks for it.
    async fn rendition(&self, asset: &str, query: &str) -> Reply {
        let path = format!("/cdn/acme/photos/{asset}?{query}");
        send(self.anyone.request(Method::GET, &path).header("accept", "image/webp,*/*")).await
    }

    fn waiting(&self) -> u64 {
        self.server.core().waiting_work(&self.server.administrator()).unwrap()
    }
}

/// The files in the server's folder of renditions.
fn kept(server: &TestServer) -> usize {
    let list = |folder: &Path| -> Vec<_> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    list(&server.data_dir().join("renditions")).iter().map(|folder| list(folder).len()).sum()
}

#[tokio::test]
async fn properties_of_a_picture_are_on_the_wire_and_its_thumbnails_are_cached() {
    let scene = Scene::new().await;
    let id = scene.photograph("sunset.jpg", SUNSET).await;
    scene.server.processed().await;
    let expected = made_of(SUNSET);
    let new = scene.asset(&id).await;
    let old = scene.writer.in_version(OLD).get(&format!("{ASSETS}/{id}")).await.json()["data"].clone();
    for asset in [&new, &old] {
        assert_eq!(asset["blurhash"], expected.blurhash);
        assert_eq!((&asset["width"], &asset["height"]), (&json!(1200), &json!(800)));
        assert!(asset["updated"].as_u64() > asset["created"].as_u64());
    }
    let hits = scene.writer.get("/organizations/acme/search/assets?q=sunset").await.json();
    assert_eq!(hits["data"]["hits"][0]["blurhash"], expected.blurhash);

    let before = kept(&scene.server);
    let sizes: Value = serde_json::from_str(new["sizes"].as_str().unwrap()).unwrap();
    let urls = [&sizes["400"], &sizes["800"], &old["thumbUrl"], &old["thumbHighUrl"]];
    let bytes = [0, 1, 0, 1].map(|size: usize| &expected.thumbnails[size].bytes);
    for (url, bytes) in urls.into_iter().zip(bytes) {
        let query = url.as_str().unwrap().split_once('?').unwrap().1;
        let reply = scene.rendition(&id, query).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "image/webp"));
        assert!(reply.body == *bytes, "{url}");
    }
    assert!(scene.rendition(&id, "w=32&blur=1").await.body == expected.blurred);
    assert_eq!(kept(&scene.server), before, "nothing had to be made");
}

#[tokio::test]
async fn an_unknown_size_is_determined() {
    let scene = Scene::new().await;
    let svg =
        br#"<svg xmlns="http://www.w3.org/2000/svg" width="10cm" height="5cm"><path d="M0 0h9v9z"/></svg>"#;
    let id = scene.photograph("drawing.svg", svg).await;
    scene.server.processed().await;
    let asset = scene.asset(&id).await;
    let (width, height) = (asset["width"].as_u64().unwrap(), asset["height"].as_u64().unwrap());
    assert!(width > 300 && width.abs_diff(2 * height) <= 1, "{width} × {height}");
}

#[tokio::test]
async fn the_newest_upload_is_processed_first_and_requests_are_answered_meanwhile() {
    let gate = Gate::closed();
    let scene = gate.scene(|_| {}).await;
    let mut ids = scene.photographs(1).await;
    gate.wait_for_a_picture();
    ids.extend(scene.photographs(4).await);
    assert_eq!((scene.waiting(), scene.done(&ids).await), (5, 0), "and the server answers");
    gate.open();
    scene.server.processed().await;
    let mut order = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        order.push((scene.asset(id).await["updated"].as_u64().unwrap(), number));
    }
    order.sort_unstable();
    let order: Vec<usize> = order.into_iter().map(|(_, number)| number).collect();
    assert_eq!(order, [0, 4, 3, 2, 1], "the first was begun when it was alone");
}

#[tokio::test]
async fn who_waits_for_a_picture_waits_for_one_other_at_most() {
    // The request has to be in line when the gate opens. A busy machine may need longer until it is.
    for timeout in [300, 3000] {
        let gate = Gate::closed();
        let scene = gate.scene(|_| {}).await;
        let mut ids = Vec::new();
        for number in 0..8 {
            ids.push(scene.photograph(&format!("{number}.jpg"), &jpeg(600, 400, number)).await);
        }
        let asked = scene.rendition(&ids[3], "w=64");
        let opened = async {
            let until = Instant::now() + Duration::from_millis(timeout);
            while Instant::now() < until {
                scene.asset(&ids[0]).await;
            }
            gate.open();
        };
        let (reply, ()) = tokio::join!(asked, opened);
        assert_eq!(reply.status, 200);
        let done_before = scene.done(&ids).await;
        scene.server.processed().await;
        assert_eq!(scene.done(&ids).await, ids.len());
        if done_before <= ids.len() / 2 {
            return;
        }
    }
    panic!("more than half of the other pictures were made before it");
}

#[tokio::test]
async fn a_promotion_keeps_finished_and_pending_work_with_the_file() {
    let (one, other) = (made_of(&small(1)).blurhash, made_of(&small(2)).blurhash);
    let promoted = async |scene: &Scene, original: &str, variant: &str| {
        let path = format!("{ASSETS}/{original}/promote");
        let reply = scene.writer.post(&path, json!({ "variantId": variant })).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        reply.json()["data"]["blurhash"].clone()
    };
    let scene = Scene::new().await;
    let original = scene.photograph("one.jpg", &small(1)).await;
    let variant = scene.variant(&original, &small(2)).await;
    scene.server.processed().await;
    assert_eq!(promoted(&scene, &original, &variant).await, other);
    assert_eq!(scene.asset(&variant).await["blurhash"], one);

    let gate = Gate::closed();
    let scene = gate.scene(|_| {}).await;
    let original = scene.photograph("one.jpg", &small(1)).await;
    let variant = scene.variant(&original, &small(2)).await;
    assert_eq!(promoted(&scene, &original, &variant).await, Value::Null);
    gate.open();
    scene.server.processed().await;
    assert_eq!(scene.asset(&original).await["blurhash"], other);
    assert_eq!(scene.asset(&variant).await["blurhash"], one);
}

#[tokio::test]
async fn deleted_assets_are_not_processed() {
    let gate = Gate::closed();
    let scene = gate.scene(|_| {}).await;
    let ids = scene.photographs(4).await;
    let (gone, trashed) = (&ids[1], &ids[2]);
    let trash = async |id: &str| {
        let reply = scene.writer.json(Method::DELETE, ASSETS, json!({ "ids": [id] })).await;
        assert_eq!(reply.status, 200);
    };
    trash(gone).await;
    scene.server.clock().advance(Duration::from_hours(24 * 31));
    scene.server.core().maintenance_pass().await;
    trash(trashed).await;
    assert_eq!(scene.waiting(), 3);
    gate.open();
    scene.server.processed().await;
    assert_eq!(scene.done(&[ids[0].clone(), ids[3].clone()]).await, 2);

    fs::remove_file(gate.path()).unwrap();
    scene.photographs(3).await;
    let photos = LibraryPath { organization: "acme", library: "photos" };
    scene.server.core().delete_library(scene.server.administrator(), &photos, true).await.unwrap();
    assert_eq!(scene.waiting(), 0);
}

#[tokio::test]
async fn a_client_that_has_a_rendition_gets_304_even_when_it_is_not_kept_any_more() {
    let scene = Scene::new().await;
    let id = scene.photograph("sunset.jpg", SUNSET).await;
    let folder = scene.server.data_dir().join("renditions");
    scene.server.processed().await;
    for query in ["w=400&h=400&fm=auto", "w=200&q=70"] {
        let first = scene.rendition(&id, query).await;
        let tag = first.header("etag").to_owned();
        fs::remove_dir_all(&folder).unwrap();
        let request = scene.anyone.request(Method::GET, &format!("/cdn/acme/photos/{id}?{query}"));
        let request = request.header("accept", "image/webp").header("if-none-match", format!("\"x\", {tag}"));
        let again = send(request).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()), "{query}");
        for name in ["cache-control", "vary", "last-modified"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        assert_eq!(kept(&scene.server), 0, "nothing was made for it");
        assert_eq!(scene.rendition(&id, query).await.status, 200);
    }
}

/// Reads an asset until it is as expected.
async fn wait_for(scene: &Scene, id: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + DEADLINE;
    loop {
        let asset = scene.asset(id).await;
        if is_there(&asset) {
            return asset;
        }
        assert!(Instant::now() < until, "it did not happen: {asset}");
    }
}
