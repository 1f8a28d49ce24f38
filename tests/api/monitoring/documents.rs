//! The guide, the dashboard and the alert rules name the metrics that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Monitored;
use super::exposition::Exposition;

const GUIDE: &str = "src/guide/monitoring.md";
const DASHBOARD: &str = "config/monitoring/dashboard.json";
const ALERTS: &str = "config/monitoring/alerts.yaml";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The words in a text that are names of metrics.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_metric = |word: &&str| word.starts_with("rasterd_") || word.starts_with("process_");
    words.filter(is_metric).map(str::to_owned).collect()
}

/// A scrape of a server that was scraped before: requests are shown after the first.
async fn scrape() -> Exposition {
    let monitored = Monitored::start().await;
    monitored.scrape().await;
    monitored.scrape().await
}

/// Every query of a dashboard, at any depth.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "expr" => found.push(text.clone()),
                    member => queries(member, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn the_guide_lists_every_metric_and_no_other() {
    let scrape = scrape().await;
    let guide = read(GUIDE);
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter(|row| row.starts_with("rasterd_") || row.starts_with("process_"));
    let mut listed = BTreeSet::new();
    for row in rows {
        let (name, rest) = row.split_once('`').unwrap();
        let Some(kind) = scrape.types.get(name) else { panic!("{name} is in the guide, and is no metric") };
        assert!(rest.contains(kind.as_str()), "{name} is a {kind}: {row}");
        listed.insert(name);
    }
    assert_eq!(listed, scrape.names());
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_use_only_metrics_that_there_are() {
    let there = scrape().await.sample_names();
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    assert!(found.len() > 20, "{} queries", found.len());
    let alerts = read(ALERTS);
    found.push(alerts);
    for query in &found {
        let used = metrics_in(query);
        assert!(!used.is_empty(), "a query without a metric: {query}");
        let missing: Vec<&String> = used.difference(&there).collect();
        assert!(missing.is_empty(), "{missing:?} in {query}");
    }
}

#[test]
fn every_alert_says_what_it_is_and_what_to_do() {
    let alerts = read(ALERTS);
    let count = |words: &str| alerts.lines().filter(|line| line.trim_start().starts_with(words)).count();
    let alerts = count("- alert: ");
    assert!(alerts >= 9, "{alerts} alerts");
    for part in ["expr:", "summary:", "description:", "action:", "severity:"] {
        assert_eq!(count(part), alerts, "{part}");
    }
}
