//! Selecting everything that a list has: changed on the server, undone as a whole.

use rasterd::core::model::Role;
use rasterd::core::model::page::PageRequest;

use super::test_library::{PHOTOS, TestLibrary};
use crate::browser::{Browser, Locator};

const ALL: PageRequest = PageRequest { offset: 0, size: 10_000 };

/// Copies of a photo, so that the library has this many assets.
async fn library_of(many: usize) -> TestLibrary {
    let library = TestLibrary::empty().await;
    library.upload("sunset.jpg").await;
    library.server.processed().await;
    library.server.add_copies(&library.key, "acme", "photos", many - 1).await;
    library
}

fn listed(library: &TestLibrary) -> Vec<(String, Vec<String>, String)> {
    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let listed = core.list_assets(&caller, &PHOTOS, &[], ALL).unwrap().into_iter();
    listed.map(|found| (found.asset.name, found.asset.tags, found.asset.description)).collect()
}

/// The names of the assets that have tags, in order.
fn tagged(library: &TestLibrary) -> Vec<String> {
    let tagged = listed(library).into_iter().filter(|(_, tags, _)| !tags.is_empty());
    let mut names: Vec<String> = tagged.map(|(name, ..)| name).collect();
    names.sort();
    names
}

/// The fixtures, in a browser that shows all of them after the three JPEGs were selected as a whole list.
async fn all_jpegs_selected() -> (TestLibrary, Browser) {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos?type=jpeg");
    browser.wait_for_images();
    browser.click(&Locator::role("checkbox", "Select wine"));
    browser.click(&Locator::button("Select all 3"));
    browser.wait_for(&Locator::text("3 selected"));
    browser.evaluate("document.querySelector('.filter-chips a').click()");
    browser.wait_for_path("/app/acme/photos");
    (library, browser)
}

fn select_first(browser: &Browser) {
    browser.wait_until("document.querySelector('#grid .tile[data-index=\"0\"].tile-loaded')");
    browser.evaluate("document.querySelector('#grid .tile[data-index=\"0\"] .tile-check').click()");
    browser.wait_for(&Locator::text("1 selected"));
}

