//! Single libraries and assets out of a backup, into a server that runs.

use std::fs;
use std::path::Path;

use rasterd::core::access::LibraryPath;
use rasterd::core::backup::BackupOptions;
use rasterd::core::long_work::Reporter;
use rasterd::core::model::Access;
use rasterd::core::restore::SelectedRestoreOptions;
use rasterd::testing::{TempFolder, TestServer};
use serde_json::json;

use super::{fill, path_text, served, settled, targets, upload};
use crate::rest::picture;
use crate::support::program::{ASSETS, TestDir, files_below};

#[tokio::test]
async fn a_deleted_library_comes_back_as_it_was() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = fill(&test_dir, &program).await;
    settled(&program, &key).await;
    let before = served(&program.rest_of(&key)).await;
    let list = |json: serde_json::Value| json["data"].clone();
    let names = list(program.rest_of(&key).get(ASSETS).await.json());
    for target in targets(&test_dir) {
        test_dir.done(&["backup", path_text(&target)]);
        test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
        let out = test_dir.restored(&target, &["--library", "default/library"]);
        assert!(
            out.contains("Restored 4 assets") && out.contains("Created the library default/library"),
            "{out}"
        );
        let created =
            test_dir.json(&["key", "create", "again", "--org", "default", "--grant", "library=write"]);
        let rest = program.rest_of(created["key"].as_str().unwrap());
        assert_eq!(served(&rest).await, before);
        let after = list(rest.get(ASSETS).await.json());
        for (one, other) in names.as_array().unwrap().iter().zip(after.as_array().unwrap()) {
            for field in ["id", "name", "description", "tags", "url", "created", "contentType", "size"] {
                assert_eq!(one[field], other[field], "{field}");
            }
            let variants = |asset: &serde_json::Value| asset["variants"].as_array().unwrap().len();
            assert_eq!(variants(one), variants(other));
        }
        let again = test_dir.restored(&target, &["--library", "default/library"]);
        assert!(
            again.contains("Restored 0 assets") && again.contains("4 are on the server already"),
            "{again}"
        );
    }
    assert_eq!(test_dir.run(&["doctor"]).code, Some(0), "everything agrees");
}

#[tokio::test]
async fn a_single_asset_comes_back_and_others_stay_as_they_are() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    let rest = program.rest_of(&key);
    let (first, second) = (upload(&rest, "first").await, upload(&rest, "second").await);
    settled(&program, &key).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
    test_dir.restored(&target, &["--asset", &first]);
    let created = test_dir.json(&["key", "create", "again", "--org", "default", "--grant", "library=write"]);
    let rest = program.rest_of(created["key"].as_str().unwrap());
    let described = format!("{ASSETS}/{first}/description");
    let body = json!({ "description": "changed" });
    assert_eq!(rest.json(reqwest::Method::PATCH, &described, body).await.status, 200);
    let out = test_dir.restored(&target, &["--asset", &second, "--asset", &first]);
    assert!(out.contains("Restored 1 assets") && out.contains(&first), "{out}");
    let kept = rest.get(&format!("{ASSETS}/{first}")).await.json();
    assert_eq!(kept["data"]["description"], "changed");
    let exit = test_dir.run(&["restore", path_text(&target), "--asset", "0000000000000000"]);
    assert!(exit.code == Some(1) && exit.stderr.contains("is not in this snapshot"), "{}", exit.stderr);
}

/// Damages a file.
type Damage = fn(&Path);

#[tokio::test]
async fn a_missing_or_damaged_file_of_an_asset_is_put_back() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    let (wrong, whole) = (upload(&rest, "wrong").await, upload(&rest, "whole").await);
    let before = served(&rest).await;
    let files = test_dir.data_dir().join("files");
    let file = files_below(&files).into_iter().find(|file| fs::read(file).unwrap() == picture("wrong"));
    let file = file.unwrap();
    let damages: [Damage; 3] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::write(file, "short").unwrap(),
        |file| {
            let mut bytes = fs::read(file).unwrap();
            bytes[20] ^= 1;
            fs::write(file, bytes).unwrap();
        },
    ];
    for target in targets(&test_dir) {
        test_dir.done(&["backup", path_text(&target)]);
        for (damage, options) in
            damages.iter().zip([["--asset", &wrong], ["--library", "default/library"]].iter().cycle())
        {
            damage(&file);
            let found = test_dir.run(&["doctor"]);
            let advice = format!("`rasterd restore BACKUP --asset {wrong}`");
            assert!(found.code == Some(2) && found.stdout.contains(&advice), "{}", found.stdout);
            let out = test_dir.restored(&target, options);
            assert!(out.contains("Restored 0 assets"), "{out}");
            assert!(
                out.contains(&format!("Put back 1 files that were missing or damaged: {wrong}")),
                "{out}"
            );
            assert_eq!(out.contains(&whole), options[0] == "--library", "the other stays as it is: {out}");
            assert_eq!(served(&rest).await, before);
            assert_eq!(test_dir.run(&["doctor"]).code, Some(0), "everything agrees");
            // Not a second time.
            let again = test_dir.restored(&target, options);
            assert!(!again.contains("Put back") && again.contains("on the server already"), "{again}");
        }
    }
}

