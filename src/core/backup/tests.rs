//! No file that a backup's snapshot names is deleted while it runs, and no record of this machine's disk is in it.

use std::time::Duration;

use crate::core::Core;
use crate::core::access::grant::Administrator;
use crate::core::clock::Clock;
use crate::core::model::ContentHash;
use crate::core::store::{CopyQueries, ScrubCommands, ScrubQueries, Store, StoreOptions};
use crate::core::tests::{PHOTOS, pixel, writer_of};
use crate::testing::{TempFolder, settings};

/// A server with one asset, and the hash of its file.
async fn with_one_file(dir: &TempFolder, clock: &Clock) -> (Core, ContentHash) {
    let core = Core::open(settings(&dir.path().join("data"), "https://localhost"), clock.clone()).unwrap();
    let key = writer_of(&core, &["photos"]).await;
    let caller = core.authenticate(key.reveal()).unwrap();
    let done = core.upload_sources(caller, &PHOTOS, vec![pixel("a.gif")], None, |_| {}).await.unwrap();
    let hash = done.assets[0].asset.content.hash;
    (core, hash)
}

#[tokio::test]
async fn what_is_damaged_on_this_disk_is_not_known_as_damaged_where_it_is_restored() {
    let dir = TempFolder::new();
    let (core, hash) = with_one_file(&dir, &Clock::default()).await;
    core.store().write(move |tx| tx.put_damaged(hash, 1)).await.unwrap();
    let snapshot = core.store().snapshot().unwrap();
    assert!(snapshot.damaged_files().unwrap().contains(&hash));
    let copy = dir.path().join("copy");
    snapshot.copy_to(&copy, &mut |_| Ok(())).unwrap();
    let copy = Store::open(&copy, &StoreOptions::of_a_copy(dir.path(), 1 << 20).unwrap()).unwrap();
    assert!(copy.snapshot().unwrap().damaged_files().unwrap().is_empty());
}

#[tokio::test]
async fn files_stay_as_long_as_a_backup_holds_them() {
    let (dir, clock, by) = (TempFolder::new(), Clock::default(), Administrator::local());
    let (core, hash) = with_one_file(&dir, &clock).await;
    let file = core.blobs().local_path(hash);
    let hold = core.blobs().hold();
    let other = core.blobs().hold();
    core.delete_library(by, &PHOTOS, true).await.unwrap();
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
