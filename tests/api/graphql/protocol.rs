//! How a request may be written down: methods, content types, the header that pages of other sites can't send.

use rasterd::testing::TestServer;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use serde_json::json;

use super::{Site, failure};
use crate::support::{Reply, send};

const VIEWER: &str = "{viewer{plan}}";
const PREFLIGHT: [(&str, &str); 2] = [("Apollo-Require-Preflight", "true"), ("X-Apollo-Operation-Name", "Q")];

async fn post(site: &Site, content_type: &str, header: Option<(&str, &str)>, body: &str) -> Reply {
    let mut request = site.reader.request(Method::POST, "/graphql").body(body.to_owned());
    if !content_type.is_empty() {
        request = request.header(CONTENT_TYPE, content_type);
    }
    if let Some((name, value)) = header {
        request = request.header(name.parse::<HeaderName>().unwrap(), value);
    }
    send(request).await
}

#[tokio::test]
async fn bodies_that_need_no_preflight_request_need_a_header() {
    let site = Site::start().await;
    let json = json!({ "query": VIEWER }).to_string();
    for (content_type, body) in [
        ("text/plain", json.as_str()),
        ("", json.as_str()),
        ("application/x-www-form-urlencoded", "query=%7Bviewer%7Bplan%7D%7D"),
    ] {
        for header in [None, Some((PREFLIGHT[0].0, "")), Some(("X-Other", "1"))] {
            let (status, code, _) = failure(&post(&site, content_type, header, body).await);
            assert_eq!((status, code.as_str()), (400, "BAD_REQUEST"), "{content_type}");
        }
        for header in PREFLIGHT {
            let reply = post(&site, content_type, Some(header), body).await;
            assert_eq!(reply.json(), json!({ "data": { "viewer": { "plan": "self-hosted" } } }));
        }
    }
    assert_eq!(post(&site, "Application/JSON; charset=utf-8", None, &json).await.status, 200);
}

#[tokio::test]
async fn an_invalid_request_is_a_bad_request() {
    let site = Site::start().await;
    for (content_type, body) in [
        ("application/json", ""),
        ("application/json", "nothing"),
        ("application/json", "{}"),
        ("application/json", r#"{"query":5}"#),
        ("application/json", r#"[{"query":"{viewer{plan}}"}]"#),
        ("application/json", r#"{"query":"{viewer{plan}}","variables":[1]}"#),
        ("application/xml", "<a/>"),
        ("multipart/form-data", ""),
    ] {
        let (status, code, _) = failure(&post(&site, content_type, None, body).await);
        assert_eq!((status, code.as_str()), (400, "BAD_REQUEST"), "{content_type} {body}");
    }
}

#[tokio::test]
async fn get_runs_queries_and_no_mutations() {
    let site = Site::start().await;
    let ask = async |query: &str, header: bool| {
        let request = site.reader.request(Method::GET, &format!("/graphql?query={query}"));
        send(if header { request.header(PREFLIGHT[0].0, "true") } else { request }).await
    };
    let reply = ask("%7Bviewer%7Bplan%7D%7D", true).await;
    assert_eq!(
        (reply.status, reply.json()),
        (200, json!({ "data": { "viewer": { "plan": "self-hosted" } } }))
    );
    let (status, code, _) = failure(&ask("%7Bviewer%7Bplan%7D%7D", false).await);
    assert_eq!((status, code.as_str()), (400, "BAD_REQUEST"));
    let change = "mutation%7BcreateLibrary(organizationId:%22acme%22,name:%22X%22)%7Bid%7D%7D";
    let reply = ask(change, true).await;
    let (status, code, _) = failure(&reply);
    assert_eq!((status, code.as_str(), reply.header("allow")), (405, "METHOD_NOT_ALLOWED", "POST"));
    let variables =
        "query($o:String!)%7Blibraries(organizationId:$o)%7Bid%7D%7D&variables=%7B%22o%22:%22acme%22%7D";
    assert_eq!(ask(variables, true).await.json()["data"]["libraries"][0]["id"], "brand");
}

#[tokio::test]
async fn another_method_is_405_before_the_key_is_checked() {
    let site = Site::start().await;
    let reply = send(site.reader.request(Method::DELETE, "/graphql")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (405, "METHOD_NOT_ALLOWED"));
    assert_eq!(reply.header("allow"), "GET, POST");
}

#[tokio::test]
async fn the_root_of_an_mcp_host_is_not_graphql() {
    let server = TestServer::start_with(|_, options| options.mcp_hosts = vec!["localhost".into()]);
    let site = Site::of(server).await;
    let body = json!({ "query": VIEWER });
    assert_eq!(site.reader.post_json("/", &body).await.json().get("data"), None);
    assert_eq!(site.reader.post_json("/graphql", &body).await.status, 200);
}

#[tokio::test]
async fn the_operation_is_chosen_by_its_name() {
    let site = Site::start().await;
    let query = "query A { viewer { plan } } query B($o: String!) { libraries(organizationId: $o) { id } }";
    let ask = async |name: serde_json::Value| {
        let body = json!({ "query": query, "operationName": name, "variables": { "o": "acme" } });
        site.reader.post_json("/graphql", &body).await
    };
    assert_eq!(ask(json!("A")).await.json()["data"]["viewer"]["plan"], "self-hosted");
    assert_eq!(ask(json!("B")).await.json()["data"]["libraries"][0]["id"], "brand");
    for name in [json!("C"), json!(null), json!("")] {
        assert_eq!(failure(&ask(name).await).1, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_413() {
    let site = Site::start().await;
    let body = json!({ "query": VIEWER, "variables": { "x": "x".repeat(1 << 20) } }).to_string();
    let (status, code, _) = failure(&post(&site, "application/json", None, &body).await);
    assert_eq!((status, code.as_str()), (413, "PAYLOAD_TOO_LARGE"));
}
