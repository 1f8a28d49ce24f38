//! Search without and with concurrent writes: the ratio of the two shows whether searches wait for the index.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use super::load::{self, Target};
use super::process::{self, Rasterd};
use super::{BATCH, MEASURE, ROUNDS, median};

/// How many assets are searched.
const SEARCHED: usize = 1_000;
/// How long the writer waits between two changes.
const PAUSE: Duration = Duration::from_millis(20);

/// One measurement: the time of a query, and the work of the server.
struct Measured {
    /// Median seconds from query to result.
    wait: f64,
    /// Seconds of the server's CPU for a query, without the changes.
    cpu: f64,
}

/// Prints the cost of a search without and with concurrent writes.
pub async fn run(rasterd: &Rasterd, target: &Target) {
    let key = rasterd.key();
    let whoami = target.call(key, "whoami", &json!({})).await;
    let organization = whoami["organizationId"].as_str().expect("an organization").to_owned();
    let library = target
        .call(key, "create_library", &json!({"organizationId": organization, "name": "Searched"}))
        .await;
    let library = library["id"].as_str().expect("a library").to_owned();
    let mut asset = String::new();
    for batch in 0..SEARCHED / BATCH {
        let files: Vec<_> =
            (0..BATCH).map(|n| process::png_of(100, 10_000_000 + batch * BATCH + n)).collect();
        let sent = process::upload_arguments(&organization, &library, &files);
        let uploaded = target.call(key, "upload_assets", &sent).await;
        uploaded["assets"][0]["id"].as_str().expect("an id").clone_into(&mut asset);
    }
    let query = load::tool_call(
        key,
        "search_assets",
        &json!({"organizationId": organization, "libraries": [library], "q": "pictu"}),
    );
    let change = |number: usize| {
        let description = format!("change {number}");
        load::tool_call(
            key,
            "update_asset_description",
            &json!({"organizationId": organization, "libraryId": library, "assetId": asset, "description": description}),
        )
    };
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        quiet.push(searches(rasterd, target, &query, 0.0).await);
        let before = rasterd.server.cpu_seconds();
        let alone = tokio::time::timeout(MEASURE, write(target, &change)).await;
        assert!(alone.is_err(), "writing ended");
        let writing = rasterd.server.cpu_seconds() - before;
        tokio::select! {
            measured = searches(rasterd, target, &query, writing) => busy.push(measured),
            () = write(target, &change) => {}
        }
    }
    for (what, of) in [("wait", (|m| m.wait) as fn(&Measured) -> f64), ("CPU", |m| m.cpu)] {
        let (quiet, busy) = (median(quiet.iter().map(of)), median(busy.iter().map(of)));
        println!(
            "search of {SEARCHED}: µs {what}, quiet {:.0}, while written {:.0}, {:.2}x",
            quiet * 1e6,
            busy * 1e6,
            busy / quiet
        );
    }
}

/// Changes an asset repeatedly.
async fn write(target: &Target, change: &impl Fn(usize) -> Vec<u8>) {
    let mut connection = target.open().await;
    for number in 0.. {
        assert_eq!(connection.ask(&change(number)).await.status, 200);
        sleep(PAUSE).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
async fn searches(rasterd: &Rasterd, target: &Target, query: &[u8], without: f64) -> Measured {
    let mut connection = target.open().await;
    let (before, end) = (rasterd.server.cpu_seconds(), Instant::now() + MEASURE);
    let mut waits = Vec::new();
    while Instant::now() < end {
        let asked = Instant::now();
        assert_eq!(connection.ask(query).await.status, 200);
        waits.push(asked.elapsed().as_secs_f64());
    }
    let cpu = (rasterd.server.cpu_seconds() - before - without) / waits.len() as f64;
    Measured { wait: median(waits.into_iter()), cpu }
}
