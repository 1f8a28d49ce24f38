//! Measures a library of a hundred thousand assets in a real browser: nodes, long tasks, requests, bytes. Not a test by itself;
//! `make web-large` runs it, and it fails where a page does more than it may.

use std::path::Path;
use std::time::Instant;

use rasterd::core::model::Access;
use rasterd::testing::TestServer;

#[expect(dead_code, reason = "the tests use all of it")]
mod browser;
#[path = "libraries/measurements.rs"]
mod measurements;
mod people;

use browser::Browser;
use measurements::{ALL_THERE, MEASURE, NODES, SCROLL};
use people::create_owner;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
/// How many assets the library has.
const MANY: usize = 100_000;
/// The most nodes that the whole page may have, texts included.
const MAX_NODES: u64 = 1500;
/// The longest task, in milliseconds. The browser reports those from 50 on.
const LONGEST_TASK: f64 = 50.0;
/// Reads what the server answers for a place in the middle, and how long that takes in milliseconds.
const PART: &str = "(async () => {
    const begun = performance.now();
    const answer = await fetch(`${location.pathname}?${new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(location.search)), start: 61234 })}`, { headers: { 'HX-Request': 'true' } });
    const text = await answer.text();
    return [text.length, Math.round(performance.now() - begun)];
  })()";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    let key = server.key("acme", &[("photos", Access::Write)]).await;
    for name in ["sunset.jpg", "wine.jpg", "umang.webp", "picos-de-europa.jpg"] {
        let bytes = std::fs::read(Path::new(FIXTURES).join(name)).expect("a fixture");
        server.upload(&key, "acme", "photos", name, &bytes).await;
    }
    server.processed().await;
    let begun = Instant::now();
    server.add_copies(&key, "acme", "photos", MANY - 4).await;
    println!("{MANY} assets, made in {:?}", begun.elapsed());
    let browser = Browser::on(&server);
    browser.sign_in(&create_owner(&server, &["acme"]).await);
    for order in ["", "?sort=oldest", "?sort=name"] {
        browser.open(&format!("/app/acme/photos{order}"));
        browser.wait_until(ALL_THERE);
        browser.evaluate(MEASURE);
        let first = browser.evaluate(PART);
        let again = browser.evaluate(PART);
        let most = browser.evaluate(SCROLL).as_u64().expect("a number");
        browser.wait_until(ALL_THERE);
        let nodes = browser.evaluate(NODES).as_u64().expect("a number");
        let longest = browser.evaluate("window.longest").as_f64().expect("a number");
        println!(
            "order {order:10}: {most} nodes while scrolling, {nodes} at rest; long tasks {}; {} requests; a part in the middle \
             (bytes, ms) {first}, again {again}",
            browser.evaluate("JSON.stringify(window.tasks)"),
            browser.evaluate("window.asked"),
        );
        assert!(most <= MAX_NODES && nodes <= MAX_NODES, "too many nodes");
        assert!(longest <= LONGEST_TASK, "a task of {longest} ms");
    }
    browser.expect_no_console_errors("a large library");
}
