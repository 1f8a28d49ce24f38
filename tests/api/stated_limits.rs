//! The limits in a server's documents: the configured numbers, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rasterd::core::model::Access;
use rasterd::core::settings::Limits;
use rasterd::testing::TestServer;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::authorization::ask::json_rpc;
use crate::rest::NEW;
use crate::support::{Client, send};

const LIBRARIES: &str = "/organizations/acme/libraries";
const INTROSPECTION: &str = include_str!("graphql/introspection.graphql");
const DAY: u64 = 24 * 60 * 60;
/// The retention of the trash in days, which is listed with the limits.
const TRASH: &str = "trash.keep_days";

const OPENAPI: &str = "openapi";
const OPENAPI_OLD: &str = "openapi 2026-05-20";
const OPENAPI_NEW: &str = "openapi 2026-07-08";
const GRAPHQL: &str = "graphql";
const TOOLS: &str = "tools";
const INSTRUCTIONS: &str = "instructions";
const MESSAGES: &str = "messages";

/// The documents that mention each limit. Other limits are not mentioned.
const STATED: [(&str, &[&str]); 10] = [
    ("files_per_upload", &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW, GRAPHQL, TOOLS, INSTRUCTIONS]),
    ("ids_per_call", &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW, GRAPHQL, TOOLS, INSTRUCTIONS, MESSAGES]),
    ("tags_per_call", &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW, GRAPHQL, TOOLS, INSTRUCTIONS, MESSAGES]),
    ("tag_filter", &[OPENAPI, OPENAPI_NEW, GRAPHQL, TOOLS, INSTRUCTIONS, MESSAGES]),
    ("page_size", &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW, GRAPHQL, TOOLS, INSTRUCTIONS]),
    ("search_page_size", &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW, GRAPHQL, TOOLS, INSTRUCTIONS]),
    ("description_length", &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW, GRAPHQL, TOOLS, MESSAGES]),
    ("name_length", &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW, GRAPHQL, TOOLS, MESSAGES]),
    ("mcp_bytes", &[TOOLS, INSTRUCTIONS]),
    (TRASH, &[OPENAPI, OPENAPI_OLD, OPENAPI_NEW]),
];

/// Statements with a number that equals the default of some limit but is not configurable.
const FIXED: [&str; 25] = [
    // The default page, and tags.
    "default 50",
    "default 20",
    "default 100",
    "Default 50",
    "Default 20",
    "Default 100",
    "The first 50",
    "newest 50",
    "100 most used",
    "at most 100.",
    "at most 1000",
    "up to 1000",
    "Pages have 50",
    "Pages have 20",
    "most used first: 100,",
    "500 to a page",
    // Tags to filter by in the older version.
    "5 in 2026-05-20",
    "at most 5:",
    // A tag, a slug, a note, a progress.
    "1 to 64 characters",
    "maxLength 64",
    "500 characters",
    "maxLength 500",
    "0 to 100",
    // Names.
    "2026-05-20",
    "base64",
];

/// The limits by name, and the retention of the trash.
type Numbers = BTreeMap<String, u64>;

fn defaults() -> Numbers {
    let Value::Object(limits) = serde_json::to_value(Limits::default()).unwrap() else { panic!("no object") };
    let limits = limits.into_iter().map(|(name, value)| (name, value.as_u64().unwrap()));
    limits.chain([(TRASH.to_owned(), 30)]).collect()
}

/// How much two numbers must differ.
fn step(number: u64) -> u64 {
    if number < 1 << 16 { 1 } else { 1 << 20 }
}

/// Not the default, and all different.
fn unusual() -> Numbers {
    let numbers = defaults().into_iter().zip(0..);
    numbers
        .map(|((name, number), place)| match step(number) {
            1 => (name, 2003 + 17 * place),
            mebibyte => (name, number + (7 + 2 * place) * mebibyte),
        })
        .collect()
}

/// The forms of a limit in documents: as it is, or a number of bytes in KB or MB.
fn written(name: &str, number: u64) -> Vec<u64> {
    if name.ends_with("_bytes") { vec![number, number >> 10, number >> 20] } else { vec![number] }
}

/// The documents of a server with these limits, by name.
async fn documents(mut numbers: Numbers) -> BTreeMap<&'static str, Value> {
    let keep = Duration::from_secs(numbers.remove(TRASH).unwrap() * DAY);
    let limits: Map<String, Value> =
        numbers.into_iter().map(|(name, number)| (name, number.into())).collect();
    let limits: Limits = serde_json::from_value(limits.into()).unwrap();
    let server = TestServer::start_with(move |settings, _| {
        "https://localhost:8443".clone_into(&mut settings.public_url);
        settings.limits = limits.clone();
        settings.trash_keep = keep;
    });
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    let key = server.key("acme", &[("photos", Access::Write)]).await;
    let client = Client::new(&server).with_key(&key.token);
    let text = |path: &'static str| {
        let client = &client;
        async move { Value::String(String::from_utf8(client.get(path).await.body).unwrap()) }
    };
    let rpc = |method: &'static str, params: Value| {
        let (client, authorization) = (&client, format!("Bearer {}", key.token));
        async move { json_rpc(method, &params).send(client, Some(&authorization)).await.json()["result"].take() }
    };
    let initialize = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    });
    BTreeMap::from([
        (OPENAPI, client.get("/openapi.json").await.json()),
        (OPENAPI_OLD, client.get("/openapi.json?version=2026-05-20").await.json()),
        (OPENAPI_NEW, client.get("/openapi.json?version=2026-07-08").await.json()),
        (GRAPHQL, client.post_json("/graphql", &json!({ "query": INTROSPECTION })).await.json()),
        (TOOLS, rpc("tools/list", json!({})).await),
        (INSTRUCTIONS, rpc("initialize", initialize).await),
        ("templates", rpc("resources/templates/list", json!({})).await),
        ("resources", rpc("resources/list", json!({})).await),
        ("llms.txt", text("/llms.txt").await),
        ("server card", text("/.well-known/mcp/server-card.json").await),
        ("api catalog", text("/.well-known/api-catalog").await),
        ("reference", without_styles(&text("/docs/rest").await)),
        (MESSAGES, messages(&client).await),
    ])
}

