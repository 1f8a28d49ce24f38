//! Looking through a library: searching, filtering, sorting, to the end of it.

use rasterd::core::model::Role;

use super::gallery::Gallery;
use crate::browser::{Browser, Find};

/// The names of the tiles, in order.
fn names(browser: &Browser) -> Vec<String> {
    let names =
        browser.evaluate("[...document.querySelectorAll('#grid .tile-name')].map((n) => n.textContent)");
    serde_json::from_value(names).unwrap()
}

/// Waits until the grid has these names.
fn expect_names(browser: &Browser, names: &[&str]) {
    let names = serde_json::to_string(names).unwrap();
    browser.wait_until(&format!(
        "JSON.stringify([...document.querySelectorAll('#grid .tile-name')].map((n) => n.textContent)) === {names:?}"
    ));
}

#[tokio::test]
async fn a_search_goes_along_with_typing_and_marks_what_it_found() {
    let gallery = Gallery::full().await;
    let wine = gallery.add_as("wine.jpg", "Red wine & <cheese>.jpg").await;
    gallery.tag(&[&wine], &["evening"]).await;
    let browser = gallery.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.fill("Search this library", "win");
    expect_names(&browser, &["Red wine & <cheese>", "wine"]);
    browser.wait_for_path("/app/acme/photos?q=win");
    assert_eq!(browser.text(&Find::css("#grid mark")), "wine");
    assert_eq!(browser.text(&Find::css(".results-bar [role=status]")), "2 assets found");
    browser.check("library-search");

    browser.open("/app/acme/photos?q=win&tag=evening");
    expect_names(&browser, &["Red wine & <cheese>"]);
    browser.fill("Search this library", "sunset");
    browser.wait_for(&Find::text("Nothing fits"));
    browser.check("library-nothing-fits");
    browser.press("Escape");
    expect_names(&browser, &["Red wine & <cheese>"]);
    browser.wait_for_path("/app/acme/photos?tag=evening");
}

#[tokio::test]
async fn tags_filter_and_orders_sort() {
    let gallery = Gallery::empty().await;
    let two = gallery.add_as("wine.jpg", "img 2.jpg").await;
    let ten = gallery.add_as("seeding.png", "IMG 10.png").await;
    let one = gallery.add_as("sunset.jpg", "img 1.jpg").await;
    gallery.tag(&[&two, &ten], &["sea"]).await;
    gallery.tag(&[&one], &["a & b"]).await;
    let browser = gallery.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    expect_names(&browser, &["img 1", "IMG 10", "img 2"]);
    browser.choose("Order", "By name");
    expect_names(&browser, &["img 1", "img 2", "IMG 10"]);
    browser.wait_until("location.search === '?sort=name'");
    browser.click(&Find::link("sea 2"));
    browser.wait_for_path("/app/acme/photos?tag=sea&sort=name");
    expect_names(&browser, &["img 2", "IMG 10"]);
    browser.click(&Find::link("a & b 1"));
    browser.wait_for_path("/app/acme/photos?tag=sea&tag=a%20%26%20b&sort=name");
    expect_names(&browser, &["img 1", "img 2", "IMG 10"]);
    browser.choose("Order", "Oldest first");
    expect_names(&browser, &["img 2", "IMG 10", "img 1"]);
    let sizes = ["wine.jpg", "seeding.png", "sunset.jpg"]
        .map(|name| std::fs::metadata(super::gallery::fixture(name)).unwrap().len());
    let mut by_size = [("img 2", sizes[0]), ("IMG 10", sizes[1]), ("img 1", sizes[2])];
    by_size.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    browser.choose("Order", "Largest first");
    expect_names(&browser, &by_size.map(|(name, _)| name));
}

#[tokio::test]
async fn a_long_list_goes_on_by_itself_and_as_pages() {
    let gallery = Gallery::empty().await;
    for number in 1..=130 {
        let drawing = format!("<svg xmlns='http://www.w3.org/2000/svg' width='{number}' height='50'/>");
        let name = format!("{number}.svg");
        gallery.server.upload(&gallery.key, "acme", "photos", &name, drawing.as_bytes()).await;
    }
    let browser = gallery.browser(Role::Viewer).await;
    browser.open("/app/acme/photos?sort=name");
    let expected: Vec<String> = (1..=130).map(|number| number.to_string()).collect();
    browser.wait_until(
        "(scrollTo(0, document.body.scrollHeight), document.querySelectorAll('.tile').length === 130)",
    );
    assert_eq!(names(&browser), expected);
    assert!(!browser.has(&Find::link("More")));

    // Back from an asset's page: the list is as long as it was, and the same picture has the focus.
    browser.click(&Find::css("[alt='120']"));
    browser.wait_for(&Find::heading("120"));
    browser.evaluate("history.back()");
    browser.wait_until("document.activeElement.closest('.tile')?.textContent.includes('120')");

    browser.without_scripts();
    browser.open("/app/acme/photos?sort=name");
    let mut seen = names(&browser);
    for page in 2..=3 {
        browser.click(&Find::link("More"));
        browser.wait_until(&format!(
            "document.readyState === 'complete' && !document.getElementById('grid').textContent.includes('{}')",
            seen.last().unwrap()
        ));
        seen.extend(names(&browser));
        if page == 2 {
            browser.wait_for(&Find::link("More"));
        } else {
            browser.wait_until_gone(&Find::link("More"));
        }
    }
    assert_eq!(seen, expected);
    browser.click(&Find::link("From the start"));
    browser.wait_for_path("/app/acme/photos?sort=name");
}