#[tokio::test]
async fn the_file_of_a_named_asset_is_read_and_no_library_is_created_for_it() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let id = upload(&program.rest_of(program.first_key()), "moved").await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    // The library of the backup is gone, and its asset is elsewhere.
    test_dir.done(&["library", "create", "Elsewhere", "--org", "default"]);
    let both = ["--grant", "library=write", "--grant", "elsewhere=write"];
    let created = test_dir.json(&[&["key", "create", "both", "--org", "default"][..], &both].concat());
    let rest = program.rest_of(created["key"].as_str().unwrap());
    let transfer = json!({ "assetIds": [id], "targetLibraryId": "elsewhere" });
    assert_eq!(rest.post(&format!("{ASSETS}/transfer"), transfer).await.status, 200);
    test_dir.done(&["library", "delete", "library", "--org", "default"]);

    let files = files_below(&test_dir.data_dir().join("files"));
    let file = files.into_iter().find(|file| fs::read(file).unwrap() == picture("moved")).unwrap();
    let mut bytes = picture("moved");
    bytes[20] ^= 1;
    // Nobody has read the file yet, so nobody knows that it is damaged.
    fs::write(&file, bytes).unwrap();
    let out = test_dir.restored(&target, &["--asset", &id]);
    assert!(out.contains(&format!("Put back 1 files that were missing or damaged: {id}")), "{out}");
    assert!(!out.contains("Created the library"), "{out}");
    assert_eq!(fs::read(&file).unwrap(), picture("moved"));
}

#[tokio::test]
async fn variants_leave_the_trash_with_an_original_that_came_back_in_it() {
    const PHOTOS: LibraryPath<'static> = LibraryPath { organization: "acme", library: "photos" };
    const PHOTO: &[u8] = include_bytes!("../../fixtures/wine.jpg");
    let (server, folder) = (TestServer::start(), TempFolder::new());
    let by = server.administrator();
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    let writer = server.key("acme", &[("photos", Access::Write)]).await;
    let original = server.upload(&writer, "acme", "photos", "a.jpg", PHOTO).await;
    let upload = || server.upload_under(&writer, "acme", "photos", "v.jpg", PHOTO, Some(&original));
    let (together, alone) = (upload().await, upload().await);
    let core = server.core();
    for id in [alone, original] {
        let caller = core.authenticate(&writer.token).unwrap();
        core.delete_assets(&caller, &PHOTOS, &[id.to_string()]).await.unwrap();
        server.clock().advance(std::time::Duration::from_secs(1));
    }
    let source = folder.path().join("backup");
    let options = BackupOptions { target: source.clone(), keep: None, authority: false };
    core.backup(&by, options, &Reporter::default()).await.unwrap();
    core.delete_library(by.clone(), &PHOTOS, true).await.unwrap();
    let libraries = vec![("acme".to_owned(), "photos".to_owned())];
    let options = SelectedRestoreOptions { source, snapshot: None, libraries, assets: Vec::new() };
    let summary = core.restore_selected(&by, options, &Reporter::default()).await.unwrap();
    assert_eq!(summary.restored.len(), 3, "{summary:?}");

    let writer = server.key("acme", &[("photos", Access::Write)]).await;
    let caller = || core.authenticate(&writer.token).unwrap();
    core.restore_assets(&caller(), &PHOTOS, &[original.to_string()]).await.unwrap();
    let variants = || {
        let detail = core.get_asset(&caller(), &PHOTOS, original.as_str()).unwrap();
        detail.variants.iter().map(|variant| variant.id).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(variants(), [together].into());
    core.restore_assets(&caller(), &PHOTOS, &[alone.to_string()]).await.unwrap();
    assert_eq!(variants(), [together, alone].into());
}

#[tokio::test]
async fn what_was_restored_before_a_limit_is_said_and_in_the_audit_log() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    for name in ["a", "b", "c"] {
        upload(&rest, name).await;
    }
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
    test_dir.done(&["org", "limit", "default", "--assets", "2"]);
    let exit = test_dir.run(&["restore", path_text(&target), "--library", "default/library"]);
    assert!(exit.code == Some(1) && exit.stderr.contains("2 of the assets were restored"), "{}", exit.stderr);
    let log = test_dir.done(&["audit", "export", "--org", "default"]);
    assert!(log.contains("2 from a backup"), "{log}");
    test_dir.done(&["org", "limit", "default", "--assets", "none"]);
    let out = test_dir.restored(&target, &["--library", "default/library"]);
    assert!(out.contains("Restored 1 assets"), "{out}");
}

#[test]
fn an_archive_of_another_kind_is_refused() {
    let test_dir = TestDir::new();
    for name in ["backup.tar.gz", "backup.zst", "backup.zip"] {
        let stderr = test_dir.run(&["backup", path_text(&test_dir.path().join(name))]).failed(1);
        assert!(stderr.contains("must end in .tar.zst"), "{stderr}");
    }
}

#[test]
fn options_of_a_whole_restore_are_refused_for_a_part() {
    let test_dir = TestDir::new();
    for option in ["--verify", "--skip-damaged"] {
        let stderr = test_dir.run(&["restore", "backup", "--library", "default/library", option]).failed(2);
        assert!(stderr.contains("cannot be used with"), "{stderr}");
    }
}

impl TestDir {
    fn restored(&self, source: &std::path::Path, what: &[&str]) -> String {
        self.done(&[&["restore", path_text(source)], what].concat())
    }
}
