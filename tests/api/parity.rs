//! The three transports agree: they have the same operations, all of them in the authorization table, and the same
//! failure has the same code, message and status on each.

use std::collections::BTreeSet;

use rasterd::error::Code;
use rasterd::testing::TestServer;
use serde_json::{Map, Value, json};

use crate::authorization::ask::{Ask, Failure, REFUSED_BY_SCHEMA, all_named, json_rpc};
use crate::authorization::operations::{OPERATIONS, operation};
use crate::authorization::values::Values;
use crate::authorization::world::{CallerKind, World};
use crate::rest::{OLD, picture};
use crate::support::configured;

type Names = BTreeSet<String>;

/// Operations of MCP that correspond to another operation of REST and GraphQL: one file, or one with a parent.
const ONLY_MCP: [&str; 1] = ["upload_asset"];
/// The OpenAPI document describes itself; it needs no key and has no counterpart.
const ONLY_REST: [&str; 1] = ["openapi"];

/// The paths of the OpenAPI document.
fn paths() -> Map<String, Value> {
    let document = serde_json::to_value(rasterd::transport::rest::openapi(&configured(), None)).unwrap();
    document["paths"].as_object().unwrap().clone()
}

/// Operations by their names in OpenAPI, in snake case.
fn rest_operations() -> Names {
    let paths = paths();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
    operations.map(|operation| snake_case(operation["operationId"].as_str().unwrap())).collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The fields of the roots of the schema.
fn graphql_fields() -> Names {
    let sdl = rasterd::transport::graphql::sdl(&configured());
    let roots = ["type Query {", "type Mutation {"]
        .map(|root| sdl.split_once(root).unwrap().1.split_once("\n}").unwrap().0);
    let lines = roots
        .iter()
        .flat_map(|root| root.lines())
        .filter(|line| line.contains("): ") || line.ends_with(": Viewer"));
    lines.map(|line| line.trim().split(['(', ':']).next().unwrap().to_owned()).collect()
}

/// The fields of GraphQL in the declarations.
fn declared_fields() -> Names {
    let declared = rasterd::operations::declarations();
    declared.iter().flat_map(|one| one.graphql).map(|field| (*field).to_owned()).collect()
}

fn tools() -> Names {
    let document = rasterd::transport::mcp::tools_document(&crate::support::configured());
    let tools = document["tools"].as_array().unwrap().iter();
    tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

fn without(names: Names, left_out: &[&str]) -> Names {
    for name in left_out {
        assert!(names.contains(*name), "{name} is an exception of nothing");
    }
    names.into_iter().filter(|name| !left_out.contains(&name.as_str())).collect()
}

#[test]
fn the_three_transports_have_the_operations_that_are_declared() {
    let declared: Names = rasterd::operations::declarations().iter().map(|one| one.name.to_owned()).collect();
    assert!(declared.len() >= 17, "{declared:?}");
    assert_eq!(tools(), declared);
    assert_eq!(without(rest_operations(), &ONLY_REST), without(declared, &ONLY_MCP));
    assert_eq!(graphql_fields(), declared_fields());
}

/// The requests of the authorization table on the transports that `choose` picks.
fn asked(choose: impl Fn(&Ask) -> bool) -> Names {
    OPERATIONS.iter().flat_map(|operation| &operation.asks).filter(|ask| choose(ask)).map(Ask::name).collect()
}

#[tokio::test]
async fn the_authorization_table_has_every_operation_of_every_transport() {
    let mut endpoints = Names::new();
    for (path, methods) in paths().iter().filter(|(path, _)| *path != "/openapi.json") {
        endpoints.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    assert_eq!(asked(|ask| matches!(ask, Ask::Rest { .. } | Ask::RestUpload { .. })), endpoints);
    assert_eq!(asked(|ask| matches!(ask, Ask::GraphQl(_) | Ask::GraphQlUpload(_))), graphql_fields());
    assert_eq!(asked(|ask| matches!(ask, Ask::Tool { .. })), tools());

    let world = World::new().await;
    let listed = json_rpc("resources/templates/list", &json!({}));
    let listed = listed.send(&world.client, Some(&format!("Bearer {}", world.reader.token))).await.json();
    let templates = listed["result"]["resourceTemplates"].as_array().unwrap().iter();
    let templates: Names = templates.map(|one| one["uriTemplate"].as_str().unwrap().to_owned()).collect();
    assert_eq!(asked(|ask| matches!(ask, Ask::Resource(_))), templates);
}

/// How MCP reports a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum McpFailure {
    /// As the others do.
    Same,
    /// The schema of the tool refuses it before it runs.
    RefusedBySchema,
}

/// One way to fail: what it is called, the operation, the code, how MCP reports it, and the values that differ.
struct Case(&'static str, &'static str, Code, McpFailure, Values);

const UNKNOWN: &str = "0000000000000000";

/// The things that exist for the cases.
struct Things {
    asset: String,
    variant: String,
}

/// Ways to fail because of the names and texts in a request.
fn wrong_words(Things { asset, .. }: &Things) -> Vec<Case> {
    let (same, by_schema) = (McpFailure::Same, McpFailure::RefusedBySchema);
    let bad = Code::BadUserInput;
    let about = || Values { assets: vec![asset.clone()], ..Values::default() };
    let name = |name: &str| Values { name: name.into(), ..about() };
    let slug = |slug: &str| Values { slug: Some(slug.into()), ..about() };
    let tags = |tags: &[&str]| Values { tags: tags.iter().map(|&tag| tag.to_owned()).collect(), ..about() };
    let many_tags = |count| Values { tags: (0..count).map(|n| format!("t{n}")).collect(), ..about() };
    vec![
        Case("no name", "rename_library", bad, same, name(" ")),
        Case("a name too long", "rename_library", bad, same, name(&"ä".repeat(101))),
        Case("a name with a control character", "rename_library", bad, same, name("a\u{7}b")),
        Case("no name", "create_library", bad, same, name("")),
        Case("a slug in use", "create_library", Code::LibraryUrlTaken, same, slug("photos")),
        Case("a slug in use out of reach", "create_library", Code::LibraryUrlTaken, same, slug("vault")),
        Case("no slug", "create_library", bad, same, slug("Not a slug")),
        Case("a slug too long", "create_library", bad, same, slug(&"x".repeat(65))),
        Case(
            "a description too long",
            "update_asset_description",
            bad,
            same,
            Values { description: "é".repeat(10_001), ..about() },
        ),
        Case("a reserved tag", "tag_assets", bad, same, tags(&["sea", " Index "])),
        Case("a reserved tag", "untag_assets", bad, same, tags(&["TRASH"])),
        Case("a blank tag", "tag_assets", bad, same, tags(&[" "])),
        Case("a tag too long", "tag_assets", bad, same, tags(&[&"x".repeat(65)])),
        Case("no tags", "tag_assets", bad, by_schema, tags(&[])),
        Case("too many tags", "tag_assets", bad, by_schema, many_tags(21)),
        Case("too many tags", "untag_assets", bad, by_schema, many_tags(21)),
        Case("more tags than an asset may have", "tag_assets", bad, same, many_tags(4)),
        Case("too many tags to filter by", "list_assets", bad, by_schema, many_tags(51)),
    ]
}

/// Ways to fail because of the things that a request names.
fn wrong_things(Things { asset, variant }: &Things) -> Vec<Case> {
    let (same, by_schema) = (McpFailure::Same, McpFailure::RefusedBySchema);
    let (bad, missing) = (Code::BadUserInput, Code::ResourceNotFound);
    let assets =
        |ids: &[&str]| Values { assets: ids.iter().map(|&id| id.to_owned()).collect(), ..Values::default() };
    let many = || assets(&vec![asset.as_str(); 101]);
    let into = |target: &str| Values { target: target.into(), ..assets(&[asset]) };
    let parent = |id: &str| Values { parent: Some(id.to_owned()), ..Values::default() };
    let files = |files| Values { files, ..Values::default() };
    let notes = ("notes.png".to_owned(), b"no picture".to_vec());
    let large = ("large.png".to_owned(), vec![0; 150_000]);
    let wave = ("wave.png".to_owned(), picture("wave"));
    let mut cases = vec![
        Case("an asset and an unknown one", "tag_assets", missing, same, assets(&[asset, UNKNOWN])),
        Case("into the same library", "transfer_assets", bad, same, into("photos")),
        Case(
            "into a library out of reach",
            "transfer_assets",
            Code::LibraryNotAuthorized,
            same,
            into("vault"),
        ),
        Case("a variant", "transfer_assets", bad, same, assets(&[variant])),
        Case("under an unknown asset", "upload_asset", missing, same, parent(UNKNOWN)),
        Case("under a variant", "upload_asset", bad, same, parent(variant)),
        Case("no picture", "upload_asset", bad, same, files(vec![notes.clone()])),
        Case("a file too large", "upload_asset", Code::PayloadTooLarge, same, files(vec![large.clone()])),
        Case("nothing but refused files", "upload_assets", bad, same, files(vec![notes.clone(), notes])),
        Case(
            "one file too large",
            "upload_assets",
            Code::PayloadTooLarge,
            same,
            files(vec![wave.clone(), large]),
        ),
        Case("no file", "upload_assets", bad, by_schema, files(Vec::new())),
        Case("too many files", "upload_assets", bad, by_schema, files(vec![wave; 21])),
    ];
    for name in [
        "get_asset",
        "update_asset_description",
        "delete_assets",
        "tag_assets",
        "untag_assets",
        "transfer_assets",
    ] {
        cases.push(Case("an unknown asset", name, missing, same, assets(&[UNKNOWN])));
        cases.push(Case("no id", name, missing, same, assets(&["no-id"])));
    }
    for name in ["list_libraries", "list_assets", "list_tags", "search_assets"] {
        cases.push(Case("a number below 0", name, bad, by_schema, Values { number: -1, ..assets(&[asset]) }));
    }
    for name in ["delete_assets", "tag_assets", "untag_assets", "transfer_assets"] {
        cases.push(Case("no assets", name, bad, by_schema, assets(&[])));
        cases.push(Case("too many assets", name, bad, by_schema, many()));
    }
    cases
}

/// Ways to fail because of the libraries and organizations that a request names.
fn wrong_places(Things { asset, .. }: &Things) -> Vec<Case> {
    let of = |organization: &str, library: &str| Values {
        organization: organization.into(),
        library: library.into(),
        assets: vec![asset.clone()],
        ..Values::default()
    };
    let mut cases = Vec::new();
    for name in OPERATIONS.iter().map(|operation| operation.name).filter(|name| *name != "whoami") {
        let nobody = of("nobody", "photos");
        cases.push(Case(
            "an unknown organization",
            name,
            Code::OrganizationNotFound,
            McpFailure::Same,
            nobody,
        ));
        cases.push(Case(
            "another organization",
            name,
            Code::InvalidApiKey,
            McpFailure::Same,
            of("other", "photos"),
        ));
    }
    for name in ["list_assets", "get_asset", "list_tags", "rename_library", "upload_assets"] {
        let vault = of("acme", "vault");
        cases.push(Case("a library out of reach", name, Code::LibraryNotAuthorized, McpFailure::Same, vault));
    }
    cases
}

/// Whether a way to ask reports what is wrong with these values: the field `photos` and the resources, for one, take no
/// tags. REST in its first version has a lower limit of its own for tags to filter by.
fn reports(ask: &Ask, values: &Values) -> bool {
    let right = Values { assets: vec!["right".into()], ..Values::default() };
    let (wrong, right) = (ask.request(values), ask.request(&right));
    let own_limit = matches!(ask, Ask::Rest { version: OLD, .. }) && values.tags.len() > 50;
    (wrong.path != right.path || wrong.body != right.body) && !own_limit
}

/// Each failure has the same code, status and message on every transport with the operation, and changes nothing.
#[tokio::test]
async fn the_same_failure_has_the_same_message_on_every_transport() {
    let world = World::on(TestServer::start_with(|settings, _| {
        settings.limits.tags_per_asset = 3;
        settings.limits.file_bytes = 100_000;
    }))
    .await;
    let key = &world.writer_of_both;
    let asset = world.server.upload(key, "acme", "photos", "a.png", &picture("a")).await;
    let variant =
        world.server.upload_under(key, "acme", "photos", "b.png", &picture("b"), Some(&asset)).await;
    let things = Things { asset: asset.as_str().into(), variant: variant.as_str().into() };
    let before = world.everything().await;
    let cases = [wrong_words(&things), wrong_things(&things), wrong_places(&things)];
    for Case(what, name, code, mcp, values) in cases.into_iter().flatten() {
        let mut expected: Option<Failure> = None;
        for ask in operation(name).asks.iter().filter(|ask| reports(ask, &values)) {
            let case = format!("{what}: {name} over {ask:?}");
            let reply =
                ask.request(&values).send(&world.client, Some(&format!("Bearer {}", key.token))).await;
            let failure = ask.result(&reply).expect_err(&case);
            if matches!(ask, Ask::Tool { .. }) && mcp == McpFailure::RefusedBySchema {
                assert_eq!(failure.code, REFUSED_BY_SCHEMA, "{case}: {failure:?}");
                continue;
            }
            assert_eq!(
                (failure.status, failure.code.as_str()),
                (code.status().into(), code.name()),
                "{case}: {failure:?}"
            );
            match &expected {
                Some(expected) => assert_eq!(&failure, expected, "{case}"),
                None => expected = Some(failure),
            }
        }
        assert!(expected.is_some(), "{what}: {name} was never sent");
    }
    assert_eq!(world.everything().await, before);
}

/// One library has the same numbers on every transport as in the list of libraries.
#[tokio::test]
async fn a_library_has_the_same_numbers_alone_and_in_the_list() {
    let world = World::new().await;
    let values = world.values().await;
    let numbers = async |name: &str| {
        let mut seen = Vec::new();
        for ask in operation(name).asks.iter().filter(|ask| !matches!(ask, Ask::Resource(_))) {
            let answer = ask.result(&world.send(ask, CallerKind::Reader, &values).await).unwrap();
            let named = ["id", "name", "assetsCount"].map(|field| all_named(&answer, field)[0].clone());
            seen.push((format!("{ask:?}"), named));
        }
        seen
    };
    let [alone, listed] = [numbers("get_library").await, numbers("list_libraries").await];
    assert_eq!(alone.len(), 4, "{alone:?}");
    for (ask, numbers) in alone.iter().chain(&listed) {
        assert_eq!(*numbers, [json!("photos"), json!("Photos"), json!(1)], "{ask}");
    }
}
