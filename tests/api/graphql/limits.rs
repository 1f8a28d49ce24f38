//! Documents that are too large or too deep are refused, however cheap they were to write.

use rasterd::testing::TestServer;
use serde_json::json;

use super::{Site, ask, data, failure};

#[tokio::test]
async fn documents_above_a_limit_are_refused() {
    let site = Site::start().await;
    let root = |fields: String| format!("{{ {fields} }}");
    let many_aliases = repeated(51, |n| format!("a{n}: viewer {{ plan }} "));
    let doubling =
        repeated(12, |n| format!("fragment f{n} on Viewer {{ ...f{next} ...f{next} }} ", next = n + 1));
    let libraries = "libraries(organizationId: \"acme\") { ".to_owned();
    for query in [
        root(many_aliases),
        root("viewer { plan } ".repeat(51)),
        root(format!("{libraries} {} }}", "id ".repeat(1000))),
        root(format!("viewer {{ {} }}", "plan @skip(if: false) ".repeat(51))),
        format!("{{ viewer {{ ...f0 }} }} {doubling} fragment f12 on Viewer {{ plan }}"),
        "{ viewer { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { ...a }".to_owned(),
        format!("{{ {}{} }}", "viewer {".repeat(13), "}".repeat(13)),
        "{".repeat(100_000),
        format!("{{ libraries(organizationId: {}) }}", "[".repeat(100_000)),
        format!("{{ viewer {{ {} }} }}", "plan ".repeat(12_000)),
        "{ __schema { types { fields { type { fields { name } } } } } }".to_owned(),
    ] {
        let (status, code, message) = failure(&ask(&site.reader, &query, json!({})).await);
        let start: String = query.chars().take(60).collect();
        let refused = ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"].contains(&code.as_str());
        assert!(status == 400 && refused, "{start}: {code} {message}");
    }
}

#[tokio::test]
async fn a_large_variable_can_not_be_multiplied() {
    let site = Site::start().await;
    let query = repeated(50, |n| format!("a{n}: libraries(organizationId: $o) {{ id }} "));
    let query = format!("query ($o: String!) {{ {query} }}");
    let reply = ask(&site.reader, &query, json!({ "o": "x".repeat(200_000) })).await;
    assert_eq!(failure(&reply).1, "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn the_schema_is_told_unless_that_is_turned_off() {
    let query = "{ __schema { queryType { name } } __type(name: \"Asset\") { name } }";
    let open = Site::start().await;
    let told = data(&open.reader, query, json!({})).await;
    assert_eq!(
        told,
        json!({ "__schema": { "queryType": { "name": "Query" } }, "__type": { "name": "Asset" } })
    );
    let closed = TestServer::start_with(|_, options| options.graphql_introspection = false);
    let closed = Site::of(closed).await;
    assert_eq!(failure(&ask(&closed.reader, query, json!({})).await).1, "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(data(&closed.reader, "{ __typename }", json!({})).await, json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn the_question_that_tools_ask_for_the_schema_fits() {
    let site = Site::start().await;
    let told = data(&site.reader, include_str!("introspection.graphql"), json!({})).await;
    let types = told["__schema"]["types"].as_array().unwrap();
    let mutation = types.iter().find(|kind| kind["name"] == "Mutation").unwrap();
    assert_eq!(mutation["fields"].as_array().unwrap().len(), 8);
}

fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect::<Vec<_>>().concat()
}
