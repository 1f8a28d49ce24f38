//! Passkeys in a real browser, with a device that agrees to everything.

use rasterd::core::members::{ClientInfo, KeyDecisions, SignedIn};
use rasterd::core::model::Role;
use rasterd::core::model::audit::{EventFilter, EventWords};
use rasterd::testing::TestServer;
use serde_json::{Value, json};

use crate::browser::{Browser, Locator};
use crate::people::{PASSWORD, create_member, create_owner};

/// Functions for forged requests: `send` returns the status and the JSON, `created` and `signed` a browser's answer.
const FORGING: &str = "(async () => {
    const token = JSON.parse(document.body.getAttribute('hx-headers'));
    const send = async (path, body) => {
        const headers = { ...token, 'HX-Request': 'true', 'Content-Type': 'application/json' };
        const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
        return { status: answer.status, json: answer.status === 200 ? await answer.json() : null };
    };
    const created = async (name) => {
        const { ceremony, publicKey } = (await send('/app/profile/passkeys/begin', { name })).json;
        const options = { publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) };
        return { ceremony, credential: (await navigator.credentials.create(options)).toJSON() };
    };
    const signed = async () => {
        const { ceremony, publicKey } = (await send('/app/sign-in/passkey/begin', {})).json;
        const options = { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) };
        return { ceremony, next: '', credential: (await navigator.credentials.get(options)).toJSON() };
    };
";

fn forge(browser: &Browser, script: &str) -> Value {
    browser.evaluate(&format!("{FORGING}{script}}})()"))
}

async fn signed_in(server: &TestServer, email: &str) -> SignedIn {
    server.core().sign_in(email, PASSWORD, &ClientInfo::default()).await.unwrap().1
}

fn add_passkey(browser: &Browser, name: &str) {
    browser.open("/app/profile");
    browser.fill("Name for the new passkey", name);
    browser.click(&Locator::button("Add a passkey"));
    browser.wait_for(&Locator::text(&format!("The passkey {name} is added.")));
}

/// What the audit log of Acme says about passkeys: the action, and the detail.
async fn passkey_events(server: &TestServer) -> Vec<(&'static str, String)> {
    let filter = EventFilter { words: EventWords::parse("passkey"), most: 100, ..EventFilter::default() };
    let part = server.core().list_events(server.administrator(), "acme", filter).await.unwrap();
    part.events.into_iter().rev().map(|(_, event)| (event.action.name(), event.detail)).collect()
}

