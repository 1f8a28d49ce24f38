//! Approvals: people set them, on an asset's page and for a selection, and undo that; keys read them and filter by them on
//! every interface.

use rasterd::core::model::{Access, Role};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::test_library::{TestLibrary, fixture};
use crate::browser::Locator;
use crate::http_client::{Answer, HttpClient, send, signed_in};
use crate::people::create_member;

/// Sends a form as a script does.
async fn as_script(client: &HttpClient, path: &str, session: &str, body: &str) -> Answer {
    send(client.form(path, session, body).header("HX-Request", "true")).await
}

/// The answer of a REST request of the library's key.
async fn rest(library: &TestLibrary, path: &str) -> Value {
    let client = HttpClient::new(&library.server);
    let request = client
        .request(Method::GET, &format!("/organizations/acme{path}"))
        .header(AUTHORIZATION, format!("Bearer {}", library.key.token))
        .header("Api-Version", "2026-07-08");
    let answer = send(request).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    serde_json::from_str::<Value>(&answer.text).unwrap()["data"].take()
}

async fn post(library: &TestLibrary, path: &str, body: &Value) -> Value {
    let client = HttpClient::new(&library.server);
    let request = client
        .request(Method::POST, path)
        .header(AUTHORIZATION, format!("Bearer {}", library.key.token))
        .header(CONTENT_TYPE, "application/json")
        .header("Accept", "application/json, text/event-stream")
        .body(body.to_string());
    serde_json::from_str(&send(request).await.text).unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> =
        list.as_array().unwrap().iter().map(|asset| asset["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// The assets in a state, on every interface that can filter by it; all of them agree.
async fn in_state(library: &TestLibrary, state: &str) -> Vec<String> {
    let listed = rest(library, &format!("/libraries/photos/assets?approval={state}")).await;
    let found = rest(library, &format!("/search/assets?approval={state}")).await;
    assert_eq!(ids(&listed), ids(&found["hits"]), "{state}");
    assert_eq!(found["found"], ids(&listed).len(), "{state}");
    let query = format!(
        "{{ assets(organizationId: \"acme\", libraryId: \"photos\", approval: {state}) {{ id }}
            searchAssets(organizationId: \"acme\", approval: {state}) {{ found hits {{ id }} }} }}"
    );
    let graphql = post(library, "/graphql", &json!({ "query": query })).await;
    assert_eq!(ids(&graphql["data"]["assets"]), ids(&listed), "{graphql}");
    assert_eq!(ids(&graphql["data"]["searchAssets"]["hits"]), ids(&listed), "{graphql}");
    for (tool, name, more) in
        [("list_assets", "assets", json!({ "libraryId": "photos" })), ("search_assets", "hits", json!({}))]
    {
        let mut arguments = json!({ "organizationId": "acme", "approval": state });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let params = json!({ "name": tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let answer = post(library, "/mcp", &call).await;
        assert_eq!(ids(&answer["result"]["structuredContent"][name]), ids(&listed), "{answer}");
    }
    ids(&listed).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn keys_read_what_people_decide_and_filter_by_it() {
    let library = TestLibrary::with_fixtures().await;
    let listed = rest(&library, "/libraries/photos/assets").await;
    let all: Vec<String> = ids(&listed).into_iter().map(str::to_owned).collect();
    let client = HttpClient::new(&library.server);
    let editor = create_member(&library.server, "Grace Hopper", &["acme"], Role::Editor).await;
    let (session, token) = signed_in(&client, &editor).await;
    assert_eq!(in_state(&library, "none").await, all);

    let path = format!("/app/acme/photos/{}/approval", all[0]);
    let body = format!("csrf={token}&approval=approved&note=%20For+the+%3Ccover%3E%0D%0Aof+May%20");
    assert_eq!(send(client.form(&path, &session, &body)).await.status, 303);
    let asset = rest(&library, &format!("/libraries/photos/assets/{}", all[0])).await;
    let approval = &asset["approval"];
    assert_eq!((&approval["state"], &approval["by"]), (&"approved".into(), &"Grace Hopper".into()));
    assert_eq!(approval["note"], "For the <cover>\nof May");
    assert_eq!(approval["at"], asset["updated"]);
    assert_eq!(in_state(&library, "approved").await, all[..1]);
    assert_eq!(in_state(&library, "none").await, all[1..]);
    assert_eq!(in_state(&library, "in_review").await, [] as [&str; 0]);

    // A page shows it, as text.
    let page = client.get(&format!("/app/acme/photos/{}", all[0]), &session).await.text;
    assert!(page.contains("For the &#60;cover&#62;") && !page.contains("<cover>"), "{page}");
    let found = client.get("/app/acme/photos?approval=approved", &session).await.text;
    assert!(found.contains("1 asset found") && found.contains(&all[0]) && !found.contains(&all[1]));
    // The state stays when the asset is restored.
    library.trash(&[&all[0]]).await;
    assert_eq!(in_state(&library, "approved").await, [] as [&str; 0]);
    let body = format!("csrf={token}&do=restore&id={}", all[0]);
    send(client.form("/app/acme/photos/trash/selected", &session, &body)).await;
    assert_eq!(in_state(&library, "approved").await, all[..1]);
    let cleared = format!("csrf={token}&approval=none");
    assert!(as_script(&client, &path, &session, &cleared).await.text.contains("Nobody has decided"));
    assert_eq!(in_state(&library, "none").await, all);
}

#[tokio::test]
async fn a_list_by_approval_is_paged_like_any_other() {
    let library = TestLibrary::with_fixtures().await;
    let newest_first = rest(&library, "/libraries/photos/assets?approval=none").await;
    let order: Vec<&str> =
        newest_first.as_array().unwrap().iter().map(|asset| asset["id"].as_str().unwrap()).collect();
    let plain = rest(&library, "/libraries/photos/assets").await;
    assert_eq!(newest_first, plain);
    let mut paged = Vec::new();
    for page in 1..=3 {
        let list =
            rest(&library, &format!("/libraries/photos/assets?approval=none&pageSize=2&page={page}")).await;
        paged.extend(list.as_array().unwrap().iter().map(|asset| asset["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(paged, order);
    let client = HttpClient::new(&library.server);
    let mut path = "/organizations/acme/libraries/photos/assets?approval=none&pageSize=2".to_owned();
    let mut followed = Vec::new();
    loop {
        let request = client
            .request(Method::GET, &path)
            .header(AUTHORIZATION, format!("Bearer {}", library.key.token))
            .header("Api-Version", "2026-07-08");
        let answer = send(request).await;
        let list: Value = serde_json::from_str(&answer.text).unwrap();
        followed.extend(
            list["data"].as_array().unwrap().iter().map(|asset| asset["id"].as_str().unwrap().to_owned()),
        );
        let Some((_, rest)) = answer.header("link").split_once("/organizations") else { break };
        path = format!("/organizations{}", rest.split('>').next().unwrap());
        assert!(path.contains("approval=none"), "{path}");
    }
    assert_eq!(followed, order);
}

#[tokio::test]
async fn a_selection_is_decided_about_at_once_and_undone() {
    let library = TestLibrary::with_fixtures().await;
    let all = in_state(&library, "none").await;
    let client = HttpClient::new(&library.server);
    let editor = create_member(&library.server, "Grace Hopper", &["acme"], Role::Editor).await;
    let (session, token) = signed_in(&client, &editor).await;
    let decide = async |ids: &[String], what: &str| {
        let ids = ids.iter().map(|id| format!("&id={id}")).collect::<Vec<_>>().concat();
        let body = format!("csrf={token}&do=approve&{what}{ids}&next=/app/acme/photos");
        as_script(&client, "/app/acme/photos/selected", &session, &body).await
    };
    decide(&all[..1], "approval=in_review&note=look:+at+it").await;
    let done = decide(&all[..4], "approval=approved&note=fine").await;
    assert_eq!(done.status, 200, "{}", done.text);
    let done: Value = serde_json::from_str(&done.text).unwrap();
    assert_eq!(done["text"], "Marked 4 assets as “Approved”.");
    assert_eq!(in_state(&library, "approved").await, all[..4]);
    // Another person decided about two meanwhile, once the same with another note; that stays.
    let second = create_member(&library.server, "Ada Lovelace", &["acme"], Role::Editor).await;
    let (other_session, other_token) = signed_in(&client, &second).await;
    for (id, what) in [(&all[2], "approval=needs_changes"), (&all[3], "approval=approved&note=mine")] {
        let body = format!("csrf={other_token}&{what}");
        let path = format!("/app/acme/photos/{id}/approval");
        assert_eq!(send(client.form(&path, &other_session, &body)).await.status, 303);
    }

    let mut said = String::new();
    for step in done["undo"].as_array().unwrap() {
        let mut body = url::form_urlencoded::Serializer::new(format!("csrf={token}"));
        for field in step["fields"].as_array().unwrap() {
            body.append_pair(field[0].as_str().unwrap(), field[1].as_str().unwrap());
        }
        for id in step["ids"].as_array().unwrap() {
            body.append_pair("id", id.as_str().unwrap());
        }
        let undone = as_script(&client, step["action"].as_str().unwrap(), &session, &body.finish()).await;
        assert_eq!(undone.status, 200, "{}", undone.text);
        said.push_str(&undone.text);
    }
    assert!(said.contains("About 2 assets, something else was decided since."), "{said}");
    assert_eq!(in_state(&library, "in_review").await, all[..1]);
    assert_eq!(in_state(&library, "needs_changes").await, all[2..3]);
    assert_eq!(in_state(&library, "approved").await, all[3..4]);
    assert_eq!(in_state(&library, "none").await, [&all[1..2], &all[4..]].concat());
    for (id, note, by) in [(&all[0], "look: at it", "Grace Hopper"), (&all[3], "mine", "Ada Lovelace")] {
        let asset = rest(&library, &format!("/libraries/photos/assets/{id}")).await;
        assert_eq!((&asset["approval"]["note"], &asset["approval"]["by"]), (&note.into(), &by.into()));
    }

    // There is nothing to take back, and what is wrong changes nothing.
    let nothing = decide(&all[4..], "approval=none&note=why").await;
    assert!(nothing.text.contains("Nothing was changed"), "{}", nothing.text);
    for what in ["approval=great", "", &format!("approval=approved&note={}", "x".repeat(501))] {
        assert_eq!(decide(&all, what).await.status, 400, "{what}");
    }
    assert_eq!(in_state(&library, "approved").await, all[3..4]);
}

/// Neither what a key doesn't reach nor what it doesn't ask for is found, counted, or takes a place on a page.
#[tokio::test]
async fn a_filter_by_approval_finds_nothing_of_other_libraries() {
    let library = TestLibrary::empty().await;
    let server = &library.server;
    server.library("acme", "Vault").await;
    let both = server.key("acme", &[("photos", Access::Write), ("vault", Access::Write)]).await;
    let client = HttpClient::new(server);
    let editor = create_member(server, "Grace Hopper", &["acme"], Role::Editor).await;
    let (session, token) = signed_in(&client, &editor).await;
    let mut photos = Vec::new();
    // Those of the vault are newer, so that they would come first.
    for (slug, name) in [("photos", "wine.jpg"), ("photos", "sunset.jpg"), ("vault", "umang.webp")] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let id = server.upload(&both, "acme", slug, name, &bytes).await.to_string();
        let body = format!("csrf={token}&approval=approved");
        let path = format!("/app/acme/{slug}/{id}/approval");
        assert_eq!(send(client.form(&path, &session, &body)).await.status, 303);
        photos.extend((slug == "photos").then_some(id));
    }
    photos.reverse();
    for (key, scope) in
        [(&library.key, ""), (&library.key, "&libraries=photos"), (&both, "&libraries=photos")]
    {
        let read = async |path: String| {
            let request = client
                .request(Method::GET, &format!("/organizations/acme{path}"))
                .header(AUTHORIZATION, format!("Bearer {}", key.token))
                .header("Api-Version", "2026-07-08");
            serde_json::from_str::<Value>(&send(request).await.text).unwrap()["data"].take()
        };
        for (at, photo) in photos.iter().enumerate() {
            let page = format!("approval=approved&pageSize=1&page={}", at + 1);
            let listed = read(format!("/libraries/photos/assets?{page}")).await;
            assert_eq!(ids(&listed), [photo], "{page}");
            let found = read(format!("/search/assets?{page}{scope}")).await;
            assert_eq!((ids(&found["hits"]).as_slice(), &found["found"]), (&[photo.as_str()][..], &json!(2)));
        }
    }
}

#[tokio::test]
async fn a_decision_about_a_selection_has_a_note() {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    let select = |names: [&str; 2]| {
        for name in names {
            browser.click(&Locator::role("checkbox", &format!("Select {name}")));
        }
        browser.wait_for(&Locator::text("2 selected"));
    };
    let note = Locator::field("Note");
    select(["wine", "sunset"]);
    assert!(!browser.has(&note), "there is no note without a decision");
    browser.choose("Approval", "Not decided");
    assert!(!browser.has(&note), "nor where a decision is taken back");
    browser.choose("Approval", "Needs changes");
    browser.fill("Note", "Too dark: <b>lighten</b>");
    // A new line, and no change of the tags.
    browser.press("Enter");
    browser.evaluate("document.execCommand('insertText', false, 'by Friday')");
    browser.check("library-decides");
    browser.click(&Locator::button("Set approval"));
    browser.wait_for(&Locator::text("Marked 2 assets as “Needs changes”."));
    let noted = async |name: &str| {
        let all = rest(&library, "/libraries/photos/assets").await;
        let asset = all.as_array().unwrap().iter().find(|asset| asset["name"] == name).unwrap().clone();
        asset["approval"]["note"].clone()
    };
    for name in ["wine", "sunset"] {
        assert_eq!(noted(name).await, "Too dark: <b>lighten</b>\nby Friday");
    }

    // The next decision begins without it.
    browser.dismiss_messages();
    select(["wine", "sunset"]);
    browser.choose("Approval", "Approved");
    assert_eq!(browser.value(&note), "");
    browser.click(&Locator::button("Set approval"));
    browser.wait_for(&Locator::text("Marked 2 assets as “Approved”."));
    assert_eq!(noted("wine").await, Value::Null);
    browser.click(&Locator::button("Undo"));
    browser.wait_for(&Locator::text("Marked 2 assets as “Needs changes”."));
    for name in ["wine", "sunset"] {
        assert_eq!(noted(name).await, "Too dark: <b>lighten</b>\nby Friday");
    }
    browser.expect_no_console_errors("deciding with a note");
}

#[tokio::test]
async fn only_those_who_may_change_a_library_decide_and_it_is_audited() {
    let library = TestLibrary::empty().await;
    let asset = library.upload("sunset.jpg").await;
    let variant = library.upload_variant("wine.jpg", &asset).await;
    let client = HttpClient::new(&library.server);
    let viewer = create_member(&library.server, "Viewer", &["acme"], Role::Viewer).await;
    let owner = create_member(&library.server, "Owner", &["acme"], Role::Owner).await;
    let (session, token) = signed_in(&client, &viewer).await;
    let one = format!("/app/acme/photos/{asset}/approval");
    let forms = [
        (one.as_str(), "approval=approved".to_owned()),
        ("/app/acme/photos/selected", format!("do=approve&approval=approved&id={asset}")),
    ];
    for (path, fields) in &forms {
        let answer = send(client.form(path, &session, &format!("csrf={token}&{fields}"))).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(in_state(&library, "none").await, std::slice::from_ref(&asset));
    let (session, token) = signed_in(&client, &owner).await;
    let of_variant = format!("/app/acme/photos/{variant}/approval");
    let refused = as_script(&client, &of_variant, &session, &format!("csrf={token}&approval=approved")).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert_eq!(
        send(client.form(&one, &session, &format!("csrf={token}&approval=approved&note=fine"))).await.status,
        303
    );
    let log = client.get("/app/acme/settings/overview/audit.jsonl", &session).await.text;
    let decided: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["action"] == "assets.approval_changed")
        .collect();
    let [event] = decided.as_slice() else { panic!("{decided:#?}") };
    assert_eq!((&event["actor"]["name"], &event["target"]), (&"Owner".into(), &"photos".into()));
    assert_eq!(event["detail"], "sunset (Approved: fine)");
}
