//! Arguments as agents get them wrong: accepted where the meaning is plain, refused with a clear message where it is not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::{McpClient, McpWorld, UMANG, svg, text};

/// Words that only a decoder, a compiler or an internal library knows.
const WORDS_OF_DECODERS: [&str; 14] = [
    "internally tagged",
    "enum ",
    "struct ",
    "variant `",
    "invalid type",
    "invalid value",
    "missing field",
    "unknown field",
    "FileSource",
    "u64",
    "i64",
    "serde",
    "at line",
    "column ",
];

fn in_photos(more: &Value) -> Value {
    let mut arguments = json!({ "organizationId": "acme", "libraryId": "photos" });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

/// Why a tool refuses arguments, which it must.
async fn refusal(mcp: &McpClient, tool: &str, arguments: &Value) -> String {
    let result = mcp.call(tool, arguments.clone()).await;
    assert_eq!(result["isError"], true, "{tool} {arguments}");
    let start = format!("MCP error -32602: Input validation error: Invalid arguments for tool {tool}: ");
    let reason = text(&result).strip_prefix(&start);
    reason.unwrap_or_else(|| panic!("{}", text(&result))).to_owned()
}

/// Arguments beside those that name the library, and why they are refused.
fn refused_in_photos() -> Vec<(&'static str, Value, &'static str)> {
    let many = |count: usize| vec!["a"; count];
    let of_lists = [
        (json!({ "page": "two" }), "page: expected a whole number, 0 or more, but got \"two\""),
        (json!({ "page": -1 }), "page: expected a whole number, 0 or more, but got -1"),
        (json!({ "page": 1.5 }), "page: expected a whole number, 0 or more, but got 1.5"),
        (json!({ "tags": many(51) }), "tags: expected 0 to 50 items, but there are 51"),
        (json!({ "fields": ["nam"] }), "fields[0]: there is no \"nam\"; the nearest is name"),
        (json!({ "library": "x" }), "there is no argument \"library\"; the nearest is libraryId"),
    ];
    let of_deletions = [
        (json!({ "ids": [] }), "ids: expected 1 to 100 items, but there are 0"),
        (json!({ "ids": many(101) }), "ids: expected 1 to 100 items, but there are 101"),
    ];
    let of_tags = [
        (json!({ "assetIds": ["a"], "tags": many(21) }), "tags: expected 1 to 20 items, but there are 21"),
        (
            json!({ "assetIds": ["a", 7], "tags": "a" }),
            "assetIds[1]: expected a string, but got 7; tags: expected an array of strings, but got \"a\"",
        ),
    ];
    let of_uploads = [
        (json!({ "source": { "kind": "ftp" } }), "source.kind: expected url or base64, but got \"ftp\""),
        (json!({ "source": { "kind": "url" } }), "source.url: missing; expected a string"),
        (json!({ "source": "a.png" }), "source: expected an object, but got \"a.png\""),
    ];
    let of_several = [(json!({ "sources": [] }), "sources: expected 1 to 20 items, but there are 0")];
    let mut refused = Vec::new();
    let mut add = |tool, cases: &[(Value, &'static str)]| {
        refused.extend(cases.iter().map(|(more, message)| (tool, in_photos(more), *message)));
    };
    add("list_assets", &of_lists);
    add("delete_assets", &of_deletions);
    add("tag_assets", &of_tags);
    add("upload_asset", &of_uploads);
    add("upload_assets", &of_several);
    refused
}

#[tokio::test]
async fn arguments_that_do_not_match_are_refused_in_plain_words() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let approval = "approval: expected in_review, approved, needs_changes or none, but got \"maybe\"";
    let both = "libraryId: missing; expected a string; organizationId: missing; expected a string";
    let number = json!({ "organizationId": 7, "libraryId": "photos" });
    let acme = json!({ "organizationId": "acme" });
    let mut refused = refused_in_photos();
    refused.extend([
        ("list_assets", json!({}), both),
        ("list_assets", acme.clone(), "libraryId: missing; expected a string"),
        ("list_assets", number, "organizationId: expected a string, but got 7"),
        ("search_assets", json!({ "organizationId": "acme", "approval": "maybe" }), approval),
        (
            "search_assets",
            json!({ "organizationId": "acme", "query": "sea" }),
            "there is no argument \"query\"; the nearest is q",
        ),
        ("whoami", acme, "there is no argument \"organizationId\"; it takes none"),
    ]);
    for (tool, arguments, message) in refused {
        assert_eq!(refusal(&mcp, tool, &arguments).await, message, "{tool} {arguments}");
    }
    assert_eq!(mcp.answer("list_assets", in_photos(&json!({ "page": null }))).await, json!([]));
}

#[tokio::test]
async fn unambiguous_values_are_accepted() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let source =
        json!({ "kind": "base64", "filename": "a.svg", "mimeType": "", "data": STANDARD.encode(svg(1)) });
    for arguments in
        [in_photos(&json!({ "source": source })), in_photos(&json!({ "source": source.to_string() }))]
    {
        let uploaded = mcp.answer("upload_asset", arguments).await;
        assert_eq!(uploaded["assets"][0]["name"], "a");
    }
    let several = in_photos(&json!({ "sources": json!([source.to_string(), source]).to_string() }));
    assert_eq!(mcp.answer("upload_assets", several).await["assets"].as_array().unwrap().len(), 2);
    for (page, count) in [(json!(1.0), 3), (json!("1"), 3), (json!("2.0"), 1), (json!(2e0), 1)] {
        let listing = in_photos(&json!({ "page": page, "pageSize": "3" }));
        assert_eq!(mcp.answer("list_assets", listing).await.as_array().unwrap().len(), count, "{page}");
    }
    let tagged = in_photos(&json!({ "tags": "[\"a\", \"b\"]", "fields": "[\"name\"]" }));
    assert_eq!(mcp.answer("list_assets", tagged).await, json!([]));
}

