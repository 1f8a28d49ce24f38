//! Faults, as clients meet them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ASSETS, Ephemeral, names, upload, uploaded};
use crate::rest::{Form, Rest, picture, text};
use crate::support::{mcp, send};

#[tokio::test]
async fn an_error_is_answered_in_the_form_of_each_interface_and_nothing_is_done() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    let added = server
        .fault(json!({"match": {"operation": "create_library"}, "times": 3, "effect": {"status": 429, "code": "RATE_LIMITED"}}))
        .await;
    assert_eq!((&added["id"], &added["hits"]), (&json!("fault-1"), &json!(0)));

    let reply = rest.post("/organizations/test/libraries", json!({"name": "New"})).await;
    assert_eq!(
        (reply.status, reply.error_code().as_str(), reply.header("retry-after")),
        (429, "RATE_LIMITED", "1")
    );
    let error = mcp::call(&rest.client, "create_library", &json!({"organizationId": "test", "name": "New"}))
        .await
        .unwrap_err();
    assert_eq!((&error["code"], &error["status"]), (&json!("RATE_LIMITED"), &json!(429)));
    let mutation =
        json!({"query": "mutation { createLibrary(organizationId: \"test\", name: \"New\") { id } }"});
    let reply = rest.client.post_json("/graphql", &mutation).await;
    assert_eq!(
        (reply.status, &reply.json()["errors"][0]["extensions"]["code"]),
        (429, &json!("RATE_LIMITED"))
    );

    // It is used up.
    let made = rest.post("/organizations/test/libraries", json!({"name": "New"})).await.json();
    assert_eq!(made["data"]["id"], "new", "it was not made before");
    assert_eq!(server.controlled(Method::GET, "faults", Value::Null).await, json!({"faults": []}));
}

#[tokio::test]
async fn a_fault_hits_only_what_it_names() {
    let server = Ephemeral::start(&[]);
    let (write, read) = (server.rest("write"), server.rest("read"));
    let status = async |fault: Value| {
        server.fault(fault).await;
        let other = "/organizations/test/libraries/other/assets";
        let found = [
            write.get(ASSETS).await.status,
            write.get(other).await.status,
            read.get(ASSETS).await.status,
            read.get("/me").await.status,
        ];
        server.controlled(Method::DELETE, "faults", Value::Null).await;
        found
    };
    let effect = json!({"code": "INTERNAL_SERVER_ERROR"});
    assert_eq!(status(json!({"effect": effect})).await, [500; 4]);
    assert_eq!(
        status(json!({"match": {"operation": "list_assets"}, "effect": effect})).await,
        [500, 500, 500, 200]
    );
    assert_eq!(status(json!({"match": {"library": "main"}, "effect": effect})).await, [500, 200, 500, 200]);
    let key = &server.line["keyIds"]["read"];
    assert_eq!(status(json!({"match": {"keyId": key}, "effect": effect})).await, [200, 200, 500, 500]);
    assert_eq!(status(json!({"match": {"share": 0.5}, "effect": effect})).await, [200, 500, 200, 500]);
}

#[tokio::test]
async fn latency_and_a_slow_body_are_too_slow_for_an_impatient_client() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    for effect in [json!({"latencyMs": 60_000}), json!({"slowBodyMs": 60_000})] {
        server.fault(json!({"times": 1, "effect": effect})).await;
        let request = rest.request(Method::GET, "/me").timeout(Duration::from_millis(300));
        let outcome = match request.send().await {
            // The head arrives at once.
            Ok(answer) if effect.get("slowBodyMs").is_some() => answer.bytes().await.map(drop),
            other => other.map(drop),
        };
        assert!(outcome.unwrap_err().is_timeout(), "{effect}");
    }
    server.fault(json!({"times": 1, "effect": {"slowBodyMs": 1}})).await;
    assert_eq!(rest.get("/me").await.json()["data"]["organizationId"], "test");
}

