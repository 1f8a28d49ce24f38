//! The page for people: there without a key, and all of it from this server.

use reqwest::Method;

use super::Site;
use crate::support::{Client, send};

#[tokio::test]
async fn a_browser_gets_the_page_and_everything_on_it_without_a_key() {
    let site = Site::start().await;
    let client = Client::new(&site.server);
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = send(client.request(Method::GET, "/graphql").header("Accept", accept)).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(!text.contains("http://") && !text.contains("https://"));
    let paths: Vec<&str> = text.split('"').filter(|part| part.starts_with("/graphql/")).collect();
    assert_eq!(paths.len(), 5);
    for path in paths {
        let file = client.get(path).await;
        assert_eq!((file.status, file.header("x-content-type-options")), (200, "nosniff"), "{path}");
        assert!(!file.body.is_empty());
    }
}

#[tokio::test]
async fn a_program_gets_an_answer_instead_of_the_page() {
    let site = Site::start().await;
    let request = site.reader.request(Method::GET, "/graphql?query=%7Bviewer%7Bplan%7D%7D");
    let reply = send(request.header("Accept", "text/html").header("Apollo-Require-Preflight", "1")).await;
    assert_eq!(reply.json()["data"]["viewer"]["plan"], "self-hosted");
}
