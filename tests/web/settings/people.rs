//! People: invited, given roles, taken out.

use rasterd::core::members::ClientInfo;
use rasterd::core::model::Role;

use super::Acme;
use crate::browser::{Browser, Find};
use crate::people::{PASSWORD, person};

/// The path of the link that is shown.
fn link(browser: &Browser) -> String {
    let url = browser.value(&Find::css("#link"));
    url.split_once("/app/").map(|(_, path)| format!("/app/{path}")).unwrap()
}

#[tokio::test]
async fn somebody_is_invited_by_a_link_that_is_shown_once() {
    let acme = Acme::new().await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.fill("E-mail address", "grace@example.org");
    browser.click(&Find::css("input[name=role][value=editor]"));
    browser.click(&Find::button("Create link"));
    browser.wait_for(&Find::text("Invitation for grace@example.org as editor"));
    browser.check("settings-people-invited");
    let first = link(browser);
    assert_eq!(browser.path(), "/app/acme/settings/people");
    browser.open("/app/acme/settings/people");
    assert!(!browser.has(&Find::css("#link")));

    let grace = Browser::on(&acme.server);
    grace.open(&first);
    grace.fill("Your name", "Grace Hopper");
    grace.fill("Password", PASSWORD);
    grace.click(&Find::button("Join"));
    grace.wait_for_path("/app/acme");
    browser.open("/app/acme/settings/people");
    browser.wait_for(&Find::text("Grace Hopper"));
    assert!(!browser.has(&Find::text("Open links")));

    browser.click(&Find::button("Create link"));
    browser.wait_for(&Find::text("Open links"));
    let second = link(browser);
    browser.click(&Find::button("Withdraw the link for anyone who has the link"));
    browser.wait_for(&Find::text("The link is withdrawn"));
    grace.forget_cookies();
    grace.open(&second);
    grace.wait_for(&Find::text("This link is not good any more"));
}

#[tokio::test]
async fn a_member_gets_another_role_at_once_a_new_password_and_leaves() {
    let acme = Acme::new().await;
    let grace = person(&acme.server, "Grace Hopper", &["acme"], Role::Owner).await;
    let (browser, hers) = (&acme.browser, Browser::on(&acme.server));
    hers.sign_in(&grace);
    hers.open("/app/acme/settings/keys");
    hers.wait_for(&Find::heading("No keys yet"));
    browser.open("/app/acme/settings/people");
    browser.choose("Role of Grace Hopper", "Viewer");
    browser.wait_for(&Find::text("grace@example.org is now viewer"));
    hers.open("/app/acme/settings/keys");
    hers.wait_for(&Find::heading("That is not allowed"));

    browser.click(&Find::button("More for Grace Hopper"));
    browser.click(&Find::button("Link for a new password"));
    browser.wait_for(&Find::text("Link for grace@example.org to choose a new password"));
    hers.open(&link(browser));
    hers.fill("New password", "another horse battery");
    hers.click(&Find::button("Save and sign in"));
    hers.wait_for_path("/app/acme");
    let core = acme.server.core();
    core.sign_in(&grace, "another horse battery", &ClientInfo::default()).await.unwrap();

    browser.open("/app/acme/settings/people");
    browser.click(&Find::button("More for Grace Hopper"));
    browser.click(&Find::button("Remove…"));
    browser.wait_for(&Find::heading("Remove Grace Hopper?"));
    browser.check("settings-people-remove");
    browser.click(&Find::css("dialog[open] .button-danger"));
    browser.wait_for(&Find::text("grace@example.org is not in the organization any more"));
    hers.open("/app/acme");
    hers.wait_for(&Find::heading("Sign in"));
}

#[tokio::test]
async fn the_last_owner_stays_one() {
    let acme = Acme::new().await;
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.choose("Role of Ada Lovelace", "Viewer");
    browser.click(&Find::button("Save the role of Ada Lovelace"));
    browser.wait_for(&Find::text("This is the organization's last owner"));
    browser.open("/app/acme/settings/people");
    browser.click(&Find::button("More for Ada Lovelace"));
    browser.click(&Find::button("Leave…"));
    browser.click(&Find::css("dialog[open] .button-danger"));
    browser.wait_for(&Find::text("This is the organization's last owner"));
    browser.open("/app/acme/settings/people");
    assert_eq!(browser.value(&Find::role("combobox", "Role of Ada Lovelace")), "owner");
}
