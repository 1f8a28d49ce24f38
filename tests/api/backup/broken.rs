//! Backups that were interrupted, cut off or damaged, and data directories that are not empty: a restore says so and
//! changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use rasterd::core::long_work::{Reporter, Stage};
use rasterd::core::restore::{RestoreOptions, restore};

use super::{fill, path_text, seen, settled, targets, upload};
use crate::support::program::{RASTERD, TestDir, files_below, poll};

/// A restore that fails: returns its message, and checks that it left nothing.
fn refused(source: &Path) -> String {
    let elsewhere = TestDir::new();
    let stderr = elsewhere.run(&["restore", path_text(source)]).failed(1);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "it left nothing: {stderr}");
    stderr
}

fn one(root: &Path, name: &str) -> PathBuf {
    files_below(root).into_iter().find(|file| file.ends_with(name)).unwrap()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn every_kind_of_damage_to_a_backup_is_found_by_a_restore() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&test_dir, &program).await;
    let [folder, archive] = targets(&test_dir);
    let fresh = || {
        let _none = fs::remove_dir_all(&folder);
        test_dir.done(&["backup", path_text(&folder)]);
    };
    let asset = || files_below(&folder.join("files")).remove(0);
    let damages: [(&str, &dyn Fn()); 8] = [
        ("is damaged", &|| flip(&one(&folder, "rasterd.redb"), 5000)),
        ("is damaged", &|| flip(&one(&folder, "files.list"), 3)),
        ("is damaged", &|| fs::write(one(&folder, "manifest.json"), "{\"format\":1").unwrap()),
        ("Use a newer rasterd", &|| fs::write(one(&folder, "manifest.json"), "{\"format\":99}").unwrap()),
        ("has no complete snapshot", &|| fs::remove_file(one(&folder, "manifest.json")).unwrap()),
        ("lacks files of the snapshot", &|| flip(&asset(), 20)),
        ("lacks files of the snapshot", &|| fs::remove_file(asset()).unwrap()),
        ("is damaged", &|| flip(&one(&folder, "ca-key.pem"), 40)),
    ];
    for (words, damage) in damages {
        fresh();
        damage();
        let stderr = refused(&folder);
        assert!(stderr.contains(words), "{words:?} is not in {stderr}");
    }
    assert!(refused(&test_dir.path().join("nowhere")).contains("does not exist"));
    assert!(refused(&test_dir.data_dir()).contains("is not a backup"));

    test_dir.done(&["backup", path_text(&archive)]);
    let whole = fs::read(&archive).unwrap();
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        fs::write(&archive, &whole[..length]).unwrap();
        let stderr = refused(&archive);
        assert!(stderr.contains("is damaged or cut off"), "{length}: {stderr}");
    }
    fs::write(&archive, &whole).unwrap();
    flip(&archive, whole.len() / 2);
    refused(&archive);
}

#[tokio::test]
async fn what_is_whole_of_a_damaged_backup_is_restored_on_request() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = fill(&test_dir, &program).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let damaged = files_below(&target.join("files")).remove(0);
    flip(&damaged, 20);
    let elsewhere = TestDir::new();
    let exit = elsewhere.run(&["restore", path_text(&target), "--skip-damaged"]);
    assert_eq!(exit.code, Some(1), "{}", exit.stderr);
    assert!(exit.stderr.contains(damaged.file_name().unwrap().to_str().unwrap()), "{}", exit.stderr);
    let restored = elsewhere.serve();
    assert_eq!(restored.rest_of(&key).get("/me").await.status, 200);
    assert_eq!(files_below(&elsewhere.data_dir().join("files")).len(), 3 + 1);
}

#[tokio::test]
async fn a_data_directory_that_is_not_empty_is_refused_and_not_changed() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = fill(&test_dir, &program).await;
    settled(&program, &key).await;
    let before = seen(&program, &key).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let stderr = test_dir.run(&["restore", path_text(&target)]).failed(1);
    assert!(stderr.contains("is not empty") && stderr.contains("Nothing was changed"), "{stderr}");
    assert_eq!(seen(&program, &key).await, before);
    let elsewhere = TestDir::new();
    fs::create_dir(elsewhere.data_dir()).unwrap();
    fs::write(elsewhere.data_dir().join("notes.txt"), "mine").unwrap();
    elsewhere.run(&["restore", path_text(&target)]).failed(1);
    assert_eq!(fs::read_dir(elsewhere.data_dir()).unwrap().count(), 1);
    fs::remove_file(elsewhere.data_dir().join("notes.txt")).unwrap();
    elsewhere.done(&["restore", path_text(&target)]);
}

