//! Promotion: what is swapped and what stays, and when it is refused.

use futures_util::future::join_all;
use rasterd::core::access::LibraryPath;
use rasterd::error::Code;
use reqwest::Method;
use serde_json::json;

use super::api::Api;
use super::{Pair, files, purge};
use crate::rest::{ASSETS, OLD, Scene};
use crate::support::send;

const WEBP: &[u8] = include_bytes!("../../fixtures/umang.webp");

/// The transports that have promotion.
fn apis(scene: &Scene) -> [Api; 2] {
    [Api::rest(scene), Api::Mcp(scene.writer.client.clone())]
}

#[tokio::test]
async fn the_files_are_swapped_with_their_names_and_everything_else_stays() {
    let scene = Scene::new().await;
    for api in apis(&scene) {
        let mut pair = Pair::upload(&scene, &api, api.name()).await;
        let made = api.upload_variant(&pair.original, "photo.webp", WEBP).await;
        pair.variant = made["id"].as_str().unwrap().to_owned();
        let tags = json!({ "assetIds": [pair.original], "tags": ["Seaside"] });
        assert_eq!(scene.writer.post(&format!("{ASSETS}/tag"), tags).await.status, 200);
        let description = format!("{ASSETS}/{}/description", pair.original);
        let described =
            scene.writer.json(Method::PATCH, &description, json!({ "description": "A beach." })).await;
        assert_eq!(described.status, 200);
        let before = api.asset("photos", &pair.original).await.unwrap();
        let was = pair.served(&scene, "photos").await;

        let after = api.promote(&pair.original, &pair.variant).await.unwrap();
        assert_eq!(after, api.asset("photos", &pair.original).await.unwrap());
        for same in ["id", "url", "tags", "description", "created", "uploadedBy", "parentId", "type"] {
            assert_eq!(after[same], before[same], "{same} by {}", api.name());
        }
        assert!(after["updated"].as_u64() > before["updated"].as_u64());
        assert_eq!(
            (&before["contentType"], &after["contentType"]),
            (&json!("image/png"), &json!("image/webp"))
        );
        assert_eq!(after["size"], WEBP.len());
        for same in ["id", "url"] {
            assert_eq!(after["variants"][1][same], before["variants"][1][same], "{same} by {}", api.name());
        }
        assert_eq!(after["name"], before["variants"][1]["name"], "by {}", api.name());
        assert_eq!(after["variants"][1]["name"], before["name"], "by {}", api.name());
        assert_eq!((&after["variants"][1]["width"], &after["variants"][1]["height"]), (&json!(3), &json!(2)));

        let is = pair.served(&scene, "photos").await;
        for (now, then) in [(&is[0], &was[1]), (&is[1], &was[0])] {
            assert_eq!((now.status, now.header("etag")), (200, then.header("etag")));
            for same in ["content-type", "content-disposition"] {
                assert_eq!(now.header(same), then.header(same), "{same} by {}", api.name());
            }
            assert!(now.body == then.body, "{}", api.name());
        }
        assert_ne!(is[0].header("etag"), was[0].header("etag"));
        let found = scene.writer.get("/organizations/acme/search/assets?q=beach").await.json();
        let hits = found["data"]["hits"].as_array().unwrap();
        let hit = hits.iter().find(|hit| hit["id"] == *pair.original).unwrap();
        assert_eq!((&hit["contentType"], &hit["updated"]), (&json!("image/webp"), &after["updated"]));

        let undone = api.promote(&pair.original, &pair.variant).await.unwrap();
        assert_eq!((&undone["contentType"], &undone["name"]), (&json!("image/png"), &before["name"]));
        let [first, second] = pair.served(&scene, "photos").await;
        assert!(first.body == pair.original_bytes && second.body == WEBP, "{}", api.name());
    }
}

#[tokio::test]
async fn a_client_with_the_former_file_gets_the_new_one() {
    let scene = Scene::new().await;
    let api = Api::rest(&scene);
    let pair = Pair::upload(&scene, &api, "one.png").await;
    let [had, _] = pair.served(&scene, "photos").await;
    api.promote(&pair.original, &pair.variant).await.unwrap();
    let path = format!("/cdn/acme/photos/{}", pair.original);
    let again = scene.anyone.request(Method::GET, &path).header("If-None-Match", had.header("etag"));
    let again = send(again).await;
    assert!(again.status == 200 && again.body == pair.variant_bytes);
}

