//! The overview: how an organization grows, and how the server is.

use rasterd::core::model::{Access, Role};
use rasterd::testing::TestServer;

use super::TestOrganization;
use crate::browser::{Browser, Locator};
use crate::people::{create_member, create_owner};

#[tokio::test]
async fn the_overview_says_how_the_organization_grows_and_how_the_server_is() {
    let acme = TestOrganization::new().await.with_sample_data().await;
    acme.server.core().invite_member(acme.server.administrator(), "acme", Role::Viewer, "").await.unwrap();
    let browser = &acme.browser;
    browser.open("/app/acme/settings/overview");
    let main = browser.text(&Locator::css("main"));
    for expected in ["Added in the last 30 days", "3 assets", "1 open invitation", "Free disk", "Valid until"]
    {
        assert!(main.contains(expected), "{expected}: {main}");
    }
    // Libraries by their names, the largest first.
    let libraries = "[...document.querySelectorAll('.storage a')].map((link) => link.textContent)";
    assert_eq!(browser.evaluate(libraries), serde_json::json!(["Photographs", "Drafts", "Press kit"]));
    assert!(browser.text(&Locator::css(".latest")).contains("Photographs"));
    let heights = "[...document.querySelectorAll('.trend rect')].map((bar) => bar.height.baseVal.value)";
    let mut expected = vec![0; 30];
    expected[29] = 100;
    assert_eq!(browser.evaluate(heights), serde_json::json!(expected));
    // What was added two days ago moves to the left.
    acme.server.clock().advance(std::time::Duration::from_hours(49));
    browser.open("/app/acme/settings/overview");
    expected.swap(29, 27);
    assert_eq!(browser.evaluate(heights), serde_json::json!(expected));
    browser.check("settings-overview-growth");
}

#[tokio::test]
async fn only_those_who_run_the_server_see_how_it_is() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.organization("Guest").await;
    let grace = create_member(&server, "Grace Hopper", &["guest"], Role::Owner).await;
    let browser = Browser::on(&server);
    browser.sign_in(&grace);
    browser.open("/app/guest/settings/overview");
    browser.wait_for(&Locator::heading("Added in the last 30 days"));
    assert!(!browser.has(&Locator::heading("Server")));
}

#[tokio::test]
async fn a_new_owner_sees_first_steps_that_tick_themselves_and_can_be_dismissed() {
    let server = TestServer::start();
    server.organization("Default").await;
    server.library("default", "Library").await;
    let ada = create_owner(&server, &["default"]).await;
    let grace = create_member(&server, "Grace Hopper", &["default"], Role::Editor).await;
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open("/app/default");
    let done = "[...document.querySelectorAll('.step-done a')].map((step) => step.textContent)";
    let are_done = |expected: serde_json::Value| {
        browser.wait_until(&format!("JSON.stringify({done}) === JSON.stringify({expected})"));
    };
    // The browser of the tests trusts the certificate.
    are_done(serde_json::json!(["Trust the server’s certificate"]));
    browser.check("first-steps");
    let key = server.key("default", &[("library", Access::Write)]).await;
    let picture = std::fs::read(format!("{}/tests/fixtures/wine.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
    server.upload(&key, "default", "library", "wine.jpg", &picture).await;
    browser.click(&Locator::link("Name the organization"));
    browser.fill("Name", "Acme");
    browser.click(&Locator::button("Rename"));
    browser.wait_for(&Locator::text("Organization renamed."));
    browser.open("/app/default");
    are_done(serde_json::json!([
        "Name the organization",
        "Upload the first pictures",
        "Connect a program or an agent",
        "Trust the server’s certificate",
    ]));
    browser.click(&Locator::button("Dismiss"));
    browser.wait_until_gone(&Locator::heading("First steps"));
    browser.open("/app/default");
    assert!(!browser.has(&Locator::heading("First steps")));

    let browser = Browser::on(&server);
    browser.sign_in(&grace);
    browser.open("/app/default");
    assert!(!browser.has(&Locator::heading("First steps")));
}
