//! Counts while much happens at once, over all transports: each change is counted once, and the counts of libraries,
//! tags, lists and searches agree afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;

use rasterd::error::Code;
use reqwest::Method;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::authorization::ask::{Failure, all_named};
use crate::authorization::operations::operation;
use crate::authorization::values::Values;
use crate::authorization::world::World;
use crate::rest::NEW;
use crate::support::send;

/// The number of clients; several use each transport.
const CLIENTS: usize = 8;
/// The number of rounds of each client.
const ROUNDS: usize = 4;

/// A tag of each client; they differ by more than search tolerates.
const TAGS: [&str; CLIENTS] =
    ["mountain", "harbour", "sunlight", "orchid", "bicycle", "factory", "velvet", "penguin"];

/// Runs an operation over one of the transports, in turn.
async fn ask(world: &World, turn: usize, name: &str, values: &Values) -> Result<Value, Failure> {
    let asks = &operation(name).asks;
    let ask = &asks[turn % asks.len()];
    let authorization = format!("Bearer {}", world.writer_of_both.token);
    ask.result(&ask.request(values).send(&world.client, Some(&authorization)).await)
}

/// The same for all clients concurrently.
async fn all_at_once(world: &Arc<World>, name: &'static str, values: &Values) -> Vec<Result<Value, Failure>> {
    let mut asking = JoinSet::new();
    for client in 0..CLIENTS {
        let (world, values) = (Arc::clone(world), values.clone());
        asking.spawn(async move { ask(&world, client, name, &values).await });
    }
    asking.join_all().await
}

fn number(answer: &Value, name: &str) -> u64 {
    let [number] = all_named(answer, name)[..] else { panic!("not one {name}: {answer}") };
    number.as_u64().unwrap()
}

fn total(answers: Vec<Result<Value, Failure>>, name: &str) -> u64 {
    answers.into_iter().map(|answer| number(&answer.unwrap(), name)).sum()
}

