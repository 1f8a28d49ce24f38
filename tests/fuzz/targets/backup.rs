//! Any bytes as a backup: as the archive, and as the description of a snapshot in a folder.
#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use rasterd::core::long_work::Reporter;
use rasterd::core::restore::{RestoreOptions, restore};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
    let source = match kind % 3 {
        0 => archive(folder.path(), bytes),
        1 => archive(folder.path(), &zstd::encode_all(bytes, 1).expect("memory")),
        _ => snapshot(folder.path(), bytes),
    };
    let options = RestoreOptions {
        source,
        snapshot: None,
        data_dir: folder.path().join("data"),
        certificates: Some(folder.path().join("certs")),
        verify: true,
        skip_damaged: false,
    };
    let outcome = restore(&options, &Reporter::default());
    // No description that is made up names a database that is there.
    let reason = outcome.expect_err("this is no whole backup").message().to_owned();
    assert!(!reason.is_empty() && reason.chars().count() < 2000, "{reason}");
    let left: Vec<_> = fs::read_dir(&options.data_dir).into_iter().flatten().collect();
    assert!(left.is_empty(), "nothing is left of a restore that fails: {left:?}");
});

fn archive(folder: &Path, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join("backup.tar.zst");
    fs::write(&path, bytes).expect("a file");
    path
}

fn snapshot(folder: &Path, manifest: &[u8]) -> std::path::PathBuf {
    let backup = folder.join("backup");
    let snapshot = backup.join("snapshots/2026-01-02T030405Z");
    fs::create_dir_all(&snapshot).expect("a folder");
    fs::write(backup.join("rasterd-backup"), "").expect("a file");
    fs::write(snapshot.join("manifest.json"), manifest).expect("a file");
    backup
}
