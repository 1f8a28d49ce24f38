//! Pictures in child processes: the same results, and no file can harm this process.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rasterd::pictures::media::MediaType;
use rasterd::pictures::render_pool::{RenderPool, RenderPoolOptions};
use rasterd::pictures::{Failure, Format, RenderSpec, ResizeSpec};
use tempfile::NamedTempFile;

use crate::generated::{card_jpeg, derived};

fn pool(program: &str) -> RenderPool {
    RenderPool::new(RenderPoolOptions {
        program: Some(PathBuf::from(program)),
        concurrency: 2,
        ..RenderPoolOptions::default()
    })
}

fn worker_pool() -> RenderPool {
    pool(env!("CARGO_BIN_EXE_rasterd"))
}

/// One picture at a time, so that one worker is enough.
fn single_worker_pool() -> RenderPool {
    let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_rasterd")));
    RenderPool::new(RenderPoolOptions { program, concurrency: 1, ..RenderPoolOptions::default() })
}

fn saved(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("the bytes are written");
    file
}

/// An SVG of many blurred shapes, each as large as the whole picture.
fn slow_drawing() -> Vec<u8> {
    let blurred = r##"<rect width="2000" height="2000" fill="#f00" filter="url(#f)"/>"##.repeat(3000);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="2000"><filter id="f"><feGaussianBlur stdDeviation="90"/></filter>{blurred}</svg>"#
    )
    .into_bytes()
}

#[tokio::test]
async fn a_child_process_renders_the_same_as_this_process() {
    let card = card_jpeg(900, 600, &[]);
    let file = saved(&card);
    let pool = worker_pool();
    let made = pool.derive(file.path(), MediaType::Jpeg, &[400, 800]).await.expect("it is made");
    assert_eq!(made, derived(&card, MediaType::Jpeg).expect("it is made"));

    let rendition = RenderSpec { size: ResizeSpec::within(100), format: Format::Jpeg, quality: Some(60) };
    let rendered = pool.render(file.path(), MediaType::Jpeg, rendition).await.expect("it is made");
    assert_eq!((rendered.size.width, rendered.size.height), (100, 67));
    pool.metadata(file.path(), MediaType::Jpeg).await.expect("it is read");
}

#[tokio::test]
async fn many_pictures_are_rendered_in_turn() {
    let file = saved(&card_jpeg(900, 600, &[]));
    let pool = worker_pool();
    let work = (0..20).map(|_| pool.derive(file.path(), MediaType::Jpeg, &[400]));
    for made in futures_util::future::join_all(work).await {
        assert_eq!(made.expect("it is made").thumbnails.len(), 1);
    }
}

#[tokio::test]
async fn a_picture_that_takes_too_long_is_stopped_and_the_next_one_succeeds() {
    let slow = saved(&slow_drawing());
    let card = saved(&card_jpeg(90, 60, &[]));
    let pool = worker_pool();
    pool.derive(card.path(), MediaType::Jpeg, &[400]).await.expect("it is made");
    let answer = pool.derive(slow.path(), MediaType::Svg, &[2000]).await;
    assert_eq!(answer, Err(Failure::TooSlow(2)));
    pool.derive(card.path(), MediaType::Jpeg, &[400]).await.expect("it is made");
}

/// A pool whose program is a script.
fn script_pool(folder: &Path, lines: &str, time_limit: Duration) -> RenderPool {
    let program = folder.join("script");
    std::fs::write(&program, format!("#!/bin/sh\n{lines}\n")).expect("it is written");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("it can be run");
    RenderPool::new(RenderPoolOptions {
        program: Some(program),
        concurrency: 1,
        time_limit,
        ..RenderPoolOptions::default()
    })
}

