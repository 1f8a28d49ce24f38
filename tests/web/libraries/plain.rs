//! The main paths without a script: checkboxes, buttons, forms, pages.

use rasterd::core::model::Role;

use super::gallery::{Gallery, PICTURES, fixture};
use crate::browser::Find;

#[tokio::test]
async fn a_library_is_used_without_scripts() {
    let gallery = Gallery::empty().await;
    let browser = gallery.browser(Role::Owner).await;
    browser.without_scripts();
    browser.open("/app/acme/photos");
    browser.click(&Find::css("#upload-menu summary"));
    let notes = tempfile::NamedTempFile::with_suffix(".txt").unwrap();
    std::fs::write(&notes, "not a picture").unwrap();
    let pictures = PICTURES.map(fixture);
    let files: Vec<_> = pictures.iter().map(std::path::PathBuf::as_path).chain([notes.path()]).collect();
    browser.pick_files(&Find::css("#files"), &files);
    browser.click(&Find::css("#upload input[type=submit]"));
    browser.wait_for(&Find::text("Uploaded 5 assets. Left out:"));

    let select = |names: &[&str]| {
        browser.wait_for_images();
        for name in names {
            browser.click(&Find::role("checkbox", &format!("Select {name}")));
        }
    };
    select(&["wine", "sunset"]);
    browser.fill("Tags, with commas between", "evening");
    browser.click(&Find::button("Tag"));
    browser.wait_for(&Find::text("Put “evening” on 2 assets."));
    browser.open("/app/acme/photos");
    browser.click(&Find::link("evening 2"));
    browser.wait_for_path("/app/acme/photos?tag=evening");
    select(&["wine"]);
    browser.click(&Find::button("Trash"));
    browser.wait_for(&Find::text("Moved 1 asset to the trash."));
    browser.click(&Find::button("Restore"));
    browser.wait_for(&Find::text("Took 1 asset out of the trash."));
    browser.fill("Search this library", "win");
    browser.press("Enter");
    browser.wait_for(&Find::text("1 asset found"));
    select(&["wine"]);
    browser.click(&Find::button("Trash"));
    browser.wait_for(&Find::text("Moved 1 asset to the trash."));
    browser.open("/app/acme/photos/trash");
    select(&["wine"]);
    browser.click(&Find::button("Delete for good"));
    browser.wait_for(&Find::heading("Delete 1 asset for good?"));
    browser.click(&Find::button("Delete for good"));
    browser.wait_for(&Find::text("Deleted 1 asset for good."));

    browser.open("/app/acme/photos");
    browser.click(&Find::css("[alt=sunset]"));
    browser.wait_for(&Find::heading("sunset"));
    browser.fill("Description", "Evening in the hills");
    browser.click(&Find::button("Save"));
    browser.wait_for(&Find::text("The description is saved."));
    browser.fill("Add tags, with commas between", "hills");
    browser.click(&Find::button("Add"));
    browser.wait_for(&Find::button("Remove the tag hills"));
    browser.expect_no_complaints("without scripts");
}
