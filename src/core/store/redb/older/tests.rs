//! What earlier versions wrote is read, and caught up with.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::*;
use crate::core::Core;
use crate::core::access::grant::Administrator;
use crate::core::clock::Clock;
use crate::core::model::page::{Cursor, PageRequest};
use crate::core::settings::{MediaSettings, Settings};
use crate::core::store::redb::tables::{
    ASSETS, AUDIT_CHAINS, AUDIT_HASHES, CHANGES, LIBRARY_BYTES, LIBRARY_CHANGES, LISTED_COUNTS, META,
    ORGANIZATION_USE, QUOTAS, TAG_RANKS, TAG_TOTALS, decode,
};
use crate::core::store::{AssetQueries, OrderQueries};
use crate::core::tests::{PHOTOS, pixel, writer_of};
use crate::testing::settings;

mod fixtures;

/// How long something is waited for.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// The record that version 1 would have written for this asset.
fn version_1(asset: &Asset) -> Vec<u8> {
    let Content { hash, size, media_type, width, height, .. } = asset.content.clone();
    let asset = asset.clone();
    let older = AssetV1 {
        id: asset.id,
        library: asset.library,
        parent: asset.parent,
        name: asset.name,
        content: ContentV1 { hash, size, media_type, width, height },
        description: asset.description,
        tags: asset.tags,
        created: asset.created,
        updated: asset.updated,
        uploaded_by: asset.uploaded_by,
        trashed: asset.trashed,
    };
    postcard::to_extend(&older, vec![1]).unwrap()
}

#[test]
fn an_asset_of_version_1_is_read() {
    let bytes = [
        &[1][..],
        b"0123456789abcdef",
        &[7, 0, 3],
        b"one",
        &[9; 32],
        &[0xE8, 0x07, 0, 1, 0x90, 0x03, 0, 0, 1, 3],
        b"sea",
        &[5, 6, 4],
        b"test",
        &[0],
    ]
    .concat();
    let content = Content {
        hash: ContentHash([9; 32]),
        size: 1000,
        media_type: MediaType::Jpeg,
        width: Some(400),
        height: None,
        processing: ProcessingState::Nothing,
    };
    let expected = Asset {
        id: AssetId::parse("0123456789abcdef").unwrap(),
        library: LibraryId(7),
        parent: None,
        name: "one".into(),
        content,
        description: String::new(),
        tags: vec!["sea".into()],
        created: 5,
        updated: 6,
        uploaded_by: "test".into(),
        trashed: None,
        approval: None,
        perceptual_hash: None,
    };
    assert_eq!(decode::<Asset>(&bytes).unwrap(), expected);
    assert_eq!(version_1(&expected), bytes);
    assert!(decode::<Asset>(&bytes[..bytes.len() - 1]).is_err(), "cut off");
}

#[test]
fn an_asset_of_version_2_is_read() {
    let asset = Asset { tags: vec!["sea".into()], trashed: Some(300), ..crate::core::index::asset(7, "one") };
    let bytes = crate::core::store::redb::tables::encode(&asset).unwrap();
    let (without_approval_and_look, end) = bytes.split_at(bytes.len() - 2);
    assert_eq!((bytes[0], end), (3, &[0, 0][..]));
    let older = [&[2], &without_approval_and_look[1..]].concat();
    assert_eq!(decode::<Asset>(&older).unwrap(), asset);
    assert!(decode::<Asset>(&older[..older.len() - 2]).is_err(), "cut off");
}

/// Opens the data directory, once the threads of anyone who had it have released it.
fn open(dir: &Path) -> Core {
    let media = MediaSettings { import_metadata: true };
    let settings = Settings { media, ..settings(&dir.join("data"), "https://localhost") };
    let until = Instant::now() + DEADLINE;
    loop {
        match Core::open(settings.clone(), Clock::default()) {
            Ok(core) => return core,
            Err(error) => assert!(Instant::now() < until, "{error:?}"),
        }
        std::thread::sleep(PAUSE);
    }
}

