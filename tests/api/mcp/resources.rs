//! Resources and completion.

use rasterd::core::model::Access;
use serde_json::{Value, json};

use super::{McpClient, McpWorld, svg};

async fn read(mcp: &McpClient, uri: &str) -> Value {
    let contents = mcp.result("resources/read", json!({ "uri": uri })).await["contents"].clone();
    assert_eq!((&contents[0]["uri"], &contents[0]["mimeType"]), (&json!(uri), &json!("application/json")));
    serde_json::from_str(contents[0]["text"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_templates_are_listed() {
    let world = McpWorld::new().await;
    let templates = world.client().result("resources/templates/list", json!({})).await;
    let uris: Vec<&Value> = templates["resourceTemplates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|template| &template["uriTemplate"])
        .collect();
    assert_eq!(
        uris,
        [
            "raster://organizations/{orgId}/libraries",
            "raster://organizations/{orgId}/libraries/{libraryId}/assets",
            "raster://organizations/{orgId}/libraries/{libraryId}/tags",
        ]
    );
}

#[tokio::test]
async fn the_listed_resources_are_those_in_reach_and_can_be_read() {
    let world = McpWorld::new().await;
    let mut grants = vec![("photos".to_owned(), Access::Read)];
    for number in 0..60 {
        let slug = world.server.library("acme", &format!("Album {number:02}")).await;
        grants.push((slug, Access::Read));
    }
    world.server.library("acme", "Secret").await;
    let grants: Vec<(&str, Access)> = grants.iter().map(|(slug, access)| (slug.as_str(), *access)).collect();
    let mcp = world.client_of(&world.server.key("acme", &grants).await);
    let first = mcp.result("resources/list", json!({})).await;
    assert_eq!(first["resources"].as_array().unwrap().len(), 100);
    let second = mcp.result("resources/list", json!({ "cursor": first["nextCursor"] })).await;
    assert_eq!(second.get("nextCursor"), None);
    let mut uris: Vec<&str> = Vec::new();
    for page in [&first, &second] {
        uris.extend(
            page["resources"].as_array().unwrap().iter().map(|resource| resource["uri"].as_str().unwrap()),
        );
    }
    assert_eq!(uris.len(), 1 + 2 * 61);
    assert_eq!(uris[0], "raster://organizations/acme/libraries");
    for uri in uris {
        assert!(!uri.contains("secret") && url::Url::parse(uri).is_ok(), "{uri}");
        read(&mcp, uri).await;
    }
    let none = world.client_of(&world.server.key("acme", &[]).await);
    let own = none.result("resources/list", json!({})).await;
    assert_eq!(own["resources"].as_array().unwrap().len(), 1);
    for cursor in ["", "x", "!", "My9waG90b3M"] {
        assert_eq!(
            mcp.error("resources/list", json!({ "cursor": cursor })).await["code"],
            -32602,
            "{cursor}"
        );
    }
}

#[tokio::test]
async fn a_resource_has_the_content_of_the_tools_answer() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let asset = mcp.upload("a.svg", &svg(1)).await;
    let tagging =
        json!({ "organizationId": "acme", "libraryId": "photos", "assetIds": [asset["id"]], "tags": ["a"] });
    mcp.answer("tag_assets", tagging).await;
    world.server.processed().await;
    let arguments = json!({ "organizationId": "acme", "libraryId": "photos" });
    for (uri, tool) in [
        ("raster://organizations/acme/libraries", "list_libraries"),
        ("raster://organizations/acme/libraries/photos/assets", "list_assets"),
        ("raster://organizations/acme/libraries/photos/tags", "list_tags"),
    ] {
        let contents = read(&mcp, uri).await;
        let arguments =
            if tool == "list_libraries" { json!({ "organizationId": "acme" }) } else { arguments.clone() };
        assert_eq!(contents, mcp.answer(tool, arguments).await);
        assert_eq!(contents.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_failed_read_has_the_message_of_the_tool() {
    let world = McpWorld::new().await;
    let mcp = world.client_of(&world.server.key("acme", &[]).await);
    let message = |uri: &str| {
        let (uri, mcp) = (uri.to_owned(), &mcp);
        async move { mcp.ask("resources/read", json!({ "uri": uri })).await }
    };
    let hidden = message("raster://organizations/acme/libraries/photos/assets").await;
    let unknown = message("raster://organizations/acme/libraries/no-such/assets").await;
    let unknown = String::from_utf8(unknown.body).unwrap().replace("no-such", "photos");
    assert_eq!(String::from_utf8_lossy(&hidden.body), unknown, "except for the uri that was asked for");
    assert_eq!(hidden.json()["error"]["message"], "API key not authorized for this library.");
    assert_eq!(hidden.json()["error"]["code"], -32002);
    let elsewhere = message("raster://organizations/nowhere/libraries").await.json();
    assert_eq!(elsewhere["error"]["message"], "Organization not found.");
    let foreign = message("file:///etc/passwd").await.json();
    assert_eq!(foreign["error"]["code"], -32002);
}

#[tokio::test]
async fn completion_offers_what_the_key_reaches() {
    let world = McpWorld::new().await;
    for library in ["Paintings", "Secret photos"] {
        world.server.library("acme", library).await;
    }
    let key = world.server.key("acme", &[("photos", Access::Read), ("paintings", Access::Read)]).await;
    let mcp = world.client_of(&key);
    let complete = |argument: &str, value: &str, organization: Option<&str>| {
        let mut params = json!({
            "ref": { "type": "ref/resource", "uri": "raster://organizations/{orgId}/libraries/{libraryId}/tags" },
            "argument": { "name": argument, "value": value },
        });
        if let Some(organization) = organization {
            params["context"] = json!({ "arguments": { "orgId": organization } });
        }
        let mcp = &mcp;
        async move { mcp.result("completion/complete", params).await["completion"]["values"].clone() }
    };
    assert_eq!(complete("orgId", "", None).await, json!(["acme"]));
    assert_eq!(complete("orgId", "b", None).await, json!([]));
    assert_eq!(complete("libraryId", "", None).await, json!(["paintings", "photos"]));
    assert_eq!(complete("libraryId", "ph", Some("acme")).await, json!(["photos"]));
    assert_eq!(complete("libraryId", "", Some("other")).await, json!([]));
}
