//! Scheduled backups, and files that a backup holds.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rasterd::core::backup::BackupOptions;
use rasterd::core::long_work::Reporter;
use rasterd::testing::{TempFolder, TestServer};

const HOUR: Duration = Duration::from_hours(1);

fn with_backups_to(dir: PathBuf) -> TestServer {
    TestServer::start_with(move |settings, _| {
        settings.backup.dir = Some(dir.clone());
        settings.backup.every = 24 * HOUR;
        settings.backup.keep = 2;
    })
}

fn count(target: &std::path::Path) -> usize {
    fs::read_dir(target.join("snapshots")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_backup_is_made_when_it_is_due_and_older_ones_go() {
    let folder = TempFolder::new();
    let target = folder.path().join("backup");
    let mut server = with_backups_to(target.clone());
    let core = || server.core().clone();
    crate::support::program::poll("the first one is made", || (count(&target) == 1).then_some(()));
    crate::support::program::poll("it is noted", || core().latest_backups().unwrap().made);
    server.clock().advance(23 * HOUR);
    server.core().backup_if_due().await.unwrap();
    assert_eq!(count(&target), 1, "none is due");
    for made in [2, 2] {
        server.clock().advance(25 * HOUR);
        server.core().backup_if_due().await.unwrap();
        assert_eq!(count(&target), made);
    }
    server.restart();
    server.core().backup_if_due().await.unwrap();
    assert_eq!(count(&target), 2, "a restart makes none");
}

#[tokio::test]
async fn a_failure_is_noted_until_the_next_success() {
    let folder = TempFolder::new();
    let target = folder.path().join("backup");
    fs::write(&target, "a file").unwrap();
    let server = with_backups_to(target.clone());
    let latest = || server.core().latest_backups().unwrap();
    crate::support::program::poll("it fails", || latest().failed);
    assert_eq!(latest().made, None);
    fs::remove_file(&target).unwrap();
    server.clock().advance(2 * HOUR);
    server.core().backup_if_due().await.unwrap();
    assert!(latest().made.is_some() && latest().failed.is_none());
}

#[tokio::test]
async fn a_backup_that_was_made_elsewhere_by_hand_does_not_stand_for_the_scheduled_one() {
    let folder = TempFolder::new();
    let target = folder.path().join("backup");
    let server = with_backups_to(target.clone());
    let core = server.core();
    crate::support::program::poll("the first one is noted", || core.latest_backups().unwrap().made);
    server.clock().advance(25 * HOUR);
    let by_hand = |name: &str| {
        let options = BackupOptions { target: folder.path().join(name), keep: None, authority: true };
        let by = server.administrator();
        async move { core.backup(&by, options, &Reporter::default()).await }
    };
    by_hand("elsewhere").await.unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    by_hand("file").await.unwrap_err();
    assert_eq!(core.latest_backups().unwrap().failed, None);
    core.backup_if_due().await.unwrap();
    assert_eq!(count(&target), 2);
}
