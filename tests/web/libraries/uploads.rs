//! Uploads from the page of a library.

use std::time::Duration;

use rasterd::core::model::Role;
use rasterd::core::quotas::QuotaChange;
use rasterd::testing::{TestDisk, TestServer};

use super::test_library::{FIXTURES, PHOTOS, TestLibrary, fixture};
use crate::browser::{Browser, Locator};
use crate::people::PASSWORD;

/// How many tiles are in the grid.
fn tiles(browser: &Browser) -> u64 {
    browser.evaluate("document.querySelectorAll('#grid .tile').length").as_u64().unwrap()
}

#[tokio::test]
async fn many_files_are_uploaded_and_a_refused_one_is_named_with_the_reason() {
    let library = TestLibrary::empty().await;
    let folder = rasterd::testing::TempFolder::new();
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "not an image").unwrap();
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for(&Locator::text("Nothing here yet"));
    browser.evaluate("window.isSamePage = true");
    let fixtures = FIXTURES.map(fixture);
    let mut files: Vec<_> = fixtures.iter().map(std::path::PathBuf::as_path).collect();
    files.insert(2, &notes);
    browser.pick_files(&Locator::css("#files"), &files);
    browser.wait_for(&Locator::text("5 of 6 files uploaded, 1 refused"));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 5");
    assert!(browser.text(&Locator::css(".upload-refused")).contains("notes.txt"));
    assert!(browser.text(&Locator::css(".upload-refused .wrong")).contains("type is not accepted"));
    browser.check("uploads");

    // Without a reload, and into the grid that came in the meantime.
    browser.pick_files(&Locator::css("#files"), &[&fixture("wine.jpg")]);
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 6");
    assert_eq!(browser.evaluate("window.isSamePage"), true);
    browser.wait_for(&Locator::text("6 of 7 files uploaded, 1 refused"));
    assert_eq!(tiles(&browser), 6);
    // What is refused for its type is not tried again; it was not even sent.
    assert_eq!(browser.evaluate("document.querySelector('.upload-refused [data-retry]').hidden"), true);
    // The second wine.jpg has the same file as the first.
    browser.wait_for(&Locator::text("The same file is here already:"));

    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let listed = core.list_assets(
        &caller,
        &PHOTOS,
        &[],
        rasterd::core::model::page::PageRequest { offset: 0, size: 10 },
    );
    let uploaders: Vec<_> = listed.unwrap().into_iter().map(|detail| detail.asset.uploaded_by).collect();
    assert_eq!(uploaders, vec!["editor Somebody"; 6]);
}

