//! Messages about what was done: how long they stay, who gets the focus after them, names in them.

use rasterd::core::model::Role;

use super::test_library::TestLibrary;
use crate::browser::{Browser, Locator};

/// How much faster the clocks of the page run.
const FASTER: f64 = 20.0;

/// A page on which a selected asset was just moved to the trash, with clocks that run faster.
async fn trashed() -> (TestLibrary, Browser) {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    browser.evaluate(&format!(
        "window.setTimeout = ((before) => (run, after = 0) => before(run, after / {FASTER}))(window.setTimeout)"
    ));
    browser.evaluate("document.querySelector('#grid .tile-link').focus()");
    browser.press("Delete");
    browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
    browser.wait_until("!document.querySelector('#grid [alt=wine]') && document.querySelectorAll('#grid .tile').length === 4");
    (library, browser)
}

/// After how many seconds of the page's clock the message is gone, from now.
fn seconds_until_gone(browser: &Browser) -> f64 {
    let milliseconds = browser.evaluate(
        "(async () => { const begun = performance.now(); const frame = () => new Promise((next) => requestAnimationFrame(next)); \
         while (document.querySelector('.toast') && performance.now() - begun < 30000) await frame(); return performance.now() - begun; })()",
    );
    milliseconds.as_f64().unwrap() * FASTER / 1000.0
}

#[tokio::test]
async fn what_can_be_undone_stays_long_enough_and_while_somebody_looks_at_it() {
    let (_library, browser) = trashed().await;
    // Longer than its time, because the focus is on it.
    browser.evaluate("document.querySelector('.toast .button').focus()");
    browser.evaluate(&format!("new Promise((over) => setTimeout(over, {}))", 60_000));
    assert!(browser.has(&Locator::button("Undo")));
    browser.evaluate("document.activeElement.blur()");
    let seconds = seconds_until_gone(&browser);
    assert!(seconds < 60.0, "gone {seconds} s after somebody looked at it");

    browser.evaluate("document.querySelector('#grid .tile-link').focus()");
    browser.press("Delete");
    browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
    let seconds = seconds_until_gone(&browser);
    assert!((20.0..120.0).contains(&seconds), "gone after {seconds} s");
}

#[tokio::test]
async fn the_focus_comes_back_from_a_message() {
    let (_library, browser) = trashed().await;
    let place = "document.activeElement.closest('.tile')?.dataset.id ?? document.activeElement.tagName";
    let before = browser.evaluate(place);
    browser.evaluate("document.querySelector('.toast .button').focus()");
    browser.press("Enter");
    browser.wait_for(&Locator::text("Restored 1 asset."));
    browser.wait_until("document.querySelectorAll('#grid .tile[data-id]').length === 5");
    assert_eq!(browser.evaluate(place), before, "after Undo");
    browser.evaluate("document.querySelector('.toast [data-dismiss]').focus()");
    browser.press("Enter");
    browser.wait_until("!document.querySelector('.toast')");
    assert_eq!(browser.evaluate(place), before, "after Dismiss");
}

#[tokio::test]
async fn scripts_isolate_names_as_the_server_does() {
    let library = TestLibrary::empty().await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    let table = include_str!("../../../src/webapp/isolated_names.json");
    let differences = browser.evaluate(&format!(
        "(async () => {{ const {{ say }} = await import(document.querySelector('link[href$=\"layout/messages.js\"]').href); \
         const table = {table}; \
         return table.map(([sentence, html]) => {{ say(sentence, 'problem'); return [document.querySelector('.toast:last-child p').innerHTML, html]; }}) \
           .filter(([shown, html]) => shown !== html); }})()"
    ));
    assert_eq!(differences, serde_json::json!([]));
    assert!(browser.evaluate("document.querySelectorAll('.toast').length").as_u64().unwrap() > 5);
}

#[tokio::test]
async fn names_in_messages_do_not_turn_the_sentence_around_them() {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Owner).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    let named = "document.querySelector('.toast bdi').textContent";
    browser.click(&Locator::role("checkbox", "Select wine"));
    browser.fill("Tags, separated by commas", "ערב");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Added “ערב” to 1 asset."));
    assert_eq!(browser.evaluate(named), "ערב");
    browser.click(&Locator::button("Rename library"));
    browser.fill("Name", "תמונות");
    browser.press("Enter");
    browser.wait_for(&Locator::text("Renamed to “תמונות”."));
    assert_eq!(browser.evaluate(named), "תמונות");
}
