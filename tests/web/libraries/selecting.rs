//! Several assets at once: tagged, transferred, trashed, restored, gone for good. By hand and by key.

use rasterd::core::access::LibraryPath;
use rasterd::core::model::Role;
use rasterd::core::model::page::PageRequest;
use rasterd::testing::TestServer;

use super::gallery::{Gallery, PHOTOS};
use crate::browser::{Browser, Find};
use crate::people::person;
use crate::stranger::{Stranger, send, signed_in};

const ALL: PageRequest = PageRequest { offset: 0, size: 100 };

fn select(browser: &Browser, names: &[&str]) {
    browser.wait_for_images();
    for name in names {
        browser.click(&Find::role("checkbox", &format!("Select {name}")));
    }
    browser.wait_for(&Find::text(&format!("{} selected", names.len())));
}

/// How many assets are selected.
fn selected(browser: &Browser) -> u64 {
    browser.evaluate("document.querySelectorAll('#grid :checked').length").as_u64().unwrap()
}

/// What has the focus.
fn focused(browser: &Browser) -> String {
    let name = browser.evaluate("document.activeElement.closest('.tile')?.querySelector('img').alt ?? document.activeElement.outerHTML.slice(0, 200)");
    name.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_selection_is_tagged_and_transferred() {
    let gallery = Gallery::full().await;
    gallery.server.library("acme", "Press kit").await;
    let browser = gallery.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset"]);
    browser.check("library-selected");
    browser.fill("Tags, with commas between", "evening, Warm light");
    browser.click(&Find::button("Tag"));
    browser.wait_for(&Find::text("Put “evening”, “Warm light” on 2 assets."));
    browser.wait_for(&Find::link("evening 2"));
    assert_eq!(selected(&browser), 0);
    select(&browser, &["wine"]);
    browser.fill("Tags, with commas between", "evening");
    browser.click(&Find::button("Untag"));
    browser.wait_for(&Find::link("evening 1"));
    select(&browser, &["wine", "umang", "seeding"]);
    browser.choose("Library to transfer to", "Press kit");
    browser.click(&Find::button("Transfer"));
    browser.wait_for(&Find::text("Moved 3 assets to “Press kit”."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 2");
    browser.expect_no_complaints("tag and transfer");

    let core = gallery.server.core();
    let caller = core.authenticate(&gallery.key.token).unwrap();
    let left = core.list_assets(&caller, &PHOTOS, &[], ALL).unwrap();
    let left: Vec<_> =
        left.iter().map(|detail| (detail.asset.name.as_str(), detail.asset.tags.clone())).collect();
    let tags = vec!["evening".to_owned(), "Warm light".to_owned()];
    assert_eq!(left, [("sunset", tags), ("picos-de-europa", Vec::new())]);
}

#[tokio::test]
async fn more_than_one_request_may_name_are_sent_in_several() {
    let server = TestServer::start_with(|settings, _| settings.limits.ids_per_call = 2);
    let gallery = Gallery::full_on(server).await;
    let browser = gallery.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset", "umang"]);
    browser.click(&Find::button("Trash"));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 2");
    browser.expect_no_complaints("trash in two requests");
    browser.open("/app/acme/photos/trash");
    select(&browser, &["wine", "sunset", "umang"]);
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::text("The trash is empty"));
}

#[tokio::test]
async fn what_goes_into_the_trash_comes_back_or_goes_for_good() {
    let gallery = Gallery::full().await;
    let browser = gallery.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset"]);
    browser.click(&Find::button("Trash"));
    browser.wait_for(&Find::text("Moved 2 assets to the trash."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 3");
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::text("Took 2 assets out of the trash."));
    browser.wait_until("document.querySelector('#grid img').alt === 'wine'");
    select(&browser, &["wine", "sunset", "umang"]);
    browser.click(&Find::button("Trash"));
    browser.wait_for(&Find::text("Moved 3 assets to the trash."));

    browser.open("/app/acme/photos/trash");
    browser.wait_until(
        "[...document.querySelectorAll('#grid img')].every((i) => i.complete && i.naturalWidth > 0)",
    );
    browser.wait_for(&Find::text("in 30 days"));
    browser.check("trash");
    select(&browser, &["umang"]);
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::text("Took 1 asset out of the trash."));
    select(&browser, &["wine"]);
    browser.click(&Find::button("Delete for good"));
    browser.wait_for(&Find::heading("Delete for good?"));
    browser.check("trash-asks");
    browser.click(&Find::button("Cancel"));
    browser.wait_until("!document.querySelector('dialog[open]')");
    browser.click(&Find::css("#selection button[value=purge]"));
    browser.click(&Find::css("#sure-yes"));
    browser.wait_for(&Find::text("Deleted 1 asset for good."));
    browser.click(&Find::button("Empty the trash"));
    browser.click(&Find::css("#sure-yes"));
    browser.wait_for(&Find::text("The trash is empty"));
    browser.expect_no_complaints("trash");

    let core = gallery.server.core();
    let caller = core.authenticate(&gallery.key.token).unwrap();
    assert!(core.list_trash(&caller, &PHOTOS, ALL).unwrap().is_empty());
    let left = core.list_assets(&caller, &PHOTOS, &[], ALL).unwrap();
    let left: Vec<_> = left.iter().map(|detail| detail.asset.name.as_str()).collect();
    assert_eq!(left, ["umang", "seeding", "picos-de-europa"]);
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let gallery = Gallery::full().await;
    let browser = gallery.browser(Role::Owner).await;
    browser.open("/app/acme/photos");
    browser.evaluate("document.querySelector('.tile-link').focus()");
    assert_eq!(browser.evaluate("document.querySelectorAll('#grid [tabindex=\"0\"]').length"), 1);
    for (key, name) in [("ArrowRight", "umang"), ("ArrowRight", "sunset"), ("ArrowLeft", "umang")] {
        browser.press(key);
        assert_eq!(focused(&browser), name);
    }
    browser.press(" ");
    browser.wait_until("document.getElementById('announcer').textContent === '1 selected'");
    browser.press("Shift+ArrowRight");
    browser.wait_for(&Find::text("2 selected"));
    browser.press("Escape");
    assert_eq!(selected(&browser), 0);
    browser.press("Control+a");
    assert_eq!(selected(&browser), 5);
    browser.press("Escape");
    browser.wait_for_images();
    browser.press("Delete");
    browser.wait_for(&Find::text("Moved 1 asset to the trash."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 4");
    assert_eq!(focused(&browser), "seeding");
    browser.press("?");
    browser.wait_for(&Find::heading("Keyboard shortcuts"));
    browser.check("library-shortcuts");
    browser.press("Escape");
    browser.press("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), "q");
    browser.evaluate("document.querySelector('.tile-link').focus()");
    browser.press("Enter");
    browser.wait_for(&Find::heading("wine"));
    browser.press("ArrowRight");
    browser.wait_for(&Find::heading("umang"));
    browser.press("ArrowRight");
    browser.wait_for(&Find::heading("seeding"));
    browser.press("ArrowLeft");
    browser.wait_for(&Find::heading("umang"));
    browser.wait_for_images();
    browser.press("Delete");
    browser.wait_for(&Find::text("Moved 1 asset to the trash."));
    browser.wait_until("location.pathname === '/app/acme/photos' && location.search === ''");
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::css("#grid [alt=umang]"));
    browser.expect_no_complaints("keys");
}

#[tokio::test]
async fn an_asset_is_described_tagged_promoted_and_followed_to_where_it_went() {
    let gallery = Gallery::full().await;
    gallery.server.library("acme", "Press kit").await;
    let sunset = gallery.add_as("sunset.jpg", "Golden Gate.jpg").await;
    let variant = gallery.add_variant("wine.jpg", &sunset).await;
    let browser = gallery.browser(Role::Editor).await;
    let page = format!("/app/acme/photos/{sunset}");
    browser.open(&format!("/app/acme/photos/{variant}"));
    browser.wait_for_path(&format!("{page}?variant={variant}"));
    browser.check("asset-variant");
    browser.open(&page);
    browser.fill("Description", "The bridge, from the north.");
    browser.click(&Find::button("Save"));
    browser.wait_for(&Find::text("The description is saved."));
    browser.dismiss_messages();
    // The page that stays open knows what it saved, and changes that.
    browser.fill("Description", "The bridge,\nseen from the north.");
    browser.click(&Find::button("Save"));
    browser.wait_for(&Find::text("The description is saved."));
    browser.fill("Add tags, with commas between", "sea, bridge");
    browser.press("Enter");
    browser.wait_for(&Find::button("Remove the tag bridge"));
    browser.click(&Find::button("Remove the tag sea"));
    browser.wait_until_gone(&Find::button("Remove the tag sea"));
    browser.click(&Find::button("Promote"));
    browser.wait_for(&Find::text("The asset’s address now serves this file"));
    browser.pick_files(
        &Find::css("#upload-variant input[type=file]"),
        &[&super::gallery::fixture("umang.webp")],
    );
    browser.wait_for(&Find::text("Uploaded 1 asset."));
    browser.wait_until("document.querySelectorAll('.variant').length === 3");
    browser.check("asset-changed");

    let core = gallery.server.core();
    let caller = core.authenticate(&gallery.key.token).unwrap();
    let detail = core.get_asset(&caller, &PHOTOS, &sunset).unwrap();
    assert_eq!(detail.asset.description, "The bridge,\nseen from the north.");
    assert_eq!((detail.asset.tags, detail.variants.len()), (vec!["bridge".to_owned()], 2));
    drop(caller);
    let key = gallery
        .server
        .key(
            "acme",
            &[
                ("photos", rasterd::core::model::Access::Write),
                ("press-kit", rasterd::core::model::Access::Write),
            ],
        )
        .await;
    let caller = core.authenticate(&key.token).unwrap();
    let target = LibraryPath { organization: "acme", library: "press-kit" };
    core.transfer_assets(&caller, &PHOTOS, &target, std::slice::from_ref(&sunset)).await.unwrap();
    browser.open(&format!("{page}?variant={variant}"));
    browser.wait_for_path(&format!("/app/acme/press-kit/{sunset}?variant={variant}"));
    browser.expect_no_complaints("asset");
}

#[tokio::test]
async fn what_was_not_in_the_trash_is_not_told_as_taken_out_of_it() {
    let gallery = Gallery::empty().await;
    let (listed, trashed) = (gallery.add("sunset.jpg").await, gallery.add("wine.jpg").await);
    gallery.trash(&[&trashed]).await;
    let editor = person(&gallery.server, "Editor", &["acme"], Role::Editor).await;
    let stranger = Stranger::of(&gallery.server);
    let (session, token) = signed_in(&stranger, &editor).await;
    for (deed, told) in [
        ("restore", "Took 1 asset out"),
        ("restore", "Took 0 assets out"),
        ("purge&sure=yes", "Deleted 0 assets"),
    ] {
        let fields = format!("csrf={token}&do={deed}&id={listed}&id={trashed}");
        let form = stranger.form("/app/acme/photos/trash/selected", &session, &fields);
        let answer = send(form.header("HX-Request", "true")).await;
        assert!(answer.status == 200 && answer.text.contains(told), "{deed}: {}", answer.text);
    }
}

#[tokio::test]
async fn nobody_writes_over_a_description_that_they_have_not_seen() {
    let gallery = Gallery::full().await;
    let sunset = gallery.add_as("sunset.jpg", "sunset").await;
    let browser = gallery.browser(Role::Editor).await;
    let page = format!("/app/acme/photos/{sunset}");
    let described = async |text: &str| {
        let core = gallery.server.core();
        let caller = core.authenticate(&gallery.key.token).unwrap();
        core.update_asset_description(&caller, &PHOTOS, &sunset, text).await.unwrap();
    };
    let stored = || {
        let core = gallery.server.core();
        let caller = core.authenticate(&gallery.key.token).unwrap();
        core.get_asset(&caller, &PHOTOS, &sunset).unwrap().asset.description
    };
    browser.open(&page);
    described("Of somebody else").await;
    browser.fill("Description", "Mine");
    browser.click(&Find::button("Save"));
    browser.wait_for(&Find::text("The description was changed since you opened this page"));
    assert_eq!(browser.value(&Find::css("#description")), "Mine");
    assert_eq!(stored(), "Of somebody else");

    // Nothing that was typed is left behind without a question; so it is taken back.
    browser.evaluate("{ const d = document.getElementById('description'); d.value = d.defaultValue; d.dispatchEvent(new Event('input')) }");
    browser.without_scripts();
    browser.open(&page);
    described("Of a third").await;
    browser.fill("Description", "Still mine");
    browser.click(&Find::button("Save"));
    browser.wait_for(&Find::text("Of a third"));
    assert_eq!(
        (browser.value(&Find::css("#description")).as_str(), stored().as_str()),
        ("Still mine", "Of a third")
    );
    browser.click(&Find::button("Save"));
    browser.wait_for(&Find::text("The description is saved."));
    assert_eq!(stored(), "Still mine");
}

#[tokio::test]
async fn a_description_that_was_typed_is_saved_however_its_field_is_left() {
    let gallery = Gallery::full().await;
    let sunset = gallery.add_as("sunset.jpg", "Golden Gate.jpg").await;
    let browser = gallery.browser(Role::Editor).await;
    let page = format!("/app/acme/photos/{sunset}");
    let stored = || {
        let core = gallery.server.core();
        let caller = core.authenticate(&gallery.key.token).unwrap();
        core.get_asset(&caller, &PHOTOS, &sunset).unwrap().asset.description
    };
    browser.open(&page);
    for key in ["Tab", "Escape"] {
        browser.fill("Description", key);
        browser.press(key);
        browser.wait_for(&Find::text("The description is saved."));
        browser.wait_until("!document.querySelector('.describe-changed')");
        assert_eq!(stored(), key);
        browser.dismiss_messages();
    }
    // A link waits until it is saved.
    browser.fill("Description", "Before the next one");
    browser.click(&Find::link("Next"));
    browser.wait_for(&Find::heading("wine"));
    assert_eq!(stored(), "Before the next one");

    // What the server refuses stays on the page, and the page asks before it goes.
    browser.open(&page);
    let too_long = "a".repeat(10_001);
    browser.fill("Description", &too_long);
    browser.click(&Find::link("Next"));
    browser.wait_for(&Find::text("A description has at most 10000 characters"));
    assert_eq!(browser.path(), page);
    assert_eq!(browser.value(&Find::css("#description")), too_long);
    let asks = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    assert_eq!(browser.evaluate(asks), true);
    browser.evaluate("{ const d = document.getElementById('description'); d.value = d.defaultValue; d.dispatchEvent(new Event('input')) }");
    assert_eq!(browser.evaluate(asks), false);
}

#[tokio::test]
async fn a_change_of_a_selection_names_what_somebody_else_took_away_meanwhile() {
    let gallery = Gallery::empty().await;
    gallery.server.library("acme", "Press kit").await;
    let names = ["picos-de-europa.jpg", "seeding.png", "sunset.jpg", "wine.jpg"];
    let mut ids = Vec::new();
    for name in names {
        ids.push(gallery.add(name).await);
    }
    let browser = gallery.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    gallery.trash(&[&ids[2]]).await;
    select(&browser, &["wine", "sunset"]);
    browser.fill("Tags, with commas between", "evening");
    browser.click(&Find::button("Tag"));
    browser.wait_for(&Find::text(
        "Put “evening” on 1 asset. Left out: “sunset”, which is no longer in this library.",
    ));

    browser.open("/app/acme/photos");
    gallery.trash(&[&ids[3]]).await;
    select(&browser, &["wine", "seeding", "picos-de-europa"]);
    browser.click(&Find::button("Trash"));
    browser.wait_for(&Find::text(
        "Moved 2 assets to the trash. Left out: “wine”, which is no longer in this library.",
    ));
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::text("Took 2 assets out of the trash."));

    let core = gallery.server.core();
    let caller = core.authenticate(&gallery.key.token).unwrap();
    let trashed = core.list_trash(&caller, &PHOTOS, ALL).unwrap();
    let mut trashed: Vec<_> = trashed.into_iter().map(|trashed| trashed.detail.asset.name).collect();
    trashed.sort();
    assert_eq!(trashed, ["sunset", "wine"], "what somebody else trashed stays there");
    drop(caller);

    let editor = person(&gallery.server, "Second", &["acme"], Role::Editor).await;
    let stranger = Stranger::of(&gallery.server);
    let (session, token) = signed_in(&stranger, &editor).await;
    for deed in ["tag&tags=x", "untag&tags=x", "transfer&target=press-kit", "trash"] {
        let fields = format!("csrf={token}&do={deed}&id={}&id={}", ids[2], ids[3]);
        let form = stranger.form("/app/acme/photos/selected", &session, &fields);
        let answer = send(form.header("HX-Request", "true")).await;
        let told = "Nothing was changed. Left out: “sunset”, “wine”, which are no longer in this library.";
        assert!(answer.status == 409 && answer.text.contains(told), "{deed}: {}", answer.text);
    }
}