#[tokio::test]
async fn base64_is_accepted_as_programs_print_it() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let plain = STANDARD.encode(UMANG);
    let lines: Vec<&str> =
        plain.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    for data in [
        format!("{}\n", lines.join("\n")),
        format!("  {}  ", lines.join("\r\n")),
        plain.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned(),
        format!("data:image/webp;base64,{plain}"),
    ] {
        let source =
            json!({ "kind": "base64", "filename": "a.webp", "mimeType": "image/webp", "data": data });
        let uploaded = mcp.answer("upload_asset", in_photos(&json!({ "source": source }))).await;
        assert_eq!(uploaded["assets"][0]["size"], UMANG.len());
    }
    let source = json!({ "kind": "base64", "filename": "a.webp", "mimeType": "", "data": "AAAA\nA*AA" });
    let failure = mcp.failure("upload_asset", in_photos(&json!({ "source": source }))).await;
    assert_eq!(
        failure["message"],
        "The data of source 1 (\"a.webp\") is not base64: character 7 ('*') does not belong there."
    );
}

/// Checks that an answer is short, and has no word that only a decoder knows.
fn expect_plain(message: &str, about: &str) {
    assert!(message.chars().count() <= 1000, "{} characters about {about:.200}", message.chars().count());
    for word in WORDS_OF_DECODERS {
        assert!(!message.contains(word), "{word:?} in {message} about {about:.200}");
    }
}

