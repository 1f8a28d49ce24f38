//! What the tools do, and how they show themselves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rasterd::core::model::Access;
use serde_json::{Value, json};

use super::{McpWorld, UMANG, svg, text};

fn in_photos(more: &Value) -> Value {
    let mut arguments = json!({ "organizationId": "acme", "libraryId": "photos" });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

fn ids(assets: &Value) -> Vec<&str> {
    assets.as_array().unwrap().iter().map(|asset| asset["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_tool_says_what_it_is() {
    let world = McpWorld::new().await;
    let list = world.client().result("tools/list", json!({})).await;
    let tools = list["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let declared = rasterd::operations::declarations();
    assert_eq!(names, declared.iter().map(|one| one.name).collect::<Vec<_>>());
    for tool in tools {
        assert!(tool["title"].as_str().is_some_and(|title| !title.is_empty()), "{tool}");
        assert!(tool["description"].as_str().is_some_and(|words| words.len() > 60), "{tool}");
        assert_eq!(
            (&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]),
            (&json!("object"), &json!("object"))
        );
        let hints = &tool["annotations"];
        assert!(hints["readOnlyHint"].is_boolean() && hints["openWorldHint"].is_boolean(), "{tool}");
        for word in ["\"format\"", "\"$ref\"", "\"$schema\"", "acme"] {
            assert!(!tool.to_string().to_lowercase().contains(word), "{word} in {tool}");
        }
    }
    let deletes = tools.iter().find(|tool| tool["name"] == "delete_assets").unwrap();
    assert_eq!(deletes["annotations"]["destructiveHint"], true);
    assert_eq!(
        (
            &deletes["inputSchema"]["properties"]["ids"]["minItems"],
            &deletes["inputSchema"]["properties"]["ids"]["maxItems"]
        ),
        (&json!(1), &json!(100))
    );
    assert_eq!(
        rasterd::transport::mcp::tools_document(&crate::support::configured())["tools"],
        list["tools"]
    );
}

#[tokio::test]
async fn whoami_returns_what_the_key_reaches() {
    let world = McpWorld::new().await;
    assert_eq!(
        world.client().answer("whoami", json!({})).await,
        json!({
            "organizationId": "acme", "organizationName": "Acme", "plan": "self-hosted",
            "libraries": [{ "library": "photos", "access": "write" }],
        })
    );
}

#[tokio::test]
async fn an_asset_is_uploaded_tagged_described_found_and_trashed() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let asset = mcp.upload("Lights at night.webp", UMANG).await;
    let id = asset["id"].as_str().unwrap();
    let origin = world.server.url();
    assert_eq!(asset["name"], "Lights at night");
    assert_eq!(asset["contentType"], "image/webp");
    assert_eq!(asset["size"], UMANG.len());
    assert_eq!(asset["url"], format!("{origin}/cdn/acme/photos/{id}"));
    assert_eq!(asset["appUrl"], format!("{origin}/app/acme/photos/{id}"));
    assert!(asset["width"].is_u64() && asset["height"].is_u64());
    for (field, value) in [
        ("parentId", json!(null)),
        ("approval", json!(null)),
        ("variants", json!([])),
        ("description", json!("")),
        ("type", json!("main")),
    ] {
        assert_eq!(asset[field], value, "{field}");
    }

    let tagging = in_photos(&json!({ "assetIds": [id], "tags": ["Night", "city"] }));
    assert_eq!(mcp.answer("tag_assets", tagging.clone()).await, json!({ "taggedCount": 2 }));
    assert_eq!(mcp.answer("tag_assets", tagging).await, json!({ "taggedCount": 0 }));
    let tags = mcp.answer("list_tags", in_photos(&json!({}))).await;
    assert_eq!(tags.as_array().unwrap().len(), 2);
    assert_eq!(tags[0]["type"], "user");
    let untagging = in_photos(&json!({ "assetIds": [id], "tags": ["NIGHT"] }));
    assert_eq!(mcp.answer("untag_assets", untagging).await, json!({ "untaggedCount": 1 }));

    let describing = in_photos(&json!({ "assetId": id, "description": "  Lanterns\nover a river " }));
    assert_eq!(
        mcp.answer("update_asset_description", describing).await,
        json!({ "assetId": id, "description": "  Lanterns\nover a river " })
    );
    let found = mcp.answer("search_assets", json!({ "organizationId": "acme", "q": "lanterns" })).await;
    assert_eq!(
        (&found["found"], &found["page"], &found["hits"][0]["id"]),
        (&json!(1), &json!(1), &json!(id))
    );
    let approved = json!({ "organizationId": "acme", "approval": "approved" });
    assert_eq!(mcp.answer("search_assets", approved).await["found"], 0);

    let deleting = in_photos(&json!({ "ids": [id] }));
    assert_eq!(
        mcp.answer("delete_assets", deleting.clone()).await,
        json!({ "success": true, "message": "Moved 1 asset to trash", "ids": [id] })
    );
    assert_eq!(mcp.answer("delete_assets", deleting).await["ids"], json!([]));
    let gone = mcp.failure("get_asset", in_photos(&json!({ "assetId": id }))).await;
    assert_eq!(gone, json!({ "code": "RESOURCE_NOT_FOUND", "message": "Asset not found.", "status": 404 }));
}

#[tokio::test]
async fn a_preview_is_an_image() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let kinds = |result: &Value| -> Vec<String> {
        result["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let photo = mcp.upload("a.webp", UMANG).await;
    let asking = |id: &Value, preview| in_photos(&json!({ "assetId": id, "preview": preview }));
    let seen = mcp.call("get_asset", asking(&photo["id"], true)).await;
    assert_eq!(kinds(&seen), ["text", "image"]);
    assert_eq!(seen["content"][1]["mimeType"], "image/webp");
    assert_eq!(kinds(&mcp.call("get_asset", asking(&photo["id"], false)).await), ["text"]);

    for (name, bytes) in
        [("b.svg", svg(7)), ("c.jpg", include_bytes!("../../fixtures/picos-de-europa.jpg").to_vec())]
    {
        let other = mcp.upload(name, &bytes).await;
        let seen = mcp.call("get_asset", asking(&other["id"], true)).await;
        assert_eq!(kinds(&seen), ["text", "image"], "{name}");
        let bytes = STANDARD.decode(seen["content"][1]["data"].as_str().unwrap()).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        assert!(bytes.len() <= 200 * 1024 && picture.width().max(picture.height()) <= 800, "{name}");
    }
    let plan = mcp.upload("d.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n").await;
    assert_eq!(kinds(&mcp.call("get_asset", asking(&plan["id"], true)).await), ["text"]);
}

#[tokio::test]
async fn lists_are_paged_and_filtered_by_tag() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let mut uploaded = Vec::new();
    for width in 1..=5 {
        world.server.clock().advance(std::time::Duration::from_secs(1));
        uploaded.insert(
            0,
            mcp.upload(&format!("{width}.svg"), &svg(width)).await["id"].as_str().unwrap().to_owned(),
        );
    }
    assert_eq!(ids(&mcp.answer("list_assets", in_photos(&json!({}))).await), uploaded);
    let all = mcp.call("list_assets", in_photos(&json!({}))).await;
    assert_eq!(
        (&all["structuredContent"]["nextPage"], &all["structuredContent"]["total"]),
        (&json!(null), &json!(5))
    );
    let first = mcp.call("list_assets", in_photos(&json!({ "pageSize": 2 }))).await;
    assert_eq!(first["structuredContent"]["nextPage"], 2);
    let searched = |page: u64| {
        mcp.answer("search_assets", json!({ "organizationId": "acme", "page": page, "pageSize": 2 }))
    };
    let (first, last) = (searched(1).await, searched(3).await);
    assert_eq!((&first["nextPage"], &last["nextPage"]), (&json!(2), &json!(null)));
    for page in [json!(null), json!(0), json!(1)] {
        let first = mcp.answer("list_assets", in_photos(&json!({ "page": page, "pageSize": 2 }))).await;
        assert_eq!(ids(&first), uploaded[..2]);
    }
    assert_eq!(
        ids(&mcp.answer("list_assets", in_photos(&json!({ "page": 3, "pageSize": 2 }))).await),
        uploaded[4..]
    );
    assert_eq!(mcp.answer("list_assets", in_photos(&json!({ "page": 9 }))).await, json!([]));

    let tagging = in_photos(&json!({ "assetIds": [uploaded[3]], "tags": ["blue"] }));
    mcp.answer("tag_assets", tagging).await;
    let blue = mcp.answer("list_assets", in_photos(&json!({ "tags": ["red", "Blue"] }))).await;
    assert_eq!(ids(&blue), [&uploaded[3]]);
    let blue = mcp.call("list_assets", in_photos(&json!({ "tags": ["blue"] }))).await;
    assert_eq!(blue["structuredContent"]["total"], json!(null));
    assert_eq!(blue["structuredContent"].get("nextPage"), Some(&json!(null)));
}

#[tokio::test]
async fn a_list_has_only_the_requested_fields() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    for number in 0..12 {
        let asset = mcp.upload(&format!("Lights at night {number}.svg"), &svg(number + 1)).await;
        let tagging = in_photos(&json!({ "assetIds": [asset["id"]], "tags": ["night", "city"] }));
        mcp.answer("tag_assets", tagging).await;
    }
    let fields = ["name", "tags", "width", "height"];
    let listing = in_photos(&json!({ "pageSize": 10, "fields": fields }));
    let list = mcp.call("list_assets", listing.clone()).await;
    assert!(text(&list).len() < 1500, "{} characters", text(&list).len());
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for asset in mcp.answer("list_assets", listing).await.as_array().unwrap() {
        assert_eq!(keys(asset), ["height", "id", "name", "tags", "width"]);
    }
    let searching = json!({ "organizationId": "acme", "q": "lights", "fields": ["name"] });
    let found = mcp.answer("search_assets", searching).await;
    assert_eq!(keys(&found["hits"][0]), ["highlights", "id", "name", "score"]);
    let whole = mcp.answer("list_assets", in_photos(&json!({ "fields": [] }))).await;
    assert_eq!(keys(&whole[0]).len(), 20);
}

#[tokio::test]
async fn only_people_can_set_an_approval() {
    let world = McpWorld::new().await;
    let reader = world.server.key("acme", &[("photos", Access::Read)]).await;
    let approving = in_photos(&json!({ "assetId": "none", "state": "approved", "note": "fine" }));
    let failure = world.client_of(&reader).failure("set_asset_approval", approving).await;
    assert_eq!((&failure["code"], &failure["status"]), (&json!("APPROVAL_REQUIRES_USER"), &json!(403)));
}

#[tokio::test]
async fn the_list_of_tools_is_short_and_allows_no_unknown_arguments() {
    let world = McpWorld::new().await;
    let list = world.client().result("tools/list", json!({})).await;
    let length = list.to_string().len();
    assert!(length < 25_500, "{length} characters");
    for tool in list["tools"].as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        expect_plain(&tool["inputSchema"]);
        expect_one_type_each(&tool["inputSchema"]);
        expect_one_type_each(&tool["outputSchema"]);
    }
}

