//! What an owner handed out ends with the role: links of every purpose, and keys, as it is decided.

use rasterd::core::members::ClientInfo;
use rasterd::core::model::Role;

use super::Acme;
use crate::browser::Find;
use crate::people::{PASSWORD, person};
use crate::stranger::{Answer, Stranger, cookie, send, signed_in, token};

/// The path of the link that a page shows.
fn link(page: &str) -> String {
    let rest = page.split_once("/app/welcome/").expect("a link").1;
    format!("/app/welcome/{}", rest.split('"').next().unwrap())
}

/// Opens a link as somebody who was never here, and sends the form that would let them in.
async fn use_link(stranger: &Stranger, path: &str) -> Answer {
    // Any page of ours has a token for forms.
    let page = stranger.get("/app/sign-in", "").await;
    let visitor = format!("__Host-visitor={}", cookie(&page.headers, "__Host-visitor").unwrap());
    let fields = "email=mallory%40example.net&name=Mallory&password=another+horse+battery";
    send(stranger.form(path, &visitor, &format!("csrf={}&{fields}", token(&page.text)))).await
}

#[tokio::test]
async fn no_link_of_a_former_owner_lets_anybody_in() {
    let acme = Acme::new().await;
    let stranger = Stranger::of(&acme.server);
    let (ada, ada_token) = signed_in(&stranger, "ada@example.org").await;
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
        let mallory = person(&acme.server, &format!("Mallory{number} M"), &["acme"], Role::Owner).await;
        let (cookies, form) = signed_in(&stranger, &mallory).await;
        let (path, fields) = make.split_once('?').unwrap();
        let path = format!("/app/acme/settings/people/{path}");
        let made = send(stranger.form(&path, &cookies, &format!("csrf={form}&{fields}"))).await;
        assert_eq!(made.status, 200, "{make}: {}", made.text);
        let link = link(&made.text);
        assert_eq!(stranger.get(&link, "").await.status, 200, "{make}");

        let (path, fields) = end.split_once('?').unwrap();
        let path = format!("/app/acme/settings/people/{path}");
        let body = format!("csrf={ada_token}&email={mallory}&{fields}");
        let ended = send(stranger.form(&path, &ada, &body)).await;
        assert_eq!(ended.status, 303, "{end}: {}", ended.text);
        assert_eq!(stranger.get(&link, "").await.status, 404, "{make} {end}");
        let used = use_link(&stranger, &link).await;
        assert_eq!(used.status, 404, "{make} {end}: {}", used.text);

        // Nor when they are an owner again.
        let by = acme.server.administrator();
        if end.starts_with("role") {
            let decisions = rasterd::core::members::KeyDecisions::Missing;
            let role = acme.server.core().set_member_role(by, "acme", &mallory, Role::Owner, decisions);
            role.await.unwrap();
            assert_eq!(stranger.get(&link, "").await.status, 404, "{make} {end}");
        }
    }
    // Ada's account is still hers.
    acme.server.core().sign_in("ada@example.org", PASSWORD, &ClientInfo::default()).await.unwrap();
}

#[tokio::test]
async fn a_link_for_a_new_password_is_listed_and_withdrawn() {
    let acme = Acme::new().await;
    let (core, by) = (acme.server.core(), acme.server.administrator());
    person(&acme.server, "Grace Hopper", &["acme"], Role::Editor).await;
    let (token, _) = core.request_password_reset(by, "grace@example.org").await.unwrap();
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.wait_for(&Find::heading("Open links 1"));
    browser.click(&Find::button("Withdraw the link for grace@example.org"));
    browser.wait_for(&Find::text("The link is withdrawn"));
    assert!(core.link(token.reveal()).is_err());
}

#[tokio::test]
async fn the_keys_of_an_owner_are_decided_about_before_they_are_removed() {
    let acme = Acme::new().await;
    let grace = person(&acme.server, "Grace Hopper", &["acme"], Role::Owner).await;
    let stranger = Stranger::of(&acme.server);
    let (cookies, form) = signed_in(&stranger, &grace).await;
    for name in ["Website", "Notebook"] {
        let fields = format!("csrf={form}&name={name}&grant.drafts=read&expiry=never&opened=0");
        let made = send(stranger.form("/app/acme/settings/keys", &cookies, &fields)).await;
        assert_eq!(made.status, 200, "{}", made.text);
    }
    let browser = &acme.browser;
    browser.open("/app/acme/settings/people");
    browser.click(&Find::button("More for Grace Hopper"));
    browser.click(&Find::button("Remove…"));
    browser.click(&Find::css("dialog[open] .button-danger"));
    browser.wait_for(&Find::heading("Keys that grace@example.org made"));
    browser.check("settings-people-keys");
    let names = || {
        let keys = acme.server.core().list_keys(&acme.server.administrator(), Some("acme")).unwrap();
        keys.into_iter().map(|info| info.key.name).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["Website", "Notebook"]);
    browser.click(&Find::css("fieldset:nth-of-type(1) input[value=keep]"));
    browser.click(&Find::css("fieldset:nth-of-type(2) input[value=delete]"));
    browser.click(&Find::button("Remove"));
    browser.wait_for(&Find::text("grace@example.org is not in the organization any more"));
    assert_eq!(names(), ["Website"]);
}