#[tokio::test]
async fn everything_is_trashed_but_for_some_and_comes_back() {
    let library = library_of(1300).await;
    let before = listed(&library);
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    select_first(&browser);
    browser.click(&Locator::button("Select all 1,300"));
    browser.wait_for(&Locator::text("1,300 selected"));
    browser.evaluate("document.querySelector('#grid .tile[data-index=\"1\"] .tile-check').click()");
    browser.wait_for(&Locator::text("1,299 selected"));
    browser.click(&Locator::button("Trash"));
    browser.wait_for(&Locator::text("Moved 1,299 assets to the trash."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 1");
    assert_eq!(listed(&library).len(), 1);
    assert_eq!(browser.evaluate("document.querySelectorAll('.toast').length"), 1);
    // Two that somebody else restores meanwhile are not counted.
    browser.click(&Locator::button("Undo"));
    browser.wait_for(&Locator::text("Restored 1,299 assets."));
    browser.wait_for(&Locator::text("1,300 assets"));
    assert_eq!(listed(&library), before);
    browser.expect_no_console_errors("trash and undo");
}

#[tokio::test]
async fn a_change_that_is_cancelled_says_what_was_done() {
    let library = library_of(4000).await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    select_first(&browser);
    browser.press("Control+a");
    browser.wait_for(&Locator::text("4,000 selected"));
    browser.fill("Tags, separated by commas", "many");
    // Its first request is answered when it is cancelled already.
    browser.evaluate(
        "(() => { const before = (window.before = window.fetch); window.fetch = (...args) => { \
         if (String(args[0]).endsWith('/selected')) { window.busy = [...document.querySelectorAll('#selection button[name=do]')] \
         .every((button) => button.disabled); document.getElementById('bulk-cancel').click(); } return before(...args); }; })()",
    );
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("The rest is as it was."));
    assert_eq!(browser.evaluate("window.busy"), true);
    let tagged = listed(&library).iter().filter(|(_, tags, _)| tags == &["many"]).count();
    assert!((100..4000).contains(&tagged), "{tagged}");
    let said = browser.text(&Locator::css(".toast p"));
    let digits: String = said.split(" asset").next().unwrap().chars().filter(char::is_ascii_digit).collect();
    assert_eq!(digits, tagged.to_string(), "{said}");
    browser.wait_for(&Locator::text("4,000 selected"));
    browser.evaluate("window.fetch = window.before");
    browser.evaluate("document.querySelectorAll('.toast button')[0].click()");
    browser.wait_for(&Locator::text("Removed “many” from"));
    assert!(listed(&library).iter().all(|(_, tags, _)| tags.is_empty()));
}

#[tokio::test]
async fn a_selection_is_kept_while_the_list_is_searched() {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    browser.click(&Locator::role("checkbox", "Select wine"));
    browser.fill("Search this library", "sunset");
    browser.wait_for_path("/app/acme/photos?q=sunset");
    browser.wait_for(&Locator::text("1 selected"));
    browser.click(&Locator::role("checkbox", "Select sunset"));
    browser.wait_for(&Locator::text("2 selected"));
    browser.fill("Tags, separated by commas", "kept");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Added “kept” to 2 assets."));
    let tagged: Vec<_> = listed(&library).into_iter().filter(|(_, tags, _)| !tags.is_empty()).collect();
    assert_eq!(tagged.len(), 2, "{tagged:?}");
    // Back leads through what was searched, and not out of the library.
    browser.evaluate("history.back()");
    browser.wait_for_path("/app/acme/photos");
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 5");
    assert_eq!(browser.value(&Locator::field("Search this library")), "");
}

#[tokio::test]
async fn a_whole_list_stays_selected_with_its_filters() {
    let (library, browser) = all_jpegs_selected().await;
    browser.wait_for(&Locator::text("3 selected with other filters"));
    browser.wait_until("document.querySelectorAll('#grid .tile[data-id]').length === 5");
    browser.click(&Locator::role("checkbox", "Select umang"));
    browser.wait_for(&Locator::text("4 selected, 3 of them with other filters"));
    browser.fill("Tags, separated by commas", "chosen");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Added “chosen” to 4 assets."));
    assert_eq!(tagged(&library), ["picos-de-europa", "sunset", "umang", "wine"]);
    browser.click(&Locator::button("Undo"));
    browser.wait_for(&Locator::text("Removed “chosen” from 4 assets."));
    assert!(listed(&library).iter().all(|(_, tags, _)| tags.is_empty()));
}

#[tokio::test]
async fn an_asset_that_is_selected_in_two_ways_counts_once() {
    let (library, browser) = all_jpegs_selected().await;
    browser.wait_for_images();
    let count = || browser.text(&Locator::css("#selection-count"));
    let select = |name: &str| browser.click(&Locator::role("checkbox", &format!("Select {name}")));
    // One that the other list has, and one that it has not.
    select("sunset");
    browser
        .wait_until("document.getElementById('announcer').textContent === '3 selected with other filters'");
    assert_eq!(count(), "3 selected with other filters");
    select("umang");
    browser.wait_for(&Locator::text("4 selected, 3 of them with other filters"));
    // Taken out again, it is out, however it was selected.
    select("sunset");
    browser.wait_for(&Locator::text("3 selected, 2 of them with other filters"));
    select("sunset");
    browser.wait_for(&Locator::text("4 selected, 2 of them with other filters"));

    // As long as the server does not answer, the number is not said to be exact.
    browser.evaluate(
        "window.before = window.fetch; window.fetch = async () => new Response('', { status: 503 })",
    );
    select("picos-de-europa");
    browser.wait_for(&Locator::text("Up to 5 selected, 2 of them with other filters"));
    browser.evaluate("window.fetch = window.before");
    browser.fill("Tags, separated by commas", "chosen");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Added “chosen” to 4 assets."));
    assert_eq!(browser.text(&Locator::css(".toast p")), "Added “chosen” to 4 assets.");
    assert_eq!(tagged(&library), ["picos-de-europa", "sunset", "umang", "wine"]);
}

#[tokio::test]
async fn an_asset_that_is_selected_in_two_ways_is_taken_out_of_both() {
    let (library, browser) = all_jpegs_selected().await;
    browser.wait_for_images();
    for name in ["umang", "sunset"] {
        browser.click(&Locator::role("checkbox", &format!("Select {name}")));
    }
    browser.wait_for(&Locator::text("4 selected, 3 of them with other filters"));
    browser.evaluate("history.back()");
    browser.wait_for_path("/app/acme/photos?type=jpeg");
    browser.wait_for(&Locator::text("4 selected"));
    browser.click(&Locator::role("checkbox", "Select sunset"));
    browser.wait_for(&Locator::text("3 selected"));
    browser.fill("Tags, separated by commas", "chosen");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Added “chosen” to 3 assets."));
    assert_eq!(tagged(&library), ["picos-de-europa", "umang", "wine"]);
}

#[tokio::test]
async fn what_is_not_done_is_not_said() {
    let library = TestLibrary::with_fixtures().await;
    library.server.library("acme", "Press kit").await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    browser.click(&Locator::role("checkbox", "Select wine"));
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Type the tags first"));
    browser.click(&Locator::button("Transfer"));
    browser.wait_for(&Locator::text("Choose the library"));
    browser.dismiss_messages();
    browser.fill("Tags, separated by commas", "nothere");
    browser.click(&Locator::button("Untag"));
    browser.wait_for(&Locator::text("Nothing was changed. 1 asset did not have “nothere”."));
    browser.dismiss_messages();

    browser.click(&Locator::role("checkbox", "Select wine"));
    browser.choose("Library to transfer to", "Press kit");
    browser.click(&Locator::button("Transfer"));
    browser.wait_for(&Locator::text("Transferred 1 asset to “Press kit”."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 4");
    browser.click(&Locator::button("Undo"));
    browser.wait_for(&Locator::text("Transferred 1 asset to “Photos”."));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 5");

    browser.wait_for_images();
    browser.click(&Locator::role("checkbox", "Select sunset"));
    browser.click(&Locator::css("#selection .menu summary"));
    browser.click(&Locator::button("Describe…"));
    browser.fill("Description", "Evening");
    browser.check("library-describe");
    browser.click(&Locator::css("#describe-selected [value=describe]"));
    browser.wait_for(&Locator::text("Described 1 asset."));
    assert!(listed(&library).iter().any(|(name, _, text)| name == "sunset" && text == "Evening"));
    browser.click(&Locator::button("Undo"));
    browser.wait_until("document.querySelectorAll('.toast').length > 0");
    browser.wait_for(&Locator::text("Described 1 asset."));
    assert!(listed(&library).iter().all(|(_, _, text)| text.is_empty()));
}

#[tokio::test]
async fn the_first_pictures_come_soon_and_all_tags_are_found() {
    let library = TestLibrary::with_fixtures().await;
    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let id = core.list_assets(&caller, &PHOTOS, &[], ALL).unwrap()[0].asset.id.to_string();
    let tags: Vec<String> = (0..20).map(|number| format!("tag {number:02}")).collect();
    core.tag_assets(&caller, &PHOTOS, std::slice::from_ref(&id), &tags).await.unwrap();
    drop(caller);
    let browser = library.browser(Role::Owner).await;
    browser.set_appearance(crate::browser::Appearance::Phone);
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    let top = browser
        .evaluate("document.querySelector('#grid .tile').getBoundingClientRect().top")
        .as_f64()
        .unwrap();
    assert!(top < 240.0, "{top}");
    assert_eq!(browser.evaluate("getComputedStyle(document.querySelector('.tile-name')).opacity"), "1");
    browser.set_appearance(crate::browser::Appearance::Light);
    browser.click(&Locator::button("All tags"));
    browser.fill("Find a tag", "G 17");
    browser.wait_until("document.querySelectorAll('#tags-found a').length === 1");
    browser.check("library-tags");
    browser.click(&Locator::css("#tags-found a"));
    browser.wait_for_path("/app/acme/photos?tag=tag%2017");
    browser.wait_for(&Locator::text("1 asset found"));
}
