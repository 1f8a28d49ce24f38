//! The history of an asset on its page.

use rasterd::core::model::{Access, Role};

use super::test_library::TestLibrary;
use crate::http_client::{HttpClient, send, signed_in};
use crate::people::create_member;

/// What the page of an asset says about its history, newest first.
fn history(page: &str) -> Vec<String> {
    let entries = page.split("asset-history").skip(1).flat_map(|list| list.split("<li><span>").skip(1));
    let texts = entries.map(|entry| entry.split("</span>").next().unwrap());
    texts.map(|text| text.replace("<bdi>", "").replace("</bdi>", "")).collect()
}

#[tokio::test]
async fn everything_that_was_done_to_an_asset_is_in_its_history() {
    let library = TestLibrary::empty().await;
    let server = &library.server;
    server.library("acme", "Press").await;
    let asset = library.upload("sunset.jpg").await;
    let other = library.upload("seeding.png").await;
    let variant = library.upload_variant("wine.jpg", &asset).await;
    library.tag(&[&asset, &other], &["sea", "dusk"]).await;
    library.tag(&[&asset], &["sea"]).await;
    let client = HttpClient::new(server);
    let editor = create_member(server, "Grace Hopper", &["acme"], Role::Editor).await;
    let (session, token) = signed_in(&client, &editor).await;
    let post = async |path: &str, fields: &str| {
        let answer =
            send(client.form(&format!("/app/acme{path}"), &session, &format!("csrf={token}&{fields}"))).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
    };
    let page = client.get(&format!("/app/acme/photos/{asset}"), &session).await.text;
    let seen = page
        .split("name=\"seen\" id=\"description-seen\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    post(&format!("/photos/{asset}/description"), &format!("seen={seen}&description=Dusk")).await;
    post(&format!("/photos/{asset}/tags"), "remove=dusk").await;
    post(&format!("/photos/{asset}/promote"), &format!("variant={variant}")).await;
    post(&format!("/photos/{asset}/approval"), "approval=in_review&note=soon").await;
    post("/photos/selected", &format!("do=transfer&target=press&id={asset}")).await;
    post("/press/selected", &format!("do=trash&id={asset}")).await;
    post("/press/trash/selected", &format!("do=restore&id={asset}")).await;

    let page = client.get(&format!("/app/acme/press/{asset}"), &session).await.text;
    let uploader = format!(
        "The key {}",
        server.core().get_key(&server.administrator(), &library.key.id).unwrap().key.name
    );
    assert_eq!(
        history(&page),
        [
            "Grace Hopper restored it from the trash".to_owned(),
            "Grace Hopper moved it to the trash".to_owned(),
            "Grace Hopper transferred it to Press".to_owned(),
            "Grace Hopper decided: In review: soon".to_owned(),
            "Grace Hopper promoted the variant wine".to_owned(),
            "Grace Hopper removed the tags dusk".to_owned(),
            "Grace Hopper changed the description".to_owned(),
            format!("{uploader} added the tags sea, dusk"),
            format!("{uploader} uploaded the variant wine"),
            format!("{uploader} uploaded it"),
        ]
    );
    let page = client.get(&format!("/app/acme/photos/{other}"), &session).await.text;
    assert_eq!(
        history(&page),
        [format!("{uploader} added the tags sea, dusk"), format!("{uploader} uploaded it")]
    );
}

#[tokio::test]
async fn a_key_reads_no_history_and_old_events_leave_it() {
    let library = TestLibrary::empty().await;
    let server = &library.server;
    let asset = library.upload("sunset.jpg").await;
    library.tag(&[&asset], &["sea"]).await;
    let core = server.core();
    let key = server.key("acme", &[("photos", Access::Write)]).await;
    let caller = core.authenticate(&key.token).unwrap();
    let refused = core.asset_history(&caller, &super::test_library::PHOTOS, &asset, 9).unwrap_err();
    assert_eq!(refused.code(), rasterd::error::Code::Forbidden);
    drop(caller);
    let client = HttpClient::new(server);
    let viewer = create_member(server, "Viewer", &["acme"], Role::Viewer).await;
    let (session, _) = signed_in(&client, &viewer).await;
    let entries = async || history(&client.get(&format!("/app/acme/photos/{asset}"), &session).await.text);
    assert_eq!(entries().await.len(), 2);
}
