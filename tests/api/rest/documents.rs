//! The OpenAPI document and the page that shows it.

use std::collections::BTreeSet;

use rasterd::operations::declarations;
use rasterd::transport::rest::Version;
use serde_json::{Value, json};

use super::{NEW, OLD, Scene, VERSIONS};
use crate::support::{Client, configured};

#[tokio::test]
async fn the_document_and_the_page_need_no_key_and_nothing_from_elsewhere() {
    let server = rasterd::testing::TestServer::start();
    let client = Client::new(&server);
    let document = client.get("/openapi.json").await;
    assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
    assert_eq!(document.json()["openapi"], "3.1.0");
    let page = client.get("/docs/rest").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let html = String::from_utf8(page.body).unwrap();
    let mut files: Vec<&str> =
        html.split('"').filter(|part| part.starts_with('/') || part.contains("//")).collect();
    // The way back to the web app, which redirects a visitor.
    files.retain(|file| *file != "/app");
    assert_eq!(
        files,
        [
            "/docs/rest/swagger-ui.css",
            "/docs",
            "/openapi.json",
            "/docs/rest/swagger-ui-bundle.js",
            "/docs/rest/start.js",
        ]
    );
    assert!(VERSIONS.iter().all(|version| html.contains(&format!("\"?version={version}\""))), "{html}");
    for file in files {
        let reply = client.get(file).await;
        assert_eq!(reply.status, 200, "{file}");
        assert!(reply.body.len() > 100, "{file}");
    }
    assert_eq!(client.get("/docs/rest/index.html").await.error_code(), "ENDPOINT_NOT_FOUND");
}

#[test]
fn the_document_is_what_it_was() {
    insta::assert_json_snapshot!("openapi", rasterd::transport::rest::openapi(&configured(), None));
}

/// Every path of the document is served: asked for without a key, each answers 401 and not 404.
#[tokio::test]
async fn every_path_of_the_document_is_served() {
    let scene = Scene::new().await;
    let document = scene.anyone.get("/openapi.json").await.json();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|_| path != "/openapi.json") {
            let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace(['{', '}'], "");
            let request = scene.anyone.request(method.clone(), &path).header("Api-Version", NEW);
            let reply = crate::support::send(request).await;
            assert_eq!(reply.error_code(), "UNAUTHENTICATED", "{method} {path}");
            asked += 1;
        }
    }
    let declared = rasterd::operations::declarations();
    assert_eq!(asked, declared.iter().filter(|one| one.rest.is_some()).count());
}

/// Every value in a document, with the way to it.
fn values<'a>(value: &'a Value, way: &str, found: &mut Vec<(String, &'a Value)>) {
    found.push((way.to_owned(), value));
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| values(value, &format!("{way}/{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| values(item, &format!("{way}/-"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How many paths the declarations have in this version.
fn declared_paths(version: Version) -> usize {
    let endpoints = declarations().into_iter().filter_map(|declaration| declaration.rest);
    endpoints
        .filter(|endpoint| endpoint.since <= version)
        .map(|endpoint| endpoint.path)
        .collect::<BTreeSet<_>>()
        .len()
}

/// Its paths, its shapes, its parameters, and not a word of another.
#[tokio::test]
async fn the_document_of_one_version_describes_only_that_version() {
    let server = rasterd::testing::TestServer::start();
    let client = Client::new(&server);
    let whole = client.get("/openapi.json").await.json();
    for (version, other) in [(OLD, NEW), (NEW, OLD)] {
        let mut document = client.get(&format!("/openapi.json?version={version}")).await.json();
        assert_eq!(document["openapi"], "3.1.0");
        let itself = document["paths"].as_object_mut().unwrap().remove("/openapi.json").unwrap();
        assert_eq!(itself["get"]["parameters"][0]["schema"]["enum"], json!(VERSIONS));
        assert!(!document.to_string().contains(other), "{version}");
        let mut found = Vec::new();
        values(&document["paths"], "", &mut found);
        let headers = found.iter().filter(|(_, value)| value["name"] == "Api-Version");
        let headers: Vec<&Value> = headers.map(|(_, value)| &value["schema"]).collect();
        assert!(headers.len() >= 14 && headers.iter().all(|schema| schema["enum"] == json!([version])));
        assert!(found.iter().all(|(way, _)| !way.contains("/anyOf")), "shapes of one version only");
        // The whole document has the same, and the other version's beside it.
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let of_all = &whole["paths"][path][method];
                assert_eq!(operation["operationId"], of_all["operationId"]);
                let (status, answer) = operation["responses"].as_object().unwrap().iter().next().unwrap();
                let shape = "/content/application~1json/schema/properties/data";
                let data = answer.pointer(shape).unwrap();
                let of_all = of_all["responses"][status].pointer(shape).unwrap();
                let among = of_all["anyOf"].as_array().is_some_and(|all| all.contains(data));
                assert!(among || data == of_all, "{method} {path}");
            }
        }
    }
    let paths = |document: &Value| document["paths"].as_object().unwrap().len();
    let old = client.get("/openapi.json?version=2026-05-20").await.json();
    // One path is that of the document itself.
    assert_eq!(paths(&old), declared_paths(Version::V20260520) + 1);
    assert_eq!(paths(&whole), declared_paths(Version::V20260708) + 1);
    assert!(!old.to_string().contains("\"approval\""), "approvals are newer");
}

#[tokio::test]
async fn unknown_versions_and_parameters_are_refused() {
    let server = rasterd::testing::TestServer::start();
    let client = Client::new(&server);
    for query in [
        "version=2026-01-01",
        "version=",
        "version",
        "Version=2026-07-08",
        "version=2026-07-08&version=2026-05-20",
        "version=2026-07-08&pretty=1",
        "pretty",
    ] {
        let reply = client.get(&format!("/openapi.json?{query}")).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (400, "BAD_USER_INPUT"), "{query}");
        let message = reply.json()["error"]["message"].to_string();
        assert!(VERSIONS.iter().all(|version| message.contains(version)), "{message}");
        assert!(message.contains("`version`"), "{message}");
    }
    assert_eq!(client.get("/openapi.json?").await.status, 200);
}

/// Generators make a file only of what says `format: binary`.
#[test]
fn every_file_in_a_form_says_that_it_is_binary() {
    let document = serde_json::to_value(rasterd::transport::rest::openapi(&configured(), None)).unwrap();
    let mut found = Vec::new();
    values(&document["paths"], "", &mut found);
    let forms = found.iter().filter(|(way, _)| way.ends_with("/content/multipart/form-data/schema"));
    let forms: Vec<&Value> = forms.map(|(_, form)| *form).collect();
    assert_eq!(forms.len(), 1);
    for form in forms {
        assert_eq!(form["properties"]["files"]["items"], json!({ "type": "string", "format": "binary" }));
    }
    assert!(found.iter().all(|(way, _)| !way.ends_with("/contentMediaType")));
}
