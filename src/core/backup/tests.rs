//! No file that a backup's snapshot names is deleted while it runs.

use std::time::Duration;

use crate::core::Core;
use crate::core::access::caller::LibraryPath;
use crate::core::access::grant::Administrator;
use crate::core::clock::Clock;
use crate::core::model::Access;
use crate::core::uploads::UploadSource;
use crate::testing::{TempFolder, settings};

const LIBRARY: LibraryPath<'_> = LibraryPath { organization: "acme", library: "photos" };
const PIXEL: &str = "R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=";

#[tokio::test]
async fn files_stay_as_long_as_a_backup_holds_them() {
    let dir = TempFolder::new();
    let clock = Clock::default();
    let core = Core::open(settings(&dir.path().join("data"), "https://localhost"), clock.clone()).unwrap();
    let by = Administrator::local();
    core.create_organization(by.clone(), "Acme", Some("acme")).await.unwrap();
    core.create_library_as_admin(by.clone(), "acme", "Photos", Some("photos")).await.unwrap();
    let grants = vec![("photos".to_owned(), Some(Access::Write))];
    let (key, _) = core.create_key(by.clone(), "acme", "key", grants, None).await.unwrap();
    let caller = core.authenticate(key.reveal()).unwrap();
    let source =
        UploadSource::Base64 { filename: "a.gif".into(), mime_type: String::new(), data: PIXEL.into() };
    let done = core.upload_sources(caller, &LIBRARY, vec![source], None, |_| {}).await.unwrap();
    let file = core.blobs().local_path(done.assets[0].asset.content.hash);

    let hold = core.blobs().hold();
    let other = core.blobs().hold();
    core.delete_library(by, &LIBRARY, true).await.unwrap();
    clock.advance(Duration::from_hours(2));
    core.maintenance_pass().await;
    assert!(file.exists(), "two backups hold it");
    drop(other);
    core.maintenance_pass().await;
    assert!(file.exists(), "one backup holds it");
    drop(hold);
    core.maintenance_pass().await;
    assert!(!file.exists(), "nobody holds it");
}
