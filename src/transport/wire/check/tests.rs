//! What is accepted, what is reported, and how much of the client's text is repeated.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "organizationId": { "type": "string" },
            "page": { "type": "integer", "minimum": 0 },
            "preview": { "type": "boolean" },
            "tags": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 3 },
            "state": { "type": "string", "enum": ["on", "off"] },
            "fields": { "type": "array", "items": { "enum": ["id", "name", "url", "size", "tags", "width", "height"] } },
            "source": {
                "type": "object",
                "oneOf": [
                    { "properties": { "kind": { "const": "url" }, "url": { "type": "string" } }, "required": ["kind", "url"] },
                    { "properties": { "kind": { "const": "base64" }, "data": { "type": "string" } }, "required": ["kind", "data"] },
                ],
            },
        },
        "required": ["organizationId", "page"],
    })
}

fn fitted(value: Value) -> Result<Value, String> {
    fit(&schema(), value)
}

#[test]
fn what_is_meant_without_doubt_is_taken() {
    for (page, number) in [
        (json!(1), json!(1)),
        (json!(1.0), json!(1)),
        (json!(2e3), json!(2000)),
        (json!("5"), json!(5)),
        (json!("5.0"), json!(5)),
        (json!(-0.0), json!(0)),
        (json!(1e300), json!(u64::MAX)),
    ] {
        let fitting = fitted(json!({ "organizationId": "a", "page": page })).unwrap();
        assert_eq!(fitting["page"], number, "{page}");
    }
    let packed = json!({
        "organizationId": "[\"a\"]", "page": 1, "tags": "[\"a\"]", "preview": "true", "state": null,
        "source": "{\"kind\": \"url\", \"url\": \"x\"}",
    });
    let unpacked = json!({
        "organizationId": "[\"a\"]", "page": 1, "tags": ["a"], "preview": true,
        "source": { "kind": "url", "url": "x" },
    });
    assert_eq!(fitted(packed), Ok(unpacked));
}

#[test]
fn everything_wrong_is_named_at_once() {
    for (value, said) in [
        (
            json!({}),
            "organizationId: missing; expected a string; page: missing; expected a whole number, 0 or more",
        ),
        (json!([]), "expected an object, but got an array"),
        (
            json!({ "organizationId": 7, "page": -1 }),
            "organizationId: expected a string, but got 7; page: expected a whole number, 0 or more, but got -1",
        ),
        (
            json!({ "organizationId": "a", "page": 1.5 }),
            "page: expected a whole number, 0 or more, but got 1.5",
        ),
        (
            json!({ "organizationId": "a", "page": "two" }),
            "page: expected a whole number, 0 or more, but got \"two\"",
        ),
        (
            json!({ "organizationId": "a", "page": 1, "tags": "a" }),
            "tags: expected an array of strings, but got \"a\"",
        ),
        (
            json!({ "organizationId": "a", "page": 1, "tags": [] }),
            "tags: expected 1 to 3 items, but there are 0",
        ),
        (
            json!({ "organizationId": "a", "page": 1, "tags": ["a", 7] }),
            "tags[1]: expected a string, but got 7",
        ),
        (json!({ "organizationId": "a", "page": 1, "state": "" }), "state: expected on or off, but got \"\""),
        (
            json!({ "organizationId": "a", "page": 1, "fields": ["nam"] }),
            "fields[0]: there is no \"nam\"; the nearest is name",
        ),
        (
            json!({ "organizationId": "a", "page": 1, "source": {} }),
            "source.kind: missing; expected url or base64",
        ),
        (
            json!({ "organizationId": "a", "page": 1, "source": { "kind": "ftp" } }),
            "source.kind: expected url or base64, but got \"ftp\"",
        ),
        (
            json!({ "organizationId": "a", "page": 1, "source": { "kind": "url" } }),
            "source.url: missing; expected a string",
        ),
        (
            json!({ "organizationId": "a", "page": 1, "source": { "kind": "url", "url": "x", "data": "" } }),
            "source: there is no argument \"data\"; the nearest is url",
        ),
        (
            json!({ "organization_id": "a", "page": 1 }),
            "organizationId: missing; expected a string; there is no argument \"organization_id\"; the nearest is organizationId",
        ),
    ] {
        assert_eq!(fitted(value.clone()), Err(said.to_owned()), "{value}");
    }
}

#[test]
fn little_is_repeated_of_what_the_client_sent() {
    let long = "x".repeat(1_000_000);
    let many: Map<String, Value> = (0..10_000).map(|n| (format!("{n}{long:.60}"), json!(1))).collect();
    for value in [
        json!(long),
        json!({ "organizationId": "a", "page": long, "state": long, "tags": long, "source": long }),
        json!({ "organizationId": "a", "page": 1, "fields": vec![long.clone(); 20] }),
        json!(many),
    ] {
        let said = fitted(value).unwrap_err();
        assert!(said.chars().count() <= 850, "{said}");
        assert!(said.matches('x').count() <= ECHO + 10, "{said}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,200}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let names = prop_oneof![
            prop::sample::select(vec!["organizationId", "page", "tags", "fields", "source", "kind", "url"])
                .prop_map(str::to_owned),
            ".{0,200}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_description_is_bounded(value in any_json()) {
        if let Err(said) = fit(&schema(), value) {
            prop_assert!(said.chars().count() <= 1000, "{}", said);
        }
    }
}
