//! Every page of a library in every look.

use rasterd::core::model::Role;

use super::gallery::{Gallery, PICTURES};
use crate::browser::Find;

#[tokio::test]
async fn the_pages_of_a_library_stand_every_look() {
    let gallery = Gallery::full().await;
    let server = &gallery.server;
    for (number, name) in PICTURES.iter().cycle().take(18).enumerate() {
        gallery.add_as(name, &format!("trip-{number:02}.jpg")).await;
    }
    let wine = gallery.add("wine.jpg").await;
    let sunset = gallery.add_as("sunset.jpg", "Golden Gate at sunset.jpg").await;
    gallery.add_variant("umang.webp", &sunset).await;
    gallery.tag(&[&sunset, &wine], &["evening", "red"]).await;
    gallery.tag(&[&sunset], &["California", "sea", "bridge"]).await;
    server.library("acme", "Press kit").await;
    server.library("acme", "Drafts").await;
    server.processed().await;
    let browser = gallery.browser(Role::Owner).await;
    browser.wait_for_path("/app/acme");
    browser.wait_for(&Find::heading("Libraries"));
    browser.wait_for_images();
    browser.check("libraries");
    browser.open("/app/acme/drafts");
    browser.wait_for(&Find::text("Nothing here yet"));
    browser.check("library-empty");
    browser.open("/app/acme/photos");
    browser.wait_for_images();
    browser.check("library");
    browser.open(&format!("/app/acme/photos/{sunset}"));
    browser.wait_for(&Find::heading("Golden Gate at sunset"));
    browser.check("asset");
}
