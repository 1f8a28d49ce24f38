//! Uploads from the page of a library.

use rasterd::app::model::Role;

use super::gallery::{Gallery, PHOTOS, PICTURES, fixture};
use crate::browser::{Browser, Find};

/// How many tiles are in the grid.
fn tiles(browser: &Browser) -> u64 {
    browser.evaluate("document.querySelectorAll('#photos .photo').length").as_u64().unwrap()
}

#[tokio::test]
async fn many_are_uploaded_at_once_and_one_that_is_refused_is_named_with_the_reason() {
    let gallery = Gallery::empty().await;
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "not a picture").unwrap();
    let browser = gallery.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for(&Find::text("Nothing here yet"));
    browser.evaluate("window.isSamePage = true");
    let pictures = PICTURES.map(fixture);
    let mut files: Vec<_> = pictures.iter().map(std::path::PathBuf::as_path).collect();
    files.insert(2, &notes);
    browser.pick_files(&Find::css("#files"), &files);
    browser.wait_for(&Find::text("5 of 6 files uploaded, 1 refused"));
    browser.wait_until("document.querySelectorAll('#photos .photo').length === 5");
    assert!(browser.text(&Find::css(".upload-refused")).contains("notes.txt"));
    assert!(browser.text(&Find::css(".upload-refused .wrong")).contains("type is not accepted"));
    browser.check("uploads");

    // Without a reload, and into the grid that came in the meantime.
    browser.pick_files(&Find::css("#files"), &[&fixture("wine.jpg")]);
    browser.wait_until("document.querySelectorAll('#photos .photo').length === 6");
    assert_eq!(browser.evaluate("window.isSamePage"), true);
    browser.click(&Find::button("Retry"));
    browser.wait_for(&Find::text("6 of 7 files uploaded, 1 refused"));
    assert_eq!(tiles(&browser), 6);

    let app = gallery.server.app();
    let caller = app.authenticate(&gallery.key.token).unwrap();
    let listed = app.list_assets(&caller, &PHOTOS, &[], rasterd::app::page::Page { offset: 0, size: 10 });
    let uploaders: Vec<_> = listed.unwrap().into_iter().map(|detail| detail.asset.uploaded_by).collect();
    assert_eq!(uploaders, vec!["editor Somebody"; 6]);
}

#[tokio::test]
async fn files_are_dropped_and_pasted() {
    let gallery = Gallery::empty().await;
    gallery.add("sunset.jpg").await;
    let browser = gallery.browser(Role::Owner).await;
    browser.open("/app/acme/photos");
    browser.evaluate(
        "window.withFile = async (name) => { \
           const bytes = await (await fetch(document.querySelector('#photos img').src)).blob(); \
           const data = new DataTransfer(); \
           data.items.add(new File([bytes], name, { type: bytes.type })); \
           return data; }",
    );
    browser.evaluate(
        "withFile('dropped.webp').then((dataTransfer) => { \
           for (const type of ['dragenter', 'dragover']) \
             document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })); \
           window.wasCovered = !document.getElementById('drop-page').hidden; \
           document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })); })",
    );
    browser.wait_for(&Find::css("#photos img[alt=dropped]"));
    assert_eq!(browser.evaluate("window.wasCovered"), true);
    browser.evaluate(
        "withFile('pasted.webp').then((clipboardData) => \
           document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true })))",
    );
    browser.wait_for(&Find::css("#photos img[alt=pasted]"));
    assert_eq!(tiles(&browser), 3);
    browser.expect_no_complaints("drop and paste");
}
