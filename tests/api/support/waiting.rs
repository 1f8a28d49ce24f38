//! Waits for what a server does after its answers.

use std::path::Path;
use std::time::{Duration, Instant};

use super::raw::{DEADLINE, Raw};

/// How long to wait between two checks.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until a check finds something, and returns it. Other tasks of the test run meanwhile.
pub async fn until<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Starts requests that never end, one more before each check, until a check finds that a limit is reached. A check
/// counts itself, so any of these may be refused: the next one then takes its place.
pub async fn fill(start: impl Fn() -> Raw, mut is_full: impl AsyncFnMut() -> bool) -> Vec<Raw> {
    let mut waiting = Vec::new();
    until("a request gets 429", async || {
        waiting.push(start());
        is_full().await.then_some(())
    })
    .await;
    waiting
}

/// Waits until an upload has begun to arrive.
pub async fn a_file_arrives(data_dir: &Path) {
    until("a file arrives", async || (temporary_files(data_dir) > 0).then_some(())).await;
}

/// Waits until no temporary file is there any more. They are deleted after the answer.
pub async fn no_file_is_temporary(data_dir: &Path) {
    until("no temporary file is left", async || (temporary_files(data_dir) == 0).then_some(())).await;
}

fn temporary_files(data_dir: &Path) -> usize {
    std::fs::read_dir(data_dir.join("tmp")).unwrap().count()
}
