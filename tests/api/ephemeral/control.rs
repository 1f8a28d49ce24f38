//! The control endpoint: states, the clock, the record of requests, and organizations for tests that run side by side.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ASSETS, Ephemeral, found, names, upload, uploaded};
use crate::rest::{Rest, text};
use crate::support::{mcp, send};

#[tokio::test]
async fn only_the_token_opens_the_door() {
    let server = Ephemeral::start(&[]);
    let (client, owner) = (server.client(), server.client().with_key(&server.text("/keys/write")));
    for client in [&client, &owner] {
        let reply = client.post_json("/_test/reset", &json!({})).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (401, "UNAUTHENTICATED"));
    }
    let document = client.get("/_test/openapi.json").await.json();
    assert!(document["paths"]["/_test/reset"]["post"].is_object());
    for (method, path, status, code) in [
        (Method::GET, "reset", 405, "METHOD_NOT_ALLOWED"),
        (Method::POST, "nothing", 404, "ENDPOINT_NOT_FOUND"),
        (Method::GET, "requests?key=1", 400, "BAD_USER_INPUT"),
        (Method::DELETE, "faults/fault-9", 404, "NOT_FOUND"),
    ] {
        let reply = server.control(method, path, json!({})).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (status, code), "{path}");
    }
    for (path, body) in [
        ("reset", json!({"snapshots": "x"})),
        ("snapshots", json!({})),
        ("clock/advance", json!({"seconds": -1})),
        ("faults", json!({"effect": {}})),
        ("organizations", json!({"name": ""})),
    ] {
        let reply = server.control(Method::POST, path, body).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"), "{path}");
        let message = text(&reply.json()["error"]["message"]);
        assert!(!message.contains("enum") && !message.contains("line 1"), "{message}");
    }
}

#[tokio::test]
async fn a_reset_goes_back_to_the_start_or_to_a_named_state_any_number_of_times() {
    let server = Ephemeral::start(&["--ids", "seeded:3"]);
    let rest = server.rest("write");
    let first = uploaded(&rest, "one").await;
    server.idle().await;
    server.controlled(Method::POST, "snapshots", json!({"name": "one"})).await;
    let second = uploaded(&rest, "two").await;
    let tag = rest.post(&format!("{ASSETS}/tag"), json!({"assetIds": [first], "tags": ["red"]})).await;
    assert_eq!(tag.status, 200);
    let renamed =
        rest.json(Method::PATCH, "/organizations/test/libraries/other", json!({"name": "Renamed"})).await;
    assert_eq!(renamed.status, 200);
    for round in 0..3 {
        let reply = server.controlled(Method::POST, "reset", json!({"snapshot": "one"})).await;
        assert_eq!(reply, json!({"snapshot": "one"}));
        assert_eq!(names(&rest, ASSETS).await, ["one"]);
        assert_eq!((found(&rest, "one").await, found(&rest, "two").await), (1, 0), "round {round}");
        let asset = rest.get(&format!("{ASSETS}/{first}")).await.json();
        assert_eq!(asset["data"]["tags"], json!([]));
        assert_eq!(library_names(&rest).await, ["Main", "Other"]);
        assert_eq!(uploaded(&rest, "again").await, second, "the ids go back, too");
        assert_eq!(found(&rest, "again").await, 1);

        server.controlled(Method::POST, "reset", json!({})).await;
        assert_eq!(names(&rest, ASSETS).await, [""; 0]);
        assert_eq!(found(&rest, "one").await, 0);
    }
    server.controlled(Method::POST, "reset", json!({"snapshot": "one"})).await;
    let url = text(&rest.get(&format!("{ASSETS}/{first}")).await.json()["data"]["url"]);
    let path = url.strip_prefix(&server.text("/url")).unwrap();
    assert_eq!(server.client().get(path).await.status, 200, "its file is still there");
    let states = server.controlled(Method::GET, "snapshots", Value::Null).await;
    assert_eq!(states, json!({"snapshots": ["one", "start"]}));
    assert_eq!(server.control(Method::POST, "reset", json!({"snapshot": "two"})).await.status, 404);
}

async fn library_names(rest: &Rest) -> Vec<String> {
    let list = rest.get("/organizations/test/libraries").await.json();
    list["data"].as_array().unwrap().iter().map(|library| text(&library["name"])).collect()
}

#[tokio::test]
async fn a_reset_ends_keys_faults_and_records_and_brings_back_what_was_deleted() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    let id = uploaded(&rest, "one").await;
    server.controlled(Method::POST, "snapshots", json!({"name": "one"})).await;
    let made = server.controlled(Method::POST, "organizations", json!({})).await;
    let other = server.rest_with(&text(&made["keys"]["write"]));
    assert_eq!(other.get("/me").await.status, 200);
    rest.json(Method::DELETE, ASSETS, json!({"ids": [id]})).await;
    server.controlled(Method::POST, "clock/advance", json!({"seconds": 31 * 24 * 60 * 60})).await;
    let trash = rest.get("/organizations/test/libraries/main").await.json();
    assert_eq!(trash["data"]["trashCount"], 0, "the trash is emptied when its time has come");
    server.fault(json!({"effect": {"code": "RATE_LIMITED"}})).await;
    assert_eq!(rest.get("/me").await.status, 429);

    server.controlled(Method::POST, "reset", json!({"snapshot": "one"})).await;
    assert_eq!(other.get("/me").await.status, 401);
    assert_eq!(names(&rest, ASSETS).await, ["one"]);
    assert_eq!(server.controlled(Method::GET, "faults", Value::Null).await, json!({"faults": []}));
    let clock = server.controlled(Method::GET, "clock", Value::Null).await;
    assert_eq!(clock["stands"], false);

    // The trash works as before, whatever was observed in between.
    rest.json(Method::DELETE, ASSETS, json!({"ids": [id]})).await;
    server.controlled(Method::POST, "clock/advance", json!({"seconds": 31 * 24 * 60 * 60})).await;
    let trash = rest.get("/organizations/test/libraries/main").await.json();
    assert_eq!(trash["data"]["trashCount"], 0);
}

