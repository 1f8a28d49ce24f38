//! The profile of the signed-in member.

use rasterd::core::members::ClientInfo;
use rasterd::testing::TestServer;

use crate::browser::{Browser, Locator};
use crate::people::{PASSWORD, create_owner};

#[tokio::test]
async fn a_member_changes_name_and_password_and_ends_other_sessions() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned();
    let elsewhere = ClientInfo { address: Some([192, 0, 2, 7].into()), agent: firefox };
    let (token, _) = server.core().sign_in(&ada, PASSWORD, &elsewhere).await.unwrap();
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open("/app/profile");
    browser.wait_for(&Locator::text("Firefox on Linux"));
    browser.check("profile");

    browser.fill("Your name", " ");
    browser.press("Enter");
    browser.wait_for(&Locator::css(".wrong"));
    browser.check("profile-refused");
    browser.fill("Your name", "Augusta Ada King");
    browser.press("Enter");
    browser.wait_for(&Locator::text("Your name is changed."));
    browser.wait_for(&Locator::button("AK Augusta Ada King, your menu"));
    browser.check("profile-saved");

    browser.click(&Locator::button("Sign out Firefox on Linux"));
    browser.wait_for(&Locator::text("Signed out of that session."));
    assert!(server.core().signed_in(token.reveal(), &elsewhere).is_err());
    assert!(!browser.has(&Locator::text("Firefox on Linux")));

    browser.fill("Current password", PASSWORD);
    browser.fill("New password", "another horse battery");
    browser.click(&Locator::button("Change password"));
    browser.wait_for(&Locator::text("Your password is changed"));
    server.core().sign_in(&ada, "another horse battery", &ClientInfo::default()).await.unwrap();
    assert!(server.core().sign_in(&ada, PASSWORD, &ClientInfo::default()).await.is_err());
    browser.expect_no_console_errors("profile");
}

#[tokio::test]
async fn a_chosen_theme_overrides_that_of_the_system() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open("/app/profile?here");
    let background = "getComputedStyle(document.body).backgroundColor";
    let light = browser.evaluate(background);
    browser.click(&Locator::button("Dark"));
    browser.wait_until("document.documentElement.dataset.theme === 'dark'");
    browser.wait_for_scripts();
    assert_ne!(browser.evaluate(background), light);
    assert_eq!(browser.path(), "/app/profile?here");
    browser.click(&Locator::button("System"));
    browser.wait_until("document.documentElement.dataset.theme === 'system'");
    browser.wait_for_scripts();
    assert_eq!(browser.evaluate(background), light);
}
