//! `rasterd audit`: a whole log verifies, here and by the documented algorithm; any change of it is found.

use std::time::{Duration, Instant};

use rasterd::core::audit::parse_head;
use rasterd::testing::TestServer;
use redb::{Database, ReadableTable, TableDefinition};
use serde_json::Value;

use crate::support::program::TestDir;
use crate::support::raw::DEADLINE;

const EVENTS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("audit.v1");
const HASHES: TableDefinition<'_, (u64, u64), &[u8; 32]> = TableDefinition::new("audit_hashes.v1");

/// The chain of an organization in the output of `verify`.
fn chain<'a>(verified: &'a Value, organization: &str) -> &'a Value {
    let chains = verified["chains"].as_array().unwrap();
    chains.iter().find(|chain| chain["organizationId"] == organization).unwrap()
}

fn verify(test_dir: &TestDir) -> Value {
    let stdout = test_dir.done(&["audit", "verify", "--json"]);
    serde_json::from_str(&stdout).unwrap()
}

/// Computes the head of an export again, as the guide describes it.
fn head_of(export: &str) -> String {
    let mut previous = None;
    for line in export.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let event = line.split_once("\"event\":").unwrap().1.split_once(",\"previous\":").unwrap().0;
        let before = record["previous"].as_str().unwrap();
        assert_eq!(previous.as_deref().unwrap_or(before), before);
        let mut bytes = blake3::Hash::from_hex(before).unwrap().as_bytes().to_vec();
        bytes.extend_from_slice(event.as_bytes());
        let hash = blake3::hash(&bytes).to_hex().to_string();
        assert_eq!(record["hash"], *hash, "{line}");
        previous = Some(hash);
    }
    previous.unwrap()
}

fn fill(test_dir: &TestDir) {
    for name in ["One", "Two \"quoted\" \\ ü", "Three"] {
        test_dir.done(&["library", "create", name, "--org", "default"]);
    }
    test_dir.done(&["org", "create", "Other"]);
    test_dir.done(&["key", "create", "=cmd()", "--org", "default"]);
}

#[test]
fn a_whole_log_is_verified_and_exported_with_the_server_running_or_not() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&test_dir);
    let running = verify(&test_dir);
    let export = test_dir.done(&["audit", "export", "--org", "default"]);
    let found = chain(&running, "default");
    assert_eq!(
        (&found["whole"], &found["pruned"], &found["firstBad"]),
        (&true.into(), &0.into(), &Value::Null)
    );
    assert_eq!(found["entries"], export.lines().count());
    assert_eq!(found["head"], *head_of(&export));
    assert_eq!(chain(&running, "other")["entries"], 1);
    let all = test_dir.done(&["audit", "export"]);
    assert_eq!(all.lines().count(), export.lines().count() + 1);
    program.stop();
    assert_eq!(chain(&verify(&test_dir), "default"), found, "the same without a server");
    assert_eq!(test_dir.done(&["audit", "export", "--org", "default"]), export);
    let csv = test_dir.done(&["audit", "export", "--org", "default", "--format", "csv"]);
    assert_eq!(csv.lines().count(), export.lines().count() + 1);
    assert!(csv.starts_with("organization,number,at,") && csv.contains("\"'=cmd()"), "{csv}");
    let text = test_dir.done(&["audit", "verify", "--org", "default"]);
    assert!(text.contains("whole") && text.contains(found["head"].as_str().unwrap()), "{text}");
    let stderr = test_dir.run(&["audit", "verify", "--org", "nobody"]).failed(1);
    assert!(stderr.contains("nobody"), "{stderr}");
}

#[test]
fn an_earlier_head_is_still_in_the_log_and_another_is_not() {
    let test_dir = TestDir::new();
    let _program = test_dir.serve();
    let before = chain(&verify(&test_dir), "default")["head"].as_str().unwrap().to_owned();
    fill(&test_dir);
    let now = chain(&verify(&test_dir), "default")["head"].as_str().unwrap().to_owned();
    assert_ne!(before, now);
    for head in [&before, &now] {
        test_dir.done(&["audit", "verify", "--expect-head", head]);
    }
    let other = "ab".repeat(32);
    let exit = test_dir.run(&["audit", "verify", "--expect-head", &other]);
    assert_eq!(exit.code, Some(1));
    assert!(exit.stderr.contains("the expected head is not in the audit log"), "{}", exit.stderr);
    let stderr = test_dir.run(&["audit", "verify", "--expect-head", "xyz"]).failed(1);
    assert!(stderr.contains("64 hexadecimal digits"), "{stderr}");
}

