//! The documentation, as a person reads it.

use rasterd::core::model::{Access, Role};
use rasterd::testing::TestServer;

use crate::browser::{Browser, Locator};
use crate::people::create_member;

#[test]
fn the_documentation_is_read_and_searched() {
    let server = TestServer::start();
    let browser = Browser::on(&server);
    browser.open("/docs");
    browser.wait_for(&Locator::heading("Documentation"));
    browser.check("docs");
    browser.fill("Search the documentation", "key leaks");
    browser.press("Enter");
    browser.wait_for_path("/docs?q=key+leaks");
    browser.wait_for(&Locator::heading("Search"));
    browser.check("docs-search");
    browser.click(&Locator::link("Keys › When a key leaks"));
    browser.wait_for_path("/docs/keys");
    browser.wait_for(&Locator::heading("When a key leaks"));
    browser.check("docs-keys");
    for page in
        ["errors", "configuration", "limits", "install", "pictures", "architecture", "testing-with-rasterd"]
    {
        browser.open(&format!("/docs/{page}"));
        browser.check(&format!("docs-{page}"));
    }
}

#[test]
fn the_documentation_needs_no_scripts() {
    let server = TestServer::start();
    let browser = Browser::on(&server);
    browser.without_scripts();
    browser.open("/docs/errors");
    browser.fill("Search the documentation", "STORAGE_FULL");
    browser.press("Enter");
    browser.click(&Locator::link("Errors › STORAGE_FULL"));
    browser.wait_for_path("/docs/errors");
    browser.click(&Locator::link("REST reference"));
    browser.wait_for_path("/docs/rest");
}

#[tokio::test]
async fn the_documentation_is_in_the_navigation_and_leads_back() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let grace = create_member(&server, "Grace Hopper", &["acme"], Role::Viewer).await;
    let browser = Browser::on(&server);
    browser.sign_in(&grace);
    browser.open("/app/acme");
    browser.click(&Locator::link("Docs"));
    browser.wait_for_path("/docs");
    browser.click(&Locator::link("Web app"));
    browser.wait_for_path("/app/acme");
    for page in ["/docs/rest", "/graphql"] {
        browser.open(page);
        browser.click(&Locator::link("Web app"));
        browser.wait_for_path("/app/acme");
    }
}

#[tokio::test]
async fn the_graphql_explorer_begins_with_an_example_that_works() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.library("acme", "Photos").await;
    let key = server.key("acme", &[("photos", Access::Write)]).await;
    let picture = std::fs::read(format!("{}/tests/fixtures/wine.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
    server.upload(&key, "acme", "photos", "wine.jpg", &picture).await;
    let browser = Browser::on(&server);
    browser.open("/graphql");
    browser.fill("API key", &key.token);
    browser.press("Enter");
    browser.wait_until(
        "document.querySelector('.query-editor, .graphiql-query-editor').innerText.includes('assets')",
    );
    browser.click(&Locator::css(".graphiql-execute-button"));
    browser.wait_until("document.querySelector('.result-window').innerText.includes('\"wine\"')");
    browser.expect_no_console_errors("explorer");
}
