//! Connections of MCP that their address narrows: what they see and count is what a key with exactly these grants would.

use rasterd::core::model::Access;
use serde_json::{Value, json};

use super::ask::{Request, json_rpc};
use super::values::Values;
use super::world::World;
use crate::support::Reply;

/// Everything that a caller can ask for without naming a library, and what a list of tools or resources shows.
fn questions() -> Vec<Request> {
    let organization = json!({ "organizationId": "acme" });
    let call = |name: &str, arguments: &Value| {
        json_rpc("tools/call", &json!({ "name": name, "arguments": arguments }))
    };
    let template =
        json!({ "type": "ref/resource", "uri": "raster://organizations/{orgId}/libraries/{libraryId}/tags" });
    let completing = json!({ "ref": template, "argument": { "name": "libraryId", "value": "" } });
    let mut searching = organization.clone();
    searching["q"] = "beach".into();
    vec![
        json_rpc("tools/list", &json!({})),
        json_rpc("resources/list", &json!({})),
        json_rpc("resources/read", &json!({ "uri": "raster://organizations/acme/libraries" })),
        json_rpc("completion/complete", &completing),
        call("whoami", &json!({})),
        call("list_libraries", &organization),
        call("search_assets", &organization),
        call("search_assets", &searching),
    ]
}

async fn ask(world: &World, mut request: Request, token: &str, query: &str) -> Reply {
    request.path += query;
    request.send(&world.client, Some(&format!("Bearer {token}"))).await
}

#[tokio::test]
async fn a_narrowed_connection_sees_what_a_key_with_less_sees() {
    let world = World::new().await;
    world.asset(&world.writer_of_both, "acme", "archive").await;
    world.asset(&world.writer_of_both, "acme", "photos").await;
    let server = &world.server;
    let (read, write) = (Access::Read, Access::Write);
    for (query, grants) in [
        ("?readonly=1", &[("photos", read), ("archive", read)][..]),
        ("?libraries=photos&readonly=1", &[("photos", read)]),
        ("?libraries=nothing,vault", &[]),
        ("?libraries=photos,archive", &[("photos", write), ("archive", write)]),
        ("?libraries=photos", &[("photos", write)]),
    ] {
        let key = server.key("acme", grants).await;
        for (number, question) in questions().into_iter().enumerate() {
            let Some(other) = questions().into_iter().nth(number) else { continue };
            let narrowed = ask(&world, question, &world.writer_of_both.token, query).await.json();
            let mut expected = ask(&world, other, &key.token, "").await.json();
            if !query.contains("readonly") {
                // A connection that names libraries can't create one.
                without_tool(&mut expected, "create_library");
            }
            assert_eq!(narrowed, expected, "{query}: question {number}");
        }
    }
}

fn without_tool(answer: &mut Value, name: &str) {
    if let Some(tools) = answer.pointer_mut("/result/tools").and_then(Value::as_array_mut) {
        tools.retain(|tool| tool["name"] != name);
    }
}

/// The names of the listed tools, and whether any of them says that it changes something.
fn listed(answer: &Value) -> (Vec<&str>, bool) {
    let tools = answer["result"]["tools"].as_array().unwrap();
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    (names, tools.iter().any(|tool| tool["annotations"]["readOnlyHint"] != true))
}

#[tokio::test]
async fn only_tools_that_a_key_may_use_are_listed() {
    let world = World::new().await;
    let list = async |token: &str, query: &str| {
        let reply = ask(&world, json_rpc("tools/list", &json!({})), token, query).await;
        assert_eq!(reply.header("cache-control"), "private, no-store");
        reply.json()
    };
    let all = list(&world.writer_of_both.token, "").await;
    let (names, changes) = listed(&all);
    assert!(changes && names.len() == rasterd::operations::declarations().len(), "{names:?}");
    for (token, query) in [
        (&world.reader.token, ""),
        (&world.writer_of_both.token, "?readonly=1"),
        (&world.writer.token, "?libraries=archive"),
    ] {
        let read = list(token, query).await;
        let (names, changes) = listed(&read);
        assert!(!changes && names.contains(&"get_asset"), "{query}: {names:?}");
    }
    let narrowed = list(&world.writer_of_both.token, "?libraries=photos").await;
    let (names, _) = listed(&narrowed);
    assert!(names.contains(&"delete_assets") && !names.contains(&"create_library"), "{names:?}");
}

/// What is not listed is refused by the check of its operation, as before.
#[tokio::test]
async fn a_tool_that_is_not_listed_answers_as_its_check_says() {
    let world = World::new().await;
    let values = world.values().await;
    for operation in super::operations::OPERATIONS.iter() {
        let Some(tool) = operation.asks.iter().find(|ask| ask.is_mcp()) else { continue };
        let reader = ask(&world, tool.request(&values), &world.reader.token, "").await;
        let narrowed = ask(&world, tool.request(&values), &world.writer_of_both.token, "?readonly=1").await;
        assert_eq!(tool.result(&narrowed).is_ok(), tool.result(&reader).is_ok(), "{}", operation.name);
        assert_eq!(tool.result(&narrowed).err(), tool.result(&reader).err(), "{}", operation.name);
    }
}

#[tokio::test]
async fn a_narrowing_that_is_not_understood_is_refused_before_anything_runs() {
    let world = World::new().await;
    let before = world.everything().await;
    let arguments = json!({ "organizationId": "acme", "name": "New" });
    for query in
        ["?readonly=yes", "?readonly", "?libraries=", "?libraries=My%20Photos", "?read_only=1", "?library=a"]
    {
        let create = json_rpc("tools/call", &json!({ "name": "create_library", "arguments": arguments }));
        let reply = ask(&world, create, &world.writer_of_both.token, query).await;
        assert_eq!((reply.status, reply.error_code()), (400, "BAD_USER_INPUT".to_owned()), "{query}");
        // Strangers don't get as far as that.
        let reply = ask(&world, json_rpc("tools/list", &json!({})), "pk_none", query).await;
        assert_eq!((reply.status, reply.error_code()), (401, "INVALID_API_KEY".to_owned()), "{query}");
    }
    assert_eq!(world.everything().await, before);
}

/// The narrowing holds in the transaction that writes, too, where the credential is read again.
#[tokio::test]
async fn a_narrowed_connection_transfers_only_within_its_libraries() {
    let world = World::new().await;
    let values: Values = world.values().await;
    let transfer = super::operations::operation("transfer_assets");
    let tool = transfer.asks.iter().find(|ask| ask.is_mcp()).unwrap();
    for (query, may) in
        [("?libraries=photos", false), ("?libraries=archive", false), ("?libraries=archive,photos", true)]
    {
        let reply = ask(&world, tool.request(&values), &world.writer_of_both.token, query).await;
        assert_eq!(tool.result(&reply).is_ok(), may, "{query}");
    }
}
