//! The documents that existing clients ship, sent as they send them, and what they read.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{Site, ask, data, upload};
use crate::support::{Client, send};

const LIBRARIES: &str = "query Libraries($organizationId: String!, $page: Int, $pageSize: Int) {
  libraries(organizationId: $organizationId, page: $page, pageSize: $pageSize) { id name photosCount }
}";
const PHOTOS: &str = "query Photos($organizationId: String!, $libraryId: String!, $page: Int) {
  photos(organizationId: $organizationId, libraryId: $libraryId, page: $page) {
    id blurhash thumbUrl url name height width
    views { id parentId name url thumbUrl height width }
    description
  }
}";
const ASSETS: &str =
    "query Assets($organizationId: ID!, $libraryId: ID!, $page: Int, $pageSize: Int, $tags: [String]) {
  assets(organizationId: $organizationId, libraryId: $libraryId, page: $page, pageSize: $pageSize, tags: $tags) {
    id blurhash sizes url name height width
    views { id parentId name url sizes height width }
    description
  }
}";

/// Posts to the root, with the header and the fields that the plugins send.
async fn plugin(client: &Client, operation: &str, query: &str, variables: Value) -> Value {
    let body = json!({ "operationName": operation, "query": query, "variables": variables });
    let request = client
        .request(Method::POST, "/")
        .header(CONTENT_TYPE, "application/json")
        .header("Apollo-Require-Preflight", "true")
        .body(body.to_string());
    let reply = send(request).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    reply.json()["data"].take()
}

#[tokio::test]
async fn plugins_list_libraries_with_undeclared_variables() {
    let site = Site::start().await;
    site.pictures(&["a.webp"]).await;
    let variables =
        json!({ "organizationId": "acme", "page": 0, "pageSize": 50, "libraryId": "brand", "more": [1] });
    let data = plugin(&site.writer, "Libraries", LIBRARIES, variables).await;
    let expected = json!({ "libraries": [
        { "id": "archive", "name": "Archive", "photosCount": 0 },
        { "id": "brand", "name": "Brand", "photosCount": 1 },
    ] });
    assert_eq!(data, expected);
}

/// The url of a smaller picture of what is at a url.
fn small(url: &Value, edge: u32) -> Value {
    json!(format!("{}?w={edge}&h={edge}&fm=auto", url.as_str().unwrap()))
}

#[tokio::test]
async fn plugins_page_photos_from_0_and_assets_from_0_or_1() {
    let site = Site::start().await;
    let ids = site.pictures(&["a.webp", "b.webp"]).await;
    let view =
        upload(&site.writer, "brand", &json!({ "parent": ids[0] }), &[("c.webp", super::PICTURE)]).await;
    let view = view.json()["data"]["uploadAssets"]["assets"][0].clone();
    site.server.processed().await;
    let variables = json!({ "organizationId": "acme", "libraryId": "brand", "page": 0 });
    let photos = plugin(&site.reader, "Photos", PHOTOS, variables).await;
    let photo = photos["photos"].as_array().unwrap().iter().find(|photo| photo["id"] == *ids[0]).unwrap();
    let expected = json!({
        "id": ids[0], "blurhash": photo["blurhash"], "thumbUrl": small(&photo["url"], 400), "url": photo["url"], "name": "a",
        "height": photo["height"], "width": photo["width"], "description": "",
        "views": [{
            "id": view["id"], "parentId": ids[0], "name": "c", "url": view["url"],
            "thumbUrl": small(&view["url"], 400),
            "height": photo["height"], "width": photo["width"],
        }],
    });
    assert_eq!(*photo, expected);
    assert!(photo["height"].is_u64() && photo["blurhash"].is_string());
    assert!(photo["url"].as_str().unwrap().ends_with(&format!("/cdn/acme/brand/{}", ids[0])));

    let next = json!({ "organizationId": "acme", "libraryId": "brand", "page": 1 });
    assert_eq!(plugin(&site.reader, "Photos", PHOTOS, next).await, json!({ "photos": [] }));

    for (page, count) in [(0, 2), (1, 2), (2, 0)] {
        let variables = json!({ "organizationId": "acme", "libraryId": "brand", "page": page, "pageSize": 500, "tags": [] });
        let assets = plugin(&site.reader, "Assets", ASSETS, variables).await;
        assert_eq!(assets["assets"].as_array().unwrap().len(), count, "page {page}");
    }
}

#[tokio::test]
async fn variables_of_type_id_and_string_are_interchangeable() {
    let site = Site::start().await;
    let query = "query ($o: String!, $l: String!, $also: ID!) {
        assets(organizationId: $o, libraryId: $l) { id }
        ...rest
        libraries(organizationId: $also) { id }
    }
    fragment rest on Query { photos(organizationId: $also, libraryId: $l) { id } tags(organizationId: $o, libraryId: $l) { id } }";
    let answer = data(&site.reader, query, json!({ "o": "acme", "l": "brand", "also": "acme" })).await;
    assert_eq!(answer, json!({ "assets": [], "photos": [], "libraries": [{ "id": "brand" }], "tags": [] }));

    let listed =
        "query ($o: ID!, $l: [String!]) { searchAssets(organizationId: $o, libraries: $l) { found page } }";
    for libraries in [json!(["brand"]), json!([]), json!(null), json!("brand")] {
        let answer = data(&site.reader, listed, json!({ "o": "acme", "l": libraries })).await;
        assert_eq!(answer, json!({ "searchAssets": { "found": 0, "page": 1 } }));
    }
    let tags = "query ($t: [ID]) { assets(organizationId: \"acme\", libraryId: \"brand\", tags: $t) { id } }";
    data(&site.reader, tags, json!({ "t": [5, "x"] })).await;
}