/// No schema within this one has a list of types, which some clients don't know.
fn expect_one_type_each(schema: &Value) {
    assert!(!schema["type"].is_array(), "{schema}");
    let members = schema.as_object().into_iter().flat_map(|members| members.values());
    members.chain(schema.as_array().into_iter().flatten()).for_each(expect_one_type_each);
}

/// Every object of an input schema is closed, and a choice has a type beside it.
fn expect_plain(schema: &Value) {
    if let Some(members) = schema.as_object() {
        assert!(!members.contains_key("oneOf") || members.contains_key("type"), "{schema}");
        assert!(!members.contains_key("properties") || members["additionalProperties"] == false, "{schema}");
        members.values().for_each(expect_plain);
    }
    schema.as_array().into_iter().flatten().for_each(expect_plain);
}

#[tokio::test]
async fn libraries_are_created_renamed_listed_and_filled_by_transfer() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let made = mcp.answer("create_library", json!({ "organizationId": "acme", "name": "Drawings" })).await;
    assert_eq!(
        (&made["id"], &made["assetsCount"], &made["tags"]),
        (&json!("drawings"), &json!(0), &json!([]))
    );
    let again = json!({ "organizationId": "acme", "name": "Other", "slug": "drawings" });
    assert_eq!(mcp.failure("create_library", again).await["code"], "LIBRARY_URL_TAKEN");
    let renaming = json!({ "organizationId": "acme", "libraryId": "drawings", "name": "Art" });
    let renamed = mcp.answer("rename_library", renaming).await;
    assert_eq!((&renamed["id"], &renamed["name"]), (&json!("drawings"), &json!("Art")));

    let asset = mcp.upload("a.svg", &svg(1)).await;
    let moving = json!({
        "organizationId": "acme", "sourceLibraryId": "photos", "targetLibraryId": "drawings",
        "assetIds": [asset["id"]],
    });
    assert_eq!(
        mcp.answer("transfer_assets", moving).await,
        json!({ "transferredCount": 1, "sourceLibraryId": "photos", "targetLibraryId": "drawings" })
    );
    let libraries = mcp.answer("list_libraries", json!({ "organizationId": "acme" })).await;
    let counts: Vec<_> = libraries
        .as_array()
        .unwrap()
        .iter()
        .map(|library| (library["name"].clone(), library["photosCount"].clone()))
        .collect();
    assert_eq!(counts, [(json!("Art"), json!(1)), (json!("Photos"), json!(0))]);
}
