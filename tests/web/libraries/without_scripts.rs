//! A library without scripts: checkboxes, buttons, forms, pages.

use rasterd::core::model::Role;

use super::test_library::{FIXTURES, TestLibrary, fixture};
use crate::browser::Locator;

#[tokio::test]
async fn a_library_works_without_scripts() {
    let library = TestLibrary::empty().await;
    let browser = library.browser(Role::Owner).await;
    browser.without_scripts();
    browser.open("/app/acme/photos");
    browser.click(&Locator::css("#upload-menu summary"));
    let notes = tempfile::NamedTempFile::with_suffix(".txt").unwrap();
    std::fs::write(&notes, "not an image").unwrap();
    let fixtures = FIXTURES.map(fixture);
    let files: Vec<_> = fixtures.iter().map(std::path::PathBuf::as_path).chain([notes.path()]).collect();
    browser.pick_files(&Locator::css("#files"), &files);
    browser.click(&Locator::css("#upload input[type=submit]"));
    browser.wait_for(&Locator::text("Uploaded 5 assets. Left out:"));

    let select = |names: &[&str]| {
        browser.wait_for_images();
        for name in names {
            browser.click(&Locator::role("checkbox", &format!("Select {name}")));
        }
    };
    select(&["wine", "sunset"]);
    browser.fill("Tags, separated by commas", "evening");
    browser.click(&Locator::button("Tag"));
    browser.wait_for(&Locator::text("Added “evening” to 2 assets."));
    browser.open("/app/acme/photos");
    browser.click(&Locator::link("evening 2"));
    browser.wait_for_path("/app/acme/photos?tag=evening");
    select(&["wine"]);
    browser.click(&Locator::button("Trash"));
    browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
    browser.click(&Locator::button("Restore"));
    browser.wait_for(&Locator::text("Restored 1 asset."));
    browser.fill("Search this library", "win");
    browser.press("Enter");
    browser.wait_for(&Locator::text("1 asset found"));
    select(&["wine"]);
    browser.click(&Locator::button("Trash"));
    browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
    browser.open("/app/acme/photos/trash");
    select(&["wine"]);
    browser.click(&Locator::button("Delete for good"));
    browser.wait_for(&Locator::heading("Delete 1 asset for good?"));
    browser.click(&Locator::button("Delete for good"));
    browser.wait_for(&Locator::text("Deleted 1 asset for good."));

    browser.open("/app/acme/photos");
    browser.click(&Locator::css("[alt=sunset]"));
    browser.wait_for(&Locator::heading("sunset"));
    browser.fill("Description", "Evening in the hills");
    browser.click(&Locator::button("Save"));
    browser.wait_for(&Locator::text("The description is saved."));
    browser.fill("Add tags, separated by commas", "hills");
    browser.click(&Locator::button("Add"));
    browser.wait_for(&Locator::button("Remove the tag hills"));
    browser.expect_no_console_errors("without scripts");
}