#[tokio::test]
async fn a_cut_connection_has_no_answer_and_a_second_attempt_works() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    server.fault(json!({"match": {"operation": "upload_assets"}, "times": 1, "effect": {"cut": true}})).await;
    let error = send_picture(&rest, "one").await.unwrap_err();
    assert!(!error.is_timeout() && error.status().is_none(), "{error}");
    assert_eq!(names(&rest, ASSETS).await, [""; 0]);
    uploaded(&rest, "one").await;
    let recorded = server.controlled(Method::GET, "requests?operation=upload_assets", Value::Null).await;
    let statuses: Vec<&Value> =
        recorded["requests"].as_array().unwrap().iter().map(|request| &request["status"]).collect();
    assert_eq!(statuses, [&Value::Null, &json!(200)]);
}

/// Uploads a picture; the connection may break.
async fn send_picture(rest: &Rest, name: &str) -> reqwest::Result<reqwest::Response> {
    let mut form = Form::default();
    form.file("files", name, &picture(name));
    let request = rest.request(Method::POST, ASSETS).header("Content-Type", Form::CONTENT_TYPE);
    request.body(form.finish()).send().await
}

#[tokio::test]
async fn a_full_disk_refuses_uploads_and_nothing_else() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    let id = uploaded(&rest, "one").await;
    server.fault(json!({"effect": {"fullDisk": true}})).await;
    let refused = upload(&rest, ASSETS, "two").await;
    assert_eq!((refused.status, refused.error_code().as_str()), (507, "STORAGE_FULL"));
    assert_eq!(rest.get(ASSETS).await.status, 200);
    assert_eq!(rest.json(Method::DELETE, ASSETS, json!({"ids": [id]})).await.status, 200, "deleting goes on");
    server.controlled(Method::DELETE, "faults/fault-1", Value::Null).await;
    uploaded(&rest, "two").await;
    assert_eq!(send(server.client().request(Method::GET, "/readyz")).await.status, 200);
}

#[tokio::test]
async fn nobody_else_meets_a_fault() {
    let server = Ephemeral::start(&[]);
    let write = server.rest("write");
    let made = server.controlled(Method::POST, "organizations", json!({"name": "Other"})).await;
    let other = server.rest_with(&text(&made["keys"]["write"]));
    let (key, assets) = (server.text("/keyIds/write"), "/organizations/other/libraries/main/assets");
    for effect in [
        json!({"code": "INTERNAL_SERVER_ERROR"}),
        json!({"latencyMs": 1}),
        json!({"cut": true}),
        json!({"slowBodyMs": 1}),
        json!({"fullDisk": true}),
        json!({"revokeKeyAfterBytes": 1}),
    ] {
        for effect in [&effect, &json!({"latencyMs": 300})] {
            server.fault(json!({"match": {"keyId": key}, "effect": effect})).await;
        }
        let meanwhile = async {
            for number in 0..10 {
                let reply = upload(&other, assets, &format!("{effect} {number}")).await;
                assert_eq!(reply.status, 200, "beside {effect}");
            }
        };
        let (_hit, ()) = tokio::join!(send_picture(&write, "one"), meanwhile);
        server.controlled(Method::DELETE, "faults", Value::Null).await;
    }
}

#[tokio::test]
async fn a_key_is_revoked_in_the_middle_of_an_upload() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    server
        .fault(json!({"match": {"operation": "upload_assets"}, "effect": {"revokeKeyAfterBytes": 20}}))
        .await;
    let refused = upload(&rest, ASSETS, "one").await;
    assert_eq!((refused.status, refused.error_code().as_str()), (401, "INVALID_API_KEY"));
    assert_eq!(rest.get("/me").await.status, 401, "it stays revoked");
    assert_eq!(names(&server.rest("read"), ASSETS).await, [""; 0]);
    server.controlled(Method::POST, "reset", json!({})).await;
    assert_eq!(rest.get("/me").await.status, 200, "until a reset");
}

#[tokio::test]
async fn files_are_hit_too() {
    let server = Ephemeral::start(&[]);
    let rest = server.rest("write");
    let id = uploaded(&rest, "one").await;
    let url = text(&rest.get(&format!("{ASSETS}/{id}")).await.json()["data"]["url"]);
    let path = url.strip_prefix(&server.text("/url")).unwrap();
    server.fault(json!({"match": {"operation": "get_file"}, "times": 1, "effect": {"code": "SERVICE_UNAVAILABLE"}})).await;
    let client = server.client();
    assert_eq!([client.get(path).await.status, client.get(path).await.status], [503, 200]);
}