/// A data directory with one asset, as version 1 left it; returns a key and the asset.
async fn directory_of_version_1(dir: &Path) -> (String, Asset) {
    let core = open(dir);
    let key = writer_of(&core, &["photos"]).await;
    let caller = core.authenticate(key.reveal()).unwrap();
    let uploaded =
        core.upload_sources(caller, &PHOTOS, vec![pixel("pixel.gif")], None, |_| {}).await.unwrap();
    let asset = uploaded.assets[0].asset.clone();
    let written = asset.clone();
    let write = move |tx: &crate::core::store::Tx<'_>| {
        tx.unqueue_work(&written)?;
        tx.put(META, "schema", 1)?;
        tx.put(ASSETS, (written.library.0, written.id.bytes()), version_1(&written).as_slice())
    };
    core.store().write(write).await.unwrap();
    (key.reveal().to_owned(), asset)
}

#[tokio::test]
async fn what_an_earlier_version_left_unseen_is_looked_at() {
    let dir = crate::testing::TempFolder::new();
    let (key, uploaded) = directory_of_version_1(dir.path()).await;
    let core = open(dir.path());
    let caller = core.authenticate(&key).unwrap();
    let grant = caller.read(&PHOTOS).unwrap();
    let now = || core.store().snapshot().unwrap().asset(&grant, &uploaded.id).unwrap();
    assert_eq!(now().content.processing, ProcessingState::Nothing);
    let seen = async {
        while now().content.processing_result().is_none() {
            sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = core.process_uploads() => panic!("it ended"),
        seen = timeout(DEADLINE, seen) => seen.unwrap(),
    }
    let asset = now();
    assert!(asset.content.processing_result().unwrap().blurhash.is_some());
    assert!(asset.updated > uploaded.updated);
    assert_eq!((asset.name, asset.content.hash), (uploaded.name, uploaded.content.hash));
}

/// Takes away what version 1 did not have.
fn delete_bytes(dir: &Path) {
    let db = database(dir);
    let tx = db.begin_write().unwrap();
    assert!(tx.delete_table(LIBRARY_BYTES).unwrap());
    tx.commit().unwrap();
}

/// The database itself, once nobody has it open any more.
fn database(dir: &Path) -> redb::Database {
    let until = Instant::now() + DEADLINE;
    loop {
        match redb::Database::open(dir.join("data/rasterd.redb")) {
            Ok(db) => return db,
            Err(error) => assert!(Instant::now() < until, "{error:?}"),
        }
        std::thread::sleep(PAUSE);
    }
}

#[tokio::test]
async fn the_bytes_that_an_earlier_version_did_not_count_are_counted() {
    let dir = crate::testing::TempFolder::new();
    let (_, uploaded) = directory_of_version_1(dir.path()).await;
    delete_bytes(dir.path());
    let core = open(dir.path());
    let sizes = core.list_library_sizes(&Administrator::local(), "acme").unwrap();
    let bytes: Vec<u64> = sizes.into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(bytes, [uploaded.content.size]);
}

#[tokio::test]
async fn with_the_change_log_of_an_earlier_version_everything_is_found() {
    let dir = crate::testing::TempFolder::new();
    let (key, uploaded) = directory_of_version_1(dir.path()).await;
    let db = database(dir.path());
    let tx = db.begin_write().unwrap();
    assert!(tx.delete_table(CHANGES).unwrap() && tx.delete_table(LIBRARY_CHANGES).unwrap());
    let old: redb::TableDefinition<'_, u64, &[u8; 16]> = redb::TableDefinition::new("changes.v1");
    tx.open_table(old).unwrap().insert(1, uploaded.id.bytes()).unwrap();
    tx.open_table(META).unwrap().insert("schema", 2).unwrap();
    tx.commit().unwrap();
    drop(db);
    // What the index of that version was is not what this one makes.
    std::fs::write(dir.path().join("data/index/meta.json"), "{}").unwrap();
    let core = open(dir.path());
    let caller = core.authenticate(&key).unwrap();
    let all = PageRequest::new(None, None, 10, 10);
    let found = core.search_assets(&caller, "acme", "pixel", &[], all).await.unwrap();
    let ids: Vec<AssetId> = found.hits.iter().map(|hit| hit.detail.asset.id).collect();
    assert_eq!((found.total, ids), (1, vec![uploaded.id]));
}

#[tokio::test]
async fn the_tags_of_an_earlier_version_are_put_in_order_and_counted() {
    let dir = crate::testing::TempFolder::new();
    let (key, uploaded) = directory_of_version_1(dir.path()).await;
    {
        let core = open(dir.path());
        let caller = core.authenticate(&key).unwrap();
        let (ids, tags) = ([uploaded.id.to_string()], ["sea".to_owned(), "Air".to_owned()]);
        core.tag_assets(&caller, &PHOTOS, &ids, &tags).await.unwrap();
    }
    let db = database(dir.path());
    let tx = db.begin_write().unwrap();
    assert!(tx.delete_table(TAG_RANKS).unwrap() && tx.delete_table(TAG_TOTALS).unwrap());
    tx.commit().unwrap();
    drop(db);
    let core = open(dir.path());
    let caller = core.authenticate(&key).unwrap();
    let texts = || -> Vec<String> {
        let caller = core.authenticate(&key).unwrap();
        core.list_tags(&caller, &PHOTOS, 9).unwrap().into_iter().map(|tag| tag.text).collect()
    };
    assert_eq!(texts(), ["Air", "sea"]);
    core.untag_assets(&caller, &PHOTOS, &[uploaded.id.to_string()], &["air".to_owned()]).await.unwrap();
    assert_eq!(texts(), ["sea"]);
}

#[tokio::test]
async fn the_events_of_an_earlier_version_are_chained_and_what_is_used_is_counted() {
    let dir = crate::testing::TempFolder::new();
    let (_, uploaded) = directory_of_version_1(dir.path()).await;
    let db = database(dir.path());
    let tx = db.begin_write().unwrap();
    assert!(tx.delete_table(AUDIT_HASHES).unwrap() && tx.delete_table(AUDIT_CHAINS).unwrap());
    assert!(tx.delete_table(ORGANIZATION_USE).unwrap() && tx.delete_table(QUOTAS).unwrap());
    tx.open_table(META).unwrap().insert("schema", 3).unwrap();
    tx.commit().unwrap();
    drop(db);
    let core = open(dir.path());
    let by = Administrator::local();
    let used = core.get_quota(&by, "acme").unwrap().used;
    assert_eq!((used.storage, used.assets, used.libraries), (uploaded.content.size, 1, 1));
    let check = async || core.verify_audit(by.clone(), None, None).await.unwrap().remove(0).check;
    let before = check().await;
    assert_eq!((before.damage, before.whole, before.chain.entries), (None, 4, 4));
    core.create_library_as_admin(by.clone(), "acme", "More", None).await.unwrap();
    let after = check().await;
    assert_eq!((after.damage, after.whole), (None, 5));
    assert_ne!(after.chain.head, before.chain.head);
}

#[tokio::test]
async fn the_list_of_an_earlier_version_is_counted() {
    let dir = crate::testing::TempFolder::new();
    let (key, uploaded) = directory_of_version_1(dir.path()).await;
    let db = database(dir.path());
    let tx = db.begin_write().unwrap();
    assert!(tx.delete_table(LISTED_COUNTS).unwrap());
    tx.open_table(META).unwrap().insert("schema", 4).unwrap();
    tx.commit().unwrap();
    drop(db);
    let core = open(dir.path());
    let caller = core.authenticate(&key).unwrap();
    let grant = caller.read(&PHOTOS).unwrap();
    let first = caller.snapshot().listed_at(&grant, 0).unwrap();
    assert_eq!(first, Some(Cursor::of(&uploaded)));
    assert_eq!(caller.snapshot().listed_at(&grant, 1).unwrap(), None);
}
