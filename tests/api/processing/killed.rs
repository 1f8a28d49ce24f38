//! `kill -9` in the middle of the work: the next start continues it.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{made_of, small};
use crate::rest::{Form, Rest};
use crate::support::program::{ASSETS, TestDir};
use crate::support::raw::DEADLINE;

/// How often progress is checked.
const PAUSE: Duration = Duration::from_millis(20);
/// How many uploads of twenty pictures each, at most. With fewer, the work may be done before the kill.
const MAX_UPLOADS: u8 = 12;

async fn upload(rest: &Rest, number: u8) {
    let mut form = Form::default();
    for file in 0..20 {
        let number = number * 20 + file;
        form.file("files", &format!("{number}.jpg"), &small(number));
    }
    assert_eq!(rest.send_form(ASSETS, form).await.status, 200);
}

/// Every asset that is listed.
async fn listed(rest: &Rest) -> Vec<Value> {
    rest.get(&format!("{ASSETS}?pageSize=500")).await.json()["data"].as_array().unwrap().clone()
}

fn done(assets: &[Value]) -> usize {
    assets.iter().filter(|asset| asset["blurhash"].is_string()).count()
}

#[tokio::test]
async fn a_restart_continues_the_work() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let key = program.first_key().to_owned();
    let rest = program.rest_of(&key);
    let (mut all, mut is_in_the_middle) = (0, false);
    for number in 0..MAX_UPLOADS {
        upload(&rest, number).await;
        let assets = listed(&rest).await;
        all = assets.len();
        is_in_the_middle = done(&assets) < all;
        if number >= 3 && is_in_the_middle {
            break;
        }
    }
    assert!(is_in_the_middle, "{all} are done already");
    program.kill();

    let program = test_dir.serve();
    let rest = program.rest_of(&key);
    let until = Instant::now() + DEADLINE;
    let assets = loop {
        let assets = listed(&rest).await;
        if done(&assets) == all {
            break assets;
        }
        assert!(Instant::now() < until, "{} of {all} are done", done(&assets));
        tokio::time::sleep(PAUSE).await;
    };
    for asset in assets {
        let number: u8 = asset["name"].as_str().unwrap().parse().unwrap();
        assert_eq!(asset["blurhash"], made_of(&small(number)).blurhash, "{number}");
    }
    assert!(!program.log().contains("panicked"), "{}", program.log());
}
