//! Quotas of organizations: the same answer on every transport, never exceeded, and silent about what a key can't see.

use futures_util::future::join_all;
use rasterd::core::members::{ClientInfo, NewMember};
use rasterd::core::model::{Access, Role};
use rasterd::core::quotas::QuotaChange;
use rasterd::error::Code;
use rasterd::testing::TestServer;
use serde_json::json;

use crate::authorization::ask::Ask;
use crate::authorization::operations::operation;
use crate::authorization::values::Values;
use crate::authorization::world::{CallerKind, World};
use crate::rest::{ASSETS, Form, NEW, Rest, Scene, picture};
use crate::support::send;

/// The limits of `acme`: what it has, and this much more.
async fn leave(server: &TestServer, bytes: Option<u64>, files: Option<u64>, libraries: Option<u64>) {
    let (core, by) = (server.core(), server.administrator());
    let used = core.get_quota(&by, "acme").unwrap().used;
    let change = QuotaChange {
        storage: Some(bytes.map(|bytes| used.storage + bytes)),
        assets: Some(files.map(|files| used.assets + files)),
        libraries: Some(libraries.map(|libraries| used.libraries + libraries)),
    };
    core.set_quota(by, "acme", change).await.unwrap();
}

fn used(server: &TestServer) -> (u64, u64, u64) {
    let used = server.core().get_quota(&server.administrator(), "acme").unwrap().used;
    (used.storage, used.assets, used.libraries)
}

/// Every way to upload, once.
fn uploads() -> impl Iterator<Item = &'static Ask> {
    operation("upload_assets").asks.iter().chain(&operation("upload_asset").asks)
}

#[tokio::test]
async fn an_upload_beyond_a_quota_is_refused_alike_on_every_transport() {
    let world = World::new().await;
    let size = picture("wave").len() as u64;
    for (bytes, files) in [(Some(size - 1), None), (None, Some(0)), (Some(0), Some(0))] {
        let parent = world.values().await.assets[0].clone();
        leave(&world.server, bytes, files, None).await;
        let before = used(&world.server);
        let mut messages = Vec::new();
        for parent in [None, Some(parent)] {
            let values = Values { parent, ..Values::default() };
            for ask in uploads() {
                let reply = world.send(ask, CallerKind::WriterOfBoth, &values).await;
                let failure = ask.result(&reply).expect_err("it exceeds the quota");
                let found = (failure.status, failure.code.as_str());
                assert_eq!(found, (403, "STORAGE_LIMIT_EXCEEDED"), "{ask:?}");
                messages.push(failure.message);
            }
        }
        messages.dedup();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(used(&world.server), before);
        leave(&world.server, bytes.map(|_| size), files.map(|_| 1), None).await;
        let ask = uploads().next().unwrap();
        let reply = world.send(ask, CallerKind::WriterOfBoth, &Values::default()).await;
        ask.result(&reply).unwrap();
        leave(&world.server, None, None, None).await;
    }
}

#[tokio::test]
async fn one_more_library_than_the_quota_is_refused_alike_on_every_transport() {
    let world = World::new().await;
    leave(&world.server, None, None, Some(0)).await;
    let before = used(&world.server);
    for ask in &operation("create_library").asks {
        let reply = world.send(ask, CallerKind::WriterOfBoth, &Values::default()).await;
        let failure = ask.result(&reply).expect_err("it exceeds the quota");
        assert_eq!((failure.status, failure.code.as_str()), (400, "LIBRARY_LIMIT_EXCEEDED"), "{ask:?}");
        let taken = Values { slug: Some("photos".into()), ..Values::default() };
        let reply = world.send(ask, CallerKind::WriterOfBoth, &taken).await;
        assert_eq!(ask.result(&reply).unwrap_err().code, "LIBRARY_URL_TAKEN", "quotas come last");
    }
    let by = world.server.administrator();
    let made = world.server.core().create_library_as_admin(by.clone(), "acme", "More", None).await;
    assert_eq!(made.unwrap_err().code(), Code::LibraryLimitExceeded);
    assert_eq!(used(&world.server), before);
    let path = rasterd::core::access::LibraryPath { organization: "acme", library: "vault" };
    world.server.core().delete_library(by.clone(), &path, false).await.unwrap();
    world.server.core().create_library_as_admin(by, "acme", "More", None).await.unwrap();
    assert_eq!(used(&world.server), before);
}

