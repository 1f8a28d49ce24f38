//! Documents that are too large or too deep are refused, however cheap they were to write.

use std::cell::Cell;

use rasterd::testing::TestServer;
use serde_json::json;

use super::{Site, ask, data, failure};

/// How often to try a race that a busy machine may lose.
const ROUNDS: usize = 10;

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
async fn introspection_works_unless_it_is_turned_off() {
    let query = "{ __schema { queryType { name } } __type(name: \"Asset\") { name } }";
    let open = Site::start().await;
    let schema = data(&open.reader, query, json!({})).await;
    assert_eq!(
        schema,
        json!({ "__schema": { "queryType": { "name": "Query" } }, "__type": { "name": "Asset" } })
    );
    let closed = TestServer::start_with(|_, options| options.graphql_introspection = false);
    let closed = Site::of(closed).await;
    assert_eq!(failure(&ask(&closed.reader, query, json!({})).await).1, "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(data(&closed.reader, "{ __typename }", json!({})).await, json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn the_introspection_query_of_tools_is_allowed() {
    let site = Site::start().await;
    let schema = data(&site.reader, include_str!("introspection.graphql"), json!({})).await;
    let types = schema["__schema"]["types"].as_array().unwrap();
    let mutation = types.iter().find(|kind| kind["name"] == "Mutation").unwrap();
    assert_eq!(mutation["fields"].as_array().unwrap().len(), 8);
}

fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect::<Vec<_>>().concat()
}

/// What clients in the wild ask for.
const CMS: [&str; 3] = [
    "query ($o: ID!, $l: ID!, $page: Int) { assets(organizationId: $o, libraryId: $l, page: $page, pageSize: 500, tags: [])
        { id blurhash sizes url name height width views { id parentId name url sizes height width } description } }",
    "query ($o: String!, $l: String!, $page: Int) { photos(organizationId: $o, libraryId: $l, page: $page)
        { id blurhash thumbUrl url name height width views { id parentId name url thumbUrl height width } description } }",
    "query ($o: String!, $page: Int) { libraries(organizationId: $o, page: $page, pageSize: 50) { id name photosCount } }",
];

#[tokio::test]
async fn an_answer_that_would_be_too_large_is_refused_before_anything_is_read() {
    let site = Site::start().await;
    // Nothing here exists or is in reach: that is not looked at.
    let all = "id name url width height size created updated description contentType blurhash sizes tags appUrl type";
    let root = |n: usize| {
        format!("a{n}: assets(organizationId: \"o\", libraryId: \"l\", pageSize: $size) {{ {all} }} ")
    };
    for (query, variables, is_refused) in [
        (format!("query ($size: Int) {{ {} }}", repeated(50, root)), json!({ "size": 500 }), true),
        (format!("query ($size: Int) {{ {} }}", repeated(50, root)), json!({}), true),
        (format!("query ($size: Int = 500) {{ {} }}", repeated(5, root)), json!({}), true),
        (format!("query ($size: Int) {{ {} }}", repeated(50, root)), json!({ "size": 1 }), false),
        (
            format!(
                "query ($size: Int) {{ ...r ...s }} fragment r on Query {{ {} }} fragment s on Query {{ x: assets(organizationId: \"o\", libraryId: \"l\", pageSize: 500) {{ id }} }}",
                repeated(4, root)
            ),
            json!({ "size": 500 }),
            true,
        ),
        (
            format!(
                "query ($size: Int, $no: Boolean!) {{ ...r @include(if: $no) viewer {{ plan }} }} fragment r on Query {{ {} }}",
                repeated(5, root)
            ),
            json!({ "size": 500, "no": false }),
            false,
        ),
        (repeated_root(50, "photos(organizationId: \"o\", libraryId: \"l\") { id }"), json!({}), true),
        (repeated_root(5, "libraries(organizationId: \"o\", pageSize: 500) { id }"), json!({}), true),
        (
            repeated_root(50, "searchAssets(organizationId: \"o\", q: \"a\", pageSize: 100) { hits { id } }"),
            json!({}),
            true,
        ),
        (
            repeated_root(40, "tags(organizationId: \"o\", libraryId: \"l\", limit: 1000) { id }"),
            json!({}),
            true,
        ),
        (repeated_root(9, "__schema { types { name } }"), json!({}), true),
    ] {
        let reply = ask(&site.writer, &query, variables.clone()).await;
        let errors = reply.json()["errors"].clone();
        let code = errors[0]["extensions"]["code"].as_str().unwrap_or_default().to_owned();
        let start: String = query.chars().take(90).collect();
        assert_eq!(code == "GRAPHQL_VALIDATION_FAILED", is_refused, "{start} {variables}: {errors}");
        if is_refused {
            let message = failure(&reply).2;
            assert!(message.contains("at most 30000") && message.contains("smaller pages"), "{message}");
        }
    }
}

