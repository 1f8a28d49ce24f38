//! One-time links: joining an organization, and a new password.

use rasterd::core::members::ClientInfo;
use rasterd::core::model::Role;
use rasterd::testing::TestServer;

use crate::browser::{Browser, Locator};
use crate::people::{PASSWORD, create_owner};

async fn invitation(server: &TestServer, organization: &str, role: Role) -> String {
    let invited = server.core().invite_member(server.administrator(), organization, role, "").await;
    format!("/app/welcome/{}", invited.unwrap().0.reveal())
}

#[tokio::test]
async fn a_new_member_joins_with_a_link_that_works_once() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let link = invitation(&server, "acme", Role::Owner).await;
    let browser = Browser::on(&server);
    browser.open(&link);
    browser.wait_for(&Locator::heading("Join Acme"));
    browser.check("join");
    browser.fill("Your name", "Grace Hopper");
    browser.fill("E-mail address", "grace@example.org");
    browser.fill("Password", "grace@example.org");
    browser.click(&Locator::button("Join"));
    browser.wait_for(&Locator::css(".notice-problem"));
    assert_eq!(browser.value(&Locator::field("Your name")), "Grace Hopper");
    browser.fill("Password", PASSWORD);
    browser.click(&Locator::button("Join"));
    browser.wait_for_path("/app/acme");

    browser.clear_cookies();
    browser.open(&link);
    browser.wait_for(&Locator::text("This link no longer works"));
    browser.check("link-used");
}

#[tokio::test]
async fn an_existing_member_joins_with_their_account() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.organization("Beta").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open(&invitation(&server, "beta", Role::Viewer).await);
    browser.wait_for(&Locator::button("Join as Ada Lovelace"));
    browser.check("join-as");
    browser.click(&Locator::button("Join as Ada Lovelace"));
    browser.wait_for_path("/app/beta");
}

#[tokio::test]
async fn a_lost_password_is_replaced_without_scripts() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let by = server.administrator();
    let (token, _) = server.core().request_password_reset(by, &ada).await.unwrap();
    let browser = Browser::on(&server);
    browser.without_scripts();
    browser.open(&format!("/app/welcome/{}", token.reveal()));
    browser.wait_for(&Locator::heading("Choose a new password"));
    browser.fill("New password", "a new horse battery");
    browser.click(&Locator::button("Save and sign in"));
    browser.wait_for_path("/app/acme");
    server.core().sign_in(&ada, "a new horse battery", &ClientInfo::default()).await.unwrap();
}