#[tokio::test]
async fn the_clock_moves_only_when_it_is_told() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    let set = server.controlled(Method::PUT, "clock", json!({"now": "2030-06-01T12:00:00Z"})).await;
    assert_eq!(set, json!({"now": "2030-06-01T12:00:00.000Z", "stands": true}));
    let created =
        async |name: &str| upload(&rest, ASSETS, name).await.json()["data"]["assets"][0]["created"].as_u64();
    // Assets of one millisecond would have no order, so that each is a millisecond later than the one before it.
    let first = created("one").await.unwrap();
    assert_eq!((first, created("two").await), (1_906_545_600_000, Some(first + 1)));
    let moved = server.controlled(Method::POST, "clock/advance", json!({"seconds": 1.5})).await;
    assert_eq!(moved["now"], "2030-06-01T12:00:01.500Z");
    assert_eq!(created("three").await, Some(first + 1500));
    for wrong in ["2030-06-01", "tomorrow", ""] {
        assert_eq!(server.control(Method::PUT, "clock", json!({"now": wrong})).await.status, 400);
    }
}

#[tokio::test]
async fn the_recorder_shows_what_each_key_asked_on_each_interface() {
    let server = Ephemeral::start(&[]);
    let (write, read) = (server.rest("write"), server.rest("read"));
    uploaded(&write, "one").await;
    assert_eq!(upload(&read, ASSETS, "two").await.status, 404);
    mcp::call(&write.client, "list_tags", &json!({"organizationId": "test", "libraryId": "other"}))
        .await
        .unwrap();
    let query = r#"query($l: ID!) { tags(organizationId: "test", libraryId: $l) { id } }"#;
    write.client.post_json("/graphql", &json!({"query": query, "variables": {"l": "main"}})).await;
    server.client().get("/healthz").await;
    let recorded = server.controlled(Method::GET, "requests", Value::Null).await;
    let row = |request: &Value| {
        json!([
            request["method"],
            request["path"],
            request["operation"],
            request["library"],
            request["keyId"],
            request["status"],
            request["code"]
        ])
    };
    let rows: Vec<Value> = recorded["requests"].as_array().unwrap().iter().map(row).collect();
    let (writer, reader) = (&server.line["keyIds"]["write"], &server.line["keyIds"]["read"]);
    assert_eq!(
        rows,
        [
            json!(["POST", ASSETS, "upload_assets", "main", writer, 200, null]),
            json!(["POST", ASSETS, null, null, reader, 404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY"]),
            json!(["POST", "/mcp", "list_tags", "other", writer, 200, null]),
            json!(["POST", "/graphql", "list_tags", "main", writer, 200, null]),
            json!(["GET", "/healthz", null, null, null, 200, null]),
        ]
    );
    let filter = format!("requests?keyId={}&operation=list_tags", text(writer));
    assert_eq!(server.controlled(Method::DELETE, &filter, Value::Null).await, json!({"deleted": 2}));
    let left = server.controlled(Method::GET, "requests", Value::Null).await;
    assert_eq!(left["requests"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn organizations_do_not_see_each_other() {
    let server = Ephemeral::start(&[]);
    let body = json!({"name": "Shop Tests", "libraries": ["Shoes", "Hats", "Bags"]});
    let one = server.controlled(Method::POST, "organizations", body.clone()).await;
    let other = server.controlled(Method::POST, "organizations", body).await;
    assert_eq!([&one["organizationId"], &other["organizationId"]], ["shop-tests", "shop-tests-2"]);
    assert_eq!(one["libraries"][2], json!({"id": "bags", "slug": "bags", "name": "Bags"}));
    let rest = |made: &Value| server.rest_with(&text(&made["keys"]["write"]));
    let (mine, theirs) = (rest(&one), rest(&other));
    let assets =
        |made: &Value| format!("/organizations/{}/libraries/shoes/assets", text(&made["organizationId"]));
    assert_eq!(upload(&mine, &assets(&one), "mine").await.status, 200);
    assert_eq!(names(&theirs, &assets(&other)).await, [""; 0]);
    assert_eq!(theirs.get(&assets(&one)).await.status, 401);
    // A fault for one key does not hit the other.
    server
        .fault(json!({"match": {"keyId": one["keyIds"]["write"]}, "effect": {"code": "SERVICE_UNAVAILABLE"}}))
        .await;
    assert_eq!((mine.get("/me").await.status, theirs.get("/me").await.status), (503, 200));
    let requests = format!("requests?organization={}", text(&other["organizationId"]));
    let recorded = server.controlled(Method::GET, &requests, Value::Null).await;
    assert_eq!(recorded["requests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn idle_waits_for_the_work_after_uploads() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    let id = uploaded(&rest, "one").await;
    server.idle().await;
    let asset = rest.get(&format!("{ASSETS}/{id}")).await.json();
    assert!(asset["data"]["blurhash"].is_string(), "{asset}");
    let wrong = server.control(Method::POST, "idle", json!({"timeoutSeconds": "long"})).await;
    assert_eq!(wrong.status, 400);
    let broken = send(
        server
            .client()
            .with_key(&server.text("/control/token"))
            .request(Method::POST, "/_test/idle")
            .body("{"),
    )
    .await;
    assert_eq!(broken.status, 400);
}
