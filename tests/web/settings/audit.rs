//! The audit log: every important event is in it, as a sentence and as a line of the export.

use rasterd::core::access::LibraryPath;
use rasterd::core::members::ClientInfo;
use rasterd::core::model::{Access, Role};
use reqwest::Method;
use serde_json::Value;

use super::TestOrganization;
use crate::browser::Locator;
use crate::http_client::{HttpClient, send, signed_in};
use crate::people::{PASSWORD, create_member};

/// The export, line by line, the oldest first.
async fn exported(acme: &TestOrganization, query: &str) -> Vec<Value> {
    let client = HttpClient::new(&acme.server);
    let (session, _) = signed_in(&client, "ada@example.org").await;
    let answer = client.get(&format!("/app/acme/settings/overview/audit.jsonl{query}"), &session).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/jsonl; charset=utf-8"));
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"acme-audit.jsonl\"");
    assert_eq!(answer.header("cache-control"), "private, no-store");
    answer.text.lines().rev().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn has(lines: &[Value], action: &str, by: &str, target: &str, detail: &str) {
    let found = lines.iter().any(|line| {
        line["action"] == action
            && line["actor"]["name"] == by
            && line["target"].as_str().unwrap().contains(target)
            && line["detail"].as_str().unwrap().contains(detail)
    });
    assert!(found, "{action} by {by}: {target} {detail} is not in {lines:#?}");
}