#[tokio::test]
async fn an_asset_has_the_fields_of_both_versions() {
    let site = Site::start().await;
    let ids = site.pictures(&["one.two.webp"]).await;
    site.server.processed().await;
    let query = "query ($id: ID!) { asset(organizationId: \"acme\", libraryId: \"brand\", assetId: $id) {
        id parentId libraryId type name description tags url appUrl contentType size width height blurhash sizes
        thumbUrl thumbHighUrl thumbUrlBlurred variants { id } views { id } created updated
        uploadedBy { name } approval { state note by at }
    } }";
    let mut asset = data(&site.reader, query, json!({ "id": ids[0] })).await["asset"].take();
    let created = asset["created"].as_u64().unwrap();
    assert!(created > 1_600_000_000_000, "whole milliseconds");
    assert!(asset["updated"].as_u64() > Some(created), "what the picture shows was found out");
    assert!(asset["blurhash"].is_string());
    let origin = site.server.url();
    assert_eq!(asset["url"], format!("{origin}/cdn/acme/brand/{}", ids[0]));
    assert_eq!(asset["appUrl"], format!("{origin}/app/acme/brand/{}", ids[0]));
    assert_eq!(asset["size"], super::PICTURE.len());
    let url = asset["url"].clone();
    for gone in ["created", "updated", "blurhash", "url", "appUrl", "id", "size"] {
        asset.as_object_mut().unwrap().remove(gone);
    }
    let (width, height) = (asset["width"].clone(), asset["height"].clone());
    assert!(width.is_u64() && height.is_u64());
    let expected = json!({
        "parentId": null, "libraryId": "brand", "type": "main", "name": "one.two", "description": "", "tags": [],
        "contentType": "image/webp", "width": width, "height": height,
        "sizes": format!("{{\"400\":{},\"800\":{}}}", small(&url, 400), small(&url, 800)),
        "thumbUrl": small(&url, 400), "thumbHighUrl": small(&url, 800),
        "thumbUrlBlurred": format!("{}?w=32&blur=1", url.as_str().unwrap()), "variants": [], "views": [],
        "uploadedBy": { "name": "test" }, "approval": null,
    });
    assert_eq!(asset, expected);
}

#[tokio::test]
async fn the_viewer_is_the_key() {
    let site = Site::start().await;
    let query = "{ viewer { organizationId organizationName plan libraries { library access } } }";
    let expected = json!({ "viewer": {
        "organizationId": "acme", "organizationName": "Acme", "plan": "self-hosted",
        "libraries": [{ "library": "archive", "access": "read" }, { "library": "brand", "access": "write" }],
    } });
    assert_eq!(data(&site.writer, query, json!(null)).await, expected);
}

#[tokio::test]
async fn lists_take_tags_pages_and_limits() {
    let site = Site::start().await;
    let ids = site.pictures(&["a.webp", "b.webp", "c.webp"]).await;
    let tag = "mutation ($ids: [ID!]!, $t: [String!]!) {
        tagAssets(organizationId: \"acme\", libraryId: \"brand\", assetIds: $ids, tags: $t) { taggedCount } }";
    data(&site.writer, tag, json!({ "ids": [ids[0], ids[1]], "t": ["red"] })).await;
    data(&site.writer, tag, json!({ "ids": [ids[0]], "t": ["blue"] })).await;

    let tags = "query ($n: Int) { tags(organizationId: \"acme\", libraryId: \"brand\", limit: $n) { id count type } }";
    let red = json!({ "id": "red", "count": 2, "type": "user" });
    let blue = json!({ "id": "blue", "count": 1, "type": "user" });
    assert_eq!(data(&site.reader, tags, json!({})).await, json!({ "tags": [red, blue] }));
    assert_eq!(data(&site.reader, tags, json!({ "n": 1 })).await, json!({ "tags": [red] }));

    let assets = "query ($p: Int, $s: Int, $t: [String]) {
        assets(organizationId: \"acme\", libraryId: \"brand\", page: $p, pageSize: $s, tags: $t) { id tags } }";
    for (variables, count) in [
        (json!({}), 3),
        (json!({ "s": 2 }), 2),
        (json!({ "s": 2, "p": 2 }), 1),
        (json!({ "s": 9999 }), 3),
        (json!({ "t": ["RED"] }), 2),
        (json!({ "t": ["blue", "none"] }), 1),
        (json!({ "t": [null, " "] }), 3),
    ] {
        let answer = data(&site.reader, assets, variables.clone()).await;
        assert_eq!(answer["assets"].as_array().unwrap().len(), count, "{variables}");
    }
    for variables in [json!({ "p": -1 }), json!({ "s": -5 }), json!({ "t": vec!["x"; 51] })] {
        let reply = ask(&site.reader, assets, variables).await;
        assert_eq!(super::failure(&reply).1, "BAD_USER_INPUT");
    }
}
