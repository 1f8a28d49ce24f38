//! What every endpoint answers, in both versions.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ASSETS, Form, NEW, Rest, Scene, VERSIONS, picture, text};

/// A scene with one asset that has everything: a description, tags, and a variant.
async fn furnished() -> (Scene, String, String) {
    let scene = Scene::new().await;
    let id = scene.writer.uploaded("a.b.png").await;
    scene.server.clock().advance(Duration::from_millis(5));
    let mut form = Form::default();
    form.text("parentId", &id);
    form.file("files", "a small one.png", &picture("variant"));
    let variant = scene.writer.send_form(ASSETS, form).await.json();
    let variant = text(&variant["data"]["assets"][0]["id"]);
    let described = json!({"description": "  Two\nlines "});
    scene.writer.json(Method::PATCH, &format!("{ASSETS}/{id}/description"), described).await;
    scene.writer.post(&format!("{ASSETS}/tag"), json!({"assetIds": [id], "tags": ["sea", "Sand"]})).await;
    scene.server.processed().await;
    (scene, id, variant)
}

/// The answer with what differs from run to run taken out.
fn settled(scene: &Scene, known: &[(&str, &str)], mut answer: Value) -> Value {
    fn walk(value: &mut Value, text: &dyn Fn(&str) -> String) {
        match value {
            Value::String(string) => *string = text(string),
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, text)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    if matches!(name.as_str(), "created" | "updated") {
                        assert!(field.as_u64().unwrap() > 1_700_000_000_000, "{name} is in milliseconds");
                        *field = json!("[time]");
                    }
                    walk(field, text);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    walk(&mut answer, &|string| {
        let string = string.replace(scene.server.url(), "[origin]");
        known.iter().fold(string, |string, (id, name)| string.replace(id, name))
    });
    answer
}

#[tokio::test]
async fn reads_answer_in_the_shape_of_their_version() {
    let (scene, id, variant) = furnished().await;
    let known = [(id.as_str(), "[asset]"), (variant.as_str(), "[variant]")];
    for version in VERSIONS {
        let writer = scene.writer.in_version(version);
        for (name, path) in [
            ("me", "/me".to_owned()),
            ("libraries", "/organizations/acme/libraries".to_owned()),
            ("assets", ASSETS.to_owned()),
            ("asset", format!("{ASSETS}/{id}")),
            ("variant", format!("{ASSETS}/{variant}")),
            ("tags", "/organizations/acme/libraries/photos/tags".to_owned()),
            ("search", "/organizations/acme/search/assets?q=".to_owned()),
        ] {
            let reply = writer.get(&path).await;
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(reply.header("content-type"), "application/json");
            assert_eq!(reply.header("vary"), "Api-Version");
            assert_eq!(reply.header("cache-control"), "private, no-store");
            insta::assert_json_snapshot!(format!("{name}_{version}"), settled(&scene, &known, reply.json()));
        }
    }
}

#[tokio::test]
async fn changes_answer_the_same_in_both_versions() {
    for version in VERSIONS {
        let (scene, id, _) = furnished().await;
        let writer = scene.writer.in_version(version);
        let change = async |method: Method, path: &str, body: Value| {
            let reply = writer.json(method, path, body).await;
            (reply.status, reply.json()["data"].clone())
        };
        let described =
            change(Method::PATCH, &format!("{ASSETS}/{id}/description"), json!({"description": ""})).await;
        assert_eq!(described, (200, json!({"assetId": id, "description": ""})));
        let transfer = json!({"targetLibraryId": "archive", "assetIds": [id]});
        let there = json!({"transferredCount": 1, "sourceLibraryId": "photos", "targetLibraryId": "archive"});
        assert_eq!(change(Method::POST, &format!("{ASSETS}/transfer"), transfer).await, (200, there));
        let archive = "/organizations/acme/libraries/archive/assets";
        let moved = json!({"success": true, "message": "Moved 1 asset to trash", "ids": [id]});
        let again = json!({"success": true, "message": "Moved 0 assets to trash", "ids": []});
        assert_eq!(change(Method::DELETE, archive, json!({"ids": [id, id]})).await, (200, moved));
        assert_eq!(change(Method::DELETE, archive, json!({"ids": [id]})).await, (200, again));
        let libraries = "/organizations/acme/libraries";
        let (status, made) = change(Method::POST, libraries, json!({"name": " Élan 26 "})).await;
        let empty = json!({"id": "elan-26", "name": "Élan 26", "assetsCount": 0, "photosCount": 0, "trashCount": 0, "tags": []});
        assert_eq!((status, &made), (201, &empty));
        let (status, renamed) =
            change(Method::PATCH, &format!("{libraries}/elan-26"), json!({"name": "Next"})).await;
        assert_eq!(
            (status, renamed["id"].clone(), renamed["name"].clone()),
            (200, json!("elan-26"), json!("Next"))
        );
        let taken = writer.post(libraries, json!({"name": "x", "slug": "elan-26"})).await;
        assert_eq!((taken.status, taken.error_code().as_str()), (409, "LIBRARY_URL_TAKEN"));
    }
}

#[tokio::test]
async fn a_delete_with_an_unknown_id_moves_nothing() {
    let (scene, id, _) = furnished().await;
    let reply = scene.writer.json(Method::DELETE, ASSETS, json!({"ids": [id, "0000000000000000"]})).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (404, "RESOURCE_NOT_FOUND"));
    assert_eq!(scene.writer.get(&format!("{ASSETS}/{id}")).await.status, 200);
}

#[tokio::test]
async fn the_numbers_of_a_call_are_bounded() {
    let (scene, id, _) = furnished().await;
    let many = |count: usize| vec![id.clone(); count];
    let ask =
        async |path: &str, body: Value| scene.writer.post(&format!("{ASSETS}/{path}"), body).await.status;
    assert_eq!(ask("tag", json!({"assetIds": many(100), "tags": ["x"]})).await, 200);
    for (assets, tags) in [(0, 1), (101, 1), (1, 0), (1, 21)] {
        let tags: Vec<String> = (0..tags).map(|number| format!("t{number}")).collect();
        assert_eq!(ask("tag", json!({"assetIds": many(assets), "tags": tags})).await, 400);
        assert_eq!(ask("untag", json!({"assetIds": many(assets), "tags": tags})).await, 400);
    }
    assert_eq!(ask("tag", json!({"assetIds": [id], "tags": ["ok", "Trash"]})).await, 400);
    let tags = scene.writer.get(&format!("{ASSETS}/{id}")).await.json()["data"]["tags"].clone();
    assert_eq!(tags, json!(["sea", "Sand", "x"]), "a reserved tag is refused before any is written");
}

#[tokio::test]
async fn errors_have_one_shape() {
    let (scene, ..) = furnished().await;
    let writer = Rest::new(&scene.writer.client, NEW);
    let reply = writer.get(&format!("{ASSETS}/nope")).await;
    assert_eq!(reply.json(), json!({"error": {"code": "RESOURCE_NOT_FOUND", "message": "Asset not found."}}));
    let reply = writer.get("/organizations/acme/libraries/nope/tags").await;
    let message = "API key not authorized for this library.";
    assert_eq!(
        reply.json(),
        json!({"error": {"code": "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY", "message": message}})
    );
}