fn repeated_root(times: usize, field: &str) -> String {
    format!("{{ {} }}", repeated(times, |n| format!("a{n}: {field} ")))
}

#[tokio::test]
async fn the_queries_of_existing_clients_are_allowed() {
    let site = Site::start().await;
    site.pictures(&["one.webp"]).await;
    for page in [0, 1, 2, 1_000_000] {
        for query in CMS {
            data(&site.reader, query, json!({ "o": "acme", "l": "brand", "page": page })).await;
        }
    }
}

#[tokio::test]
async fn the_limit_of_an_answer_is_configured() {
    let site = Site::of(TestServer::start_with(|_, options| options.graphql_cost = 100)).await;
    let page = |size: usize| {
        format!("{{ assets(organizationId: \"acme\", libraryId: \"brand\", pageSize: {size}) {{ id }} }}")
    };
    data(&site.reader, &page(50), json!({})).await;
    assert_eq!(failure(&ask(&site.reader, &page(51), json!({})).await).1, "GRAPHQL_VALIDATION_FAILED");
}

/// How many variants an asset has is not in the document: they count while the answer is made.
#[tokio::test]
async fn variants_are_charged_while_the_answer_is_made() {
    let site = Site::of(TestServer::start_with(|_, options| options.graphql_cost = 250)).await;
    let original = site.pictures(&["one.webp"]).await.remove(0);
    for _ in 0..6 {
        let more = json!({ "parent": original });
        super::upload(&site.writer, "brand", &more, &[("two.webp", super::PICTURE)]).await;
    }
    let asset = |fields: &str| {
        format!(
            "{{ asset(organizationId: \"acme\", libraryId: \"brand\", assetId: \"{original}\") {{ views {{ {fields} }} }} }}"
        )
    };
    let fits = data(&site.reader, &asset("id name"), json!({})).await;
    assert_eq!(fits["asset"]["views"].as_array().unwrap().len(), 6);
    let reply = ask(&site.reader, &asset(&repeated(48, |n| format!("a{n}: id "))), json!({})).await.json();
    assert_eq!(reply["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{reply}");
    assert!(reply["data"]["asset"]["views"].is_null());
}

/// A server with one thread for requests answers another client while long queries run.
#[tokio::test]
async fn long_queries_do_not_block_other_requests() {
    let site = Site::of(TestServer::start_with(|_, options| options.workers = 1)).await;
    let names: Vec<String> = (0..20).map(|n| format!("{n}.webp")).collect();
    site.pictures(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let root = |n: usize| {
        format!(
            "a{n}: assets(organizationId: \"acme\", libraryId: \"brand\") {{ id name url sizes thumbUrl tags }} "
        )
    };
    let query = format!("{{ {} }}", repeated(50, root));
    for _ in 0..ROUNDS {
        let done = Cell::new(0);
        let many = futures_util::future::join_all((0..16).map(|_| async {
            data(&site.reader, &query, json!({})).await;
            done.set(done.get() + 1);
        }));
        let observer = async {
            while done.get() == 0 {
                tokio::task::yield_now().await;
            }
            data(&site.stranger, "{ viewer { plan } }", json!({})).await;
            done.get()
        };
        let (_, done_before) = futures_util::future::join(many, observer).await;
        if done_before < 16 {
            return;
        }
    }
    panic!("the other request was always answered last");
}
