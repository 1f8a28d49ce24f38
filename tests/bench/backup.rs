//! Uploads while a backup runs: what the slowest hundredth of them waits, as a ratio to what it waits without.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::load::{self, Target};
use super::process::{self, Rasterd};
use super::{BATCH, MEASURE, ROUNDS};

/// How many files a backup copies, of how many bytes.
const FILES: usize = 1_000;
const SIZE: usize = 50_000;

/// Prints the ratio. On a disk, because waiting for it is what counts.
pub async fn run() {
    let dir = tempfile::tempdir().expect("a folder");
    let rasterd = Rasterd::start(dir.path());
    let target = Target::new(rasterd.address(), &dir.path().join("certs/ca.pem"));
    eprintln!("uploading {FILES} assets in {} …", dir.path().display());
    for batch in 0..FILES / BATCH {
        let files = (0..BATCH).map(|n| process::png_of(SIZE, batch * BATCH + n)).collect::<Vec<_>>();
        let sent = process::upload_arguments("default", "library", &files);
        target.call(rasterd.key(), "upload_assets", &sent).await;
    }
    let mut number = 20_000_000;
    let (mut alone, mut beside, mut backups) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        alone.extend(uploads(&rasterd, &target, &mut number).await);
        let stop = Arc::<AtomicBool>::default();
        let backing_up = {
            let (dir, stop) = (dir.path().to_owned(), Arc::clone(&stop));
            tokio::task::spawn_blocking(move || back_up(&dir, round, &stop))
        };
        beside.extend(uploads(&rasterd, &target, &mut number).await);
        stop.store(true, Ordering::Relaxed);
        backups += backing_up.await.expect("backups");
    }
    let (alone, beside) = (percentile_99(alone), percentile_99(beside));
    println!(
        "upload of {SIZE} bytes: ms p99, alone {:.1}, beside {backups} backups {:.1}, {:.2}x",
        alone * 1e3,
        beside * 1e3,
        beside / alone
    );
}

/// Uploads one file after another, each of them new, and returns how many seconds each took.
async fn uploads(rasterd: &Rasterd, target: &Target, number: &mut usize) -> Vec<f64> {
    let mut connection = target.open().await;
    let (end, mut waits) = (Instant::now() + MEASURE, Vec::new());
    while Instant::now() < end {
        *number += 1;
        let files = [process::png_of(SIZE, *number)];
        let sent = process::upload_arguments("default", "library", &files);
        let request = load::tool_call(rasterd.key(), "upload_assets", &sent);
        let asked = Instant::now();
        assert_eq!(connection.ask(&request).await.status, 200);
        waits.push(asked.elapsed().as_secs_f64());
    }
    waits
}

/// Makes one backup after another, each a whole one, until it is told to stop; returns how many.
fn back_up(dir: &Path, round: usize, stop: &AtomicBool) -> usize {
    let mut made = 0;
    while !stop.load(Ordering::Relaxed) {
        let target = dir.join(format!("backup-{round}-{made}"));
        let done = Command::new(env!("CARGO_BIN_EXE_rasterd"))
            .arg("backup")
            .arg(&target)
            .arg("--data-dir")
            .arg(dir.join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("rasterd backup runs");
        assert!(done.success(), "rasterd backup failed");
        std::fs::remove_dir_all(&target).expect("a backup to remove");
        made += 1;
    }
    made
}

fn percentile_99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() * 99 / 100]
}
