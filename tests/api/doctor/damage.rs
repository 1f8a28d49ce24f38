//! Databases that were damaged by hand: what the start says, what the doctor finds, and what comes back. Nothing panics,
//! and nothing that is wrong is taken for right.

use std::fs;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::{examine, fill, open};
use crate::support::program::TestDir;

/// How many databases get ten flipped bytes.
const TRIES: u64 = 10;

#[tokio::test]
async fn each_kind_of_damage_is_an_error_and_a_restore_brings_everything_back() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&program, 5).await;
    let target = test_dir.path().join("backup");
    test_dir.done(&["backup", target.to_str().unwrap()]);
    let key = program.first_key().to_owned();
    program.stop();
    let database = test_dir.data_dir().join("rasterd.redb");
    let whole = fs::read(&database).unwrap();
    let half = whole.len() / 2;
    let damaged: [(&str, Option<Vec<u8>>); 5] = [
        ("cut off", Some(whole[..half].to_vec())),
        ("empty", Some(Vec::new())),
        ("deleted", None),
        ("without its first bytes", Some([vec![0; 64], whole[64..].to_vec()].concat())),
        ("another file", Some(b"text".repeat(5000))),
    ];
    for (what, bytes) in damaged {
        match bytes {
            Some(bytes) => fs::write(&database, bytes).unwrap(),
            None => fs::remove_file(&database).unwrap(),
        }
        let stderr = test_dir.run(&["serve"]).failed(1);
        assert!(stderr.contains("rasterd.redb") && stderr.contains("backup"), "{what}: {stderr}");
        let (exit, findings) = examine(&test_dir, &[]);
        assert_eq!(exit.code, Some(2), "{what}: {findings:?}");
        assert!(open(&findings)[0]["text"].as_str().unwrap().contains("backup"), "{what}: {findings:?}");
        fs::write(&database, &whole).unwrap();
    }
    fs::rename(test_dir.data_dir(), test_dir.path().join("broken")).unwrap();
    test_dir.done(&["restore", target.to_str().unwrap()]);
    let list = test_dir.serve().rest_of(&key).get("/organizations/default/libraries").await.json();
    assert_eq!(list["data"][0]["assetsCount"], 5);
}

#[tokio::test]
async fn ten_flipped_bytes_are_found_or_change_nothing() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    fill(&program, 10).await;
    let key = program.first_key().to_owned();
    program.stop();
    let database = test_dir.data_dir().join("rasterd.redb");
    let whole = fs::read(&database).unwrap();
    // A new database is mostly empty pages, in which nothing can be lost.
    let written: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let mut found = 0;
    for seed in 0..TRIES {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut bytes = whole.clone();
        for _ in 0..10 {
            let at = written[random.random_range(0..written.len())];
            bytes[at] ^= 1 << random.random_range(0..8);
        }
        fs::write(&database, &bytes).unwrap();
        let (exit, findings) = examine(&test_dir, &[]);
        if exit.code == Some(2) {
            found += 1;
            continue;
        }
        assert_eq!(exit.code, Some(0), "{seed}: {findings:?}");
        let program = test_dir.serve();
        let list = program.rest_of(&key).get("/organizations/default/libraries").await.json();
        assert_eq!(list["data"][0]["assetsCount"], 10, "{seed}: only pages without content were changed");
        program.stop();
    }
    assert!(found > 0, "none of {TRIES} was found");
}
