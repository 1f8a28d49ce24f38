//! People: inviting them, changing their roles, removing them.

use rasterd::core::members::ClientInfo;
use rasterd::core::model::Role;

use super::TestOrganization;
use crate::browser::{Browser, Locator};
use crate::people::{PASSWORD, create_member};

/// The path of the link that is shown.
fn link(browser: &Browser) -> String {
    let url = browser.value(&Locator::css("#link"));
    url.split_once("/app/").map(|(_, path)| format!("/app/{path}")).unwrap()
}

#[tokio::test]
async fn an_invitation_link_is_shown_once() {
    let acme = TestOrganization::new().await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.fill("E-mail address", "grace@example.org");
    browser.click(&Locator::css("input[name=role][value=editor]"));
    browser.click(&Locator::button("Create link"));
    browser.wait_for(&Locator::text("Invitation for grace@example.org as editor"));
    browser.check("settings-people-invited");
    let first = link(browser);
    assert_eq!(browser.path(), "/app/acme/settings/people");
    browser.open("/app/acme/settings/people");
    assert!(!browser.has(&Locator::css("#link")));

    let grace = Browser::on(&acme.server);
    grace.open(&first);
    grace.fill("Your name", "Grace Hopper");
    grace.fill("Password", PASSWORD);
    grace.click(&Locator::button("Join"));
    grace.wait_for_path("/app/acme");
    browser.open("/app/acme/settings/people");
    browser.wait_for(&Locator::text("Grace Hopper"));
    assert!(!browser.has(&Locator::text("Open links")));

    browser.click(&Locator::button("Create link"));
    browser.wait_for(&Locator::text("Open links"));
    let second = link(browser);
    browser.click(&Locator::button("Withdraw the link for anyone who has the link"));
    browser.wait_for(&Locator::text("The link is withdrawn"));
    grace.clear_cookies();
    grace.open(&second);
    grace.wait_for(&Locator::text("This link no longer works"));
}

#[tokio::test]
async fn a_member_gets_another_role_a_new_password_and_is_removed() {
    let acme = TestOrganization::new().await;
    let grace = create_member(&acme.server, "Grace Hopper", &["acme"], Role::Owner).await;
    let (browser, hers) = (&acme.browser, Browser::on(&acme.server));
    hers.sign_in(&grace);
    hers.open("/app/acme/settings/keys");
    hers.wait_for(&Locator::heading("No keys yet"));
    browser.open("/app/acme/settings/people");
    browser.choose("Role of Grace Hopper", "Viewer");
    browser.wait_for(&Locator::text("grace@example.org is now viewer"));
    hers.open("/app/acme/settings/keys");
    hers.wait_for(&Locator::heading("That is not allowed"));

    browser.click(&Locator::button("More for Grace Hopper"));
    browser.click(&Locator::button("Link for a new password"));
    browser.wait_for(&Locator::text("Link for grace@example.org to choose a new password"));
    hers.open(&link(browser));
    hers.fill("New password", "another horse battery");
    hers.click(&Locator::button("Save and sign in"));
    hers.wait_for_path("/app/acme");
    let core = acme.server.core();
    core.sign_in(&grace, "another horse battery", &ClientInfo::default()).await.unwrap();

    browser.open("/app/acme/settings/people");
    browser.click(&Locator::button("More for Grace Hopper"));
    browser.click(&Locator::button("Remove…"));
    browser.wait_for(&Locator::heading("Remove Grace Hopper?"));
    browser.check("settings-people-remove");
    browser.click(&Locator::css("dialog[open] .button-danger"));
    browser.wait_for(&Locator::text("grace@example.org is no longer in the organization"));
    hers.open("/app/acme");
    hers.wait_for(&Locator::heading("Sign in"));
}

#[tokio::test]
async fn the_last_owner_stays_an_owner() {
    let acme = TestOrganization::new().await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.choose("Role of Ada Lovelace", "Viewer");
    browser.click(&Locator::button("Save the role of Ada Lovelace"));
    browser.wait_for(&Locator::text("This is the organization's last owner"));
    browser.open("/app/acme/settings/people");
    browser.click(&Locator::button("More for Ada Lovelace"));
    browser.click(&Locator::button("Leave…"));
    browser.click(&Locator::css("dialog[open] .button-danger"));
    browser.wait_for(&Locator::text("This is the organization's last owner"));
    browser.open("/app/acme/settings/people");
    assert_eq!(browser.value(&Locator::role("combobox", "Role of Ada Lovelace")), "owner");
}
