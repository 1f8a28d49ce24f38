//! Upload addresses: one file for each, from whoever has it, with the permission of the key or the person who made it, and
//! one answer for every address that is of no use.

mod limits;
mod person;
mod resumable;
mod revoked;

use futures_util::future::join_all;
use rasterd::core::model::Access;
use rasterd::testing::{TestKey, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rest::{ASSETS, NEW, Rest, Scene, VERSIONS, picture};
use crate::support::mcp::call;
use crate::support::{Client, Reply, send};

/// The addresses of the library of a [`Scene`].
const UPLOADS: &str = "/organizations/acme/libraries/photos/uploads";

/// The path of a new address.
async fn address(scene: &Scene, body: Value) -> String {
    let reply = scene.writer.post(UPLOADS, body).await;
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    path_of(&reply.json()["data"]["uploadUrl"], &scene.server)
}

/// The path of an address that another key made.
async fn address_of(scene: &Scene, key: &TestKey) -> String {
    let rest = Rest::new(&scene.anyone.with_key(&key.token), NEW);
    let reply = rest.post(UPLOADS, json!({ "filename": "a.png" })).await;
    path_of(&reply.json()["data"]["uploadUrl"], &scene.server)
}

fn path_of(url: &Value, server: &TestServer) -> String {
    url.as_str().unwrap().strip_prefix(server.url()).unwrap().to_owned()
}

/// Sends bytes without a key, as `curl -T` does.
async fn put(client: &Client, path: &str, bytes: Vec<u8>) -> Reply {
    send(client.request(Method::PUT, path).body(bytes)).await
}

fn expect_no_such_upload(reply: &Reply) {
    assert_eq!((reply.status, reply.error_code().as_str()), (404, "RESOURCE_NOT_FOUND"));
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("has been used or has expired"), "{message}");
}

async fn names(scene: &Scene) -> Vec<String> {
    scene.writer.names(ASSETS).await.0
}

#[tokio::test]
async fn a_file_that_is_put_to_its_address_is_an_asset_and_the_address_is_used() {
    let scene = Scene::new().await;
    let arguments = json!({ "organizationId": "acme", "libraryId": "photos", "filename": "by tool.png" });
    let tool = call(&scene.writer.client, "create_upload", &arguments).await.unwrap();
    assert_eq!(tool["maxBytes"], 1 << 30);
    let mut created = vec![("by tool", tool)];
    for version in VERSIONS {
        let rest = scene.writer.in_version(version);
        let reply = rest.post(UPLOADS, json!({ "filename": format!("{version}.x.png") })).await;
        assert_eq!(reply.status, 201);
        created.push((
            if version == "2026-05-20" { "2026-05-20.x" } else { "2026-07-08.x" },
            reply.json()["data"].clone(),
        ));
    }
    for (name, created) in created {
        let ends = humantime::parse_rfc3339(created["expiresAt"].as_str().unwrap()).unwrap();
        let ends = ends.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let now = u128::from(scene.server.core().now());
        assert!((now + 14 * 60_000..=now + 15 * 60_000).contains(&ends), "{created}");
        let path = path_of(&created["uploadUrl"], &scene.server);
        let reply = put(&scene.anyone, &path, picture(name)).await;
        assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
        let asset = &reply.json()["data"];
        assert_eq!((asset["name"].as_str().unwrap(), &asset["parentId"]), (name, &Value::Null));
        assert_eq!(reply.header("asset-id"), asset["id"].as_str().unwrap());
        let listed = scene.reader.get(&format!("{ASSETS}/{}", asset["id"].as_str().unwrap())).await.json();
        assert_eq!(listed["data"]["id"], asset["id"]);
        let url = path_of(&asset["url"], &scene.server);
        assert_eq!(scene.anyone.get(&url).await.body, picture(name), "its url serves it at once");
        expect_no_such_upload(&put(&scene.anyone, &path, picture("again")).await);
    }
    assert_eq!(names(&scene).await.len(), 3);
}

