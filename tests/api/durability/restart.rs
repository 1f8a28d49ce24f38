//! After an orderly restart, everything is there again.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{found, listed, path_of};
use crate::rest::{Form, Rest, picture, text};
use crate::support::program::{ASSETS, LIBRARY, Program, TestDir};
use crate::support::raw::DEADLINE;

/// How long to wait between two checks.
const PAUSE: Duration = Duration::from_millis(5);

#[tokio::test]
async fn keys_grants_tags_trash_descriptions_and_variants_survive_a_restart() {
    let test_dir = TestDir::new();
    let program = test_dir.serve();
    let writer = program.first_key().to_owned();
    test_dir.done(&["library", "create", "Archive", "--org", "default"]);
    test_dir.done(&["org", "create", "Other"]);
    test_dir.done(&["library", "create", "Library", "--org", "other"]);
    let create =
        ["key", "create", "Reader", "--org", "default", "--grant", "library=read", "--expires", "90d"];
    let reader = test_dir.json(&create)["key"].as_str().unwrap().to_owned();
    fill(&program.rest_of(&writer)).await;
    program.rest_of(&reader).get("/me").await;
    program.stop();

    let stopped = administered(&test_dir);
    for key in stopped["keys"].as_array().unwrap() {
        assert!(key["lastUsed"].is_u64(), "the use of a key is written down when the server ends: {key}");
    }
    let program = test_dir.serve();
    assert_eq!(administered(&test_dir), stopped);
    let before = seen(&program, [&writer, &reader]).await;
    program.stop();
    let program = test_dir.serve();
    assert_eq!(seen(&program, [&writer, &reader]).await, before);
}

/// Two pictures with tags and a description, one of them with a variant, and one in the trash.
async fn fill(rest: &Rest) {
    let mut ids = Vec::new();
    for name in ["lake", "sea", "gone"] {
        let mut form = Form::default();
        form.file("files", &format!("{name}.png"), &picture(name));
        let reply = rest.send_form(ASSETS, form).await;
        ids.push(text(&reply.json()["data"]["assets"][0]["id"]));
    }
    let mut variant = Form::default();
    variant.text("parentId", &ids[0]);
    variant.file("files", "lake-small.png", &picture("lake-small"));
    let variant = text(&rest.send_form(ASSETS, variant).await.json()["data"]["assets"][0]["id"]);
    let tags = json!({ "assetIds": &ids[..2], "tags": ["Blue", "été"] });
    assert_eq!(rest.post(&format!("{ASSETS}/tag"), tags).await.json()["data"]["taggedCount"], 4);
    let description = json!({ "description": " A lake,\nverbatim " });
    let path = format!("{ASSETS}/{}/description", ids[0]);
    assert_eq!(rest.json(Method::PATCH, &path, description).await.status, 200);
    assert_eq!(rest.json(Method::DELETE, ASSETS, json!({ "ids": [ids[2]] })).await.status, 200);
    assert_eq!(rest.json(Method::PATCH, LIBRARY, json!({ "name": "Lakes" })).await.status, 200);
    wait_until_processed(rest, &[&ids[0], &ids[1], &variant]).await;
}

/// Waits until the processing of these uploads is finished, since it changes them.
async fn wait_until_processed(rest: &Rest, ids: &[&str]) {
    let until = Instant::now() + DEADLINE;
    for id in ids {
        while rest.get(&format!("{ASSETS}/{id}")).await.json()["data"]["blurhash"].is_null() {
            assert!(Instant::now() < until, "{id} is not processed");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What an administrator sees.
fn administered(test_dir: &TestDir) -> Value {
    json!({
        "organizations": test_dir.json(&["org", "list"]),
        "libraries": test_dir.json(&["library", "list", "--org", "default"]),
        "others": test_dir.json(&["library", "list", "--org", "other"]),
        "keys": test_dir.json(&["key", "list"]),
    })
}

/// What keys see, and what anyone gets at the urls, without the origin, since the port changes.
async fn seen(program: &Program, keys: [&str; 2]) -> Value {
    let mut seen = Vec::new();
    for key in keys {
        let rest = program.rest_of(key);
        for path in ["/me", "/organizations/default/libraries", ASSETS, &format!("{LIBRARY}/tags")] {
            let reply = rest.get(path).await;
            assert_eq!(reply.status, 200, "{path}");
            seen.push(reply.json()["data"].clone());
        }
        for words in ["lake", "blue", "ete", "verbatim", "gone"] {
            let (count, ids) = found(&rest, words).await;
            seen.push(json!({ words: count, "ids": ids }));
        }
        for asset in listed(&rest).await {
            let served = rest.client.get(&path_of(&asset)).await;
            seen.push(json!({ "bytes": served.body, "etag": served.header("etag") }));
        }
    }
    let text = Value::from(seen).to_string().replace(program.url(), "https://origin");
    serde_json::from_str(&text).unwrap()
}