/// Whoever may not write there learns nothing of the quota, and what is wrong with a request comes before it.
#[tokio::test]
async fn every_other_check_comes_before_the_quota() {
    let world = World::new().await;
    leave(&world.server, Some(0), Some(0), Some(0)).await;
    for ask in uploads() {
        for kind in [CallerKind::Reader, CallerKind::NoGrant, CallerKind::UnknownLibrary] {
            let reply = world.send(ask, kind, &Values::default()).await;
            let code = ask.result(&reply).unwrap_err().code;
            assert_eq!(code, "API_KEY_NOT_AUTHORIZED_FOR_LIBRARY", "{kind:?} {ask:?}");
        }
    }
    for ask in &operation("upload_assets").asks {
        let text = Values { files: vec![("notes.txt".into(), b"no picture".to_vec())], ..Values::default() };
        let reply = world.send(ask, CallerKind::WriterOfBoth, &text).await;
        let code = ask.result(&reply).unwrap_err().code;
        assert!(["BAD_USER_INPUT", "STORAGE_LIMIT_EXCEEDED"].contains(&code.as_str()), "{ask:?}: {code}");
    }
    let scene = Rest::new(&world.client.with_key(&world.writer.token), NEW);
    let mut form = Form::default();
    form.text("parentId", "nothing");
    assert_eq!(scene.send_form(ASSETS, form).await.error_code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_message_tells_nothing_of_libraries_out_of_reach() {
    let world = World::new().await;
    let message = async |server: &TestServer| {
        let change = QuotaChange { storage: Some(Some(10)), ..QuotaChange::default() };
        server.core().set_quota(server.administrator(), "acme", change).await.unwrap();
        let ask = uploads().next().unwrap();
        let reply = world.send(ask, CallerKind::Writer, &Values::default()).await;
        ask.result(&reply).unwrap_err().message
    };
    let before = message(&world.server).await;
    leave(&world.server, None, None, None).await;
    let vault = world.server.key("acme", &[("vault", Access::Write)]).await;
    world.server.upload(&vault, "acme", "vault", "secret.png", &picture("secret")).await;
    assert_eq!(message(&world.server).await, before);
    assert!(before.contains("10 bytes"), "{before}");
}

#[tokio::test]
async fn uploads_at_the_same_time_do_not_exceed_a_quota_together() {
    let scene = Scene::new().await;
    let size = picture("0").len() as u64;
    leave(&scene.server, Some(3 * size), None, None).await;
    let names: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    let sent = names.iter().map(|name| {
        let (rest, bytes) = (scene.writer.clone(), picture(name));
        async move { rest.upload(&[(name.as_str(), &bytes)]).await.status }
    });
    let mut statuses = join_all(sent).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 403, 403, 403, 403, 403]);
    assert_eq!(used(&scene.server).0, 3 * size);
}

#[tokio::test]
async fn a_large_upload_is_refused_before_it_arrives() {
    let scene = Scene::new().await;
    leave(&scene.server, Some(1000), None, None).await;
    // Of the body, only the head of the first part is sent.
    let head = format!(
        "POST {ASSETS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nApi-Version: {NEW}\r\nContent-Type: {}\r\nContent-Length: 1000000\r\n\r\n------border\r\n",
        scene.writer_key.token,
        Form::CONTENT_TYPE
    );
    let mut connection =
        crate::support::raw::Raw::to(scene.server.port(), crate::support::tls_config(&scene.server)).unwrap();
    connection.send(head);
    let answer = connection.answer();
    assert!(answer.contains("403") && answer.contains("STORAGE_LIMIT_EXCEEDED"), "{answer}");
}

#[tokio::test]
async fn what_an_organization_has_is_counted_until_it_is_gone() {
    let scene = Scene::new().await;
    let start = used(&scene.server);
    let id = scene.writer.uploaded("beach").await;
    let mut form = Form::default();
    form.file("files", "dusk.png", &picture("dusk"));
    form.text("parentId", &id);
    assert_eq!(scene.writer.send_form(ASSETS, form).await.status, 200);
    let (bytes, files, libraries) = used(&scene.server);
    let size = (picture("beach").len() + picture("dusk").len()) as u64;
    assert_eq!((bytes - start.0, files - start.1, libraries), (size, 2, start.2));
    let body = json!({ "targetLibraryId": "archive", "assetIds": [id] });
    assert_eq!(scene.writer.post(&format!("{ASSETS}/transfer"), body).await.status, 200);
    assert_eq!(used(&scene.server), (bytes, files, libraries), "a transfer changes nothing");
    let archive = "/organizations/acme/libraries/archive/assets";
    let trashed = scene.writer.json(reqwest::Method::DELETE, archive, json!({ "ids": [id] })).await;
    assert_eq!(trashed.status, 200);
    assert_eq!(used(&scene.server), (bytes, files, libraries), "the trash counts");
    scene.server.clock().advance(std::time::Duration::from_hours(24 * 31));
    scene.server.core().maintenance_pass().await;
    assert_eq!(used(&scene.server), start);
}

#[tokio::test]
async fn the_overview_shows_the_limits_and_what_is_used() {
    let scene = Scene::new().await;
    let (core, by) = (scene.server.core(), scene.server.administrator());
    let (link, _) = core.invite_member(by.clone(), "acme", Role::Owner, "").await.unwrap();
    let ada = NewMember { email: "ada@example.org", name: "Ada", password: "correct horse battery" };
    let (session, _) = core.join(link.reveal(), ada, &ClientInfo::default()).await.unwrap();
    let overview = async || {
        let request = scene.anyone.request(reqwest::Method::GET, "/app/acme/settings/overview");
        let reply = send(request.header("Cookie", format!("__Host-session={}", session.reveal()))).await;
        assert_eq!(reply.status, 200);
        String::from_utf8(reply.body).unwrap()
    };
    assert!(overview().await.contains("Originals, variants and trash"));
    scene.writer.uploaded("beach").await;
    let change =
        QuotaChange { storage: Some(Some(5_000_000)), libraries: Some(Some(7)), assets: Some(Some(1_234)) };
    core.set_quota(by, "acme", change).await.unwrap();
    let page = overview().await;
    for expected in ["of 5 MB, with variants and trash", "of 7<", "0 in the trash; 1 of 1,234 files"] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}
