//! The page of one asset: its description, its tags, its variants.

use rasterd::core::access::LibraryPath;
use rasterd::core::model::{Access, Role};

use super::test_library::{PHOTOS, TestLibrary, fixture};
use crate::browser::Locator;
use crate::people::PASSWORD;

/// Whether the page says that the name is saved.
const SAVED_NAME: &str =
    "document.getElementById('name').form.querySelector('[role=status]').textContent === 'Saved'";
/// The same of the description.
const SAVED: &str =
    "document.getElementById('description').form.querySelector('[role=status]').textContent === 'Saved'";

#[tokio::test]
async fn an_asset_is_described_tagged_promoted_and_followed_to_another_library() {
    let library = TestLibrary::with_fixtures().await;
    library.server.library("acme", "Press kit").await;
    let sunset = library.upload_as("sunset.jpg", "Golden Gate.jpg").await;
    let variant = library.upload_variant("wine.jpg", &sunset).await;
    let browser = library.browser(Role::Editor).await;
    let page = format!("/app/acme/photos/{sunset}");
    browser.open(&format!("/app/acme/photos/{variant}"));
    browser.wait_for_path(&format!("{page}?variant={variant}"));
    browser.check("asset-variant");
    browser.open(&page);
    browser.fill("Description", "The bridge, from the north.");
    browser.click(&Locator::button("Save"));
    browser.wait_for(&Locator::text("Saved"));
    // The page that stays open knows what it saved, and changes that.
    browser.fill("Description", "The bridge,\nseen from the north.");
    browser.press("Control+Enter");
    browser.wait_for(&Locator::text("Saved"));
    browser.fill("Name", "The Golden Gate");
    browser.press("Enter");
    browser.wait_until(SAVED_NAME);
    browser.fill("Add tags, separated by commas", "sea, bridge");
    browser.press("Enter");
    browser.wait_for(&Locator::button("Remove the tag bridge"));
    browser.click(&Locator::button("Remove the tag sea"));
    browser.wait_until_gone(&Locator::button("Remove the tag sea"));
    browser.click(&Locator::button("Promote"));
    browser.wait_for(&Locator::text("The asset’s address now serves this file"));
    browser.pick_files(&Locator::css("#upload-variant input[type=file]"), &[&fixture("umang.webp")]);
    browser.wait_for(&Locator::text("Uploaded 1 asset."));
    browser.wait_until("document.querySelectorAll('.variant').length === 3");
    browser.check("asset-changed");

    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let detail = core.get_asset(&caller, &PHOTOS, &sunset).unwrap();
    assert_eq!(detail.asset.description, "The bridge,\nseen from the north.");
    assert_eq!(detail.asset.name, "wine");
    assert!(
        detail.variants.iter().any(|variant| variant.name == "The Golden Gate"),
        "promoting takes the name along"
    );
    assert_eq!((detail.asset.tags, detail.variants.len()), (vec!["bridge".to_owned()], 2));
    drop(caller);
    let key = library.server.key("acme", &[("photos", Access::Write), ("press-kit", Access::Write)]).await;
    let caller = core.authenticate(&key.token).unwrap();
    let target = LibraryPath { organization: "acme", library: "press-kit" };
    core.transfer_assets(&caller, &PHOTOS, &target, std::slice::from_ref(&sunset)).await.unwrap();
    browser.open(&format!("{page}?variant={variant}"));
    browser.wait_for_path(&format!("/app/acme/press-kit/{sunset}?variant={variant}"));
    browser.expect_no_console_errors("asset");
}

#[tokio::test]
async fn nobody_overwrites_a_description_that_they_have_not_seen() {
    let library = TestLibrary::with_fixtures().await;
    let sunset = library.upload_as("sunset.jpg", "sunset").await;
    let browser = library.browser(Role::Editor).await;
    let page = format!("/app/acme/photos/{sunset}");
    let described = async |text: &str| {
        let core = library.server.core();
        let caller = core.authenticate(&library.key.token).unwrap();
        core.update_asset_description(&caller, &PHOTOS, &sunset, text).await.unwrap();
    };
    let stored = || {
        let core = library.server.core();
        let caller = core.authenticate(&library.key.token).unwrap();
        core.get_asset(&caller, &PHOTOS, &sunset).unwrap().asset.description
    };
    browser.open(&page);
    described("Of somebody else").await;
    browser.fill("Description", "Mine");
    browser.click(&Locator::button("Save"));
    browser.wait_for(&Locator::text("The description was changed since you opened this page"));
    assert_eq!(browser.value(&Locator::css("#description")), "Mine");
    assert_eq!(stored(), "Of somebody else");

    // Nothing that was typed is left behind without a question; so it is taken back.
    browser.evaluate("{ const d = document.getElementById('description'); d.value = d.defaultValue; d.dispatchEvent(new Event('input')) }");
    browser.without_scripts();
    browser.open(&page);
    described("Of a third").await;
    browser.fill("Description", "Still mine");
    browser.click(&Locator::button("Save"));
    browser.wait_for(&Locator::text("Of a third"));
    assert_eq!(
        (browser.value(&Locator::css("#description")).as_str(), stored().as_str()),
        ("Still mine", "Of a third")
    );
    browser.click(&Locator::button("Save"));
    browser.wait_for(&Locator::text("The description is saved."));
    assert_eq!(stored(), "Still mine");
}

