//! The settings without scripts.

use rasterd::core::model::Role;

use super::TestOrganization;
use crate::browser::Locator;
use crate::people::create_member;

#[tokio::test]
async fn keys_are_managed_without_scripts() {
    let acme = TestOrganization::new().await;
    let browser = &acme.browser;
    browser.without_scripts();
    browser.open("/app/acme/settings/keys/new");
    browser.fill("Name", "Website");
    browser.click(&Locator::button("Read for all libraries"));
    browser.wait_for(&Locator::css("[name='grant.drafts'][value=read]:checked"));
    assert_eq!(browser.value(&Locator::field("Name")), "Website");
    browser.click(&Locator::role("radio", "None for Drafts"));
    browser.click(&Locator::css(".panel-foot .button-primary"));
    browser.wait_for(&Locator::heading("Key generated"));
    let key = browser.value(&Locator::css("#key"));
    assert_eq!(acme.server.core().authenticate(&key).unwrap().grants().len(), 2);

    // Sending the form again, as reloading does, makes no second key.
    browser.reload();
    browser.wait_for(&Locator::text("This form was sent before"));
    browser.wait_for(&Locator::heading("Website"));
    browser.click(&Locator::button("Write for all libraries"));
    browser.wait_for(&Locator::css("[name='grant.drafts'][value=write]:checked"));
    assert_eq!(acme.server.core().authenticate(&key).unwrap().grants().len(), 2);
    browser.click(&Locator::button("Save access"));
    browser.wait_for(&Locator::text("Takes effect with the key’s next request"));
    assert_eq!(acme.server.core().authenticate(&key).unwrap().grants().len(), 3);

    browser.click(&Locator::button("Regenerate…"));
    browser.click(&Locator::css("#regenerate .button-danger"));
    browser.wait_for(&Locator::heading("Key regenerated"));
    let new = browser.value(&Locator::css("#key"));
    browser.reload();
    browser.wait_for(&Locator::text("The key has a newer value than the one that you saw"));
    acme.server.core().authenticate(&new).unwrap();
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    browser.click(&Locator::button("Delete…"));
    browser.click(&Locator::css("#delete .button-danger"));
    browser.wait_for(&Locator::heading("No keys yet"));
}

#[tokio::test]
async fn people_and_the_audit_log_work_without_scripts() {
    let acme = TestOrganization::new().await;
    create_member(&acme.server, "Grace Hopper", &["acme"], Role::Viewer).await;
    let browser = &acme.browser;
    browser.without_scripts();
    browser.open("/app/acme/settings/people");
    browser.choose("Role of Grace Hopper", "Editor");
    browser.click(&Locator::button("Save the role of Grace Hopper"));
    browser.wait_for(&Locator::text("grace@example.org is now editor"));
    browser.open("/app/acme/settings/overview");
    browser.fill("Search the audit log", "role changed");
    browser.press("Enter");
    browser.wait_for(&Locator::text("from viewer to editor"));
    browser.wait_until("document.querySelectorAll('.event').length === 1");
}
