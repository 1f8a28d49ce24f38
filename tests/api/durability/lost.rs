//! Database and files that don't match: one of them is missing, empty, or older than the other. Nothing is deleted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rasterd::file_mode::create_folder;
use rasterd::testing::TestServer;
use serde_json::Value;

use super::path_of;
use crate::rest::{Form, Rest, picture};
use crate::support::program::{ASSETS, TestDir, files_below, poll};

const DAY: Duration = Duration::from_hours(24);
const FILES: usize = 20;

/// Uploads as many files as go into one call.
async fn upload(rest: &Rest) -> Vec<Value> {
    let mut form = Form::default();
    for number in 0..FILES {
        form.file("files", &format!("{number}.png"), &picture(&number.to_string()));
    }
    let reply = rest.send_form(ASSETS, form).await;
    reply.json()["data"]["assets"].as_array().unwrap().clone()
}

#[tokio::test]
async fn nothing_is_acknowledged_that_would_go_into_a_database_which_is_not_there_any_more() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    upload(&rest).await;
    let [database, away] = ["rasterd.redb", "away.redb"].map(|name| test_dir.data_dir().join(name));
    let damages: [fn(&Path, &Path); 2] = [
        |database, away| fs::rename(database, away).unwrap(),
        |database, away| {
            fs::rename(database, away).unwrap();
            fs::copy(away, database).unwrap();
        },
    ];
    for damage in damages {
        damage(&database, &away);
        let mut form = Form::default();
        form.file("files", "late.png", &picture("late"));
        let refused = rest.send_form(ASSETS, form).await;
        assert_eq!((refused.status, refused.error_code().as_str()), (503, "SERVICE_UNAVAILABLE"));
        assert_eq!(rest.get(ASSETS).await.status, 200, "reading goes on");
        let found = test_dir.run(&["doctor", "--quick"]);
        assert_eq!(found.code, Some(2), "{}", found.stdout);
        assert!(found.stdout.contains("moved away or replaced"), "{}", found.stdout);
        fs::rename(&away, &database).unwrap();
        upload(&rest).await;
        // A file of the refused upload may be left, which no record names.
        let found = test_dir.run(&["doctor", "--quick"]);
        assert!(found.code != Some(2) && !found.stdout.contains("moved away"), "{}", found.stdout);
    }
    let listed = |reply: Value| reply["data"].as_array().unwrap().len();
    assert_eq!(listed(rest.get(&format!("{ASSETS}?pageSize=500")).await.json()), 3 * FILES);
}

/// The files below a folder that are named after their content.
fn contents(folder: &Path) -> BTreeSet<String> {
    let names =
        files_below(folder).into_iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name.len() == 64).collect()
}

/// Puts files in place like an upload that is killed before its commit, with its notes or without.
fn plant(data: &Path, count: usize, with_notes: bool) {
    for number in 0..count {
        let hash = blake3::hash(format!("nobody's {number}").as_bytes()).to_hex().to_string();
        let folder = data.join("files").join(&hash[..2]);
        create_folder(&folder).unwrap();
        fs::write(folder.join(&hash), "x").unwrap();
        if with_notes {
            fs::write(data.join("tmp").join(&hash), "").unwrap();
        }
    }
}

#[tokio::test]
async fn files_without_a_database_are_kept_and_every_start_says_what_to_do() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    upload(&program.rest_of(program.first_key())).await;
    program.stop();
    let (database, files) = (test_dir.data_dir().join("rasterd.redb"), test_dir.data_dir().join("files"));
    let (whole, before) = (fs::read(&database).unwrap(), contents(&files));
    assert_eq!(before.len(), FILES);
    for is_empty in [false, true] {
        fs::write(&database, "").unwrap();
        if !is_empty {
            fs::remove_file(&database).unwrap();
        }
        let wrong = if is_empty { "is empty" } else { "is missing" };
        let commands: [&[&str]; 5] = [
            &["serve"],
            &["serve", "--accept-files"],
            &["init"],
            &["key", "list"],
            &["org", "create", "Acme"],
        ];
        for command in commands {
            let stderr = test_dir.run(command).failed(1);
            for part in [&*database.to_string_lossy(), wrong, "20 files", "backup"] {
                assert!(stderr.contains(part), "{command:?}: {part} is not in {stderr}");
            }
            assert_eq!(contents(&files), before);
            assert_eq!(database.exists(), is_empty, "{command:?} makes no database");
        }
    }
    fs::write(&database, whole).unwrap();
    test_dir.serve().stop();
    assert_eq!(contents(&files), before);
}

