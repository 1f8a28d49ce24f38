//! A key from its making to its end, and what a client of it sees of each change.

use rasterd::testing::TestServer;
use reqwest::Method;

use super::Acme;
use crate::browser::{Browser, Find};
use crate::stranger::{Stranger, send};

/// The status that a client gets with a key when it asks what it reaches, and the libraries in the answer.
async fn reaches(server: &TestServer, key: &str) -> (u16, String) {
    let request = Stranger::of(server).request(Method::GET, "/me").bearer_auth(key);
    let answer = send(request.header("Api-Version", "2026-07-08")).await;
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    (answer.status, json["data"]["libraries"].to_string())
}

/// Chooses what a key may do in a library.
fn choose(browser: &Browser, level: &str, library: &str) {
    browser.click(&Find::role("radio", &format!("{level} for {library}")));
}

#[tokio::test]
async fn a_key_is_made_shown_once_changed_and_ended() {
    let acme = Acme::new().await;
    let (browser, server) = (&acme.browser, &acme.server);
    browser.open("/app/acme/settings/keys");
    browser.click(&Find::link("Generate key"));
    browser.fill("Name", "Website");
    browser.click(&Find::css(".button-primary"));
    browser.wait_for(&Find::text("Choose Read or Write for at least one library"));
    browser.check("settings-key-new-refused");
    choose(browser, "Read", "Photographs");
    choose(browser, "Write", "Drafts");
    browser.choose("Expires", "In 90 days");
    browser.click(&Find::css(".button-primary"));
    browser.wait_for(&Find::heading("Key generated"));
    let key = browser.value(&Find::css("#key"));
    assert!(key.starts_with("pk_") && key.len() == 48, "{key}");
    assert!(browser.text(&Find::css("#setup-1")).contains(&key));
    browser.check("settings-key-once");
    let both = r#"[{"access":"write","library":"drafts"},{"access":"read","library":"photographs"}]"#;
    assert_eq!(reaches(server, &key).await, (200, both.to_owned()));

    // Reloading leads to the key's page, which has the start of the key and no more of it.
    let page = browser.path();
    assert!(page.starts_with("/app/acme/settings/keys/key_"), "{page}");
    browser.open(&page);
    browser.wait_for(&Find::heading("Website"));
    assert!(!browser.evaluate("document.documentElement.outerHTML").as_str().unwrap().contains(&key));
    browser.check("settings-key");

    choose(browser, "None", "Drafts");
    browser.click(&Find::button("Save access"));
    browser.wait_for(&Find::text("Takes effect with the key’s next request"));
    let one = r#"[{"access":"read","library":"photographs"}]"#;
    assert_eq!(reaches(server, &key).await, (200, one.to_owned()));

    browser.fill("Name", "Shop");
    browser.click(&Find::button("Rename"));
    browser.wait_for(&Find::heading("Shop"));

    browser.click(&Find::button("Regenerate…"));
    browser.wait_for(&Find::text("The old value stops working immediately"));
    browser.check("settings-key-regenerate");
    browser.click(&Find::css("#regenerate .button-danger"));
    browser.wait_for(&Find::heading("Key regenerated"));
    let new = browser.value(&Find::css("#key"));
    assert_ne!(new, key);
    assert_eq!(reaches(server, &key).await.0, 401);
    assert_eq!(reaches(server, &new).await, (200, one.to_owned()));

    browser.open(&page);
    browser.click(&Find::button("Delete…"));
    browser.click(&Find::css("#delete .button-danger"));
    browser.wait_for(&Find::text("The key “Shop” is deleted"));
    assert_eq!(reaches(server, &new).await.0, 401);
    browser.expect_no_complaints("settings-keys");
}

#[tokio::test]
async fn a_key_that_was_shown_is_not_shown_by_going_back() {
    let acme = Acme::new().await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/keys/new");
    browser.fill("Name", "Website");
    browser.click(&Find::button("Read for all libraries"));
    browser.click(&Find::css(".panel-foot .button-primary"));
    browser.wait_for(&Find::heading("Key generated"));
    let key = browser.value(&Find::css("#key"));
    browser.click(&Find::link("I have copied the key"));
    browser.wait_for_path("/app/acme/settings/keys");
    browser.evaluate("history.back()");
    browser.wait_for(&Find::heading("Website"));
    assert!(!browser.evaluate("document.documentElement.outerHTML").as_str().unwrap().contains(&key));
}
