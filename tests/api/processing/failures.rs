//! Files that can't be processed, permanently or temporarily: they are stored and served anyway, and the reason is
//! kept.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use rasterd::core::processing::FailedWork;
use rasterd::error::{Code, Result};
use rasterd::testing::TestServer;
use reqwest::Method;
use serde_json::{Value, json};

use super::{made_of, small, wait_for};
use crate::rest::{ASSETS, OLD, Scene, picture};
use crate::support::Client;
use crate::support::gate::PROGRAM;
use crate::support::raw::DEADLINE;

const PICTURES: [&str; 3] = ["thumbUrl", "thumbHighUrl", "thumbUrlBlurred"];

/// A PNG without pixels.
fn damaged() -> Vec<u8> {
    let whole = picture("damaged");
    let data = whole.windows(4).position(|bytes| bytes == b"IDAT").unwrap();
    whole[..data + 6].to_vec()
}

fn failed(scene: &Scene) -> Vec<FailedWork> {
    scene.server.core().failed_work(&scene.server.administrator(), 100).unwrap()
}

async fn retry(scene: &Scene, only: Option<&str>) -> Result<usize> {
    scene.server.core().retry_failed_work(&scene.server.administrator(), only).await
}

async fn pictures(scene: &Scene, id: &str) -> Vec<Value> {
    let old = scene.writer.in_version(OLD).get(&format!("{ASSETS}/{id}")).await.json()["data"].clone();
    let sizes = scene.asset(id).await["sizes"].clone();
    PICTURES.iter().map(|name| old[name].clone()).chain([sizes]).collect()
}

#[tokio::test]
async fn a_damaged_file_is_served_without_pictures_and_the_reason_is_kept() {
    let scene = Scene::new().await;
    let id = scene.photograph("broken.png", &damaged()).await;
    scene.server.processed().await;
    let asset = scene.asset(&id).await;
    assert_eq!((&asset["blurhash"], &asset["width"]), (&Value::Null, &3.into()));
    assert!(asset["updated"].as_u64() > asset["created"].as_u64());
    assert_eq!(pictures(&scene, &id).await, [Value::Null, Value::Null, Value::Null, Value::Null]);
    assert!(scene.anyone.get(&format!("/cdn/acme/photos/{id}")).await.body == damaged());
    let reply = scene.rendition(&id, "w=16").await;
    assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"));

    let [kept] = failed(&scene).try_into().unwrap();
    assert_eq!((kept.asset.as_str(), kept.name.as_str(), kept.tries), (id.as_str(), "broken", 1));
    assert_eq!((kept.library.as_str(), kept.library_name.as_str()), ("photos", "Photos"));
    assert!(kept.reason.starts_with("it is damaged: "), "{}", kept.reason);
    assert!(kept.when >= asset["created"].as_u64().unwrap());
}

#[tokio::test]
async fn a_transient_failure_is_tried_again_then_kept_and_can_be_retried() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let at = program.clone();
    let server = TestServer::start_with(move |settings, _| settings.renditions.program = Some(at.clone()));
    let mut scene = Scene::on(server).await;
    let one = scene.photograph("one.jpg", &small(1)).await;
    let other = scene.photograph("other.jpg", &small(2)).await;
    let until = Instant::now() + DEADLINE;
    while failed(&scene).len() < 2 {
        assert!(Instant::now() < until, "it is given up in the end");
        scene.server.clock().advance(Duration::from_mins(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(failed(&scene).iter().all(|failed| failed.tries == 4), "{:?}", failed(&scene));
    assert_eq!(pictures(&scene, &one).await[3], Value::Null);
    // Failures are kept across a restart.
    scene.server.restart();
    assert_eq!(failed(&scene).len(), 2);

    symlink(PROGRAM, &program).unwrap();
    assert_eq!(retry(&scene, Some(&other)).await.unwrap(), 1);
    scene.server.processed().await;
    assert_eq!(failed(&scene).len(), 1);
    assert_eq!(retry(&scene, Some(&other)).await.unwrap_err().code(), Code::ResourceNotFound);
    assert_eq!(retry(&scene, None).await.unwrap(), 1);
    scene.server.processed().await;
    assert_eq!(failed(&scene).len(), 0);
    assert_eq!(retry(&scene, None).await.unwrap(), 0);
    let scene = Scene { anyone: Client::new(&scene.server), ..scene };
    assert!(
        scene.rendition(&one, "w=400&h=400&fm=auto").await.body == made_of(&small(1)).thumbnails[0].bytes
    );
}

#[tokio::test]
async fn a_kept_failure_is_deleted_with_its_asset() {
    let scene = Scene::new().await;
    let id = scene.photograph("broken.png", &damaged()).await;
    let original = scene.photograph("one.jpg", &small(1)).await;
    let variant = scene.variant(&original, &damaged()).await;
    scene.server.processed().await;
    assert_eq!(failed(&scene).len(), 2);
    let promote = json!({ "variantId": variant });
    assert_eq!(scene.writer.post(&format!("{ASSETS}/{original}/promote"), promote).await.status, 200);
    let mut ids: Vec<String> = failed(&scene).iter().map(|failed| failed.asset.to_string()).collect();
    ids.sort_unstable();
    let mut expected = vec![id.clone(), original.clone()];
    expected.sort_unstable();
    assert_eq!(ids, expected, "the file is the original's now");
    wait_for(&scene, &original, |asset| asset["sizes"].is_null()).await;

    let trash = json!({ "ids": [id, original] });
    assert_eq!(scene.writer.json(Method::DELETE, ASSETS, trash).await.status, 200);
    scene.server.clock().advance(Duration::from_hours(24 * 31));
    scene.server.core().maintenance_pass().await;
    assert_eq!(failed(&scene).len(), 0);
}