#[test]
fn no_command_creates_a_database_as_a_side_effect() {
    let test_dir = TestDir::new();
    fs::create_dir(test_dir.data_dir()).unwrap();
    for command in [&["key", "list"][..], &["org", "create", "Acme"], &["library", "list", "--org", "x"]] {
        let stderr = test_dir.run(command).failed(1);
        assert!(stderr.contains("rasterd.redb is missing") && stderr.contains("rasterd init"), "{stderr}");
        assert_eq!(fs::read_dir(test_dir.data_dir()).unwrap().count(), 0, "{command:?}");
    }
    for _ in 0..2 {
        test_dir.done(&["init"]);
    }
    test_dir.done(&["org", "create", "Acme"]);
    assert_eq!(test_dir.json(&["org", "list"])[0]["id"], "acme");
}

#[tokio::test]
async fn an_older_database_with_newer_files_needs_consent_and_loses_nothing() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    program.stop();
    let database = test_dir.data_dir().join("rasterd.redb");
    let older = fs::read(&database).unwrap();
    let program = test_dir.serve();
    let assets = upload(&program.rest_of(&key)).await;
    program.stop();
    let newer = fs::read(&database).unwrap();
    let (files, unnamed) = (test_dir.data_dir().join("files"), test_dir.data_dir().join("unnamed"));
    let all = contents(&files);

    fs::write(&database, older).unwrap();
    let stderr = test_dir.run(&["serve"]).failed(1);
    for part in [&*files.to_string_lossy(), "20 files", "only 0", "--accept-files", "older database"] {
        assert!(stderr.contains(part), "{part} is not in {stderr}");
    }
    assert_eq!(contents(&files), all);
    let program = test_dir.serve_with(&["--accept-files"]);
    program.wait_for_log("set 20 files aside");
    assert_eq!((contents(&files).len(), contents(&unnamed)), (0, all.clone()));
    program.stop();
    // After the first confirmation, no other is needed.
    test_dir.serve().stop();

    fs::write(&database, newer).unwrap();
    let program = test_dir.serve();
    program.wait_for_log("brought 20 files back");
    assert_eq!((contents(&files), contents(&unnamed).len()), (all, 0));
    for asset in assets {
        assert_eq!(program.client().get(&path_of(&asset)).await.status, 200);
    }
}

#[test]
fn the_files_of_another_installation_are_refused() {
    let (test_dir, other) = (TestDir::new(), TestDir::new());
    test_dir.serve().stop();
    other.serve().stop();
    let marker = |test_dir: &TestDir| test_dir.data_dir().join("files/rasterd-files");
    fs::copy(marker(&other), marker(&test_dir)).unwrap();
    let stderr = test_dir.run(&["serve"]).failed(1);
    assert!(stderr.contains("another database") && stderr.contains("--accept-files"), "{stderr}");
    fs::remove_file(marker(&test_dir)).unwrap();
    let stderr = test_dir.run(&["serve"]).failed(1);
    assert!(stderr.contains("rasterd-files is not there") && stderr.contains("Mount the disk"), "{stderr}");
    test_dir.serve_with(&["--accept-files"]).stop();
    test_dir.serve().stop();
}

#[test]
fn the_files_of_killed_uploads_do_not_prevent_a_start() {
    let test_dir = TestDir::new();
    test_dir.serve().kill();
    plant(&test_dir.data_dir(), FILES, true);
    let program = test_dir.serve();
    program.wait_for_log("set 20 files aside");
    assert_eq!(contents(&test_dir.data_dir().join("unnamed")).len(), FILES);
    assert_eq!(contents(&test_dir.data_dir().join("files")).len(), 0);
}

#[tokio::test]
async fn files_that_are_not_in_the_database_are_deleted_after_some_days() {
    let mut server = TestServer::start();
    plant(&server.data_dir(), 3, false);
    server.restart();
    let unnamed = server.data_dir().join("unnamed");
    poll("they are set aside", || (contents(&unnamed).len() == 3).then_some(()));
    for (days, left) in [(13, 3), (2, 0)] {
        server.clock().advance(DAY * days);
        server.restart();
        server.core().maintenance_pass().await;
        poll("those are left that are not due", || (contents(&unnamed).len() == left).then_some(()));
        assert_eq!(contents(&unnamed).len(), left);
    }
}
