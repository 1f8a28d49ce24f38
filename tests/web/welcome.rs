//! One-time links: joining an organization, and a new password.

use rasterd::core::members::ClientInfo;
use rasterd::core::model::Role;
use rasterd::testing::TestServer;

use crate::browser::{Browser, Find};
use crate::people::{PASSWORD, ada};

async fn invitation(server: &TestServer, organization: &str, role: Role) -> String {
    let invited = server.core().invite_member(server.administrator(), organization, role, "").await;
    format!("/app/welcome/{}", invited.unwrap().0.reveal())
}

#[tokio::test]
async fn somebody_new_joins_by_a_link_that_works_once() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let link = invitation(&server, "acme", Role::Owner).await;
    let browser = Browser::on(&server);
    browser.open(&link);
    browser.wait_for(&Find::heading("Join Acme"));
    browser.check("join");
    browser.fill("Your name", "Grace Hopper");
    browser.fill("E-mail address", "grace@example.org");
    browser.fill("Password", "grace@example.org");
    browser.click(&Find::button("Join"));
    browser.wait_for(&Find::css(".notice-problem"));
    assert_eq!(browser.value(&Find::field("Your name")), "Grace Hopper");
    browser.fill("Password", PASSWORD);
    browser.click(&Find::button("Join"));
    browser.wait_for_path("/app/acme");

    browser.forget_cookies();
    browser.open(&link);
    browser.wait_for(&Find::text("This link is not good any more"));
    browser.check("link-used");
}

#[tokio::test]
async fn somebody_with_an_account_joins_with_it() {
    let server = TestServer::start();
    server.organization("Acme").await;
    server.organization("Beta").await;
    let ada = ada(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open(&invitation(&server, "beta", Role::Viewer).await);
    browser.wait_for(&Find::button("Join as Ada Lovelace"));
    browser.check("join-as");
    browser.click(&Find::button("Join as Ada Lovelace"));
    browser.wait_for_path("/app/beta");
}

#[tokio::test]
async fn a_lost_password_is_replaced_without_scripts() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = ada(&server, &["acme"]).await;
    let by = server.administrator();
    let (token, _) = server.core().request_password_reset(by, &ada).await.unwrap();
    let browser = Browser::on(&server);
    browser.without_scripts();
    browser.open(&format!("/app/welcome/{}", token.reveal()));
    browser.wait_for(&Find::heading("Choose a new password"));
    browser.fill("New password", "a new horse battery");
    browser.click(&Find::button("Save and sign in"));
    browser.wait_for_path("/app/acme");
    server.core().sign_in(&ada, "a new horse battery", &ClientInfo::default()).await.unwrap();
}
