//! Every page of a library in every appearance.

use rasterd::core::model::Role;

use super::test_library::{FIXTURES, TestLibrary};
use crate::browser::Locator;

#[tokio::test]
async fn library_pages_pass_in_every_appearance() {
    let library = TestLibrary::with_fixtures().await;
    let server = &library.server;
    for (number, name) in FIXTURES.iter().cycle().take(18).enumerate() {
        library.upload_as(name, &format!("trip-{number:02}.jpg")).await;
    }
    let wine = library.upload("wine.jpg").await;
    let sunset = library.upload_as("sunset.jpg", "Golden Gate at sunset.jpg").await;
    library.upload_variant("umang.webp", &sunset).await;
    library.tag(&[&sunset, &wine], &["evening", "red"]).await;
    library.tag(&[&sunset], &["California", "sea", "bridge"]).await;
    server.library("acme", "Press kit").await;
    server.library("acme", "Drafts").await;
    server.processed().await;
    let browser = library.browser(Role::Owner).await;
    browser.wait_for_path("/app/acme");
    browser.wait_for(&Locator::heading("Libraries"));
    browser.wait_for_images();
    browser.check("libraries");
    browser.open("/app/acme/drafts");
    browser.wait_for(&Locator::text("Nothing here yet"));
    browser.check("library-empty");
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    browser.check("library");
    browser.open(&format!("/app/acme/photos/{sunset}"));
    browser.wait_for(&Locator::heading("Golden Gate at sunset"));
    browser.check("asset");
}