/// Makes changes that belong in the log, on the pages and with a key.
async fn make_changes(acme: &TestOrganization) {
    let (server, client) = (&acme.server, HttpClient::new(&acme.server));
    let (session, token) = signed_in(&client, "ada@example.org").await;
    let change = async |path: &str, fields: &str| {
        let body = format!("csrf={token}&{fields}");
        let answer = send(client.form(&format!("/app/acme/settings{path}"), &session, &body)).await;
        assert!([200, 303].contains(&answer.status), "{path}: {}", answer.text);
    };
    let key = acme.key("Website", &[("drafts", Some(Access::Write))], None).await;
    let id = &key.id;
    let regenerated = server.core().get_key(&server.administrator(), id).unwrap().key.regenerated;
    change("/keys", "name=Import&grant.drafts=read").await;
    change(&format!("/keys/{id}/name"), "name=Shop").await;
    change(&format!("/keys/{id}/grants"), "grant.photographs=read").await;
    let fixture = std::fs::read(format!("{}/tests/fixtures/sunset.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let asset = server.upload(&key, "acme", "drafts", "sunset.jpg", &fixture).await;
    let caller = server.core().authenticate(&key.token).unwrap();
    let drafts = LibraryPath { organization: "acme", library: "drafts" };
    server.core().delete_assets(&caller, &drafts, &[asset.to_string()]).await.unwrap();
    drop(caller);
    change(&format!("/keys/{id}/regenerate"), &format!("value_of={regenerated}")).await;
    change(&format!("/keys/{id}/delete"), "").await;
    change("/libraries", "library=New").await;
    change("/libraries/new/name", "name=Newer").await;
    change("/libraries/new/delete", "").await;
    change("/people/invite", "role=viewer&email=mary@example.org").await;
    change("/people/role", "email=grace@example.org&role=viewer").await;
    change("/people/reset-password", "email=grace@example.org").await;
    change("/people/remove", "email=grace@example.org").await;
    change("/name", "name=Acme+Inc").await;
    let request = client.request(Method::GET, "/me").bearer_auth(&key.token);
    assert_eq!(send(request.header("Api-Version", "2026-07-08")).await.status, 401);
    assert!(server.core().sign_in("ada@example.org", "wrong", &ClientInfo::default()).await.is_err());
    server.core().maintenance_pass().await;
}

#[tokio::test]
async fn every_important_event_is_in_the_log_and_its_export() {
    let acme = TestOrganization::new().await;
    create_member(&acme.server, "Grace Hopper", &["acme"], Role::Editor).await;
    make_changes(&acme).await;
    acme.server.clock().advance(acme.server.core().settings().trash_keep);
    acme.server.core().maintenance_pass().await;
    let lines = exported(&acme, "").await;
    let (ada, admin, nobody) = ("Ada Lovelace", "rasterd on this machine", "somebody");
    has(&lines, "member.signed_in", ada, "ada@example.org", "");
    has(&lines, "member.sign_in_refused", nobody, "ada@example.org", "");
    has(&lines, "key.created", admin, "Website", "drafts=write");
    has(&lines, "key.created", ada, "Import", "drafts=read");
    has(&lines, "key.renamed", ada, "Shop", "Website");
    has(&lines, "key.granted", ada, "Shop", "drafts=write photographs=read");
    has(&lines, "key.regenerated", ada, "Shop", "");
    has(&lines, "key.deleted", ada, "Shop", "");
    has(&lines, "key.refused", nobody, "", "1 request with a key that is not valid");
    has(&lines, "library.created", ada, "new", "");
    has(&lines, "library.renamed", ada, "new", "Newer");
    has(&lines, "library.deleted", ada, "new", "");
    has(&lines, "assets.trashed", "Shop", "drafts", "sunset");
    has(&lines, "assets.purged", admin, "drafts", "sunset");
    has(&lines, "member.invited", ada, "mary@example.org", "as viewer");
    has(&lines, "member.joined", "Grace Hopper", "grace@example.org", "as editor");
    has(&lines, "member.role_changed", ada, "grace@example.org", "from editor to viewer");
    has(&lines, "member.reset_requested", ada, "grace@example.org", "");
    has(&lines, "member.removed", ada, "grace@example.org", "");
    has(&lines, "organization.changed", ada, "Acme Inc", "renamed from \"Acme\"");
    let by_ada = lines.iter().find(|line| line["action"] == "key.deleted").unwrap();
    assert_eq!(by_ada["actor"]["address"], "127.0.0.1");
    assert_eq!(by_ada["actor"]["kind"], "member");
    let text = format!("{lines:?}");
    assert!(!text.contains(PASSWORD) && !text.contains("pk_") && !text.contains("welcome"), "{text}");

    let found = exported(&acme, "?q=ada+key").await;
    assert!(
        found.len() >= 4 && found.iter().all(|line| line["action"].as_str().unwrap().starts_with("key."))
    );
}

#[tokio::test]
async fn the_log_is_searched_while_typing_and_paged() {
    let acme = TestOrganization::new().await;
    for number in 0..60 {
        acme.server
            .core()
            .rename_organization(acme.server.administrator(), "acme", &format!("Acme {number}"))
            .await
            .unwrap();
    }
    let browser = &acme.browser;
    browser.open("/app/acme/settings/overview");
    browser.wait_for(&Locator::text("renamed from \"Acme 58\""));
    browser.click(&Locator::link("Older"));
    browser.wait_for(&Locator::text("renamed from \"Acme 3\""));
    browser.wait_for(&Locator::text("created the library"));
    browser.click(&Locator::link("Newest"));
    browser.wait_for_path("/app/acme/settings/overview");
    browser.fill("Search the audit log", "signed in");
    browser.wait_until("document.querySelectorAll('.event').length === 1");
    browser.wait_until("new URLSearchParams(location.search).get('q') === 'signed in'");
    // The e-mail is there to read, because anybody may call themselves anything.
    assert!(browser.text(&Locator::css(".event")).contains("Ada Lovelace ada@example.org signed in"));
    browser.fill("Search the audit log", "no such thing");
    browser.wait_for(&Locator::heading("Nothing found"));
    browser.check("settings-audit-nothing");
}

#[tokio::test]
async fn the_export_has_every_event() {
    let acme = TestOrganization::new().await;
    for number in 0..510 {
        acme.server
            .core()
            .rename_organization(acme.server.administrator(), "acme", &format!("Acme {number}"))
            .await
            .unwrap();
    }
    let lines = exported(&acme, "?q=organization.changed").await;
    assert_eq!(lines.len(), 511);
    let numbers: Vec<u64> = lines.iter().map(|line| line["number"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|one, other| one < other));
}

#[tokio::test]
async fn the_log_says_the_names_of_libraries() {
    let acme = TestOrganization::new().await.with_sample_data().await;
    let press = LibraryPath { organization: "acme", library: "press-kit" };
    let by = acme.server.administrator();
    acme.server.core().rename_library_as_admin(by, &press, "Media").await.unwrap();
    acme.browser.open("/app/acme/settings/overview");
    let texts = acme.browser.evaluate(
        "[...document.querySelectorAll('.event-text')].map((event) => event.innerText.replaceAll(/\\s+/g, ' '))",
    );
    let texts: Vec<String> = serde_json::from_value(texts).unwrap();
    for sentence in [
        "created the library Media",
        "with Photographs: read, Media: read",
        "renamed the library press-kit to Media",
        "uploaded to Photographs: sunset",
    ] {
        assert!(texts.iter().any(|text| text.contains(sentence)), "{sentence}: {texts:#?}");
    }
}
