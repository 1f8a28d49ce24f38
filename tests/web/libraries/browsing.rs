//! Browsing a library: searching, filtering, sorting, loading a long list.

use rasterd::core::model::Role;

use super::measurements::ALL_THERE;
use super::test_library::TestLibrary;
use crate::browser::{Browser, Locator};

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
async fn a_search_follows_typing_and_marks_what_it_found() {
    let library = TestLibrary::with_fixtures().await;
    let wine = library.upload_as("wine.jpg", "Red wine & <cheese>.jpg").await;
    library.tag(&[&wine], &["evening"]).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.fill("Search this library", "win");
    expect_names(&browser, &["Red wine & <cheese>", "wine"]);
    browser.wait_for_path("/app/acme/photos?q=win");
    assert_eq!(browser.text(&Locator::css("#grid mark")), "wine");
    assert_eq!(browser.text(&Locator::css(".results-bar [role=status]")), "2 assets found");
    browser.check("library-search");

    browser.open("/app/acme/photos?q=win&tag=evening");
    expect_names(&browser, &["Red wine & <cheese>"]);
    browser.fill("Search this library", "sunset");
    browser.wait_for(&Locator::text("Nothing found"));
    browser.check("library-nothing-found");
    browser.press("Escape");
    expect_names(&browser, &["Red wine & <cheese>"]);
    browser.wait_for_path("/app/acme/photos?tag=evening");
}

#[tokio::test]
async fn tags_filter_and_orders_sort() {
    let library = TestLibrary::empty().await;
    let two = library.upload_as("wine.jpg", "img 2.jpg").await;
    let ten = library.upload_as("seeding.png", "IMG 10.png").await;
    let one = library.upload_as("sunset.jpg", "img 1.jpg").await;
    library.tag(&[&two, &ten], &["sea"]).await;
    library.tag(&[&one], &["a & b"]).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    expect_names(&browser, &["img 1", "IMG 10", "img 2"]);
    browser.choose("Order", "By name");
    expect_names(&browser, &["img 1", "img 2", "IMG 10"]);
    browser.wait_until("location.search === '?sort=name'");
    browser.click(&Locator::link("sea 2"));
    browser.wait_for_path("/app/acme/photos?tag=sea&sort=name");
    expect_names(&browser, &["img 2", "IMG 10"]);
    browser.click(&Locator::link("a & b 1"));
    browser.wait_for_path("/app/acme/photos?tag=sea&tag=a%20%26%20b&sort=name");
    expect_names(&browser, &["img 1", "img 2", "IMG 10"]);
    browser.choose("Order", "Oldest first");
    expect_names(&browser, &["img 2", "IMG 10", "img 1"]);
    let sizes = ["wine.jpg", "seeding.png", "sunset.jpg"]
        .map(|name| std::fs::metadata(super::test_library::fixture(name)).unwrap().len());
    let mut by_size = [("img 2", sizes[0]), ("IMG 10", sizes[1]), ("img 1", sizes[2])];
    by_size.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    browser.choose("Order", "Largest first");
    expect_names(&browser, &by_size.map(|(name, _)| name));
}

#[tokio::test]
async fn a_long_list_is_on_one_page_or_comes_in_pages() {
    let library = TestLibrary::empty().await;
    for number in 1..=130 {
        let drawing = format!("<svg xmlns='http://www.w3.org/2000/svg' width='{number}' height='50'/>");
        let name = format!("{number}.svg");
        library.server.upload(&library.key, "acme", "photos", &name, drawing.as_bytes()).await;
    }
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos?sort=name");
    let expected: Vec<String> = (1..=130).map(|number| number.to_string()).collect();
    let mut shown: Vec<String> = Vec::new();
    for step in 0..20 {
        browser.evaluate(&format!("scrollTo(0, {step} * innerHeight / 2)"));
        browser.wait_until(ALL_THERE);
        shown.extend(names(&browser).into_iter().filter(|name| !shown.contains(name)).collect::<Vec<_>>());
    }
    assert_eq!(shown, expected);
    assert!(!browser.has(&Locator::link("More")));

    // Back from an asset's page: the list is where it was, and the same tile has the focus.
    browser.click(&Locator::css("[alt='120']"));
    browser.wait_for(&Locator::heading("120"));
    browser.evaluate("history.back()");
    browser.wait_until("document.activeElement.closest('.tile')?.textContent.includes('120')");

    browser.without_scripts();
    browser.open("/app/acme/photos?sort=name");
    let mut seen = names(&browser);
    for page in 2..=3 {
        browser.click(&Locator::link("More"));
        browser.wait_until(&format!(
            "document.readyState === 'complete' && !document.getElementById('grid').textContent.includes('{}')",
            seen.last().unwrap()
        ));
        seen.extend(names(&browser));
        if page == 2 {
            browser.wait_for(&Locator::link("More"));
        } else {
            browser.wait_until_gone(&Locator::link("More"));
        }
    }
    assert_eq!(seen, expected);
    browser.click(&Locator::link("From the start"));
    browser.wait_for_path("/app/acme/photos?sort=name");
}
