//! What a key does not reach takes as long as what does not exist. Measured in pairs in random order, so that what else
//! the machine does falls on both sides, and judged by how often which side was slower: a time by itself says nothing.
//!
//! `make torture` measures many pairs, and `make test` few: `RASTERD_TIMING_PAIRS` is how many for each request.

mod in_process;
mod pairs;

use std::time::{Duration, Instant};

use rasterd::core::model::Access;
use rasterd::testing::TestKey;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::authorization::ask::{Ask, Request};
use crate::authorization::operations::{Needs, OPERATIONS};
use crate::authorization::values::Values;
use crate::authorization::world::World;
use crate::rest::picture;
use crate::support::send;
use pairs::{Pairs, pairs_of};

/// How many pairs `make test` measures of each request.
const PAIRS: usize = 40;
/// A library that no key reaches, and a name as long that no library has.
const SECRET: &str = "vault";
const UNKNOWN: &str = "nolib";

/// How long the answer to a request takes, over TLS.
async fn time_of(world: &World, key: &TestKey, request: &Request) -> Duration {
    let authorization = format!("Bearer {}", key.token);
    let before = Instant::now();
    let reply = request.send(&world.client, Some(&authorization)).await;
    let time = before.elapsed();
    assert_ne!(reply.status, 429, "the measurement asks too much");
    time
}

/// Measures two requests that must take the same time.
async fn compare(world: &World, key: &TestKey, name: &str, one: &Request, other: &Request) -> Pairs {
    let mut pairs = Pairs::new(name);
    for is_swapped in pairs.order(pairs_of(PAIRS)) {
        let (first, second) = if is_swapped { (other, one) } else { (one, other) };
        let times = (time_of(world, key, first).await, time_of(world, key, second).await);
        pairs.add(is_swapped, times);
    }
    pairs
}

#[tokio::test]
async fn a_library_out_of_reach_takes_as_long_as_one_that_does_not_exist() {
    let world = World::new().await;
    let keeper = keeper(&world).await;
    world.asset(&keeper, "acme", SECRET).await;
    let values = world.values().await;
    let mut all = Vec::new();
    for operation in OPERATIONS.iter() {
        if matches!(operation.needs, Needs::Key | Needs::Organization | Needs::WriteSomewhere) {
            continue;
        }
        for ask in &operation.asks {
            let request = |library: &str| ask.request(&Values { library: library.into(), ..values.clone() });
            let name = format!("{} over {ask:?}", operation.name);
            all.push(compare(&world, &world.writer, &name, &request(SECRET), &request(UNKNOWN)).await);
        }
    }
    pairs::assert_alike(&all);
}

#[tokio::test]
async fn an_asset_out_of_reach_takes_as_long_as_one_that_does_not_exist() {
    let world = World::new().await;
    let keeper = keeper(&world).await;
    let secret = world.asset(&keeper, "acme", SECRET).await;
    let unknown: String = secret.chars().rev().collect();
    let values = world.values().await;
    let mut all = Vec::new();
    for operation in OPERATIONS.iter() {
        for ask in operation.asks.iter().filter(|ask| ask.names_assets()) {
            let about = |id: &str| Values {
                assets: vec![id.to_owned()],
                parent: Some(id.to_owned()),
                ..values.clone()
            };
            // With the bytes of a new file, the time of the disk would hide everything else.
            let request = |id: &str| ask.request(&Values { files: Vec::new(), ..about(id) });
            let name = format!("{} over {ask:?}", operation.name);
            if matches!(ask, Ask::RestUpload { .. } | Ask::GraphQlUpload(_)) {
                continue;
            }
            all.push(compare(&world, &world.writer, &name, &request(&secret), &request(&unknown)).await);
        }
    }
    pairs::assert_alike(&all);
}

/// Bytes that another library of the organization has are written like new ones.
#[tokio::test]
async fn an_upload_of_bytes_that_another_library_has_takes_as_long_as_one_of_new_bytes() {
    let world = World::new().await;
    let keeper = keeper(&world).await;
    let ask =
        Ask::RestUpload { version: "2026-07-08", path: "/organizations/<org>/libraries/<library>/assets" };
    let mut pairs = Pairs::new("an upload");
    let order = pairs.order(3 * pairs_of(PAIRS));
    for number in 0..order.len() {
        let known = picture(&format!("known {number}"));
        world.server.upload(&keeper, "acme", SECRET, "known.png", &known).await;
    }
    for (number, is_swapped) in order.into_iter().enumerate() {
        let request = |name: &str| {
            let files = vec![("wave.png".to_owned(), picture(&format!("{name} {number}")))];
            ask.request(&Values { files, ..Values::default() })
        };
        let (first, second) = if is_swapped { ("other", "known") } else { ("known", "other") };
        // The work after uploads would fall on one side.
        world.server.processed().await;
        let first = time_of(&world, &world.writer, &request(first)).await;
        world.server.processed().await;
        let second = time_of(&world, &world.writer, &request(second)).await;
        pairs.add(is_swapped, (first, second));
    }
    pairs::assert_alike(&[pairs]);
}

/// What a search matches in a library out of reach costs nothing.
#[tokio::test]
async fn a_search_takes_as_long_whatever_a_library_out_of_reach_has() {
    let world = World::new().await;
    let keeper = keeper(&world).await;
    for _ in 0..100 {
        world.asset(&keeper, "acme", SECRET).await;
    }
    for (key, organization) in [(&world.writer, "acme"), (&world.stranger, "other")] {
        world.asset(key, organization, "photos").await;
    }
    world.server.processed().await;
    let search = async |key: &TestKey, organization: &str| {
        let path = format!("/organizations/{organization}/search/assets?q=beach");
        let request = world.client.request(Method::GET, &path).header("Api-Version", "2026-07-08");
        let before = Instant::now();
        let reply = send(request.header(AUTHORIZATION, format!("Bearer {}", key.token))).await;
        let time = before.elapsed();
        assert_eq!(reply.json()["data"]["found"], json!(1));
        time
    };
    // Names of the same length, and keys that reach one library each.
    let beside = world.server.key("acme", &[("photos", Access::Read)]).await;
    let alone = world.server.key("other", &[("photos", Access::Read)]).await;
    let mut pairs = Pairs::new("a search");
    for is_swapped in pairs.order(10 * pairs_of(PAIRS)) {
        let mut times = [Duration::ZERO; 2];
        for side in [usize::from(is_swapped), usize::from(!is_swapped)] {
            let (key, organization) = [(&beside, "acme"), (&alone, "other")][side];
            times[side] = search(key, organization).await;
        }
        pairs.add(false, (times[0], times[1]));
    }
    pairs::assert_alike(&[pairs]);
}

/// A key of its own for the library that the other keys don't reach.
async fn keeper(world: &World) -> TestKey {
    let grants = vec![(SECRET.to_owned(), Some(Access::Write))];
    let core = world.server.core();
    let (token, info) =
        core.create_key(world.server.administrator(), "acme", "keeper", grants, None).await.unwrap();
    TestKey { id: info.key.id, token: token.reveal().to_owned() }
}
