//! The page where one signs in, and out.

use rasterd::testing::TestServer;

use crate::browser::{Browser, Find};
use crate::people::{PASSWORD, ada};

#[tokio::test]
async fn a_member_signs_in_is_led_where_they_wanted_and_signs_out() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.organization("Beta").await;
    let ada = ada(&server, &["acme", "beta"]).await;
    let browser = Browser::on(&server);
    browser.open("/app/profile?x=1");
    browser.wait_for(&Find::heading("Sign in"));
    browser.fill("E-mail address", &ada);
    browser.fill("Password", "not the password");
    browser.press("Enter");
    browser.wait_for(&Find::text("don't belong together"));
    assert_eq!(browser.value(&Find::field("E-mail address")), ada);
    browser.check("sign-in-refused");
    browser.fill("Password", PASSWORD);
    browser.press("Enter");
    browser.wait_for_path("/app/profile?x=1");
    browser.open("/app");
    browser.wait_for(&Find::heading("Organizations"));
    browser.check("organizations");
    browser.click(&Find::button("AL Ada Lovelace, your menu"));
    browser.check("member-menu");
    browser.click(&Find::button("Sign out"));
    browser.wait_for_path("/app/sign-in");
    browser.open("/app");
    browser.wait_for_path("/app/sign-in?next=%2Fapp");
}

#[tokio::test]
async fn without_scripts_a_member_signs_in_chooses_the_dark_and_signs_out() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = ada(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.without_scripts();
    browser.open("/app/profile");
    browser.fill("E-mail address", &ada);
    browser.fill("Password", PASSWORD);
    browser.click(&Find::button("Sign in"));
    browser.wait_for(&Find::heading("Profile"));
    browser.click(&Find::button("Dark"));
    browser.wait_for(&Find::css("html[data-theme=dark]"));
    browser.click(&Find::button("AL Ada Lovelace, your menu"));
    browser.click(&Find::button("Sign out"));
    browser.wait_for_path("/app/sign-in");
}

#[tokio::test]
async fn the_cookie_of_a_session_is_for_this_server_and_no_script() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = ada(&server, &["acme"]).await;
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
fn the_sign_in_page_stands_every_look() {
    let server = TestServer::start();
    let browser = Browser::on(&server);
    browser.open("/app/sign-in");
    browser.wait_for(&Find::heading("Sign in"));
    browser.check("sign-in");
}
