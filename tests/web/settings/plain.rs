//! The same without scripts.

use rasterd::core::model::Role;

use super::Acme;
use crate::browser::Find;
use crate::people::person;

#[tokio::test]
async fn keys_are_managed_without_scripts() {
    let acme = Acme::new().await;
    let browser = &acme.browser;
    browser.without_scripts();
    browser.open("/app/acme/settings/keys/new");
    browser.fill("Name", "Website");
    browser.click(&Find::button("Read for all libraries"));
    browser.wait_for(&Find::css("[name='grant.drafts'][value=read]:checked"));
    assert_eq!(browser.value(&Find::field("Name")), "Website");
    browser.click(&Find::role("radio", "None for Drafts"));
    browser.click(&Find::css(".panel-foot .button-primary"));
    browser.wait_for(&Find::heading("Key generated"));
    let key = browser.value(&Find::css("#key"));
    assert_eq!(acme.server.core().authenticate(&key).unwrap().grants().len(), 2);

    // Sending the form again, as reloading does, makes no second key.
    browser.reload();
    browser.wait_for(&Find::text("This form was sent before"));
    browser.wait_for(&Find::heading("Website"));
    browser.click(&Find::button("Write for all libraries"));
    browser.wait_for(&Find::css("[name='grant.drafts'][value=write]:checked"));
    assert_eq!(acme.server.core().authenticate(&key).unwrap().grants().len(), 2);
    browser.click(&Find::button("Save access"));
    browser.wait_for(&Find::text("Takes effect with the key’s next request"));
    assert_eq!(acme.server.core().authenticate(&key).unwrap().grants().len(), 3);

    browser.click(&Find::button("Regenerate…"));
    browser.click(&Find::css("#regenerate .button-danger"));
    browser.wait_for(&Find::heading("Key regenerated"));
    let new = browser.value(&Find::css("#key"));
    browser.reload();
    browser.wait_for(&Find::text("The key has a newer value than the one you saw"));
    acme.server.core().authenticate(&new).unwrap();
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    browser.click(&Find::button("Delete…"));
    browser.click(&Find::css("#delete .button-danger"));
    browser.wait_for(&Find::heading("No keys yet"));
}

#[tokio::test]
async fn people_and_the_log_are_there_without_scripts() {
    let acme = Acme::new().await;
    person(&acme.server, "Grace Hopper", &["acme"], Role::Viewer).await;
    let browser = &acme.browser;
    browser.without_scripts();
    browser.open("/app/acme/settings/people");
    browser.choose("Role of Grace Hopper", "Editor");
    browser.click(&Find::button("Save the role of Grace Hopper"));
    browser.wait_for(&Find::text("grace@example.org is now editor"));
    browser.open("/app/acme/settings/overview");
    browser.fill("Search the audit log", "role changed");
    browser.press("Enter");
    browser.wait_for(&Find::text("from viewer to editor"));
    browser.wait_until("document.querySelectorAll('.event').length === 1");
}
