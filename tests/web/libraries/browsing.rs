//! Browsing a library: searching, filtering, sorting, loading a long list.

use std::time::Duration;

use rasterd::core::model::Role;
use serde_json::json;

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

/// The headings on a page, each with the name of the asset at which it stands.
const HEADINGS: &str = "[...document.querySelectorAll('#grid .tile[data-period]')].map((tile) => \
    [tile.querySelector('.tile-name').textContent, tile.dataset.period])";

/// The headings in the list that is shown as a whole.
fn headings(browser: &Browser) -> serde_json::Value {
    browser.wait_until(ALL_THERE);
    browser.evaluate(HEADINGS)
}

#[tokio::test]
async fn a_page_of_a_list_claims_no_date_since_it_does_not_know_where_it_is() {
    let library = TestLibrary::empty().await;
    library.upload("sunset.jpg").await;
    library.server.processed().await;
    library.server.clock().advance(Duration::from_hours(24 * 70));
    library.server.add_copies(&library.key, "acme", "photos", 70).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    let next = browser.evaluate(
        "fetch(location.href).then((answer) => answer.text())\
         .then((page) => /id=\"next\" href=\"([^\"]*)\"/.exec(page)[1].replaceAll('&#38;', '&'))",
    );
    browser.open(next.as_str().unwrap());
    browser.wait_for(&Locator::link("From the start"));
    browser.wait_until("document.querySelector('#grid .tile[data-index=\"0\"]')");
    assert_eq!(browser.evaluate(HEADINGS), json!([]));
}

#[tokio::test]
async fn a_short_list_says_where_each_day_or_month_begins_without_asking_for_it() {
    const DAY: u64 = 24 * 60 * 60;
    let library = TestLibrary::empty().await;
    let clock = library.server.clock();
    let passed = clock.now() / 1000 % DAY;
    // From noon on, so that a day is not over in the middle of the test.
    clock.advance(Duration::from_secs(DAY + DAY / 2 - passed));
    library.upload("sunset.jpg").await;
    library.upload("wine.jpg").await;
    clock.advance(Duration::from_secs(3 * DAY));
    library.upload("seeding.png").await;
    let days = clock.now() / 1000 / DAY;
    let date = |day: u64, options: &str| {
        format!(
            "new Date({day} * 86400000).toLocaleDateString('en', {{ {options} year: 'numeric', timeZone: 'UTC' }})"
        )
    };
    let day = "day: 'numeric', month: 'short',";
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    let dates = [date(days, day), date(days - 3, day)].map(|date| browser.evaluate(&date));
    assert_eq!(headings(&browser), json!([["seeding", dates[0]], ["wine", dates[1]]]));
    assert_eq!(
        browser.evaluate("performance.getEntriesByType('resource').filter((entry) => entry.initiatorType === 'fetch').length"),
        0
    );
    // They take no room in the rows.
    let rows = "new Set([...document.querySelectorAll('#grid .tile')].map((tile) => tile.getBoundingClientRect().top)).size";
    assert_eq!(browser.evaluate(rows), 1);
    // No room is left for a scrubber, which a short list has not.
    let sides = "(({ paddingLeft, paddingRight }) => [paddingLeft, paddingRight])(getComputedStyle(document.querySelector('main')))";
    let sides = browser.evaluate(sides);
    assert_eq!(sides[0], sides[1]);
    browser.check("library-days");
    browser.choose("Order", "Oldest first");
    browser.wait_for_path("/app/acme/photos?sort=oldest");
    assert_eq!(headings(&browser), json!([["sunset", dates[1]], ["seeding", dates[0]]]));
    browser.choose("Order", "By name");
    browser.wait_for_path("/app/acme/photos?sort=name");
    assert_eq!(headings(&browser), json!([]));

    clock.advance(Duration::from_secs(70 * DAY));
    library.upload("umang.webp").await;
    browser.sign_in("viewer@example.org");
    browser.open("/app/acme/photos?type=webp&type=jpeg");
    let month = "month: 'short',";
    let dates = [date(days + 70, month), date(days - 3, month)].map(|date| browser.evaluate(&date));
    assert_eq!(headings(&browser), json!([["umang", dates[0]], ["wine", dates[1]]]));
    browser.fill("Search this library", "sunset");
    browser.wait_for(&Locator::text("1 asset found"));
    assert_eq!(headings(&browser), json!([]), "the best match comes first, not the newest");
    browser.press("Escape");
    browser.wait_for(&Locator::text("3 assets found"));
    assert_eq!(headings(&browser), json!([["umang", dates[0]], ["wine", dates[1]]]));
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