#[tokio::test]
async fn a_typed_description_is_saved_however_its_field_is_left() {
    let library = TestLibrary::with_fixtures().await;
    let sunset = library.upload_as("sunset.jpg", "Golden Gate.jpg").await;
    let browser = library.browser(Role::Editor).await;
    let page = format!("/app/acme/photos/{sunset}");
    let stored = || {
        let core = library.server.core();
        let caller = core.authenticate(&library.key.token).unwrap();
        core.get_asset(&caller, &PHOTOS, &sunset).unwrap().asset.description
    };
    browser.open(&page);
    for key in ["Tab", "Escape"] {
        browser.fill("Description", key);
        browser.press(key);
        browser.wait_until(SAVED);
        assert_eq!(stored(), key);
    }
    // A link waits until it is saved.
    browser.fill("Description", "Before the next one");
    browser.click(&Locator::link("Next"));
    browser.wait_for(&Locator::heading("wine"));
    assert_eq!(stored(), "Before the next one");

    // What the server refuses stays on the page, and the page asks before it goes.
    browser.open(&page);
    let too_long = "a".repeat(10_001);
    browser.fill("Description", &too_long);
    browser.click(&Locator::link("Next"));
    browser.wait_for(&Locator::text("A description has at most 10000 characters"));
    assert_eq!(browser.path(), page);
    assert_eq!(browser.value(&Locator::css("#description")), too_long);
    let asks = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    assert_eq!(browser.evaluate(asks), true);
    browser.evaluate("{ const d = document.getElementById('description'); d.value = d.defaultValue; d.dispatchEvent(new Event('input')) }");
    assert_eq!(browser.evaluate(asks), false);
}

#[tokio::test]
async fn nothing_that_was_typed_is_lost_to_a_reload_or_the_end_of_the_session() {
    let library = TestLibrary::empty().await;
    let sunset = library.upload("sunset.jpg").await;
    let browser = library.browser(Role::Editor).await;
    let page = format!("/app/acme/photos/{sunset}");
    let stored = || {
        let core = library.server.core();
        let caller = core.authenticate(&library.key.token).unwrap();
        core.get_asset(&caller, &PHOTOS, &sunset).unwrap().asset
    };
    browser.open(&page);
    // Typed, and not left: nothing is sent yet.
    browser.fill("Description", "Half a sentence");
    let draft = "[...Object.values(sessionStorage)].includes('Half a sentence')";
    browser.wait_until(draft);
    // As if the browser had crashed: the page goes without the question that it would ask.
    browser.evaluate("{ const d = document.getElementById('description'); d.value = d.defaultValue }");
    browser.open("/app/acme");
    browser.open(&page);
    browser.wait_for(&Locator::text("What you typed is back. It is not saved yet."));
    assert_eq!(browser.value(&Locator::css("#description")), "Half a sentence");

    browser.clear_cookies();
    browser.click(&Locator::button("Save"));
    browser.wait_for(&Locator::heading("Sign in to continue"));
    browser.fill("Password", PASSWORD);
    browser.press("Enter");
    browser.wait_until(SAVED);
    assert_eq!(stored().description, "Half a sentence");
    browser.wait_until(&format!("!{draft}"));

    // A name that is refused stays, with the reason and a way to try again.
    browser.fill("Name", "a\u{202E}b");
    browser.press("Enter");
    browser.wait_for(&Locator::text("Not saved:"));
    browser.wait_for(&Locator::button("Retry"));
    browser.fill("Name", "Bridge at dusk");
    browser.press("Enter");
    browser.wait_until(SAVED_NAME);
    assert_eq!(stored().name, "Bridge at dusk");
}