#[tokio::test]
async fn answers_repeat_little_of_the_arguments() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let long = "w".repeat(1_000_000);
    let many: Map<String, Value> = (0..1000).map(|n| (format!("{n}{long:.200}"), json!(1))).collect();
    for (tool, arguments) in [
        ("upload_asset", in_photos(&json!({ "source": long }))),
        ("upload_asset", in_photos(&json!({ "source": { "kind": long } }))),
        ("upload_asset", in_photos(&json!({ "source": { "kind": "url", "url": long } }))),
        (
            "upload_asset",
            in_photos(
                &json!({ "source": { "kind": "base64", "filename": long, "mimeType": long, "data": "*" } }),
            ),
        ),
        (
            "upload_asset",
            in_photos(
                &json!({ "source": { "kind": "base64", "filename": long, "mimeType": long, "data": "" } }),
            ),
        ),
        (
            "upload_asset",
            in_photos(
                &json!({ "source": { "kind": "base64", "filename": "a", "mimeType": "", "data": long } }),
            ),
        ),
        ("list_assets", in_photos(&json!({ "page": long }))),
        ("list_assets", in_photos(&json!({ long.as_str(): 1 }))),
        ("list_assets", Value::Object(many)),
        ("list_assets", json!({ "organizationId": long, "libraryId": long })),
        ("list_assets", json!({ "organizationId": "acme", "libraryId": long })),
        ("get_asset", in_photos(&json!({ "assetId": long }))),
        ("list_assets", in_photos(&json!({ "fields": [long, long, long, long, long, long, long] }))),
        ("tag_assets", in_photos(&json!({ "assetIds": ["a"], "tags": [long] }))),
        ("delete_assets", in_photos(&json!({ "ids": [long] }))),
        ("create_library", json!({ "organizationId": "acme", "name": long, "slug": long })),
        ("create_library", json!({ "organizationId": "acme", "name": "x", "slug": long })),
        ("rename_library", in_photos(&json!({ "name": long }))),
        ("promote_variant", in_photos(&json!({ "assetId": long, "variantId": long }))),
    ] {
        let result = mcp.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{tool}: {result:.300}");
        for block in result["content"].as_array().unwrap() {
            let message = block["text"].as_str().unwrap();
            expect_plain(message, tool);
            assert!(message.matches('w').count() <= 120, "{tool}: {message}");
        }
    }
}

fn any_json(names: Vec<String>) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no such number", |number| number.is_finite())
            .prop_map(Value::from),
        prop::sample::select(vec!["acme", "photos", "url", "base64", "[]", "{}", "1", "none"])
            .prop_map(Value::from),
        ".{0,300}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 8, move |inner| {
        let names = prop_oneof![4 => prop::sample::select(names.clone()), 1 => ".{0,300}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Whatever the arguments of whichever tool: the answer is a result or a short refusal in plain words.
#[tokio::test]
async fn every_tool_answers_every_argument_in_plain_words() {
    let world = McpWorld::new().await;
    let mcp = world.client();
    let tools = mcp.result("tools/list", json!({})).await["tools"].clone();
    let mut runner = TestRunner::default();
    for tool in tools.as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let schema = &tool["inputSchema"]["properties"];
        let mut names: Vec<String> = schema.as_object().unwrap().keys().cloned().collect();
        names.extend(["kind", "url", "data", "filename", "mimeType", "page"].map(str::to_owned));
        let arguments =
            prop::collection::btree_map(prop::sample::select(names.clone()), any_json(names), 0..8);
        for _ in 0..60 {
            let arguments = arguments.new_tree(&mut runner).unwrap().current();
            let mut arguments: Value = serde_json::to_value(&arguments).unwrap();
            for (field, value) in [("organizationId", "acme"), ("libraryId", "photos")] {
                if schema.get(field).is_some() && !arguments.as_object().unwrap().len().is_multiple_of(3) {
                    arguments[field] = json!(value);
                }
            }
            let result = mcp.call(name, arguments.clone()).await;
            if result["isError"] != true {
                continue;
            }
            let message = text(&result);
            expect_plain(message, &format!("{name} {arguments}"));
            assert!(
                !message.contains("match its input schema"),
                "{name} {arguments} fits the schema, but not the tool"
            );
            assert!(!message.contains("INTERNAL_SERVER_ERROR"), "{name} {arguments}: {message}");
        }
    }
}
