//! A key from generating it to deleting it, and what its client sees of each change.

use rasterd::testing::TestServer;
use reqwest::Method;

use super::TestOrganization;
use crate::browser::{Browser, Locator};
use crate::http_client::{HttpClient, send};

/// The status that a client with this key gets from `/me`, and the libraries in the answer.
async fn me(server: &TestServer, key: &str) -> (u16, String) {
    let request = HttpClient::new(server).request(Method::GET, "/me").bearer_auth(key);
    let answer = send(request.header("Api-Version", "2026-07-08")).await;
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    (answer.status, json["data"]["libraries"].to_string())
}

/// Chooses what a key may do in a library.
fn choose(browser: &Browser, level: &str, library: &str) {
    browser.click(&Locator::role("radio", &format!("{level} for {library}")));
}

#[tokio::test]
async fn a_key_is_generated_shown_once_changed_and_deleted() {
    let acme = TestOrganization::new().await;
    let (browser, server) = (&acme.browser, &acme.server);
    browser.open("/app/acme/settings/keys");
    browser.click(&Locator::link("Generate key"));
    browser.fill("Name", "Website");
    browser.click(&Locator::css(".button-primary"));
    browser.wait_for(&Locator::text("Choose Read or Write for at least one library"));
    browser.check("settings-key-new-refused");
    choose(browser, "Read", "Photographs");
    choose(browser, "Write", "Drafts");
    browser.choose("Expires", "In 90 days");
    browser.click(&Locator::css(".button-primary"));
    browser.wait_for(&Locator::heading("Key generated"));
    let key = browser.value(&Locator::css("#key"));
    assert!(key.starts_with("pk_") && key.len() == 48, "{key}");
    assert!(browser.text(&Locator::css("#setup-claude-code-command")).contains(&key));
    browser.check("settings-key-once");
    let both = r#"[{"access":"write","library":"drafts"},{"access":"read","library":"photographs"}]"#;
    assert_eq!(me(server, &key).await, (200, both.to_owned()));

    // Reloading leads to the key's page, which shows only the start of the key.
    let page = browser.path();
    assert!(page.starts_with("/app/acme/settings/keys/key_"), "{page}");
    browser.open(&page);
    browser.wait_for(&Locator::heading("Website"));
    assert!(!browser.evaluate("document.documentElement.outerHTML").as_str().unwrap().contains(&key));
    browser.check("settings-key");

    choose(browser, "None", "Drafts");
    browser.click(&Locator::button("Save access"));
    browser.wait_for(&Locator::text("Takes effect with the key’s next request"));
    let one = r#"[{"access":"read","library":"photographs"}]"#;
    assert_eq!(me(server, &key).await, (200, one.to_owned()));

    browser.fill("Name", "Shop");
    browser.click(&Locator::button("Rename"));
    browser.wait_for(&Locator::heading("Shop"));

    browser.click(&Locator::button("Regenerate…"));
    browser.wait_for(&Locator::text("The old value stops working immediately"));
    browser.check("settings-key-regenerate");
    browser.click(&Locator::css("#regenerate .button-danger"));
    browser.wait_for(&Locator::heading("Key regenerated"));
    let new = browser.value(&Locator::css("#key"));
    assert_ne!(new, key);
    assert_eq!(me(server, &key).await.0, 401);
    assert_eq!(me(server, &new).await, (200, one.to_owned()));

    browser.open(&page);
    browser.click(&Locator::button("Delete…"));
    browser.click(&Locator::css("#delete .button-danger"));
    browser.wait_for(&Locator::text("The key “Shop” is deleted"));
    assert_eq!(me(server, &new).await.0, 401);
    browser.expect_no_console_errors("settings-keys");
}

#[tokio::test]
async fn going_back_does_not_show_a_key_again() {
    let acme = TestOrganization::new().await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/keys/new");
    browser.fill("Name", "Website");
    browser.click(&Locator::button("Read for all libraries"));
    browser.click(&Locator::css(".panel-foot .button-primary"));
    browser.wait_for(&Locator::heading("Key generated"));
    let key = browser.value(&Locator::css("#key"));
    browser.click(&Locator::link("I have copied the key"));
    browser.wait_for_path("/app/acme/settings/keys");
    browser.evaluate("history.back()");
    browser.wait_for(&Locator::heading("Website"));
    assert!(!browser.evaluate("document.documentElement.outerHTML").as_str().unwrap().contains(&key));
}