fn texts(answer: &Value, name: &str) -> Vec<String> {
    all_named(answer, name).into_iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// `count` new assets of `photos`.
async fn assets(world: &World, count: usize) -> Values {
    let mut assets = Vec::new();
    for _ in 0..count {
        assets.push(world.asset(&world.writer_of_both, "acme", "photos").await);
    }
    Values { assets, ..Values::default() }
}

#[tokio::test]
async fn concurrent_changes_are_done_and_counted_once() {
    let world = Arc::new(World::new().await);
    let ten = Values { tags: vec!["sea".into(), "sky".into()], ..assets(&world, 10).await };
    assert_eq!(total(all_at_once(&world, "tag_assets", &ten).await, "taggedCount"), 20);
    assert_eq!(total(all_at_once(&world, "untag_assets", &ten).await, "untaggedCount"), 20);

    let one = assets(&world, 1).await;
    let moves = all_at_once(&world, "transfer_assets", &one).await;
    assert_eq!(moves.iter().filter(|moved| moved.is_ok()).count(), 1);
    let lost = Failure::new(Code::ResourceNotFound, "Asset not found.");
    assert!(
        moves.iter().all(|moved| moved.as_ref().err().is_none_or(|failure| *failure == lost)),
        "{moves:?}"
    );

    let mut trashed: Vec<String> = Vec::new();
    for answer in all_at_once(&world, "delete_assets", &ten).await {
        trashed.extend(
            all_named(&answer.unwrap(), "ids")
                .iter()
                .flat_map(|ids| ids.as_array().unwrap())
                .map(|id| id.as_str().unwrap().to_owned()),
        );
    }
    trashed.sort();
    let mut expected = ten.assets.clone();
    expected.sort();
    assert_eq!(trashed, expected);
    assert_eq!(Library::seen(&world, "photos").await, Library { assets: 0, trash: 10 });
    assert_eq!(Library::seen(&world, "archive").await, Library { assets: 1, trash: 0 });
}

#[tokio::test]
async fn concurrent_creations_share_a_name_but_not_a_given_slug() {
    let world = Arc::new(World::new().await);
    let values = Values { name: "Sea Side".into(), ..Values::default() };
    let made = all_at_once(&world, "create_library", &values).await;
    let slugs: BTreeSet<String> = made.iter().flat_map(|made| texts(made.as_ref().unwrap(), "id")).collect();
    let expected =
        (1..=CLIENTS).map(|n| if n == 1 { "sea-side".to_owned() } else { format!("sea-side-{n}") });
    assert_eq!(slugs, expected.collect());

    let values = Values { slug: Some("shore".into()), ..values };
    let made = all_at_once(&world, "create_library", &values).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for failure in made.into_iter().filter_map(Result::err) {
        assert_eq!(failure.code, Code::LibraryUrlTaken.name());
    }
}

/// The changes of a client, for the sum.
#[derive(Default)]
struct Done {
    uploaded: u64,
    trashed: u64,
    moved: u64,
}

/// One client's rounds: upload two, tag both and the shared ones, trash one or move it, remove the tag from a shared
/// one.
async fn go_round(world: Arc<World>, client: usize, shared: Values) -> Done {
    let mut done = Done::default();
    for round in 0..ROUNDS {
        let turn = client + round;
        let one = Values::default();
        let files = vec![one.files[0].clone(); 2];
        let uploaded = ask(&world, turn, "upload_assets", &Values { files, ..one.clone() }).await.unwrap();
        let mine = texts(&uploaded, "id");
        done.uploaded += 2;
        let tagged = [mine.as_slice(), shared.assets.as_slice()].concat();
        let values = Values { assets: tagged, tags: vec!["sea".into(), TAGS[client].into()], ..one.clone() };
        ask(&world, turn + 1, "tag_assets", &values).await.unwrap();
        let first = Values { assets: vec![mine[0].clone()], ..one.clone() };
        if (client + round).is_multiple_of(2) {
            ask(&world, turn + 2, "delete_assets", &first).await.unwrap();
            done.trashed += 1;
        } else {
            ask(&world, turn + 2, "transfer_assets", &first).await.unwrap();
            done.moved += 1;
        }
        let some = Values { assets: vec![shared.assets[round].clone()], ..one };
        ask(&world, turn + 3, "untag_assets", &some).await.unwrap();
    }
    done
}

/// The counts of a library.
#[derive(Debug, PartialEq, Eq)]
struct Library {
    assets: u64,
    trash: u64,
}

impl Library {
    async fn seen(world: &World, slug: &str) -> Self {
        let libraries = ask(world, 0, "list_libraries", &Values::default()).await.unwrap();
        let library = libraries.as_array().unwrap().iter().find(|library| library["id"] == slug).unwrap();
        Self { assets: number(library, "assetsCount"), trash: number(library, "trashCount") }
    }
}

/// The answer to a GET of REST.
async fn get(world: &World, path: &str) -> Value {
    let client = world.client.with_key(&world.writer_of_both.token);
    let reply = send(client.request(Method::GET, path).header("Api-Version", NEW)).await;
    assert_eq!(reply.status, 200, "{path}");
    reply.json()["data"].take()
}

/// The number of assets on all pages of a list.
async fn listed(world: &World, library: &str, query: &str) -> u64 {
    let mut count = 0;
    for page in 1.. {
        let path = format!("/organizations/acme/libraries/{library}/assets?page={page}&pageSize=7{query}");
        let entries = get(world, &path).await.as_array().unwrap().len() as u64;
        count += entries;
        if entries < 7 {
            break;
        }
    }
    count
}

async fn found(world: &World, library: &str, words: &str) -> u64 {
    let path = format!("/organizations/acme/search/assets?libraries={library}&q={words}&pageSize=1");
    number(&get(world, &path).await, "found")
}

/// Checks that all counts of a library's assets agree.
async fn all_counts_agree(world: &World, library: &str, expected: u64) {
    assert_eq!(listed(world, library, "").await, expected, "{library}: the list");
    assert_eq!(found(world, library, "").await, expected, "{library}: a search without words");
    // Every asset has one of these two names.
    let words = found(world, library, "wave").await + found(world, library, "beach").await;
    assert_eq!(words, expected, "{library}: searches for the names");
    let tags = get(world, &format!("/organizations/acme/libraries/{library}/tags")).await;
    for tag in tags.as_array().unwrap() {
        let (name, count) = (tag["id"].as_str().unwrap(), number(tag, "count"));
        assert_eq!(
            listed(world, library, &format!("&tags={name}")).await,
            count,
            "{library}: the tag {name}"
        );
        assert_eq!(found(world, library, name).await, count, "{library}: a search for the tag {name}");
    }
}

#[tokio::test]
async fn all_counts_agree_after_concurrent_changes() {
    let world = Arc::new(World::new().await);
    let shared = assets(&world, ROUNDS).await;
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(go_round(Arc::clone(&world), client, shared.clone()));
    }
    let mut sum = Done { uploaded: ROUNDS as u64, ..Done::default() };
    for done in clients.join_all().await {
        sum.uploaded += done.uploaded;
        sum.trashed += done.trashed;
        sum.moved += done.moved;
    }
    assert!(sum.trashed > 0 && sum.moved > 0, "the clients did too little");
    let left = sum.uploaded - sum.trashed - sum.moved;
    assert_eq!(Library::seen(&world, "photos").await, Library { assets: left, trash: sum.trashed });
    assert_eq!(Library::seen(&world, "archive").await, Library { assets: sum.moved, trash: 0 });
    all_counts_agree(&world, "photos", left).await;
    all_counts_agree(&world, "archive", sum.moved).await;
}
