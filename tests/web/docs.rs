//! The documentation, as a person reads it.

use rasterd::testing::TestServer;

use crate::browser::{Browser, Locator};

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
