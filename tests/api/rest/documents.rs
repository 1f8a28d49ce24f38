//! The OpenAPI document and the page that shows it.

use super::{NEW, Scene};
use crate::support::Client;

#[tokio::test]
async fn the_document_and_the_page_need_no_key_and_nothing_from_elsewhere() {
    let server = rasterd::testing::TestServer::start();
    let client = Client::new(&server);
    let document = client.get("/openapi.json").await;
    assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
    assert_eq!(document.json()["openapi"], "3.1.0");
    let page = client.get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let html = String::from_utf8(page.body).unwrap();
    let files: Vec<&str> =
        html.split('"').filter(|part| part.starts_with('/') || part.contains("//")).collect();
    assert_eq!(files, ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"]);
    for file in files {
        let reply = client.get(file).await;
        assert_eq!(reply.status, 200, "{file}");
        assert!(reply.body.len() > 100, "{file}");
    }
    assert_eq!(client.get("/docs/index.html").await.error_code(), "ENDPOINT_NOT_FOUND");
}

#[test]
fn the_document_is_what_it_was() {
    insta::assert_json_snapshot!("openapi", rasterd::http::openapi());
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
    assert_eq!(asked, 15);
}