/// Opens the database, once nobody else has it open.
fn database(test_dir: &TestDir) -> Database {
    let until = Instant::now() + DEADLINE;
    loop {
        match Database::open(test_dir.data_dir().join("rasterd.redb")) {
            Ok(database) => return database,
            Err(error) => assert!(Instant::now() < until, "{error:?}"),
        }
    }
}

type Damage = fn(&Database, &[(u64, u64)]);

fn change(database: &Database, keys: &[(u64, u64)], at: usize, with_hash: bool) {
    let tx = database.begin_write().unwrap();
    {
        let mut events = tx.open_table(EVENTS).unwrap();
        let mut bytes = events.get(keys[at]).unwrap().unwrap().value().to_vec();
        // The last byte of the detail, or its length.
        *bytes.last_mut().unwrap() ^= 1;
        events.insert(keys[at], bytes.as_slice()).unwrap();
        if with_hash {
            tx.open_table(HASHES).unwrap().insert(keys[at], &[7; 32]).unwrap();
        }
    }
    tx.commit().unwrap();
}

fn remove(database: &Database, keys: &[(u64, u64)]) {
    let tx = database.begin_write().unwrap();
    {
        let (mut events, mut hashes) = (tx.open_table(EVENTS).unwrap(), tx.open_table(HASHES).unwrap());
        for key in keys {
            events.remove(*key).unwrap();
            hashes.remove(*key).unwrap();
        }
    }
    tx.commit().unwrap();
}

/// How the log is damaged, and the position of the first event that is then not whole, among those that were there.
const DAMAGES: [(&str, Damage, usize); 6] = [
    ("an event is changed", |database, keys| change(database, keys, 2, false), 2),
    ("an event and its hash are changed", |database, keys| change(database, keys, 2, true), 2),
    ("an event is removed", |database, keys| remove(database, &keys[2..3]), 3),
    ("the oldest are removed", |database, keys| remove(database, &keys[..2]), 2),
    ("the newest are removed", |database, keys| remove(database, &keys[keys.len() - 2..]), usize::MAX),
    ("all are removed", |database, keys| remove(database, keys), usize::MAX),
];

#[test]
fn every_change_of_the_log_is_found_with_the_number_of_the_first_bad_event() {
    for (name, damage, position) in DAMAGES {
        let test_dir = TestDir::new();
        test_dir.serve().stop();
        fill(&test_dir);
        let database = database(&test_dir);
        let tx = redb::ReadableDatabase::begin_read(&database).unwrap();
        let first = tx.open_table(EVENTS).unwrap().first().unwrap().unwrap().0.value().0;
        let events = tx.open_table(EVENTS).unwrap();
        let keys: Vec<(u64, u64)> = events
            .range((first, 0)..=(first, u64::MAX))
            .unwrap()
            .map(|entry| entry.unwrap().0.value())
            .collect();
        drop((events, tx));
        damage(&database, &keys);
        drop(database);
        let bad = keys.get(position).unwrap_or(&keys[keys.len() - 1]).1;
        let exit = test_dir.run(&["audit", "verify"]);
        assert_eq!(exit.code, Some(1), "{name}: {}", exit.stdout);
        let expected = format!("the audit log of default is not whole: event {bad} ");
        assert!(exit.stderr.contains(&expected), "{name}: {expected} in {}", exit.stderr);
        // What comes after does not make it whole again.
        test_dir.done(&["library", "create", "Later", "--org", "default"]);
        assert_eq!(test_dir.run(&["audit", "verify"]).code, Some(1), "{name}");
    }
}

#[tokio::test]
async fn a_log_whose_old_events_were_deleted_is_whole() {
    let server = TestServer::start_with(|settings, _| {
        settings.members.audit_keep = Duration::from_hours(24 * 10);
    });
    server.organization("Acme").await;
    let heads = async || {
        let checked = server.core().verify_audit(server.administrator(), Some("acme"), None).await.unwrap();
        (checked[0].check.chain.clone(), checked[0].check.clone())
    };
    for name in ["One", "Two", "Three"] {
        server.library("acme", name).await;
    }
    let (old, _) = heads().await;
    server.clock().advance(Duration::from_hours(24 * 11));
    server.library("acme", "Four").await;
    server.core().maintenance_pass().await;
    let (now, check) = heads().await;
    assert_eq!((check.damage, check.whole, now.entries, now.pruned), (None, 1, 1, 4));
    assert_eq!(now.anchor, old.head);
    // The head of then is the anchor of now.
    let expected = Some(parse_head(&old.head.to_string()).unwrap());
    let checked = server.core().verify_audit(server.administrator(), None, expected).await.unwrap();
    assert!(checked.iter().any(|one| one.check.has_expected));
    server.library("acme", "Five").await;
    assert_eq!(heads().await.1.damage, None);
}
