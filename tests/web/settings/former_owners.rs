//! What owners leave behind: their links stop working with their role, and their keys are kept or deleted as decided.

use rasterd::core::members::ClientInfo;
use rasterd::core::model::Role;

use super::TestOrganization;
use crate::browser::Locator;
use crate::http_client::{Answer, HttpClient, cookie, send, signed_in, token};
use crate::people::{PASSWORD, create_member};

/// The path of the link that a page shows.
fn link(page: &str) -> String {
    let rest = page.split_once("/app/welcome/").expect("a link").1;
    format!("/app/welcome/{}", rest.split('"').next().unwrap())
}

/// Opens a link as a new visitor, and sends the form that would let them in.
async fn use_link(client: &HttpClient, path: &str) -> Answer {
    // Any page of ours has a token for forms.
    let page = client.get("/app/sign-in", "").await;
    let visitor = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
    let fields = "email=mallory%40example.net&name=Mallory&password=another+horse+battery";
    send(client.form(path, &visitor, &format!("csrf={}&{fields}", token(&page.text)))).await
}

#[tokio::test]
async fn no_link_from_a_former_owner_lets_anybody_in() {
    let acme = TestOrganization::new().await;
    let client = HttpClient::new(&acme.server);
    let (ada, ada_token) = signed_in(&client, "ada@example.org").await;
    for (number, (make, end)) in [
        ("reset-password?email=ada@example.org", "role?role=editor"),
        ("reset-password?email=ada@example.org", "remove?"),
        ("invite?role=owner", "role?role=viewer"),
        ("invite?role=owner&email=mallory@example.net", "remove?"),
        ("invite?role=viewer", "role?role=viewer"),
    ]
    .into_iter()
    .enumerate()
    {
        let mallory =
            create_member(&acme.server, &format!("Mallory{number} M"), &["acme"], Role::Owner).await;
        let (cookies, form) = signed_in(&client, &mallory).await;
        let (path, fields) = make.split_once('?').unwrap();
        let path = format!("/app/acme/settings/people/{path}");
        let made = send(client.form(&path, &cookies, &format!("csrf={form}&{fields}"))).await;
        assert_eq!(made.status, 200, "{make}: {}", made.text);
        let link = link(&made.text);
        assert_eq!(client.get(&link, "").await.status, 200, "{make}");

        let (path, fields) = end.split_once('?').unwrap();
        let path = format!("/app/acme/settings/people/{path}");
        let body = format!("csrf={ada_token}&email={mallory}&{fields}");
        let ended = send(client.form(&path, &ada, &body)).await;
        assert_eq!(ended.status, 303, "{end}: {}", ended.text);
        assert_eq!(client.get(&link, "").await.status, 404, "{make} {end}");
        let used = use_link(&client, &link).await;
        assert_eq!(used.status, 404, "{make} {end}: {}", used.text);

        // Nor when they are an owner again.
        let by = acme.server.administrator();
        if end.starts_with("role") {
            let decisions = rasterd::core::members::KeyDecisions::Missing;
            let role = acme.server.core().set_member_role(by, "acme", &mallory, Role::Owner, decisions);
            role.await.unwrap();
            assert_eq!(client.get(&link, "").await.status, 404, "{make} {end}");
        }
    }
    // Ada's account is still hers.
    acme.server.core().sign_in("ada@example.org", PASSWORD, &ClientInfo::default()).await.unwrap();
}

#[tokio::test]
async fn a_link_for_a_new_password_is_listed_and_withdrawn() {
    let acme = TestOrganization::new().await;
    let (core, by) = (acme.server.core(), acme.server.administrator());
    create_member(&acme.server, "Grace Hopper", &["acme"], Role::Editor).await;
    let (token, _) = core.request_password_reset(by, "grace@example.org").await.unwrap();
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.wait_for(&Locator::heading("Open links 1"));
    browser.click(&Locator::button("Withdraw the link for grace@example.org"));
    browser.wait_for(&Locator::text("The link is withdrawn"));
    assert!(core.link(token.reveal()).is_err());
}

#[tokio::test]
async fn keys_are_kept_or_deleted_before_their_owner_is_removed() {
    let acme = TestOrganization::new().await;
    let grace = create_member(&acme.server, "Grace Hopper", &["acme"], Role::Owner).await;
    let client = HttpClient::new(&acme.server);
    let (cookies, form) = signed_in(&client, &grace).await;
    for name in ["Website", "Notebook"] {
        let fields = format!("csrf={form}&name={name}&grant.drafts=read&expiry=never&opened=0");
        let made = send(client.form("/app/acme/settings/keys", &cookies, &fields)).await;
        assert_eq!(made.status, 200, "{}", made.text);
    }
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.click(&Locator::button("More for Grace Hopper"));
    browser.click(&Locator::button("Remove…"));
    browser.click(&Locator::css("dialog[open] .button-danger"));
    browser.wait_for(&Locator::heading("Keys that grace@example.org made"));
    browser.check("settings-people-keys");
    let names = || {
        let keys = acme.server.core().list_keys(&acme.server.administrator(), Some("acme")).unwrap();
        keys.into_iter().map(|info| info.key.name).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["Website", "Notebook"]);
    browser.click(&Locator::css("fieldset:nth-of-type(1) input[value=keep]"));
    browser.click(&Locator::css("fieldset:nth-of-type(2) input[value=delete]"));
    browser.click(&Locator::button("Remove"));
    browser.wait_for(&Locator::text("grace@example.org is no longer in the organization"));
    assert_eq!(names(), ["Website"]);
}
