//! What a picture says about itself becomes its description and tags, if the configuration says so.

use serde_json::{Value, json};

use super::{Gate, small};
use crate::rest::{ASSETS, Scene, text};
use rasterd::testing::TestServer;
use reqwest::Method;

/// A picture with a caption and keywords in XMP.
fn captioned(number: u8, caption: &str, keywords: &[&str]) -> Vec<u8> {
    let plain = small(number);
    let keywords: String = keywords.iter().flat_map(|keyword| ["<rdf:li>", *keyword, "</rdf:li>"]).collect();
    let packet = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">{caption}</rdf:li></rdf:Alt></dc:description>\
         <dc:subject><rdf:Bag>{keywords}</rdf:Bag></dc:subject>\
         </rdf:Description></rdf:RDF></x:xmpmeta>"
    );
    let length = u16::try_from(packet.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xFF, 0xE1], &length, packet.as_bytes(), &plain[2..]].concat()
}

async fn describe(scene: &Scene, id: &str, description: &str) {
    let path = format!("{ASSETS}/{id}/description");
    let reply = scene.writer.json(Method::PATCH, &path, json!({ "description": description })).await;
    assert_eq!(reply.status, 200);
}

async fn tag(scene: &Scene, id: &str, tags: &[&str]) {
    let reply = scene.writer.post(&format!("{ASSETS}/tag"), json!({ "assetIds": [id], "tags": tags })).await;
    assert_eq!(reply.status, 200);
}

async fn found(scene: &Scene, words: &str) -> Vec<String> {
    let reply = scene.writer.get(&format!("/organizations/acme/search/assets?q={words}")).await.json();
    reply["data"]["hits"].as_array().unwrap().iter().map(|hit| text(&hit["id"])).collect()
}

fn imported(asset: &Value) -> (&Value, &Value) {
    (&asset["description"], &asset["tags"])
}

#[tokio::test]
async fn a_caption_and_keywords_are_imported_by_the_rules_of_tags() {
    let scene = Scene::on(TestServer::start_with(|settings, _| {
        settings.media.import_metadata = true;
        settings.limits.tags_per_asset = 3;
        settings.limits.description_length = 12;
    }))
    .await;
    let first = scene.photograph("plain.jpg", &small(0)).await;
    tag(&scene, &first, &["Sea Side"]).await;
    let long = "x".repeat(65);
    let keywords = ["sea  side", "Index", long.as_str(), "dusk", "Dusk", "heron", "one too many"];
    let id = scene.photograph("a.jpg", &captioned(1, "Zeppelin over the sea", &keywords)).await;
    scene.server.processed().await;
    let asset = scene.asset(&id).await;
    assert_eq!(imported(&asset), (&json!("Zeppelin ove"), &json!(["Sea Side", "dusk", "heron"])));
    assert_eq!(found(&scene, "zeppelin").await, std::slice::from_ref(&id));
    assert_eq!(found(&scene, "heron").await, std::slice::from_ref(&id));
    let tags = scene.writer.get("/organizations/acme/libraries/photos/tags").await.json()["data"].clone();
    assert_eq!((&tags[0]["id"], &tags[0]["count"]), (&json!("Sea Side"), &json!(2)));
    let tagged = scene.writer.names(&format!("{ASSETS}?tags=HERON")).await.0;
    assert_eq!(tagged, ["a"]);

    let variant = scene.variant(&id, &captioned(1, "Of a variant", &["boat"])).await;
    scene.server.processed().await;
    assert_eq!(imported(&scene.asset(&variant).await), (&json!(""), &json!([])));
}

#[tokio::test]
async fn nothing_is_imported_unless_configured() {
    let scene = Scene::new().await;
    let id = scene.photograph("a.jpg", &captioned(1, "Zeppelin", &["heron"])).await;
    scene.server.processed().await;
    assert_eq!(imported(&scene.asset(&id).await), (&json!(""), &json!([])));
}

#[tokio::test]
async fn texts_that_a_person_wrote_meanwhile_are_kept() {
    let gate = Gate::closed();
    let scene = gate.scene(|settings| settings.media.import_metadata = true).await;
    let file = |number| captioned(number, "Zeppelin", &["heron"]);
    let described = scene.photograph("a.jpg", &file(1)).await;
    let cleared = scene.photograph("b.jpg", &file(2)).await;
    let trashed = scene.photograph("c.jpg", &file(3)).await;
    describe(&scene, &described, "An airship").await;
    describe(&scene, &cleared, "x").await;
    describe(&scene, &cleared, "").await;
    tag(&scene, &described, &["Heron", "sky"]).await;
    let moved = scene.writer.json(Method::DELETE, ASSETS, json!({ "ids": [trashed] })).await;
    assert_eq!(moved.status, 200);
    gate.open();
    scene.server.processed().await;
    assert_eq!(imported(&scene.asset(&described).await), (&json!("An airship"), &json!(["Heron", "sky"])));
    assert_eq!(imported(&scene.asset(&cleared).await), (&json!(""), &json!(["Heron"])));
    let tags = scene.writer.get("/organizations/acme/libraries/photos/tags").await.json()["data"].clone();
    let expected =
        json!([{"id": "Heron", "count": 2, "type": "user"}, {"id": "sky", "count": 1, "type": "user"}]);
    assert_eq!(tags, expected, "what is in the trash does not count");
}
