//! The order of checks: a request that fails several is answered by the first of them.

use rasterd::core::model::Access;
use rasterd::operations::{self, Needs, declarations};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;

use super::{ASSETS, NEW, Rest, Scene, VERSIONS};
use crate::support::{Client, Reply, send};

const LIBRARY: &str = "/organizations/{organizationId}/libraries/{libraryId}";
const MISSING_ASSET: &str = "0000000000000000";

/// Every endpoint with a library in its path: its method, what follows the library, and whether it needs Write.
fn in_a_library() -> Vec<(Method, String, bool)> {
    let declared = declarations().into_iter().filter_map(|declaration| {
        let endpoint = declaration.rest?;
        let rest = endpoint.path.strip_prefix(LIBRARY)?.replace("{assetId}", MISSING_ASSET);
        Some((method(endpoint.method), rest, declaration.needs == Needs::Write))
    });
    declared.collect()
}

fn method(method: operations::Method) -> Method {
    match method {
        operations::Method::Get => Method::GET,
        operations::Method::Post => Method::POST,
        operations::Method::Patch => Method::PATCH,
        operations::Method::Delete => Method::DELETE,
    }
}

/// The same request, worse by one check at a time from the last check to the first: each time the answer is that
/// of the earliest check that fails.
#[tokio::test]
async fn the_first_check_that_fails_answers() {
    let scene = Scene::new().await;
    let (writer, reader) = (&scene.writer_key.token, token(&scene, "photos", Access::Read).await);
    let describe = |organization: &str, library: &str| {
        format!("/organizations/{organization}/libraries/{library}/assets/{MISSING_ASSET}/description")
    };
    let good = r#"{"description":"x"}"#;
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let cases = [
        (describe("acme", "photos"), bearer(writer), Some(NEW), good, 404, "RESOURCE_NOT_FOUND"),
        (describe("acme", "photos"), bearer(writer), Some(NEW), "{", 400, "BAD_USER_INPUT"),
        (
            describe("acme", "photos"),
            bearer(&reader),
            Some(NEW),
            "{",
            404,
            "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY",
        ),
        (describe("acme", "nope"), bearer(writer), Some(NEW), "{", 404, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY"),
        (describe("other", "nope"), bearer(writer), Some(NEW), "{", 401, "INVALID_API_KEY"),
        (describe("nobody", "nope"), bearer(writer), Some(NEW), "{", 404, "ORGANIZATION_NOT_FOUND"),
        (describe("nobody", "nope"), bearer("pk_unknown"), Some(NEW), "{", 401, "INVALID_API_KEY"),
        (describe("nobody", "nope"), bearer("pk_unknown"), Some("2020-01-01"), "{", 400, "BAD_USER_INPUT"),
        (describe("nobody", "nope"), bearer("pk_unknown"), Some(" "), "{", 400, "API_VERSION_REQUIRED"),
        (describe("nobody", "nope"), bearer("pk_unknown"), None, "{", 400, "API_VERSION_REQUIRED"),
        (describe("nobody", "nope"), Some("Basic eDp5".into()), None, "{", 401, "UNAUTHENTICATED"),
        (describe("nobody", "nope"), None, None, "{", 401, "UNAUTHENTICATED"),
        ("/organizations/nobody/nothing".into(), None, None, "{", 404, "ENDPOINT_NOT_FOUND"),
    ];
    for (path, authorization, version, body, status, code) in cases {
        let mut request = scene.anyone.request(Method::PATCH, &path).body(body);
        if let Some(authorization) = &authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(version) = version {
            request = request.header("Api-Version", version);
        }
        let reply = send(request).await;
        let case = format!("{path} {authorization:?} {version:?} {body}");
        assert_eq!((reply.status, reply.error_code().as_str()), (status, code), "{case}");
    }
}

#[tokio::test]
async fn another_method_is_refused_before_the_key_is_checked() {
    let scene = Scene::new().await;
    let reply = send(scene.anyone.request(Method::PUT, ASSETS)).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (405, "METHOD_NOT_ALLOWED"));
    assert_eq!(reply.header("allow"), "GET, POST, DELETE");
}

#[tokio::test]
async fn the_scheme_is_bearer_in_any_case_and_nothing_else_authenticates() {
    let scene = Scene::new().await;
    let token = &scene.writer_key.token;
    let me = |value: String| {
        scene.anyone.request(Method::GET, "/me").header("Api-Version", NEW).header(AUTHORIZATION, value)
    };
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(send(me(format!("{scheme} {token}"))).await.status, 200, "{scheme}");
    }
    for value in [token.clone(), format!("Basic {token}"), "Bearer".to_owned(), "Bearer ".to_owned()] {
        assert_eq!(send(me(value)).await.error_code(), "UNAUTHENTICATED");
    }
    let elsewhere = scene.anyone.request(Method::GET, &format!("/me?api_key={token}&access_token={token}"));
    let elsewhere = elsewhere.header("Api-Version", NEW).header("X-Api-Key", token).header("Cookie", token);
    assert_eq!(send(elsewhere).await.error_code(), "UNAUTHENTICATED");
}

/// The differences between two answers that count: everything but the id of the request, the time, and the order of the
/// headers, which differ between any two.
fn seen(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let headers = reply.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "date");
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    (reply.status, headers, String::from_utf8(reply.body.clone()).unwrap())
}

