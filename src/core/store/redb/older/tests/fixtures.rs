//! Data directories of every schema, kept in `tests/fixtures/schemas`, are opened, and have everything that they had.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{database, open};
use crate::core::access::grant::Administrator;
use crate::core::model::page::PageRequest;
use crate::core::store::CheckQueries;
use crate::core::store::redb::migrate::SCHEMA;
use crate::core::store::redb::tables::META;
use crate::core::tests::{PHOTOS, pixel, writer_of};
use crate::testing::TempFolder;

const KEY: &str = "key.txt";

fn fixture(schema: u64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schemas/{schema}.tar.zst"))
}

/// Makes a data directory of the present schema: two assets with tags, one of them with a variant, one in the trash.
async fn fill(dir: &Path) -> String {
    let core = open(dir);
    let key = writer_of(&core, &["photos"]).await;
    let caller = || core.authenticate(key.reveal()).unwrap();
    let upload = async |name: &str, parent: Option<&str>| {
        let done = core.upload_sources(caller(), &PHOTOS, vec![pixel(name)], parent, |_| {}).await.unwrap();
        done.assets[0].asset.id.to_string()
    };
    let (sea, lake, gone) =
        (upload("sea.gif", None).await, upload("lake.gif", None).await, upload("gone.gif", None).await);
    upload("small.gif", Some(&sea)).await;
    core.tag_assets(&caller(), &PHOTOS, &[sea.clone(), lake], &["Blue".to_owned()]).await.unwrap();
    core.tag_assets(&caller(), &PHOTOS, &[sea], &["été".to_owned()]).await.unwrap();
    core.delete_assets(&caller(), &PHOTOS, &[gone]).await.unwrap();
    core.close().await;
    key.reveal().to_owned()
}

/// Stamps a database with another schema.
fn stamp(dir: &Path, schema: u64) {
    let db = database(dir);
    let tx = db.begin_write().unwrap();
    tx.open_table(META).unwrap().insert("schema", schema).unwrap();
    tx.commit().unwrap();
}

#[tokio::test]
#[ignore = "writes the fixture of the present schema; see tests/fixtures/README.md"]
async fn the_fixture_is_written() {
    let dir = TempFolder::new();
    let key = fill(dir.path()).await;
    fs::write(dir.path().join(KEY), key).unwrap();
    let file = File::create(fixture(SCHEMA)).unwrap();
    let mut archive = tar::Builder::new(zstd::Encoder::new(file, 19).unwrap());
    for name in [KEY, "data/rasterd.redb", "data/files/rasterd-files"] {
        archive.append_path_with_name(dir.path().join(name), name).unwrap();
    }
    let entries = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    for folder in entries(&dir.path().join("data/files")).into_iter().filter(|path| path.is_dir()) {
        for file in entries(&folder) {
            archive.append_path_with_name(&file, file.strip_prefix(dir.path()).unwrap()).unwrap();
        }
    }
    archive.into_inner().unwrap().finish().unwrap();
}

#[tokio::test]
async fn data_directories_of_every_schema_are_opened_with_all_that_they_have() {
    for schema in 1..=SCHEMA {
        let dir = TempFolder::new();
        let file = File::open(fixture(schema)).unwrap();
        tar::Archive::new(zstd::Decoder::new(file).unwrap()).unpack(dir.path()).unwrap();
        let key = fs::read_to_string(dir.path().join(KEY)).unwrap();
        let copy = dir.path().join(format!("data/rasterd.redb.before-schema-{SCHEMA}"));
        let core = open(dir.path());
        assert_eq!(copy.exists(), schema < SCHEMA, "{schema}");
        let found = core.store().snapshot().unwrap().check_records(&mut |_| Ok(())).unwrap();
        assert!(found.in_records.is_empty() && found.in_derived.is_empty(), "{schema}: {found:?}");
        let caller = || core.authenticate(&key).unwrap();
        let all = PageRequest::new(None, None, 10, 10);
        let found = core.search_assets(&caller(), "acme", "", &[], all).await.unwrap();
        let names: Vec<String> = found.hits.iter().map(|hit| hit.detail.asset.name.clone()).collect();
        assert_eq!(names, ["lake", "sea"], "{schema}");
        assert_eq!(found.hits[1].detail.variants.len(), 1, "{schema}");
        let found = core.search_assets(&caller(), "acme", "blue", &[], all).await.unwrap();
        assert_eq!(found.total, 2, "{schema}");
        let tags: Vec<String> =
            core.list_tags(&caller(), &PHOTOS, 9).unwrap().into_iter().map(|tag| tag.text).collect();
        assert_eq!(tags, ["Blue", "été"], "{schema}");
        let sizes = core.list_library_sizes(&Administrator::local(), "acme").unwrap();
        assert_eq!((sizes[0].0.assets, sizes[0].0.trashed), (2, 1), "{schema}");
        assert!(sizes[0].1 > 0, "{schema}");
        drop(core);
        if schema < SCHEMA {
            // The copy is what the older rasterd left.
            let db = redb::Database::open(&copy).unwrap();
            let tx = redb::ReadableDatabase::begin_read(&db).unwrap();
            let found = tx.open_table(META).unwrap();
            let found = redb::ReadableTable::get(&found, "schema").unwrap().unwrap().value();
            assert_eq!(found, schema);
        }
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_not_changed() {
    let dir = TempFolder::new();
    fill(dir.path()).await;
    stamp(dir.path(), SCHEMA + 1);
    let before = fs::read(dir.path().join("data/rasterd.redb")).unwrap();
    let settings = crate::testing::settings(&dir.path().join("data"), "https://localhost");
    let error = crate::core::Core::open(settings, crate::core::clock::Clock::default()).err().unwrap();
    assert!(error.message().contains("Use a newer rasterd"), "{error}");
    assert_eq!(fs::read(dir.path().join("data/rasterd.redb")).unwrap().len(), before.len());
}