#[tokio::test]
async fn a_promotion_neither_loses_nor_leaks_files() {
    let scene = Scene::new().await;
    let api = Api::rest(&scene);
    let pair = Pair::upload(&scene, &api, "one.png").await;
    api.promote(&pair.original, &pair.variant).await.unwrap();
    purge(&scene).await;
    assert_eq!(files(&scene), 2);
    api.delete("photos", &[&pair.variant]).await;
    purge(&scene).await;
    assert_eq!(files(&scene), 1, "the former default went with the variant");
    let [first, second] = pair.served(&scene, "photos").await;
    assert!(first.body == pair.variant_bytes && second.status == 404);
}

#[tokio::test]
async fn only_a_variant_of_the_asset_can_be_promoted() {
    let scene = Scene::new().await;
    for api in apis(&scene) {
        let pair = Pair::upload(&scene, &api, api.name()).await;
        let Pair { original: other, variant: of_other, .. } = Pair::upload(&scene, &api, "other.png").await;
        let trashed = api.upload_variant(&pair.original, "red.png", &pair.original_bytes).await;
        let trashed = trashed["id"].as_str().unwrap();
        api.delete("photos", &[trashed]).await;
        let unknown = "0000000000000000";
        for (asset, variant, code) in [
            (pair.original.as_str(), unknown, "NOT_FOUND"),
            (&pair.original, "no id", "NOT_FOUND"),
            (&pair.original, "", "NOT_FOUND"),
            (&pair.original, &pair.original, "NOT_FOUND"),
            (&pair.original, &other, "NOT_FOUND"),
            (&pair.original, &of_other, "NOT_FOUND"),
            (&pair.original, trashed, "NOT_FOUND"),
            (&pair.variant, &pair.variant, "NOT_FOUND"),
            (unknown, &pair.variant, "RESOURCE_NOT_FOUND"),
            (unknown, "no id", "RESOURCE_NOT_FOUND"),
            ("no-id", &pair.variant, "RESOURCE_NOT_FOUND"),
            (trashed, &pair.variant, "RESOURCE_NOT_FOUND"),
        ] {
            let answer = api.promote(asset, variant).await;
            assert_eq!(answer.unwrap_err(), code, "{asset} {variant} by {}", api.name());
        }
        api.delete("photos", &[&pair.original]).await;
        let gone = api.promote(&pair.original, &pair.variant).await;
        assert_eq!(gone.unwrap_err(), "RESOURCE_NOT_FOUND");
    }
}

#[tokio::test]
async fn the_older_version_has_no_such_endpoint() {
    let scene = Scene::new().await;
    let pair = Pair::upload(&scene, &Api::rest(&scene), "one.png").await;
    let path = format!("{ASSETS}/{}/promote", pair.original);
    let body = json!({ "variantId": pair.variant });
    let old = scene.writer.in_version(OLD).post(&path, body.clone()).await;
    assert_eq!((old.status, old.error_code().as_str()), (404, "ENDPOINT_NOT_FOUND"));
    let reply = scene.reader.post(&path, body).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY"));
    let wrong = scene.writer.post(&path, json!({ "variant": pair.variant })).await;
    assert_eq!((wrong.status, wrong.error_code().as_str()), (400, "BAD_USER_INPUT"));
    let [first, _] = pair.served(&scene, "photos").await;
    assert!(first.body == pair.original_bytes);
}

#[tokio::test]
async fn a_concurrent_promotion_is_not_undone() {
    let scene = Scene::new().await;
    let pair = Pair::upload(&scene, &Api::rest(&scene), "one.png").await;
    let core = scene.server.core();
    let path = LibraryPath { organization: "acme", library: "photos" };
    let promote = async |caller| core.promote_variant(&caller, &path, &pair.original, &pair.variant).await;
    let [first, second] = [(); 2].map(|()| core.authenticate(&scene.writer_key.token).unwrap());
    assert!(promote(first).await.is_ok());
    assert_eq!(promote(second).await.unwrap_err().code(), Code::Conflict);
}

#[tokio::test]
async fn concurrent_promotions_keep_both_files() {
    let scene = Scene::new().await;
    let pair = Pair::upload(&scene, &Api::rest(&scene), "one.png").await;
    let path = format!("{ASSETS}/{}/promote", pair.original);
    let asked = (0..20).map(|_| scene.writer.post(&path, json!({ "variantId": pair.variant })));
    let mut done = 0;
    for reply in join_all(asked).await {
        if reply.status == 200 {
            done += 1;
        } else {
            assert_eq!((reply.status, reply.error_code().as_str()), (409, "CONFLICT"));
        }
    }
    assert!(done > 0);
    let expected = if done % 2 == 0 {
        [&pair.original_bytes, &pair.variant_bytes]
    } else {
        [&pair.variant_bytes, &pair.original_bytes]
    };
    let served = pair.served(&scene, "photos").await;
    assert!(served.iter().zip(expected).all(|(reply, bytes)| reply.body == *bytes));
}