#[tokio::test]
async fn a_picture_that_waits_for_the_processor_gets_more_time_but_not_forever() {
    let folder = tempfile::tempdir().expect("a folder");
    let card = saved(&card_jpeg(90, 60, &[]));
    let late = format!("sleep 4\nexec {} \"$@\"", env!("CARGO_BIN_EXE_rasterd"));
    let late = script_pool(folder.path(), &late, Duration::from_secs(3));
    late.derive(card.path(), MediaType::Jpeg, &[400]).await.expect("it is made");
    let silent = script_pool(folder.path(), "exec sleep 600", Duration::from_secs(1));
    let answer = silent.derive(card.path(), MediaType::Jpeg, &[400]).await;
    assert_eq!(answer, Err(Failure::TooSlow(1)));
}

#[tokio::test]
async fn closing_the_pool_stops_its_work() {
    let slow = saved(&slow_drawing());
    let pool = worker_pool();
    let close = async {
        // The work has begun by then: it was polled first.
        tokio::task::yield_now().await;
        pool.close();
    };
    let (answer, ()) = tokio::join!(pool.derive(slow.path(), MediaType::Svg, &[2000]), close);
    assert!(matches!(answer, Err(Failure::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_crashing_process_fails_only_its_own_picture() {
    let card = saved(&card_jpeg(90, 60, &[]));
    let answer = pool("/bin/false").derive(card.path(), MediaType::Jpeg, &[400]).await;
    assert_eq!(answer, Err(Failure::Crashed));

    // Each use is drawn inside of the one before it: more stack than there is.
    let chain = |link: u32| format!(r##"<g id="c{}"><use href="#c{link}"/></g>"##, link + 1);
    let chain: String = (0..20_000).map(chain).collect();
    let drawing = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect id="c0" width="9" height="9"/>{chain}<use href="#c20000"/></svg>"##
    );
    let drawing = saved(drawing.as_bytes());
    let pool = worker_pool();
    pool.derive(drawing.path(), MediaType::Svg, &[400]).await.expect_err("it can't be drawn");
    pool.derive(card.path(), MediaType::Jpeg, &[400]).await.expect("it is made");
}

#[tokio::test]
async fn failures_that_are_not_the_files_fault_are_transient() {
    let pool = pool("/nowhere/rasterd");
    let card = saved(&card_jpeg(90, 60, &[]));
    let failure = pool.derive(card.path(), MediaType::Jpeg, &[400]).await.expect_err("no such program");
    assert!(failure.is_transient(), "{failure:?}");
    let failure = worker_pool().derive(Path::new("/nowhere/a.jpg"), MediaType::Jpeg, &[400]).await;
    assert!(failure.expect_err("no such file").is_transient());
}

/// The workers that this process has now.
fn workers() -> BTreeSet<u32> {
    let processes = std::fs::read_dir("/proc").expect("the processes").flatten();
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |number: &u32| {
        // The parent is the second word after the name in parentheses.
        let inspected = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let words = inspected.rsplit_once(')').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        let mut words = words.split_whitespace();
        let (state, parent) = (words.next().unwrap_or("Z"), words.next().unwrap_or_default());
        state != "Z" && parent == std::process::id().to_string()
    };
    numbers.filter(is_child).collect()
}

#[test]
fn a_worker_outlives_the_threads_that_waited_for_it() {
    let card = saved(&card_jpeg(90, 60, &[]));
    let pool = single_worker_pool();
    let work = || {
        let threads = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        threads.block_on(pool.derive(card.path(), MediaType::Jpeg, &[400])).expect("it is made");
        // All threads on which it waited end here.
        drop(threads);
        workers()
    };
    let first = work();
    assert_eq!(first.len(), 1);
    assert_eq!(work(), first);
    drop(pool);
    assert_eq!(workers(), BTreeSet::new());
}

#[test]
fn a_killed_idle_worker_fails_no_picture() {
    let card = saved(&card_jpeg(90, 60, &[]));
    let pool = single_worker_pool();
    let threads = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let work = || threads.block_on(pool.derive(card.path(), MediaType::Jpeg, &[400]));
    work().expect("it is made");
    for worker in workers() {
        let worker = rustix::process::Pid::from_raw(i32::try_from(worker).expect("a number")).expect("not 0");
        rustix::process::kill_process(worker, rustix::process::Signal::KILL).expect("it is ended");
    }
    work().expect("another one makes it");
}
