//! Which key reaches what: what is out of reach looks like what does not exist.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use rasterd::core::model::Access;
use rasterd::operations::Scope;
use serde_json::{Value, json};

use super::{McpWorld, svg};
use crate::support::send;

/// What is said to everybody whose ids lead nowhere.
const ID_HINT: &str = "Ids come from whoami and list_libraries. A name is not an id.";

/// Every tool that names a library, with arguments for one, and whether it needs Write.
fn tools_in(library: &str, asset: &str) -> Vec<(&'static str, bool, Value)> {
    let source = json!({ "kind": "url", "url": "http://127.0.0.1/" });
    let call = |more: Value| {
        let mut arguments = json!({ "organizationId": "acme", "libraryId": library });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    vec![
        ("get_library", false, call(json!({}))),
        ("list_assets", false, call(json!({}))),
        ("get_asset", false, call(json!({ "assetId": asset }))),
        ("list_tags", false, call(json!({}))),
        ("search_assets", false, json!({ "organizationId": "acme", "libraries": ["mine", library] })),
        ("upload_asset", true, call(json!({ "source": source }))),
        ("upload_assets", true, call(json!({ "sources": [source] }))),
        ("create_upload", true, call(json!({ "filename": "a.png" }))),
        ("delete_assets", true, call(json!({ "ids": [asset] }))),
        ("tag_assets", true, call(json!({ "assetIds": [asset], "tags": ["index"] }))),
        ("untag_assets", true, call(json!({ "assetIds": [asset], "tags": ["a"] }))),
        (
            "update_asset_description",
            true,
            call(json!({ "assetId": asset, "description": "x".repeat(20_000) })),
        ),
        (
            "transfer_assets",
            true,
            json!({ "organizationId": "acme", "sourceLibraryId": library, "targetLibraryId": "mine", "assetIds": [asset] }),
        ),
        (
            "transfer_assets",
            true,
            json!({ "organizationId": "acme", "sourceLibraryId": "mine", "targetLibraryId": library, "assetIds": [asset] }),
        ),
        ("promote_variant", true, call(json!({ "assetId": asset, "variantId": asset }))),
        ("rename_library", true, call(json!({ "name": "" }))),
        ("set_asset_approval", false, call(json!({ "assetId": asset, "state": "approved" }))),
    ]
}

#[test]
fn every_tool_that_names_a_library_is_among_them() {
    let tried: BTreeSet<_> = tools_in("", "").iter().map(|(tool, ..)| *tool).collect();
    let declared = rasterd::operations::declarations().into_iter().filter(|declaration| {
        matches!(declaration.scope, Scope::Library | Scope::Asset) || declaration.name == "search_assets"
    });
    assert_eq!(tried, declared.map(|declaration| declaration.name).collect());
}

#[tokio::test]
async fn a_library_out_of_reach_answers_byte_for_byte_like_one_that_does_not_exist() {
    let world = McpWorld::new().await;
    let asset = world.client().upload("a.svg", &svg(1)).await;
    let asset = asset["id"].as_str().unwrap();
    for library in ["Mine", "Read only"] {
        world.server.library("acme", library).await;
    }
    world.server.organization("Other").await;
    world.server.library("other", "Theirs").await;
    let key = world.server.key("acme", &[("mine", Access::Write), ("read-only", Access::Read)]).await;
    let mcp = world.client_of(&key);
    let params = |tool: &str, arguments: &Value| json!({ "name": tool, "arguments": arguments });

    let not_there = tools_in("no-such-library", asset);
    // Among them are the names of a library within reach and of one that is not.
    for library in ["photos", "theirs", "read-only", "No Slug!", "", "Mine", "Photos"] {
        for ((tool, writes, arguments), (_, _, unknown)) in tools_in(library, asset).iter().zip(&not_there) {
            if library == "read-only" && !writes {
                continue;
            }
            let answer = mcp.ask("tools/call", params(tool, arguments)).await;
            let expected = mcp.ask("tools/call", params(tool, unknown)).await;
            assert_eq!(
                String::from_utf8_lossy(&answer.body),
                String::from_utf8_lossy(&expected.body),
                "{tool} {arguments}"
            );
            let said = &answer.json()["result"]["content"];
            assert_eq!((said.as_array().unwrap().len(), &said[1]["text"]), (2, &json!(ID_HINT)));
            let failure = mcp.failure(tool, arguments.clone()).await;
            assert_eq!(
                failure,
                json!({
                    "code": "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY",
                    "message": "API key not authorized for this library.", "status": 404,
                }),
                "{tool} {arguments}"
            );
        }
    }
    let reachable = json!({ "organizationId": "acme", "libraryId": "mine", "assetId": asset });
    assert_eq!(mcp.failure("get_asset", reachable).await["code"], "RESOURCE_NOT_FOUND");
    let all = mcp.answer("search_assets", json!({ "organizationId": "acme" })).await;
    assert_eq!((&all["found"], &all["hits"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn the_organization_comes_before_the_library_and_the_values() {
    let world = McpWorld::new().await;
    world.server.organization("Other").await;
    let mcp = world.client();
    for (organization, code) in [
        ("other", "INVALID_API_KEY"),
        ("nowhere", "ORGANIZATION_NOT_FOUND"),
        ("Acme", "ORGANIZATION_NOT_FOUND"),
    ] {
        for (tool, _, mut arguments) in tools_in("photos", "a") {
            arguments["organizationId"] = json!(organization);
            assert_eq!(mcp.failure(tool, arguments.clone()).await["code"], code, "{tool} {arguments}");
        }
        for (tool, more) in [("list_libraries", json!({})), ("create_library", json!({ "name": "" }))] {
            let mut arguments = more;
            arguments["organizationId"] = json!(organization);
            assert_eq!(mcp.failure(tool, arguments).await["code"], code, "{tool}");
        }
    }
}

#[tokio::test]
async fn creating_a_library_needs_write_somewhere() {
    let world = McpWorld::new().await;
    let reader = world.server.key("acme", &[("photos", Access::Read)]).await;
    let refused = json!({ "organizationId": "acme", "name": "New" });
    assert_eq!(
        world.client_of(&reader).failure("create_library", refused).await["code"],
        "API_KEY_READ_ONLY"
    );
}

#[tokio::test]
async fn a_change_of_a_key_takes_effect_with_the_next_call() {
    let world = McpWorld::new().await;
    let (mcp, core, by) = (world.client(), world.server.core().clone(), world.server.administrator());
    let listing = json!({ "organizationId": "acme", "libraryId": "photos" });
    mcp.answer("list_assets", listing.clone()).await;

    core.grant_key(by.clone(), &world.key.id, vec![("photos".to_owned(), None)]).await.unwrap();
    let failure = mcp.failure("list_assets", listing.clone()).await;
    assert_eq!(failure["code"], "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY");
    assert_eq!(mcp.answer("whoami", json!({})).await["libraries"], json!([]));

    core.grant_key(by.clone(), &world.key.id, vec![("photos".to_owned(), Some(Access::Read))]).await.unwrap();
    mcp.answer("list_assets", listing).await;
    core.delete_key(by.clone(), &world.key.id).await.unwrap();
    assert_eq!(mcp.ask("tools/call", json!({ "name": "whoami" })).await.status, 401);
}

#[tokio::test]
async fn a_key_that_ends_while_its_request_arrives_is_refused() {
    let world = McpWorld::new().await;
    let (core, by) = (world.server.core().clone(), world.server.administrator());
    let id = world.key.id.clone();
    let message =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "whoami" } });
    let message = message.to_string();
    let (first, rest) = message.split_at(20);
    let pieces = [first.to_owned(), rest.to_owned()];
    let slowly = stream::iter(pieces).enumerate().then(move |(number, piece)| {
        let (core, by, id) = (core.clone(), by.clone(), id.clone());
        async move {
            if number == 1 {
                // Long enough for the server to have let the request in.
                tokio::time::sleep(Duration::from_millis(300)).await;
                core.delete_key(by.clone(), &id).await.unwrap();
            }
            Ok::<_, std::io::Error>(piece)
        }
    });
    let reply = send(world.client().post(reqwest::Body::wrap_stream(slowly))).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (401, "INVALID_API_KEY"));
}