#[tokio::test]
async fn of_several_who_use_an_address_at_once_one_wins() {
    let scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    let puts = (0..8).map(|n| put(&scene.anyone, &path, picture(&format!("{n}"))));
    let replies = join_all(puts).await;
    let stored = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(stored, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    replies.iter().filter(|reply| reply.status != 201).for_each(expect_no_such_upload);
    assert_eq!(names(&scene).await, ["a"]);
}

#[tokio::test]
async fn an_upload_that_fails_leaves_the_address_as_it_was() {
    let scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    for (bytes, reason) in [
        (b"plain text".to_vec(), "its type is not accepted"),
        (Vec::new(), "it is empty"),
        (picture("a")[..20].to_vec(), "damaged PNG"),
    ] {
        let reply = put(&scene.anyone, &path, bytes).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"));
        assert!(String::from_utf8_lossy(&reply.body).contains(reason), "{reason}");
    }
    let ranged = scene.anyone.request(Method::PUT, &path).header("Content-Range", "bytes 0-9/20");
    assert_eq!(send(ranged.body("0123456789")).await.status, 400);
    assert_eq!(scene.anyone.get(&path).await.status, 405);
    assert_eq!(names(&scene).await.len(), 0);
    assert_eq!(put(&scene.anyone, &path, picture("a")).await.status, 201);
}

#[tokio::test]
async fn a_parent_is_checked_when_the_address_is_made_and_when_the_file_is_stored() {
    let scene = Scene::new().await;
    let original = scene.writer.uploaded("original.png").await;
    let path = address(&scene, json!({ "filename": "small.png", "parentId": original })).await;
    let variant = put(&scene.anyone, &path, picture("small")).await.json()["data"].clone();
    assert_eq!(variant["parentId"], original.as_str());
    for (parent, status) in [("nosuchassetwas00", 404), (variant["id"].as_str().unwrap(), 400)] {
        let reply = scene.writer.post(UPLOADS, json!({ "filename": "b.png", "parentId": parent })).await;
        assert_eq!(reply.status, status, "{parent}");
    }
    let path = address(&scene, json!({ "filename": "late.png", "parentId": original })).await;
    scene.writer.json(Method::DELETE, ASSETS, json!({ "ids": [original] })).await;
    let reply = put(&scene.anyone, &path, picture("late")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (404, "RESOURCE_NOT_FOUND"));
    assert_eq!(reply.json()["error"]["message"], "Asset not found.");
    assert_eq!(names(&scene).await.len(), 0);
}

#[tokio::test]
async fn an_address_needs_write_and_no_key_to_use_it() {
    let scene = Scene::new().await;
    let refused = scene.reader.post(UPLOADS, json!({ "filename": "a.png" })).await;
    assert_eq!(refused.error_code(), "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY");
    for empty in [json!({}), json!({ "filename": "" })] {
        let empty = scene.writer.post(UPLOADS, empty).await;
        assert_eq!((empty.status, empty.error_code().as_str()), (400, "BAD_USER_INPUT"));
    }
    // A library out of reach comes before what is wrong with the body.
    let refused = scene.reader.post(UPLOADS, json!({ "filename": "" })).await;
    assert_eq!(refused.error_code(), "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY");
    // A key in the request changes nothing, whatever it may do.
    let path = address(&scene, json!({ "filename": "../up/a.png" })).await;
    let reader = scene.anyone.with_key("pk_wrong");
    assert_eq!(put(&reader, &path, picture("a")).await.status, 201);
    assert_eq!(names(&scene).await, ["a"], "only the last part of the name counts");
}

#[tokio::test]
async fn an_address_survives_a_restart() {
    let mut scene = Scene::new().await;
    let path = address(&scene, json!({ "filename": "a.png" })).await;
    scene.server.restart();
    let anyone = Client::new(&scene.server);
    assert_eq!(put(&anyone, &path, picture("a")).await.status, 201);
    expect_no_such_upload(&put(&anyone, &path, picture("a")).await);
}

/// A key with Write on the library, beside that of the scene.
async fn other_writer(scene: &Scene) -> TestKey {
    scene.server.key("acme", &[("photos", Access::Write)]).await
}