/// A page without its styles, whose numbers are not limits.
fn without_styles(page: &Value) -> Value {
    let (before, rest) = page.as_str().unwrap().split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    Value::String(format!("{before}{after}"))
}

/// The messages to clients that exceed a limit.
async fn messages(client: &Client) -> Value {
    let assets = format!("{LIBRARIES}/photos/assets");
    let id = "0".repeat(16);
    let tags = "t,".repeat(3000);
    let mut messages = Vec::new();
    for (method, path, body) in [
        (Method::DELETE, assets.clone(), json!({ "ids": [] })),
        (Method::POST, format!("{assets}/tag"), json!({ "assetIds": [id], "tags": [] })),
        (Method::GET, format!("{assets}?tags={tags}"), Value::Null),
        (Method::POST, LIBRARIES.to_owned(), json!({ "name": "" })),
        (Method::PATCH, format!("{assets}/{id}/description"), json!({ "description": "x".repeat(3000) })),
    ] {
        let request = client.request(method, &path).header("Api-Version", NEW);
        let reply = send(request.header("Content-Type", "application/json").body(body.to_string())).await;
        assert_eq!(reply.error_code(), "BAD_USER_INPUT", "{path}");
        messages.push(reply.json()["error"]["message"].take());
    }
    messages.into()
}

/// The numbers in a text, with the words around them.
fn numbers(text: &str) -> (Vec<u64>, Vec<&str>) {
    let between =
        text.split(|character: char| character.is_ascii_digit()).filter(|between| !between.is_empty());
    let digits =
        text.split(|character: char| !character.is_ascii_digit()).filter(|digits| !digits.is_empty());
    (digits.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect(), between.collect())
}

/// All texts of a document, and the keywords of its schemas.
fn statements(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| statements(value, texts)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("example" | "examples", _) => {}
                    (_, Value::String(text)) => texts.push(text.clone()),
                    (keyword, Value::Number(number)) => texts.push(format!("{keyword} {number}")),
                    (_, inner) => statements(inner, texts),
                }
            }
        }
        Value::String(text) => texts.push(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn every_document_states_the_configured_limits() {
    let usual = unusual();
    let before = documents(usual.clone()).await;
    for (name, &from) in &usual {
        let to = from + step(from);
        let mut changed = usual.clone();
        changed.insert(name.clone(), to);
        let after = documents(changed).await;
        let mut stated = BTreeSet::new();
        for (document, value) in &before {
            let (before, after) = (value.to_string(), after[document].to_string());
            let ((old, around), (new, around_now)) = (numbers(&before), numbers(&after));
            assert_eq!((old.len(), around), (new.len(), around_now), "{document} under another {name}");
            for (old, new) in old.into_iter().zip(new).filter(|(old, new)| old != new) {
                let is_it =
                    written(name, from).into_iter().zip(written(name, to)).any(|pair| pair == (old, new));
                assert!(is_it, "{name} went from {from} to {to}, and in {document} {old} became {new}");
                stated.insert(*document);
            }
        }
        let expected =
            STATED.iter().find(|(limit, _)| limit == name).map_or(&[][..], |(_, documents)| documents);
        assert_eq!(stated, expected.iter().copied().collect(), "{name} is named elsewhere");
    }
}

#[tokio::test]
async fn no_document_states_a_default_that_is_not_configured() {
    let defaults: BTreeSet<u64> = defaults()
        .into_iter()
        .flat_map(|(name, number)| written(&name, number))
        .filter(|number| *number >= 5)
        .collect();
    let mut wrong = Vec::new();
    for (document, value) in documents(unusual()).await {
        let mut texts = Vec::new();
        statements(&value, &mut texts);
        for statement in texts {
            let stripped = FIXED.iter().fold(statement.clone(), |text, fixed| text.replace(fixed, ""));
            if numbers(&stripped).0.iter().any(|number| defaults.contains(number)) {
                wrong.push(format!("{document}: {statement}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_document_states_a_default_page_size_above_the_limit() {
    let mut numbers = unusual();
    for (name, number) in [("page_size", 7), ("search_page_size", 3), ("tag_filter", 2)] {
        numbers.insert(name.to_owned(), number);
    }
    let documents = documents(numbers).await;
    for (document, statement) in [
        (OPENAPI, "default 7"),
        (OPENAPI, "default 3"),
        (OPENAPI, "At most 2; 2 in 2026-05-20."),
        (OPENAPI_OLD, "at most 2:"),
        (OPENAPI_NEW, "at most 2:"),
        (TOOLS, "Default 7, at most 7."),
        (TOOLS, "Default 3, at most 3."),
        (GRAPHQL, "Pages have 7 entries, or pageSize up to 7;"),
        (GRAPHQL, "Pages have 3 hits, or pageSize up to 3;"),
        (GRAPHQL, "7 to a page;"),
        ("templates", "newest 7 assets"),
    ] {
        let mut texts = Vec::new();
        statements(&documents[document], &mut texts);
        let texts = texts.join("\n").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(texts.contains(statement), "{statement:?} in {document}: {texts}");
    }
}
