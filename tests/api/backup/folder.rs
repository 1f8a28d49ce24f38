//! A folder that backups are added to: what is copied, what stays, what is removed, and which folders are refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::json;

use super::{path_text, upload};
use crate::support::program::{Program, TestDir, files_below};

/// The assets' files in a backup with their inodes, which tell a kept file from one that was written again.
fn contents(backup: &Path) -> BTreeMap<String, u64> {
    let files = files_below(&backup.join("files")).into_iter();
    files
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::metadata(file).unwrap().ino())
        })
        .collect()
}

fn snapshots(backup: &Path) -> Vec<String> {
    let entries = fs::read_dir(backup.join("snapshots")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

async fn started(test_dir: &TestDir, names: &[&str]) -> Program {
    let program = test_dir.serve();
    let rest = program.rest_of(program.first_key());
    for name in names {
        upload(&rest, name).await;
    }
    program
}

#[tokio::test]
async fn only_new_files_are_copied_and_others_stay_as_they_are() {
    let test_dir = TestDir::new();
    let program = started(&test_dir, &["a", "b"]).await;
    let target = test_dir.path().join("backup");
    let first = test_dir.json(&["backup", path_text(&target)]);
    assert_eq!((&first["files"], &first["newFiles"]), (&json!(2), &json!(2)));
    let before = contents(&target);
    upload(&program.rest_of(program.first_key()), "c").await;
    let second = test_dir.json(&["backup", path_text(&target)]);
    assert_eq!((&second["files"], &second["newFiles"]), (&json!(3), &json!(1)));
    let after = contents(&target);
    assert_eq!(after.len(), 3);
    for (name, inode) in before {
        assert_eq!(after[&name], inode, "{name} is kept");
    }
    assert_eq!(snapshots(&target).len(), 2);
}

#[tokio::test]
async fn a_file_that_was_cut_short_in_the_backup_is_copied_again() {
    let test_dir = TestDir::new();
    let _program = started(&test_dir, &["a", "b"]).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let file = files_below(&target.join("files")).remove(0);
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(5).unwrap();
    assert_eq!(test_dir.json(&["backup", path_text(&target)])["newFiles"], 1);
    TestDir::new().done(&["restore", path_text(&target)]);
}

#[tokio::test]
async fn as_many_snapshots_stay_as_are_kept_with_the_files_that_they_name() {
    let test_dir = TestDir::new();
    let program = started(&test_dir, &["a"]).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let old = contents(&target);
    test_dir.done(&["library", "create", "Other", "--org", "default"]);
    test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
    for (round, kept) in [2, 2, 2].into_iter().enumerate() {
        let summary = test_dir.json(&["backup", path_text(&target), "--keep", "2"]);
        assert_eq!(snapshots(&target).len(), kept.min(round + 2));
        let removed = u64::from(round == 1);
        assert_eq!(summary["removedFiles"], removed, "only when no snapshot names it: {summary}");
        let is_there = contents(&target).keys().any(|name| old.contains_key(name));
        assert_eq!(is_there, round == 0);
    }
    TestDir::new().done(&["restore", path_text(&target), "--verify"]);
    program.stop();
}

#[tokio::test]
async fn the_snapshot_that_was_just_made_stays_whatever_the_clock_said_before() {
    let test_dir = TestDir::new();
    let program = started(&test_dir, &["a"]).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let first = snapshots(&target).remove(0);
    let ahead = target.join("snapshots/2090-01-01T000000Z");
    fs::rename(target.join("snapshots").join(first), ahead).unwrap();
    upload(&program.rest_of(program.first_key()), "b").await;
    for _ in 0..3 {
        let summary = test_dir.json(&["backup", path_text(&target), "--keep", "1"]);
        assert_eq!(snapshots(&target), [summary["snapshot"].as_str().unwrap()]);
    }
    let elsewhere = TestDir::new();
    elsewhere.done(&["restore", path_text(&target)]);
    assert_eq!(files_below(&elsewhere.data_dir().join("files")).len(), 2);
}

#[tokio::test]
async fn nothing_is_removed_while_a_snapshot_that_stays_can_not_be_read() {
    let test_dir = TestDir::new();
    let program = started(&test_dir, &["a"]).await;
    let target = test_dir.path().join("backup");
    for _ in 0..2 {
        test_dir.done(&["backup", path_text(&target)]);
    }
    let newer = snapshots(&target).remove(1);
    fs::write(target.join("snapshots").join(&newer).join("files.list"), "damaged\n").unwrap();
    test_dir.done(&["library", "create", "Other", "--org", "default"]);
    test_dir.done(&["library", "delete", "library", "--org", "default", "--with-assets"]);
    let exit = test_dir.run(&["backup", path_text(&target), "--keep", "2"]);
    assert_eq!(exit.code, Some(1), "{}", exit.stderr);
    assert!(exit.stderr.contains("the backup was made") && exit.stderr.contains(&newer), "{}", exit.stderr);
    assert_eq!((snapshots(&target).len(), contents(&target).len()), (3, 1));
    TestDir::new().done(&["restore", path_text(&target), "--verify"]);
    program.stop();
}

#[tokio::test]
async fn the_wanted_snapshot_is_restored_by_the_beginning_of_its_name() {
    let test_dir = TestDir::new();
    let program = started(&test_dir, &["a"]).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", path_text(&target)]);
    let first = snapshots(&target).remove(0);
    upload(&program.rest_of(program.first_key()), "b").await;
    test_dir.done(&["backup", path_text(&target)]);
    let restored = |wanted: &[&str]| {
        let elsewhere = TestDir::new();
        elsewhere.done(&[&["restore", path_text(&target)], wanted].concat());
        files_below(&elsewhere.data_dir().join("files")).len()
    };
    assert_eq!(restored(&[]), 2);
    // Also when the name of the second only adds to it.
    assert_eq!(restored(&["--snapshot", &first]), 1);
    fs::rename(target.join("snapshots").join(&first), target.join("snapshots/2020-01-01T000000Z")).unwrap();
    assert_eq!(restored(&["--snapshot", "2020-01-01 00:00"]), 1);
    let stderr = TestDir::new().run(&["restore", path_text(&target), "--snapshot", "1999"]).failed(1);
    assert!(stderr.contains("has no snapshot 1999") && stderr.contains("2020-01-01T000000Z"), "{stderr}");
}

#[tokio::test]
async fn targets_that_hold_something_else_are_refused_and_left_alone() {
    let test_dir = TestDir::new();
    let _program = started(&test_dir, &["a"]).await;
    let other = TestDir::new();
    let _other = started(&other, &["a"]).await;
    let (foreign, file) = (test_dir.path().join("foreign"), test_dir.path().join("there.tar.zst"));
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.txt"), "x").unwrap();
    fs::write(&file, "x").unwrap();
    let theirs = test_dir.path().join("theirs");
    other.done(&["backup", path_text(&theirs)]);
    let inside = test_dir.data_dir().join("backup");
    for (target, words) in [
        (&foreign, "is not empty, and not a backup"),
        (&file, "exists already"),
        (&theirs, "the backup of another installation"),
        (&inside, "is in the data directory"),
    ] {
        let stderr = test_dir.run(&["backup", path_text(target)]).failed(1);
        assert!(stderr.contains(words) && stderr.contains(path_text(target)), "{stderr}");
    }
    let one_file = test_dir.path().join("new.tar.zst");
    let stderr = test_dir.run(&["backup", path_text(&one_file), "--keep", "7"]).failed(1);
    assert!(stderr.contains("leave out --keep") && !one_file.exists(), "{stderr}");
    assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1);
    assert_eq!(fs::read(&file).unwrap(), b"x");
    assert_eq!(snapshots(&theirs).len(), 1);
    assert!(!inside.exists());
}
