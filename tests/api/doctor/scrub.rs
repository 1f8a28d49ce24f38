//! The slow check of files: what it finds is reported, recorded, and not served, until it is whole again.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rasterd::core::doctor::DoctorOptions;
use rasterd::core::long_work::Reporter;
use rasterd::core::model::audit::EventFilter;
use rasterd::testing::TestServer;

use crate::rest::{Rest, Scene, picture};
use crate::support::program::files_below;

/// A server whose every maintenance checks all files.
fn server() -> TestServer {
    TestServer::start_with(|settings, _| settings.scrub = Duration::from_mins(1))
}

async fn status(rest: &Rest, id: &str) -> u16 {
    rest.client.get(&format!("/cdn/acme/photos/{id}")).await.status
}

fn file(scene: &Scene) -> PathBuf {
    let files = files_below(&scene.server.data_dir().join("files"));
    files.into_iter().find(|file| file.file_name().unwrap().len() == 64).unwrap()
}

async fn damage_events(server: &TestServer) -> usize {
    let filter = EventFilter { most: 100, ..EventFilter::default() };
    let page = server.core().list_events(server.administrator(), "acme", filter).await.unwrap();
    page.events.iter().filter(|(_, event)| event.action.name() == "file.damaged").count()
}

#[tokio::test]
async fn a_damaged_file_is_recorded_once_and_not_served_until_it_is_back() {
    let mut scene = Scene::on(server()).await;
    let id = scene.writer.uploaded("one").await;
    let file = file(&scene);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[20] ^= 1;
    fs::write(&file, &flipped).unwrap();
    scene.server.core().scrub_pass().await.unwrap();
    scene.server.core().scrub_pass().await.unwrap();
    assert_eq!(status(&scene.writer, &id).await, 500);
    assert_eq!(damage_events(&scene.server).await, 1);
    assert_eq!(scene.server.core().damaged_files(&scene.server.administrator()).unwrap(), 1);
    scene.server.restart();
    let rest = Rest::new(&crate::support::Client::new(&scene.server), crate::rest::NEW);
    assert_eq!(status(&rest, &id).await, 500, "a restart remembers it");
    fs::write(&file, &whole).unwrap();
    scene.server.core().scrub_pass().await.unwrap();
    assert_eq!(status(&rest, &id).await, 200);
}

#[tokio::test]
async fn a_file_of_another_size_is_never_served_and_an_upload_of_its_bytes_brings_it_back() {
    let scene = Scene::on(server()).await;
    let id = scene.writer.uploaded("one").await;
    let file = file(&scene);
    fs::write(&file, "short").unwrap();
    assert_eq!(status(&scene.writer, &id).await, 500, "without any check before");
    scene.server.core().scrub_pass().await.unwrap();
    assert_eq!(scene.writer.upload(&[("again.png", &picture("one"))]).await.status, 200);
    assert_eq!(status(&scene.writer, &id).await, 200);
    scene.server.core().scrub_pass().await.unwrap();
    assert_eq!(status(&scene.writer, &id).await, 200);
    assert_eq!(scene.server.core().damaged_files(&scene.server.administrator()).unwrap(), 0);
}

#[tokio::test]
async fn what_the_doctor_finds_damaged_is_not_served_and_what_it_finds_whole_is() {
    let scene = Scene::new().await;
    let id = scene.writer.uploaded("one").await;
    let file = file(&scene);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[20] ^= 1;
    for (bytes, expected) in [(&flipped, 500), (&flipped, 500), (&whole, 200)] {
        fs::write(&file, bytes).unwrap();
        let options = DoctorOptions { quick: false, repair: false };
        let core = scene.server.core();
        core.run_doctor(&scene.server.administrator(), options, &Reporter::default()).await.unwrap();
        assert_eq!(status(&scene.writer, &id).await, expected);
        assert_eq!(damage_events(&scene.server).await, 1);
    }
}
