//! `make bench`: the cost of answers, as ratios to a bare actix handler with the same TLS in the same run.
//!
//! The real binary and the bare server run as processes of their own; the bare one sends the same bytes from
//! memory, after a bearer check and, for a POST, reading its JSON. A ratio of 0.8 means that rasterd needs
//! 1 / 0.8 of the bare handler's CPU, or answers 0.8 of its requests per second.

mod backup;
mod bare;
mod load;
mod process;
mod search;
mod start;

use std::path::Path;
use std::time::Duration;

use load::Target;
use process::{Rasterd, Server};

/// How long one measurement runs.
const MEASURE: Duration = Duration::from_secs(3);
/// How often rasterd and the bare server take turns; the median counts.
const ROUNDS: usize = 3;
/// How many assets the long list has.
const ASSETS: usize = 100_000;
/// How many files one call uploads.
const BATCH: usize = 20;

/// A request to measure.
struct Question {
    name: &'static str,
    request: Vec<u8>,
    connections: usize,
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some(bare::ARGUMENT) {
        bare::run(std::env::args().skip(2));
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    start::run();
    backup::run().await;
    let dir = process::scratch_dir();
    let rasterd = Rasterd::start(dir.path());
    let target = Target::new(rasterd.address(), &dir.path().join("certs/ca.pem"));
    search::run(&rasterd, &target).await;
    let questions = questions(&target, rasterd.key(), dir.path()).await;

    println!(
        "{:<38} {:>9} {:>9} {:>7} {:>9} {:>9} {:>7}",
        "", "req/s", "bare", "ratio", "µs CPU", "bare", "ratio"
    );
    for question in questions {
        let answer = target.ask(&question.request).await;
        assert_eq!(answer.status, 200, "{}: {}", question.name, String::from_utf8_lossy(&answer.body));
        let canned = dir.path().join("canned");
        std::fs::write(&canned, &answer.body).expect("the canned answer");
        let bare = Server::start_bare(&dir.path().join("certs"), &canned);
        let bare_target = Target::new(bare.address(), &dir.path().join("certs/ca.pem"));
        compare(&question, (&rasterd.server, &target), (&bare, &bare_target)).await;
    }
}

async fn compare(question: &Question, rasterd: (&Server, &Target), bare: (&Server, &Target)) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(measure(question, rasterd).await);
        theirs.push(measure(question, bare).await);
    }
    let (rate, bare_rate) = (median(ours.iter().map(|m| m.rate)), median(theirs.iter().map(|m| m.rate)));
    let (cpu, bare_cpu) = (median(ours.iter().map(|m| m.cpu)), median(theirs.iter().map(|m| m.cpu)));
    println!(
        "{:<38} {rate:>9.0} {bare_rate:>9.0} {:>6.2}x {:>9.1} {:>9.1} {:>6.2}x",
        question.name,
        rate / bare_rate,
        cpu * 1e6,
        bare_cpu * 1e6,
        bare_cpu / cpu,
    );
}

/// The result of one measurement.
struct Measured {
    /// Requests per second.
    rate: f64,
    /// The server's CPU seconds per request.
    cpu: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
async fn measure(question: &Question, (server, target): (&Server, &Target)) -> Measured {
    let before = server.cpu_seconds();
    let count = target.repeat(&question.request, question.connections, MEASURE).await as f64;
    Measured { rate: count / MEASURE.as_secs_f64(), cpu: (server.cpu_seconds() - before) / count }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Fills the server and returns the requests to measure.
async fn questions(target: &Target, key: &str, dir: &Path) -> Vec<Question> {
    let whoami = target.call(key, "whoami", &serde_json::json!({})).await;
    let organization = whoami["organizationId"].as_str().expect("an organization").to_owned();
    let first = whoami["libraries"][0]["library"].as_str().expect("a library").to_owned();
    let upload =
        |library: &str, files: Vec<Vec<u8>>| process::upload_arguments(&organization, library, &files);

    let small = target.call(key, "upload_assets", &upload(&first, vec![process::png_of(20_000, 0)])).await;
    let large = target.call(key, "upload_assets", &upload(&first, vec![process::png_of(5_000_000, 1)])).await;
    let library = target
        .call(key, "create_library", &serde_json::json!({"organizationId": organization, "name": "Many"}))
        .await;
    let library = library["id"].as_str().expect("a library").to_owned();
    eprintln!("uploading {ASSETS} assets in {} …", dir.display());
    for batch in 0..ASSETS / BATCH {
        let files = (0..BATCH).map(|n| process::png_of(100, batch * BATCH + n + 2)).collect();
        target.call(key, "upload_assets", &upload(&library, files)).await;
    }

    let path = |uploaded: &serde_json::Value| {
        let url = uploaded["assets"][0]["url"].as_str().expect("a url");
        url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).expect("a path")
    };
    let list = serde_json::json!({"organizationId": organization, "libraryId": library, "pageSize": 50});
    vec![
        Question {
            name: "tools/call whoami",
            request: load::tool_call(key, "whoami", &serde_json::json!({})),
            connections: 16,
        },
        Question {
            name: "tools/call list_assets, 50 of 100,000",
            request: load::tool_call(key, "list_assets", &list),
            connections: 16,
        },
        Question { name: "asset url, 20 KB", request: load::get(&path(&small)), connections: 16 },
        Question { name: "asset url, 5 MB", request: load::get(&path(&large)), connections: 4 },
    ]
}