#[tokio::test]
async fn a_backup_that_a_kill_interrupts_is_not_taken_for_a_whole_one_and_the_next_completes_it() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    for number in 0..40 {
        upload(&program.rest_of(&key), &number.to_string()).await;
    }
    settled(&program, &key).await;
    let before = seen(&program, &key).await;
    let target = test_dir.path().join("backup");
    let mut command = test_dir.command_of(RASTERD);
    let mut child = command
        .args(["backup", path_text(&target)])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let snapshots = target.join("snapshots");
    poll("the backup has begun", || {
        let entries = fs::read_dir(&snapshots).ok()?;
        (entries.count() > 0).then_some(())
    });
    program.kill();
    child.wait().unwrap();
    let elsewhere = TestDir::new();
    let exit = elsewhere.run(&["restore", path_text(&target)]);
    // It may have been complete just before.
    if exit.code != Some(0) {
        assert!(exit.stderr.contains("no complete snapshot"), "{}", exit.stderr);
    }
    let program = test_dir.serve();
    test_dir.done(&["backup", path_text(&target)]);
    let names: Vec<_> = fs::read_dir(&snapshots).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_str().unwrap().starts_with('.')), "{names:?}");
    program.stop();
    let elsewhere = TestDir::new();
    elsewhere.done(&["restore", path_text(&target), "--verify"]);
    assert_eq!(seen(&elsewhere.serve(), &key).await, before);
}

#[tokio::test]
async fn a_damaged_file_on_the_server_never_replaces_its_whole_copy_in_a_backup() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&test_dir, &program).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let copy = files_below(&target.join("files")).remove(0);
    let name = copy.file_name().unwrap().to_str().unwrap();
    let own = test_dir.data_dir().join("files").join(&name[..2]).join(name);
    fs::write(&own, "short").unwrap();
    let exit = test_dir.run(&["backup", path_text(&target)]);
    assert!(exit.code == Some(1) && exit.stderr.contains("lacks 0 of them"), "{}", exit.stderr);
    TestDir::new().done(&["restore", path_text(&target), "--verify"]);
    let other = test_dir.path().join("other");
    let exit = test_dir.run(&["backup", path_text(&other)]);
    assert!(exit.code == Some(1) && exit.stderr.contains("lacks 1 of them"), "{}", exit.stderr);
}

#[tokio::test]
async fn a_file_that_can_not_be_read_is_named_and_everything_else_is_backed_up() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&test_dir, &program).await;
    let own = files_below(&test_dir.data_dir().join("files"))
        .into_iter()
        .find(|file| file.file_name().unwrap().len() == 64)
        .unwrap();
    // It opens, and each read of it fails, as on a bad sector.
    fs::remove_file(&own).unwrap();
    fs::create_dir(&own).unwrap();
    for target in targets(&test_dir) {
        let exit = test_dir.run(&["backup", path_text(&target)]);
        assert!(exit.code == Some(1) && exit.stderr.contains("lacks 1 of them"), "{}", exit.stderr);
        let elsewhere = TestDir::new();
        let exit = elsewhere.run(&["restore", path_text(&target), "--verify"]);
        assert!(exit.stderr.contains("everything else was restored"), "{}", exit.stderr);
        assert!(exit.stderr.contains(own.file_name().unwrap().to_str().unwrap()), "{}", exit.stderr);
        assert_eq!(files_below(&elsewhere.data_dir().join("files")).len(), 3);
    }
}

#[tokio::test]
async fn an_authority_stays_as_it_is_and_an_empty_folder_for_one_is_filled() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    upload(&program.rest_of(program.first_key()), "a").await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let elsewhere = TestDir::new();
    fs::create_dir(elsewhere.certificates()).unwrap();
    let out = elsewhere.done(&["restore", path_text(&target)]);
    assert!(out.contains("clients that trust it need nothing new"), "{out}");
    let authority = |test_dir: &TestDir| fs::read(test_dir.certificates().join("ca.pem")).unwrap();
    assert_eq!(authority(&elsewhere), authority(&test_dir));
    let other = TestDir::new();
    other.serve().stop();
    let before = authority(&other);
    fs::remove_dir_all(other.data_dir()).unwrap();
    let out = other.done(&["restore", path_text(&target)]);
    assert!(out.contains("has one already, which stays"), "{out}");
    assert_eq!(authority(&other), before);
}

#[tokio::test]
async fn everything_is_read_back_when_that_is_asked_for() {
    let test_dir = TestDir::new();
    drop(test_dir.serve());
    let source = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&source)]);
    for verify in [false, true] {
        let options = RestoreOptions {
            source: source.clone(),
            snapshot: None,
            data_dir: test_dir.path().join(format!("restored-{verify}")),
            certificates: None,
            verify,
            skip_damaged: false,
        };
        let reporter = Reporter::default();
        restore(&options, &reporter).unwrap();
        assert_eq!(reporter.follow().borrow().stage == Stage::Verifying, verify);
    }
}
