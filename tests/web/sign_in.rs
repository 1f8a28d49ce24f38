//! Signing in and out.

use rasterd::testing::TestServer;

use crate::browser::{Browser, Locator};
use crate::people::{PASSWORD, create_owner};

#[tokio::test]
async fn a_member_signs_in_gets_the_requested_page_and_signs_out() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.organization("Beta").await;
    let ada = create_owner(&server, &["acme", "beta"]).await;
    let browser = Browser::on(&server);
    browser.open("/app/profile?x=1");
    browser.wait_for(&Locator::heading("Sign in"));
    browser.fill("E-mail address", &ada);
    browser.fill("Password", "not the password");
    browser.press("Enter");
    browser.wait_for(&Locator::text("The e-mail or the password is wrong"));
    assert_eq!(browser.value(&Locator::field("E-mail address")), ada);
    browser.check("sign-in-refused");
    browser.fill("Password", PASSWORD);
    browser.press("Enter");
    browser.wait_for_path("/app/profile?x=1");
    browser.open("/app");
    browser.wait_for(&Locator::heading("Organizations"));
    browser.check("organizations");
    browser.click(&Locator::button("AL Ada Lovelace, your menu"));
    browser.check("member-menu");
    browser.click(&Locator::button("Sign out"));
    browser.wait_for_path("/app/sign-in");
    browser.open("/app");
    browser.wait_for_path("/app/sign-in?next=%2Fapp");
}

#[tokio::test]
async fn a_member_signs_in_chooses_dark_and_signs_out_without_scripts() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.without_scripts();
    browser.open("/app/profile");
    browser.fill("E-mail address", &ada);
    browser.fill("Password", PASSWORD);
    browser.click(&Locator::button("Sign in"));
    browser.wait_for(&Locator::heading("Profile"));
    browser.click(&Locator::button("Dark"));
    browser.wait_for(&Locator::css("html[data-theme=dark]"));
    browser.click(&Locator::button("AL Ada Lovelace, your menu"));
    browser.click(&Locator::button("Sign out"));
    browser.wait_for_path("/app/sign-in");
}

#[tokio::test]
async fn the_session_cookie_is_for_this_server_and_hidden_from_scripts() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.open("/app/sign-in");
    browser.sign_in(&ada);
    let cookies = browser.cookies();
    let [session] = &cookies[..] else { panic!("one cookie: {cookies:?}") };
    assert_eq!(session["name"], "__Host-session");
    for (what, is) in [("httpOnly", true), ("secure", true), ("session", false)] {
        assert_eq!(session[what], is, "{what}");
    }
    assert_eq!((&session["sameSite"], &session["path"]), (&"Lax".into(), &"/".into()));
    assert_eq!(browser.evaluate("document.cookie"), "");
}

#[test]
fn the_sign_in_page_passes_in_every_appearance() {
    let server = TestServer::start();
    let browser = Browser::on(&server);
    browser.open("/app/sign-in");
    browser.wait_for(&Locator::heading("Sign in"));
    browser.check("sign-in");
}