#[tokio::test]
async fn a_member_signs_in_with_a_passkey_until_it_is_removed() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.with_passkeys();
    browser.sign_in(&ada);
    add_passkey(&browser, "Ada’s laptop");
    browser.check("profile-passkeys");
    browser.fill("Name for the new passkey", "Once more");
    browser.click(&Locator::button("Add a passkey"));
    browser.wait_for(&Locator::text("This device has a passkey of yours"));
    browser.click(&Locator::button("AL Ada Lovelace, your menu"));
    browser.click(&Locator::button("Sign out"));
    browser.wait_for_path("/app/sign-in");
    browser.open("/app/profile");
    browser.click(&Locator::button("Sign in with a passkey"));
    browser.wait_for_path("/app/profile");
    browser.wait_for(&Locator::text(&format!("You sign in as {ada}.")));

    browser.click(&Locator::button("Remove Ada’s laptop"));
    browser.wait_for(&Locator::heading("Remove Ada’s laptop?"));
    browser.check("profile-passkey-remove");
    browser.click(&Locator::button("Remove"));
    browser.wait_for(&Locator::text("The passkey is removed."));
    browser.expect_no_console_errors("passkeys");
    browser.clear_cookies();
    browser.open("/app/sign-in");
    browser.click(&Locator::button("Sign in with a passkey"));
    browser.wait_for(&Locator::text("This passkey does not work here"));
    assert_eq!(browser.path(), "/app/sign-in");
    server.core().maintenance_pass().await;
    let laptop = "Ada’s laptop".to_owned();
    assert_eq!(
        passkey_events(&server).await,
        [
            ("member.passkey_added", laptop.clone()),
            ("member.signed_in", "with a passkey".to_owned()),
            ("member.passkey_removed", laptop),
            ("member.sign_in_refused", "1 attempt with an unknown e-mail or passkey".to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_challenge_is_answered_once_and_by_the_browser_it_was_for() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.with_passkeys();
    browser.sign_in(&ada);
    browser.open("/app/profile");
    let script = "const answer = await created('Laptop');
        const add = () => send('/app/profile/passkeys', answer);
        return [(await add()).status, (await add()).status];";
    assert_eq!(forge(&browser, script), json!([204, 409]));
    assert_eq!(server.core().list_passkeys(&signed_in(&server, &ada).await).unwrap().len(), 1);

    browser.clear_cookies();
    browser.open("/app/sign-in");
    let script = "const answer = await signed();
        const forged = structuredClone(answer);
        forged.credential.response.signature = answer.credential.response.signature.replace(/.{8}$/, 'AAAAAAAA');
        const sign = (answer) => send('/app/sign-in/passkey', answer);
        return [(await sign(forged)).status, (await sign(answer)).status];";
    assert_eq!(forge(&browser, script), json!([403, 409]));

    let proof = forge(&browser, "return signed();");
    let sign = format!("return send('/app/sign-in/passkey', {proof});");
    let other = Browser::on(&server);
    other.open("/app/sign-in");
    assert_eq!(forge(&other, &sign)["status"], 409);
    assert_eq!(forge(&browser, &sign)["status"], 204);
    browser.open("/app/profile");
    browser.wait_for(&Locator::heading("Profile"));
}

#[tokio::test]
async fn a_copied_passkey_with_an_old_counter_is_refused() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    let device = browser.with_passkeys();
    browser.sign_in(&ada);
    add_passkey(&browser, "Laptop");
    let sign_in = "return (await send('/app/sign-in/passkey', await signed())).status;";
    for status in [204, 204] {
        browser.clear_cookies();
        browser.open("/app/sign-in");
        assert_eq!(forge(&browser, sign_in), status);
    }
    browser.copy_passkeys(&device);
    browser.clear_cookies();
    browser.open("/app/sign-in");
    browser.click(&Locator::button("Sign in with a passkey"));
    browser.wait_for(&Locator::text("This passkey seems to have been copied"));
    let (action, detail) = passkey_events(&server).await.pop().unwrap();
    assert_eq!(action, "member.sign_in_refused");
    assert!(detail.starts_with("the passkey Laptop was not accepted: "), "{detail}");
}

#[tokio::test]
async fn a_passkey_belongs_to_its_owner_alone() {
    let server = TestServer::start();
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let grace = create_member(&server, "Grace Hopper", &["acme"], Role::Owner).await;
    let browser = Browser::on(&server);
    browser.with_passkeys();
    browser.sign_in(&ada);
    add_passkey(&browser, "Laptop");
    let mine = signed_in(&server, &ada).await;
    let passkey = server.core().list_passkeys(&mine).unwrap().remove(0);
    browser.clear_cookies();
    browser.sign_in(&grace);
    browser.open("/app/profile");
    let script = format!(
        "return (await fetch('/app/profile/passkeys/{}/remove', {{ method: 'POST', headers: token,
            body: new URLSearchParams() }})).status;",
        passkey.id
    );
    assert_eq!(forge(&browser, &script), 404);
    assert_eq!(server.core().list_passkeys(&mine).unwrap(), std::slice::from_ref(&passkey));

    let (link, _) = server.core().request_password_reset(server.administrator(), &ada).await.unwrap();
    browser.open(&format!("/app/welcome/{}", link.reveal()));
    browser.wait_for(&Locator::text("Your passkeys stay"));
    browser.wait_for(&Locator::text("Laptop"));
    server.core().remove_member(server.administrator(), "acme", &ada, KeyDecisions::Missing).await.unwrap();
    browser.clear_cookies();
    browser.open("/app/sign-in");
    assert_eq!(forge(&browser, "return (await send('/app/sign-in/passkey', await signed())).status;"), 403);
}

#[tokio::test]
async fn pages_say_where_passkeys_can_not_work() {
    let server = TestServer::start_with(|settings, _| {
        settings.public_url = settings.public_url.replace("localhost", "127.0.0.1");
    });
    server.organization("Acme").await;
    let ada = create_owner(&server, &["acme"]).await;
    let browser = Browser::on(&server);
    browser.sign_in(&ada);
    browser.open("/app/profile");
    browser.wait_for(&Locator::text("Passkeys need a host name"));
    assert!(!browser.has(&Locator::button("Add a passkey")));
    browser.check("profile-without-passkeys");
    browser.clear_cookies();
    browser.open("/app/sign-in");
    browser.wait_for(&Locator::heading("Sign in"));
    assert!(!browser.has(&Locator::css("#passkey-sign-in")));
}
