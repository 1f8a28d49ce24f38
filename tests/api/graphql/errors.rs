//! What fails: codes, statuses, the shape, and that a library out of reach looks like one that does not exist.

use reqwest::Method;
use serde_json::json;

use super::{Site, ask, data, failure};
use crate::support::{Client, send};

#[tokio::test]
async fn the_key_is_checked_before_anything_is_parsed() {
    let site = Site::start().await;
    let nobody = Client::new(&site.server);
    for (client, code) in [(&nobody, "UNAUTHENTICATED"), (&nobody.with_key("pk_x"), "INVALID_API_KEY")] {
        for path in ["/graphql", "/"] {
            let reply = send(client.request(Method::POST, path).body("{ not graphql")).await;
            let (status, found, _) = failure(&reply);
            assert_eq!((status, found.as_str()), (401, code));
            assert_eq!(reply.header("www-authenticate"), "Bearer");
            assert_eq!(reply.header("cache-control"), "private, no-store");
            assert!(!reply.header("x-request-id").is_empty());
        }
    }
}

#[tokio::test]
async fn a_document_that_can_not_be_run_is_400_with_the_reason() {
    let site = Site::start().await;
    for (query, code) in [
        ("{ viewer", "GRAPHQL_PARSE_FAILED"),
        ("nonsense", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ libraries { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ libraries(organizationId: 5) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($p: Int!) { libraries(organizationId: $p) { id } }", "BAD_USER_INPUT"),
        ("query ($o: String!) { libraries(organizationId: $o) { id } }", "BAD_USER_INPUT"),
        ("{ libraries(organizationId: $undeclared) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let (status, found, message) = failure(&ask(&site.reader, query, json!({})).await);
        assert_eq!((status, found.as_str()), (400, code), "{query}: {message}");
    }
    let typed = "query ($p: Int!) { libraries(organizationId: $p) { id } }";
    assert_eq!(failure(&ask(&site.reader, typed, json!({ "p": 1 })).await).1, "GRAPHQL_VALIDATION_FAILED");
    for wrong in [json!(5), json!(null), json!(["acme"]), json!({})] {
        let query = "query ($o: String!) { libraries(organizationId: $o) { id } }";
        assert_eq!(
            failure(&ask(&site.reader, query, json!({ "o": wrong })).await).1,
            "BAD_USER_INPUT",
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_syntax_error_says_where_it_is() {
    let site = Site::start().await;
    let json = ask(&site.reader, "{\n  viewer {", json!({})).await.json();
    assert_eq!(json["errors"][0]["locations"][0]["line"], 2);
    assert!(json["errors"][0]["message"].as_str().unwrap().contains("line 2"), "{json}");
}

#[tokio::test]
async fn the_checks_answer_in_their_order() {
    let site = Site::start().await;
    let query = "query ($o: ID!, $l: ID!, $id: ID!, $p: Int) {
        asset(organizationId: $o, libraryId: $l, assetId: $id) { id }
        assets(organizationId: $o, libraryId: $l, page: $p) { id } }";
    for (organization, library, status, code) in [
        ("nowhere", "brand", 404, "ORGANIZATION_NOT_FOUND"),
        ("other", "theirs", 401, "INVALID_API_KEY"),
        ("acme", "secret", 404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY"),
    ] {
        let variables = json!({ "o": organization, "l": library, "id": "none", "p": -1 });
        let reply = ask(&site.writer, query, variables).await;
        let json = reply.json();
        assert_eq!((reply.status, &json["data"]), (status, &json!(null)), "{json}");
        for error in json["errors"].as_array().unwrap() {
            assert_eq!(error["extensions"]["code"], code, "{json}");
        }
        assert_eq!(json["errors"][0]["path"], json!(["asset"]));
    }
    let one = "{ asset(organizationId: \"acme\", libraryId: \"brand\", assetId: \"none\") { id } }";
    let (status, code, message) = failure(&ask(&site.writer, one, json!({})).await);
    assert_eq!((status, code.as_str(), message.as_str()), (404, "RESOURCE_NOT_FOUND", "Asset not found."));
}

#[tokio::test]
async fn out_of_reach_and_unknown_are_the_same_byte_for_byte() {
    let site = Site::start().await;
    let fields = [
        "assets(organizationId: \"acme\", libraryId: $l, page: -1, tags: [\"x\"]) { id }",
        "photos(organizationId: \"acme\", libraryId: $l, page: -1) { id }",
        "asset(organizationId: \"acme\", libraryId: $l, assetId: \"x\") { id }",
        "tags(organizationId: \"acme\", libraryId: $l, limit: -1) { id }",
        "searchAssets(organizationId: \"acme\", libraries: [$l], page: -1) { found }",
    ];
    let changes = [
        "deleteAssets(organizationId: \"acme\", libraryId: $l, assets: []) { success }",
        "tagAssets(organizationId: \"acme\", libraryId: $l, assetIds: [], tags: [\"index\"]) { taggedCount }",
        "untagAssets(organizationId: \"acme\", libraryId: $l, assetIds: [], tags: []) { untaggedCount }",
        "transferAssets(organizationId: \"acme\", sourceLibraryId: $l, targetLibraryId: \"brand\", assetIds: []) { transferredCount }",
        "transferAssets(organizationId: \"acme\", sourceLibraryId: \"brand\", targetLibraryId: $l, assetIds: []) { transferredCount }",
        "updateAssetDescription(organizationId: \"acme\", libraryId: $l, assetId: \"x\", description: \"\") { assetId }",
        "renameLibrary(organizationId: \"acme\", libraryId: $l, name: \"\") { id }",
        "uploadAssets(organizationId: \"acme\", libraryId: $l, files: []) { responseText }",
    ];
    let reads = fields.map(|field| (format!("query ($l: ID!) {{ {field} }}"), vec!["secret", "theirs"]));
    let writes = changes
        .map(|field| (format!("mutation ($l: ID!) {{ {field} }}"), vec!["secret", "theirs", "archive"]));
    for (query, libraries) in reads.into_iter().chain(writes) {
        let unknown = ask(&site.writer, &query, json!({ "l": "unknown" })).await;
        let (status, code, message) = failure(&unknown);
        assert_eq!((status, code.as_str()), (404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY"), "{query}");
        assert_eq!(message, "API key not authorized for this library.");
        for library in libraries {
            let reply = ask(&site.writer, &query, json!({ "l": library })).await;
            assert_eq!((reply.status, &reply.body), (unknown.status, &unknown.body), "{library}: {query}");
        }
    }
}

#[tokio::test]
async fn an_answer_has_both_the_data_and_the_errors() {
    let site = Site::start().await;
    let query = "{ viewer { plan } bad: assets(organizationId: \"acme\", libraryId: \"secret\") { id } }";
    let reply = ask(&site.reader, query, json!({})).await;
    let json = reply.json();
    assert_eq!(reply.status, 200);
    assert_eq!(json["data"], json!({ "viewer": { "plan": "self-hosted" }, "bad": null }));
    assert_eq!(json["errors"].as_array().unwrap().len(), 1);
    assert_eq!(json["errors"][0]["path"], json!(["bad"]));
    assert_eq!(json["errors"][0]["extensions"]["http"]["status"], 404);
}

#[tokio::test]
async fn a_stranger_sees_nothing_and_a_search_counts_only_what_is_in_reach() {
    let site = Site::start().await;
    site.pictures(&["a.webp"]).await;
    let query = "{ libraries(organizationId: \"acme\") { id } }";
    assert_eq!(failure(&ask(&site.stranger, query, json!({})).await).1, "INVALID_API_KEY");
    let search = "query ($o: ID!) { searchAssets(organizationId: $o) { found hits { id score highlights { name tags } } } }";
    let theirs = data(&site.stranger, search, json!({ "o": "other" })).await;
    assert_eq!(theirs, json!({ "searchAssets": { "found": 0, "hits": [] } }));
    let ours = data(&site.reader, search, json!({ "o": "acme" })).await;
    assert_eq!(ours["searchAssets"]["found"], 1);
    assert_eq!(ours["searchAssets"]["hits"][0]["highlights"], json!({ "name": "a", "tags": [] }));
}
