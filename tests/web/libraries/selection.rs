//! Changes of several assets at once: tags, transfers, the trash. With the mouse and the keyboard.

use rasterd::core::model::Role;
use rasterd::core::model::page::PageRequest;
use rasterd::testing::TestServer;

use super::test_library::{PHOTOS, TestLibrary};
use crate::browser::{Browser, Locator};
use crate::http_client::{HttpClient, send, signed_in};
use crate::people::create_member;

const ALL: PageRequest = PageRequest { offset: 0, size: 100 };

fn select(browser: &Browser, names: &[&str]) {
    browser.wait_for_images();
    for name in names {
        browser.click(&Locator::role("checkbox", &format!("Select {name}")));
    }
    browser.wait_for(&Locator::text(&format!("{} selected", names.len())));
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
    let library = TestLibrary::with_fixtures().await;
    library.server.library("acme", "Press kit").await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset"]);
    browser.check("library-selected");
    browser.fill("Tags, separated by commas", "evening, Warm light");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Added “evening”, “Warm light” to 2 assets."));
    browser.wait_for(&Locator::link("evening 2"));
    assert_eq!(selected(&browser), 0);
    select(&browser, &["wine"]);
    browser.fill("Tags, separated by commas", "evening");
    browser.click(&Locator::button("Untag"));
    browser.wait_for(&Locator::link("evening 1"));
    select(&browser, &["wine", "umang", "seeding"]);
    browser.choose("Library to transfer to", "Press kit");
    browser.click(&Locator::button("Transfer"));
    browser.wait_for(&Locator::text("Transferred 3 assets to “Press kit”."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 2");
    browser.expect_no_console_errors("tag and transfer");

    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let left = core.list_assets(&caller, &PHOTOS, &[], ALL).unwrap();
    let left: Vec<_> =
        left.iter().map(|detail| (detail.asset.name.as_str(), detail.asset.tags.clone())).collect();
    let tags = vec!["evening".to_owned(), "Warm light".to_owned()];
    assert_eq!(left, [("sunset", tags), ("picos-de-europa", Vec::new())]);
}

#[tokio::test]
async fn a_selection_is_dragged_onto_a_library() {
    let library = TestLibrary::with_fixtures().await;
    library.server.library("acme", "Press kit").await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset"]);
    browser.drag(&Locator::css("[alt=wine]"), &Locator::css(".drop-library[data-library=press-kit]"));
    browser.wait_for(&Locator::text("Transferred 2 assets to “Press kit”."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 3");
    browser.wait_until("!document.querySelector('.drop-libraries')");
    // One that is not selected is dragged alone.
    browser.wait_for_images();
    browser.drag(&Locator::css("[alt=umang]"), &Locator::css(".drop-library[data-library=press-kit]"));
    browser.wait_for(&Locator::text("Transferred 1 asset to “Press kit”."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 2");
    browser.expect_no_console_errors("drag onto a library");
}

#[tokio::test]
async fn a_selection_larger_than_one_request_is_sent_in_several() {
    let server = TestServer::start_with(|settings, _| settings.limits.ids_per_call = 2);
    let library = TestLibrary::with_fixtures_on(server).await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset", "umang"]);
    browser.click(&Locator::button("Trash"));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 2");
    browser.expect_no_console_errors("trash in two requests");
    browser.open("/app/acme/photos/trash");
    select(&browser, &["wine", "sunset", "umang"]);
    browser.click(&Locator::button("Restore"));
    browser.wait_for(&Locator::text("The trash is empty"));
}

#[tokio::test]
async fn trashed_assets_are_restored_or_deleted_for_good() {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    select(&browser, &["wine", "sunset"]);
    browser.click(&Locator::button("Trash"));
    browser.wait_for(&Locator::text("Moved 2 assets to the trash."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 3");
    browser.click(&Locator::button("Undo"));
    browser.wait_for(&Locator::text("Restored 2 assets."));
    browser.wait_until("document.querySelector('#grid img').alt === 'wine'");
    select(&browser, &["wine", "sunset", "umang"]);
    browser.click(&Locator::button("Trash"));
    browser.wait_for(&Locator::text("Moved 3 assets to the trash."));

    browser.open("/app/acme/photos/trash");
    browser.wait_until(
        "[...document.querySelectorAll('#grid img')].every((i) => i.complete && i.naturalWidth > 0)",
    );
    browser.wait_for(&Locator::text("in 30 days"));
    browser.check("trash");
    select(&browser, &["umang"]);
    browser.click(&Locator::button("Restore"));
    browser.wait_for(&Locator::text("Restored 1 asset."));
    select(&browser, &["wine"]);
    browser.click(&Locator::button("Delete for good"));
    browser.wait_for(&Locator::heading("Delete for good?"));
    browser.check("trash-asks");
    browser.click(&Locator::button("Cancel"));
    browser.wait_until("!document.querySelector('dialog[open]')");
    browser.click(&Locator::css("#selection button[value=purge]"));
    browser.click(&Locator::css("#sure-yes"));
    browser.wait_for(&Locator::text("Deleted 1 asset for good."));
    browser.click(&Locator::button("Empty the trash"));
    browser.click(&Locator::css("#sure-yes"));
    browser.wait_for(&Locator::text("The trash is empty"));
    browser.expect_no_console_errors("trash");

    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    assert!(core.list_trash(&caller, &PHOTOS, ALL).unwrap().is_empty());
    let left = core.list_assets(&caller, &PHOTOS, &[], ALL).unwrap();
    let left: Vec<_> = left.iter().map(|detail| detail.asset.name.as_str()).collect();
    assert_eq!(left, ["umang", "seeding", "picos-de-europa"]);
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Owner).await;
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
    browser.wait_for(&Locator::text("2 selected"));
    browser.press("Escape");
    assert_eq!(selected(&browser), 0);
    browser.press("Control+a");
    assert_eq!(selected(&browser), 5);
    browser.press("Escape");
    browser.wait_for_images();
    browser.press("Delete");
    browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
    // The tile leaves when the list has come again.
    browser.wait_until("!document.querySelector('#grid [alt=sunset]')");
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 4");
    assert_eq!(focused(&browser), "seeding");
    browser.press("?");
    browser.wait_for(&Locator::heading("Keyboard shortcuts"));
    browser.check("library-shortcuts");
    browser.press("Escape");
    browser.press("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), "q");
    browser.evaluate("document.querySelector('.tile-link').focus()");
    browser.press("Enter");
    browser.wait_for(&Locator::heading("wine"));
    browser.press("ArrowRight");
    browser.wait_for(&Locator::heading("umang"));
    browser.press("ArrowRight");
    browser.wait_for(&Locator::heading("seeding"));
    browser.press("ArrowLeft");
    browser.wait_for(&Locator::heading("umang"));
    browser.wait_for_images();
    browser.press("Delete");
    browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
    browser.wait_until("location.pathname === '/app/acme/photos' && location.search === ''");
    browser.click(&Locator::button("Restore"));
    browser.wait_for(&Locator::css("#grid [alt=umang]"));
    browser.expect_no_console_errors("keys");
}

#[tokio::test]
async fn only_assets_that_were_in_the_trash_are_counted_as_restored() {
    let library = TestLibrary::empty().await;
    let (listed, trashed) = (library.upload("sunset.jpg").await, library.upload("wine.jpg").await);
    library.trash(&[&trashed]).await;
    let editor = create_member(&library.server, "Editor", &["acme"], Role::Editor).await;
    let client = HttpClient::new(&library.server);
    let (session, token) = signed_in(&client, &editor).await;
    for (action, message) in [
        ("restore", "Restored 1 asset"),
        ("restore", "Restored 0 assets"),
        ("purge&sure=yes", "Deleted 0 assets"),
    ] {
        let fields = format!("csrf={token}&do={action}&id={listed}&id={trashed}");
        let form = client.form("/app/acme/photos/trash/selected", &session, &fields);
        let answer = send(form.header("HX-Request", "true")).await;
        assert!(answer.status == 200 && answer.text.contains(message), "{action}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_bulk_change_names_the_assets_that_somebody_else_removed_meanwhile() {
    let library = TestLibrary::empty().await;
    library.server.library("acme", "Press kit").await;
    let names = ["picos-de-europa.jpg", "seeding.png", "sunset.jpg", "wine.jpg"];
    let mut ids = Vec::new();
    for name in names {
        ids.push(library.upload(name).await);
    }
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    library.trash(&[&ids[2]]).await;
    select(&browser, &["wine", "sunset"]);
    browser.fill("Tags, separated by commas", "evening");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text(
        "Added “evening” to 1 asset. Left out: “sunset”, which is no longer in this library.",
    ));

    browser.open("/app/acme/photos");
    browser.wait_for_images();
    library.trash(&[&ids[3]]).await;
    select(&browser, &["wine", "seeding", "picos-de-europa"]);
    browser.click(&Locator::button("Trash"));
    browser.wait_for(&Locator::text(
        "Moved 2 assets to the trash. Left out: “wine”, which is no longer in this library.",
    ));
    browser.click(&Locator::button("Undo"));
    browser.wait_for(&Locator::text("Restored 2 assets."));

    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let trashed = core.list_trash(&caller, &PHOTOS, ALL).unwrap();
    let mut trashed: Vec<_> = trashed.into_iter().map(|trashed| trashed.detail.asset.name).collect();
    trashed.sort();
    assert_eq!(trashed, ["sunset", "wine"], "what somebody else trashed stays there");
    drop(caller);

    let editor = create_member(&library.server, "Second", &["acme"], Role::Editor).await;
    let client = HttpClient::new(&library.server);
    let (session, token) = signed_in(&client, &editor).await;
    for action in ["tag&tags=x", "untag&tags=x", "transfer&target=press-kit", "trash"] {
        let fields = format!("csrf={token}&do={action}&id={}&id={}", ids[2], ids[3]);
        let form = client.form("/app/acme/photos/selected", &session, &fields);
        let answer = send(form.header("HX-Request", "true")).await;
        let message = "Nothing was changed. Left out: “sunset”, “wine”, which are no longer in this library.";
        assert!(answer.status == 200 && answer.text.contains(message), "{action}: {}", answer.text);
    }
}
