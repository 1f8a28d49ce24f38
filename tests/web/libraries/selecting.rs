//! Several assets at once: tagged, transferred, trashed, restored, gone for good. By hand and by key.

use rasterd::app::access::LibraryPath;
use rasterd::app::model::Role;
use rasterd::app::page::Page;

use super::gallery::{Gallery, PHOTOS};
use crate::browser::{Browser, Find};
use crate::people::person;
use crate::stranger::{Stranger, send, signed_in};

const ALL: Page = Page { offset: 0, size: 100 };

fn select(browser: &Browser, names: &[&str]) {
    for name in names {
        browser.click(&Find::role("checkbox", &format!("Select {name}")));
    }
    browser.wait_for(&Find::text(&format!("{} selected", names.len())));
}

/// How many assets are selected.
fn selected(browser: &Browser) -> u64 {
    browser.evaluate("document.querySelectorAll('#photos :checked').length").as_u64().unwrap()
}

/// What has the focus.
fn focused(browser: &Browser) -> String {
    let name = browser.evaluate("document.activeElement.closest('.photo')?.querySelector('img').alt ?? document.activeElement.outerHTML.slice(0, 200)");
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
    browser.wait_until("document.querySelectorAll('#photos .photo').length === 2");
    browser.expect_no_complaints("tag and transfer");

    let app = gallery.server.app();
    let caller = app.authenticate(&gallery.key.token).unwrap();
    let left = app.list_assets(&caller, &PHOTOS, &[], ALL).unwrap();
    let left: Vec<_> =
        left.iter().map(|detail| (detail.asset.name.as_str(), detail.asset.tags.clone())).collect();
    let tags = vec!["evening".to_owned(), "Warm light".to_owned()];
    assert_eq!(left, [("sunset", tags), ("picos-de-europa", Vec::new())]);
}

#[tokio::test]
async fn what_goes_into_the_trash_comes_back_or_goes_for_good() {
    let gallery = Gallery::full().await;
    let browser = gallery.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset"]);
    browser.click(&Find::button("Trash"));
    browser.wait_for(&Find::text("Moved 2 assets to the trash."));
    browser.wait_until("document.querySelectorAll('#photos .photo').length === 3");
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::text("Took 2 assets out of the trash."));
    browser.wait_until("document.querySelector('#photos img').alt === 'wine'");
    select(&browser, &["wine", "sunset", "umang"]);
    browser.click(&Find::button("Trash"));
    browser.wait_for(&Find::text("Moved 3 assets to the trash."));

    browser.open("/app/acme/photos/trash");
    browser.wait_until(
        "[...document.querySelectorAll('#photos img')].every((i) => i.complete && i.naturalWidth > 0)",
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

    let app = gallery.server.app();
    let caller = app.authenticate(&gallery.key.token).unwrap();
    assert!(app.list_trash(&caller, &PHOTOS, ALL).unwrap().is_empty());
    let left = app.list_assets(&caller, &PHOTOS, &[], ALL).unwrap();
    let left: Vec<_> = left.iter().map(|detail| detail.asset.name.as_str()).collect();
    assert_eq!(left, ["umang", "seeding", "picos-de-europa"]);
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let gallery = Gallery::full().await;
    let browser = gallery.browser(Role::Owner).await;
    browser.open("/app/acme/photos");
    browser.evaluate("document.querySelector('.photo-link').focus()");
    assert_eq!(browser.evaluate("document.querySelectorAll('#photos [tabindex=\"0\"]').length"), 1);
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
    browser.press("Delete");
    browser.wait_for(&Find::text("Moved 1 asset to the trash."));
    browser.wait_until("document.querySelectorAll('#photos .photo').length === 4");
    assert_eq!(focused(&browser), "seeding");
    browser.press("?");
    browser.wait_for(&Find::heading("Keyboard shortcuts"));
    browser.check("library-shortcuts");
    browser.press("Escape");
    browser.press("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), "q");
    browser.evaluate("document.querySelector('.photo-link').focus()");
    browser.press("Enter");
    browser.wait_for(&Find::heading("wine"));
    browser.press("ArrowRight");
    browser.wait_for(&Find::heading("umang"));
    browser.press("ArrowRight");
    browser.wait_for(&Find::heading("seeding"));
    browser.press("ArrowLeft");
    browser.wait_for(&Find::heading("umang"));
    browser.press("Delete");
    browser.wait_for(&Find::text("Moved 1 asset to the trash."));
    browser.wait_until("location.pathname === '/app/acme/photos' && location.search === ''");
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::css("#photos [alt=umang]"));
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
    // The page that stays open knows what it saved, and changes that.
    browser.fill("Description", "The bridge,\nseen from the north.");
    browser.click(&Find::button("Save"));
    browser.wait_until("document.querySelectorAll('.toast-done').length === 2");
    browser.fill("Add tags, with commas between", "sea, bridge");
    browser.press("Enter");
    browser.wait_for(&Find::button("Remove the tag bridge"));
    browser.click(&Find::button("Remove the tag sea"));
    browser.wait_until_gone(&Find::button("Remove the tag sea"));
    browser.click(&Find::button("Promote"));
    browser.wait_for(&Find::text("is what the asset’s address serves now"));
    browser.pick_files(
        &Find::css("#upload-variant input[type=file]"),
        &[&super::gallery::fixture("umang.webp")],
    );
    browser.wait_for(&Find::text("Uploaded 1 asset."));
    browser.wait_until("document.querySelectorAll('.variant').length === 3");
    browser.check("asset-changed");

    let app = gallery.server.app();
    let caller = app.authenticate(&gallery.key.token).unwrap();
    let detail = app.get_asset(&caller, &PHOTOS, &sunset).unwrap();
    assert_eq!(detail.asset.description, "The bridge,\nseen from the north.");
    assert_eq!((detail.asset.tags, detail.variants.len()), (vec!["bridge".to_owned()], 2));
    drop(caller);
    let key = gallery
        .server
        .key(
            "acme",
            &[
                ("photos", rasterd::app::model::Access::Write),
                ("press-kit", rasterd::app::model::Access::Write),
            ],
        )
        .await;
    let caller = app.authenticate(&key.token).unwrap();
    let target = LibraryPath { organization: "acme", library: "press-kit" };
    app.transfer_assets(&caller, &PHOTOS, &target, std::slice::from_ref(&sunset)).await.unwrap();
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
        let app = gallery.server.app();
        let caller = app.authenticate(&gallery.key.token).unwrap();
        app.update_asset_description(&caller, &PHOTOS, &sunset, text).await.unwrap();
    };
    let stored = || {
        let app = gallery.server.app();
        let caller = app.authenticate(&gallery.key.token).unwrap();
        app.get_asset(&caller, &PHOTOS, &sunset).unwrap().asset.description
    };
    browser.open(&page);
    described("Of somebody else").await;
    browser.fill("Description", "Mine");
    browser.click(&Find::button("Save"));
    browser.wait_for(&Find::text("The description was changed since you opened this page"));
    assert_eq!(browser.value(&Find::css("#description")), "Mine");
    assert_eq!(stored(), "Of somebody else");

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