#[tokio::test]
async fn files_are_dropped_and_pasted() {
    let library = TestLibrary::empty().await;
    library.upload("sunset.jpg").await;
    let browser = library.browser(Role::Owner).await;
    browser.open("/app/acme/photos");
    browser.evaluate(
        "window.withFile = async (name) => { \
           const bytes = await (await fetch(document.querySelector('#grid img').src)).blob(); \
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
    browser.wait_for(&Locator::css("#grid img[alt=dropped]"));
    assert_eq!(browser.evaluate("window.wasCovered"), true);
    browser.evaluate(
        "withFile('pasted.webp').then((clipboardData) => \
           document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true })))",
    );
    browser.wait_for(&Locator::css("#grid img[alt=pasted]"));
    assert_eq!(tiles(&browser), 3);
    browser.expect_no_console_errors("drop and paste");
}

/// Ends the session of a browser that has a page open.
type End = fn(&TestLibrary, &Browser);

#[tokio::test]
async fn an_upload_continues_after_signing_in_over_the_page() {
    let expired: End = |library, _| library.server.clock().advance(Duration::from_hours(15 * 24));
    let signed_out: End = |_, browser| browser.clear_cookies();
    for (name, end) in [("expired", expired), ("signed-out", signed_out)] {
        let library = TestLibrary::empty().await;
        let browser = library.browser(Role::Editor).await;
        browser.open("/app/acme/photos");
        browser.evaluate("window.isSamePage = true");
        browser.pick_files(&Locator::css("#files"), &[&fixture("wine.jpg")]);
        browser.wait_for(&Locator::text("1 of 1 file uploaded"));
        // The list is loaded again for its first tile, which needs the session.
        browser.wait_until("document.querySelectorAll('#grid .tile').length === 1");
        end(&library, &browser);
        let fixtures = FIXTURES.map(fixture);
        let files: Vec<_> = fixtures.iter().map(std::path::PathBuf::as_path).collect();
        browser.pick_files(&Locator::css("#files"), &files);
        browser.wait_for(&Locator::heading("Sign in to continue"));
        browser.wait_for(&Locator::text("Paused: 1 of 6 files uploaded"));
        // The console tells of each 403, which is what a page that was signed out gets.
        if name == "expired" {
            browser.check("upload-signed-out");
        }

        // Refused once, put off once, and it is all still there.
        browser.fill("Password", "not the password");
        browser.press("Enter");
        browser.wait_until("document.querySelector('#signed-out .wrong').textContent.length > 0");
        browser.press("Escape");
        browser.wait_until("!document.querySelector('dialog[open]')");
        browser.click(&Locator::button("Continue"));
        browser.wait_for(&Locator::heading("Sign in to continue"));
        browser.fill("Password", PASSWORD);
        browser.press("Enter");
        browser.wait_for(&Locator::text("6 of 6 files uploaded"));
        browser.wait_until("document.querySelectorAll('#grid .tile').length === 6");
        assert_eq!(browser.evaluate("window.isSamePage"), true);

        // The page works on with the new session.
        browser.click(&Locator::css("#uploads-close"));
        browser.click(&Locator::role("checkbox", "Select sunset"));
        browser.click(&Locator::button("Trash"));
        browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
    }
}

#[tokio::test]
async fn a_bulk_change_continues_after_signing_in_over_the_page() {
    let library = TestLibrary::with_fixtures().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.clear_cookies();
    browser.click(&Locator::role("checkbox", "Select wine"));
    browser.click(&Locator::button("Trash"));
    browser.wait_for(&Locator::heading("Sign in to continue"));
    browser.fill("Password", PASSWORD);
    browser.press("Enter");
    browser.wait_for(&Locator::text("Moved 1 asset to the trash."));
}

#[tokio::test]
async fn a_dropped_folder_is_uploaded_with_its_subfolders() {
    let library = TestLibrary::empty().await;
    let folder = rasterd::testing::TempFolder::new();
    let trip = folder.path().join("trip");
    std::fs::create_dir_all(trip.join("day 2/evening")).unwrap();
    std::fs::create_dir_all(folder.path().join("nothing")).unwrap();
    for (from, to) in
        [("sunset.jpg", "10.jpg"), ("wine.jpg", "9.jpg"), ("umang.webp", "day 2/evening/bar.webp")]
    {
        std::fs::copy(fixture(from), trip.join(to)).unwrap();
    }
    std::fs::write(trip.join(".DS_Store"), "of the system").unwrap();
    std::fs::write(trip.join("day 2/Thumbs.db"), "of the system").unwrap();
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.drop_on(&Locator::css("main"), &[&folder.path().join("nothing")]);
    browser.wait_for(&Locator::text("The folder has no files in it."));
    browser.drop_on(&Locator::css("main"), &[&trip, &fixture("seeding.png")]);
    browser.wait_for(&Locator::text("4 of 4 files uploaded"));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 4");
    let names = "[...document.querySelectorAll('.upload [data-name]')].map((name) => name.textContent)";
    assert_eq!(browser.evaluate(names), serde_json::json!(["9.jpg", "10.jpg", "bar.webp", "seeding.png"]));
}

#[tokio::test]
async fn uploads_are_cancelled_one_by_one_and_all_together_and_the_finished_list_is_closed() {
    let library = TestLibrary::without_upload_limits().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.hold_uploads();
    let fixtures = FIXTURES.map(fixture);
    let files: Vec<_> = fixtures.iter().map(std::path::PathBuf::as_path).collect();
    browser.pick_files(&Locator::css("#files"), &files);
    browser.wait_for(&Locator::text("Uploading 5 files, 5 to go"));
    assert_eq!(browser.evaluate("document.getElementById('uploads-close').hidden"), true);
    browser.click(&Locator::button("Cancel the upload of wine.jpg"));
    browser.wait_for(&Locator::text("Uploading 5 files, 4 to go, 1 cancelled"));
    browser.click(&Locator::button("Cancel the upload of picos-de-europa.jpg"));
    browser.wait_for(&Locator::text("Uploading 5 files, 3 to go, 2 cancelled"));
    browser.check("uploads-cancelled");
    browser.click(&Locator::button("Cancel all"));
    browser.wait_for(&Locator::text("0 of 5 files uploaded, 5 cancelled"));
    browser.release_uploads();
    browser.click(&Locator::css(".upload-cancelled [data-retry]"));
    browser.wait_for(&Locator::text("1 of 5 files uploaded, 4 cancelled"));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 1");
    browser.click(&Locator::css("#uploads-close"));
    assert_eq!(browser.evaluate("document.getElementById('uploads').hidden"), true);
}

#[tokio::test]
async fn a_deleted_file_is_reported_without_a_retry() {
    let library = TestLibrary::without_upload_limits().await;
    let folder = rasterd::testing::TempFolder::new();
    let file = folder.path().join("gone.jpg");
    std::fs::copy(fixture("wine.jpg"), &file).unwrap();
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.hold_uploads();
    let others = ["sunset.jpg", "seeding.png", "umang.webp"].map(fixture);
    let mut files: Vec<_> = others.iter().map(std::path::PathBuf::as_path).collect();
    files.push(&file);
    browser.pick_files(&Locator::css("#files"), &files);
    browser.wait_for(&Locator::text("Uploading 4 files, 4 to go"));
    std::fs::remove_file(&file).unwrap();
    browser.click(&Locator::button("Cancel the upload of sunset.jpg"));
    browser.wait_for(&Locator::text("The file can’t be read"));
    assert_eq!(browser.evaluate("document.querySelector('.upload-refused [data-retry]').hidden"), true);
}

#[tokio::test]
async fn an_upload_without_room_says_why_and_works_when_there_is_room_again() {
    let disk = TestDisk::default();
    let library = TestLibrary::on(TestServer::builder().disk(&disk).start()).await;
    library.upload("sunset.jpg").await;
    let (core, by) = (library.server.core(), library.server.administrator());
    let limit = |assets| QuotaChange { assets: Some(assets), ..QuotaChange::default() };
    core.set_quota(by.clone(), "acme", limit(Some(1))).await.unwrap();
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_for(&Locator::css("#grid .tile"));

    browser.pick_files(&Locator::css("#files"), &[&fixture("wine.jpg")]);
    browser.wait_for(&Locator::text("0 of 1 file uploaded, 1 refused"));
    assert!(browser.text(&Locator::css(".upload-refused .wrong")).contains("exceeds"));
    core.set_quota(by, "acme", limit(None)).await.unwrap();
    browser.click(&Locator::button("Retry the upload of wine.jpg"));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 2");

    disk.leave_room(0);
    browser.pick_files(&Locator::css("#files"), &[&fixture("umang.webp")]);
    browser.wait_for(&Locator::text("1 refused"));
    assert!(browser.text(&Locator::css(".upload-refused .wrong")).contains("full"));
    disk.repair();
    browser.click(&Locator::button("Retry the upload of umang.webp"));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 3");
}

#[tokio::test]
async fn the_folders_of_files_become_tags_where_that_is_wished_for() {
    let library = TestLibrary::empty().await;
    let folder = rasterd::testing::TempFolder::new();
    let trip = folder.path().join("trip");
    std::fs::create_dir_all(trip.join("day 2")).unwrap();
    std::fs::copy(fixture("wine.jpg"), trip.join("day 2/wine.jpg")).unwrap();
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.drop_on(&Locator::css("main"), &[&trip]);
    browser.wait_for(&Locator::text("1 of 1 file uploaded"));
    browser.click(&Locator::text("Add the names of folders as tags"));
    let tags = || {
        let core = library.server.core();
        let caller = core.authenticate(&library.key.token).unwrap();
        let page = rasterd::core::model::page::PageRequest { offset: 0, size: 1 };
        core.list_assets(&caller, &PHOTOS, &[], page).unwrap()[0].asset.tags.clone()
    };
    let started = std::time::Instant::now();
    while tags().is_empty() {
        assert!(started.elapsed() < Duration::from_mins(1), "no tags came");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(tags(), ["trip", "day 2"]);
    browser.expect_no_console_errors("folders");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_is_sent_and_the_panel_opens_for_it() {
    let server = TestServer::start_with(|settings, _| settings.limits.file_bytes = 1000);
    let library = TestLibrary::on(server).await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.evaluate("window.sent = 0; { const open = XMLHttpRequest.prototype.open; \
        XMLHttpRequest.prototype.open = function (...all) { window.sent += 1; return open.apply(this, all); } }");
    browser.evaluate("document.getElementById('uploads-fold').click()");
    browser.pick_files(&Locator::css("#files"), &[&fixture("wine.jpg")]);
    browser.wait_for(&Locator::text("It is larger than 1 KB, the most that this server takes."));
    assert_eq!(browser.evaluate("window.sent"), 0);
    assert_eq!(browser.evaluate("document.querySelector('.upload-refused [data-retry]').hidden"), true);
}

#[tokio::test]
async fn a_file_that_is_dropped_beside_a_library_does_not_leave_the_page() {
    let library = TestLibrary::empty().await;
    let sunset = library.upload("sunset.jpg").await;
    let browser = library.browser(Role::Editor).await;
    for page in [format!("/app/acme/photos/{sunset}"), "/app/acme".to_owned(), "/app/profile".to_owned()] {
        browser.open(&page);
        browser.wait_for_scripts();
        browser.drop_on(&Locator::css("main"), &[&fixture("wine.jpg")]);
        browser.wait_until("document.readyState === 'complete'");
        assert_eq!(browser.path(), page);
    }
}

#[tokio::test]
async fn a_picture_that_is_cut_off_is_kept_and_that_is_said() {
    let library = TestLibrary::empty().await;
    let folder = rasterd::testing::TempFolder::new();
    let cut = |name: &str, padding: usize| {
        let (path, bytes) = (folder.path().join(name), std::fs::read(fixture("sunset.jpg")).unwrap());
        std::fs::write(&path, [&bytes[..bytes.len() / 2], &vec![0; padding]].concat()).unwrap();
        path
    };
    let (small, large) = (cut("small.jpg", 0), cut("large.jpg", 9_000_000));
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.pick_files(&Locator::css("#files"), &[&small, &fixture("wine.jpg")]);
    browser.wait_for(&Locator::text("2 of 2 files uploaded"));
    let warned = "[...document.querySelectorAll('.upload-done')].filter((row) => !row.querySelector('.wrong').hidden)\
        .map((row) => row.querySelector('[data-name]').textContent)";
    assert_eq!(browser.evaluate(warned), serde_json::json!(["small.jpg"]));
    browser.wait_until("document.querySelectorAll('#grid .tile').length === 2");
    browser.check("uploads-cut-off");
    // A large file goes another way.
    browser.pick_files(&Locator::css("#files"), &[&large]);
    browser.wait_for(&Locator::text("3 of 3 files uploaded"));
    assert_eq!(browser.evaluate(warned), serde_json::json!(["small.jpg", "large.jpg"]));

    browser.open("/app/acme/photos");
    browser.click(&Locator::css("[alt=small]"));
    browser.wait_for(&Locator::heading("small"));
    browser.wait_for(&Locator::text("This file ends early: the lower part of the picture is missing."));

    browser.without_scripts();
    browser.open("/app/acme/photos");
    browser.click(&Locator::css("#upload-menu summary"));
    browser.pick_files(&Locator::css("#files"), &[&small, &fixture("wine.jpg")]);
    browser.click(&Locator::css("#upload input[type=submit]"));
    browser.wait_for(&Locator::text("Uploaded 2 assets. 1 file ends early"));
}

#[tokio::test]
async fn the_panel_of_uploads_keeps_the_focus() {
    let library = TestLibrary::without_upload_limits().await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.hold_uploads();
    browser.pick_files(&Locator::css("#files"), &[&fixture("wine.jpg"), &fixture("sunset.jpg")]);
    browser.wait_for(&Locator::text("Uploading 2 files, 2 to go"));
    let focus_on = |name: &str| {
        browser.evaluate(&format!("document.querySelector('#uploads [aria-label=\"{name}\"]').focus()"));
        browser.press("Enter");
    };
    let focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent";
    focus_on("Cancel the upload of wine.jpg");
    browser.wait_for(&Locator::text("1 cancelled"));
    assert_eq!(browser.evaluate(focused), "Retry the upload of wine.jpg");
    browser.evaluate("document.getElementById('uploads-cancel').focus()");
    browser.press("Enter");
    browser.wait_for(&Locator::text("2 cancelled"));
    assert_eq!(browser.evaluate(focused), "List of uploads");
    focus_on("Close the list of uploads");
    assert_eq!(browser.evaluate("document.getElementById('uploads').hidden"), true);
    assert_eq!(browser.evaluate("document.activeElement.innerText"), "Upload");
}