/// A library out of reach answers like one that does not exist, byte for byte, whatever is wrong with the rest of
/// the request.
#[tokio::test]
async fn libraries_out_of_reach_and_unknown_ones_get_the_same_answer() {
    let scene = Scene::new().await;
    for (method, rest, needs_write) in in_a_library() {
        for version in VERSIONS {
            let reader = scene.reader.in_version(version);
            for (query, body) in [("", "{}"), ("?page=x&cursor=!&limit=-1", "{")] {
                let ask = async |library: &str| {
                    let path = format!("/organizations/acme/libraries/{library}{rest}{query}");
                    let request = reader.request(method.clone(), &path);
                    seen(&send(request.header(CONTENT_TYPE, "application/json").body(body)).await)
                };
                let unknown = ask("nope").await;
                assert_eq!(unknown.0, 404, "{method} {rest}");
                assert_eq!(ask("archive").await, unknown, "not granted: {method} {rest}{query}");
                assert_eq!(ask("Not%20a%20slug").await, unknown, "no slug: {method} {rest}{query}");
                if needs_write {
                    assert_eq!(ask("photos").await, unknown, "too low: {method} {rest}{query}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_asset_of_another_library_answers_like_one_that_does_not_exist() {
    let scene = Scene::new().await;
    let id = scene.writer.uploaded("beach.png").await;
    let archive = "/organizations/acme/libraries/archive/assets";
    let ask = async |id: &str| seen(&scene.writer.get(&format!("{archive}/{id}")).await);
    let unknown = ask(MISSING_ASSET).await;
    assert_eq!(unknown.0, 404);
    assert_eq!(ask(&id).await, unknown);
    assert_eq!(ask("no-id-at-all").await, unknown);
    scene.writer.json(Method::DELETE, ASSETS, json!({"ids": [id]})).await;
    let trashed = seen(&scene.writer.get(&format!("{ASSETS}/{id}")).await);
    assert_eq!(trashed, unknown);
}

#[tokio::test]
async fn a_search_with_one_library_out_of_reach_fails_before_anything_else() {
    let scene = Scene::new().await;
    for library in ["archive", "nope"] {
        let path = format!("/organizations/acme/search/assets?libraries=photos,{library}&page=x");
        assert_eq!(scene.reader.get(&path).await.error_code(), "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY");
    }
    let reply = scene.reader.get("/organizations/acme/search/assets?libraries=photos&page=x").await;
    assert_eq!(reply.error_code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_transfer_needs_write_on_its_target_before_its_assets_are_checked() {
    let scene = Scene::new().await;
    let client = scene.anyone.with_key(&token(&scene, "photos", Access::Write).await);
    let writer = Rest::new(&client, NEW);
    for target in ["archive", "nope"] {
        let body = json!({"targetLibraryId": target, "assetIds": "not a list"});
        let reply = writer.post(&format!("{ASSETS}/transfer"), body).await;
        assert_eq!(reply.error_code(), "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY", "{target}");
    }
}

#[tokio::test]
async fn creating_a_library_needs_write_somewhere() {
    let scene = Scene::new().await;
    let reply = scene.reader.post("/organizations/acme/libraries", json!({})).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (403, "API_KEY_READ_ONLY"));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_and_errors_name_the_place() {
    let scene = Scene::new().await;
    let tag = format!("{ASSETS}/tag");
    let ask = async |body: String| send(scene.writer.request(Method::POST, &tag).body(body)).await;
    let reply = ask(r#"{"assetIds":["a",7],"tags":["x"]}"#.into()).await;
    assert_eq!(reply.error_code(), "BAD_USER_INPUT");
    assert!(super::text(&reply.json()["error"]["message"]).contains("assetIds[1]"));
    assert_eq!(ask(String::new()).await.error_code(), "BAD_USER_INPUT");
    let large = format!(r#"{{"assetIds":["{}"]}}"#, "x".repeat(1 << 20));
    assert_eq!(
        (ask(large.clone()).await.status, ask(large).await.error_code().as_str()),
        (413, "PAYLOAD_TOO_LARGE")
    );
}

#[tokio::test]
async fn a_key_that_is_revoked_is_refused_by_the_very_next_request_on_the_same_connection() {
    let scene = Scene::new().await;
    assert_eq!(scene.writer.get("/me").await.status, 200);
    scene.server.core().delete_key(scene.server.administrator(), &scene.writer_key.id).await.unwrap();
    assert_eq!(scene.writer.get("/me").await.error_code(), "INVALID_API_KEY");
}

async fn token(scene: &Scene, library: &str, access: Access) -> String {
    scene.server.key("acme", &[(library, access)]).await.token
}

#[tokio::test]
async fn pages_of_allowed_origins_may_send_the_version() {
    let server = rasterd::testing::TestServer::start_with(|_, options| {
        options.allowed_origins = vec!["https://app.example".into()];
    });
    let ask = async |origin: &str| {
        let request = Client::new(&server).request(Method::OPTIONS, "/me");
        let request = request.header("Origin", origin).header("Access-Control-Request-Method", "DELETE");
        send(request.header("Access-Control-Request-Headers", "authorization, api-version")).await
    };
    let allowed = ask("https://app.example").await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example");
    assert!(allowed.header("access-control-allow-headers").contains("Api-Version"));
    assert!(allowed.header("access-control-allow-methods").contains("DELETE"));
    assert_eq!(ask("https://evil.example").await.header("access-control-allow-origin"), "");
}
