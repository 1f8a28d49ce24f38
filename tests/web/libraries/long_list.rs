//! A library that is longer than any page: what is on the page, how it is scrolled, and the way back. `make web-large` runs
//! the same measurements with a hundred thousand assets.

use rasterd::core::model::Role;
use serde_json::{Value, json};

use super::measurements::{ALL_THERE, MEASURE, NODES, SCROLL};
use super::test_library::TestLibrary;
use crate::browser::{Browser, Locator};

/// How many assets the library has.
const MANY: usize = 3000;
/// The most nodes that the whole page may have, texts included.
const MAX_NODES: u64 = 1500;

async fn long_library(many: usize) -> TestLibrary {
    let library = TestLibrary::empty().await;
    for name in ["sunset.jpg", "wine.jpg", "umang.webp"] {
        library.upload(name).await;
    }
    library.server.processed().await;
    library.server.add_copies(&library.key, "acme", "photos", many - 3).await;
    library
}

fn names(browser: &Browser) -> Vec<String> {
    let names = browser.evaluate(
        "[...document.querySelectorAll('#grid .tile[data-id]')].sort((a, b) => a.dataset.index - b.dataset.index)\
         .map((tile) => tile.querySelector('.tile-name').textContent)",
    );
    serde_json::from_value(names).unwrap()
}

#[tokio::test]
async fn a_long_list_is_as_high_as_it_is_and_few_nodes_are_on_the_page() {
    let library = long_library(MANY).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    browser.evaluate(MEASURE);
    let height = "document.getElementById('grid').offsetHeight";
    let before = browser.evaluate(height);
    let most = browser.evaluate(SCROLL).as_u64().unwrap();
    assert!(most <= MAX_NODES, "{most} nodes");
    browser.wait_until(ALL_THERE);
    assert_eq!(browser.evaluate(height), before, "the height is known from the start");
    assert_eq!(names(&browser).last().unwrap(), &format!("copy {:06}", MANY - 4));
    // A storm of scrolling asks for little more than what it passes by slowly.
    let asked = browser.evaluate("window.asked").as_u64().unwrap();
    assert!(asked <= 60, "{asked} requests");
    let nodes = browser.evaluate(NODES).as_u64().unwrap();
    assert!(nodes <= MAX_NODES, "{nodes} nodes at the end");
    println!(
        "{MANY} assets: {most} nodes, {asked} requests, long tasks {}",
        browser.evaluate("window.tasks")
    );
    browser.check("library-long");
}

#[tokio::test]
async fn any_place_is_one_request_away_and_rows_have_no_holes() {
    let library = long_library(MANY).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    browser.evaluate(MEASURE);
    // A place whose tiles are all in one part.
    browser.evaluate(
        "(() => { const grid = document.getElementById('grid'); const tile = grid.querySelector('.tile').offsetWidth + 4; \
         const columns = Math.round((grid.offsetWidth + 4) / tile); \
         scrollTo(0, grid.offsetTop + Math.floor(1530 / columns) * tile); })()",
    );
    browser.wait_until("document.querySelector('#grid .tile[data-index=\"1530\"]')");
    browser.wait_until(ALL_THERE);
    let asked = browser.evaluate("window.asked").as_u64().unwrap();
    assert!((1..=2).contains(&asked), "{asked} requests");
    let bytes = "performance.getEntriesByType('resource').findLast((entry) => entry.name.includes('start=')).encodedBodySize";
    let bytes = browser.evaluate(bytes).as_u64().unwrap();
    assert!((1..12_000).contains(&bytes), "a part has {bytes} bytes");
    // Every position near the screen once, rows equally high, and none between them.
    let shape = browser.evaluate(
        "(() => { const tiles = [...document.querySelectorAll('#grid .tile')]; \
         const indexes = tiles.map((tile) => Number(tile.dataset.index)); \
         const boxes = tiles.map((tile) => tile.getBoundingClientRect()); \
         const tops = [...new Set(boxes.map((box) => Math.round(box.top)))]; \
         const steps = new Set(tops.slice(1).map((top, at) => top - tops[at])); \
         return [indexes.every((index, at) => !at || index === indexes[at - 1] + 1), Math.max(...steps) - Math.min(...steps) <= 1, \
                 Math.max(...boxes.map((box) => Math.abs(box.height - box.width))) < 1]; })()",
    );
    assert_eq!(shape, json!([true, true, true]));
}

/// The tile at the top of the screen, and how far it is from there.
const PLACE: &str = "(() => { const tiles = [...document.querySelectorAll('#grid .tile[data-id]')]; \
    const tile = tiles.find((tile) => tile.getBoundingClientRect().bottom > 200); \
    return [tile.dataset.id, Math.round(tile.getBoundingClientRect().top)]; })()";

#[tokio::test]
async fn every_way_back_leads_to_the_same_pixel_and_the_list_is_once_in_the_history() {
    let library = long_library(MANY).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    let expect_back = |way: &str, place: &Value| {
        browser.wait_until("location.pathname === '/app/acme/photos'");
        browser.wait_until(ALL_THERE);
        assert_eq!(browser.evaluate(PLACE), *place, "{way}");
    };
    for way in ["back", "Escape", "breadcrumb", "Escape after the next one"] {
        browser.evaluate("scrollTo(0, document.getElementById('grid').offsetTop + 40321)");
        browser.wait_until(ALL_THERE);
        let place = browser.evaluate(PLACE);
        let entries = browser.evaluate("history.length").as_u64().unwrap();
        browser.evaluate(&format!(
            "document.querySelector(\"#grid [data-id='{}'] .tile-link\").click()",
            place[0].as_str().unwrap()
        ));
        browser.wait_for(&Locator::css("#viewer"));
        match way {
            "back" => drop(browser.evaluate("history.back()")),
            "breadcrumb" => browser.click(&Locator::css(".crumbs li:nth-last-child(2) a")),
            _ => {
                if way.ends_with("one") {
                    let at = browser.path();
                    browser.press("ArrowRight");
                    browser.wait_until(&format!("location.pathname !== '{at}'"));
                    browser.wait_for_scripts();
                }
                browser.press("Escape");
            }
        }
        expect_back(way, &place);
        let since = browser.evaluate("history.length").as_u64().unwrap() - entries;
        assert!(since <= 2, "{way}: {since} more entries");
        browser.evaluate("scrollTo(0, 0)");
        browser.wait_until(ALL_THERE);
    }
    browser.expect_no_console_errors("ways back");
}

#[tokio::test]
async fn another_size_of_the_window_keeps_the_place() {
    let library = long_library(600).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    browser.evaluate("scrollTo(0, document.getElementById('grid').offsetTop + 4000)");
    browser.wait_until(ALL_THERE);
    let first = "Number([...document.querySelectorAll('#grid .tile[data-id]')]\
        .find((tile) => tile.getBoundingClientRect().top > document.getElementById('toolbar').getBoundingClientRect().bottom - 2).dataset.index)";
    let before = browser.evaluate(first).as_u64().unwrap();
    browser.set_appearance(crate::browser::Appearance::Phone);
    browser.wait_until(ALL_THERE);
    browser.wait_until(&format!("Math.abs({first} - {before}) <= 12"));
}

#[tokio::test]
async fn the_focus_and_keys_reach_everything() {
    let library = long_library(MANY).await;
    let browser = library.browser(Role::Editor).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    let focused = "Number(document.activeElement.closest('.tile')?.dataset.index ?? -1)";
    browser.evaluate("document.querySelector('.tile-link').focus()");
    browser.press("ArrowDown");
    let columns = browser.evaluate(focused).as_u64().unwrap();
    assert!(columns > 2, "{columns}");
    browser.press("End");
    browser.wait_until(&format!("{focused} === {}", MANY - 1));
    assert_eq!(
        browser.evaluate("document.activeElement.closest('.tile').ariaPosInSet"),
        json!(MANY.to_string())
    );
    assert_eq!(
        browser.evaluate("document.activeElement.closest('.tile').ariaSetSize"),
        json!(MANY.to_string())
    );
    browser.press("Home");
    browser.wait_until(&format!("{focused} === 0"));
    // Far away, the tile with the focus stays on the page, and keys go on from it.
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)");
    browser.wait_until(ALL_THERE);
    assert_eq!(browser.evaluate(focused), json!(0));
    browser.press("ArrowRight");
    browser.wait_until(&format!("{focused} === 1"));
    // A range that reaches further than what is on the page.
    browser.press(" ");
    browser.press("Shift+End");
    browser.wait_for(&Locator::text("2,999 selected"));
    browser.press("Escape");
    browser.press("Control+a");
    browser.wait_for(&Locator::text("3,000 selected"));
    browser.expect_no_console_errors("keys");
}

#[tokio::test]
async fn the_scrubber_leads_to_any_month() {
    let library = long_library(MANY).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_for(&Locator::role("slider", "Time"));
    let beside = "document.querySelector('.scrubber').getBoundingClientRect().left >= document.querySelector('#grid').getBoundingClientRect().right";
    assert_eq!(browser.evaluate(beside), true);
    browser.evaluate("document.querySelector('.scrubber').focus()");
    let month = "document.querySelector('.scrubber').getAttribute('aria-valuetext')";
    let newest = browser.evaluate(month);
    browser.press("End");
    browser.wait_until(&format!("{month} !== {newest}"));
    browser.wait_until(ALL_THERE);
    assert_eq!(names(&browser).last().unwrap(), &format!("copy {:06}", MANY - 4));
    browser.press("ArrowUp");
    browser.wait_until(ALL_THERE);
    // The tile with which it begins says so.
    browser.wait_until(&format!(
        "[...document.querySelectorAll('.tile[data-period]')].some((tile) => tile.dataset.period === {month} \
         && getComputedStyle(tile, '::before').content === JSON.stringify({month}))"
    ));
    // No dates where the order is another one.
    browser.open("/app/acme/photos?sort=name");
    browser.wait_until(ALL_THERE);
    assert!(!browser.has(&Locator::role("slider", "Time")));
    assert_eq!(browser.evaluate("document.querySelectorAll('[data-period]').length"), json!(0));
}

#[tokio::test]
async fn a_failing_server_is_left_alone_and_asked_again() {
    let library = long_library(600).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    let fail = |status: u16, headers: &str| {
        browser.evaluate(&format!(
            "(() => {{ window.before ??= window.fetch; window.asked = 0; window.fetch = (address, ...rest) => {{ \
             if (!String(address).includes('start=')) return window.before(address, ...rest); \
             window.asked += 1; \
             return {status} ? Promise.resolve(new Response('', {{ status: {status}, headers: {headers} }})) : Promise.reject(new TypeError('no')); }}; }})()"
        ));
    };
    fail(500, "{}");
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    browser.wait_for(&Locator::text("The server could not answer."));
    browser.evaluate("(async () => { for (let at = 0; at < 40; at += 1) { scrollBy(0, -3); await new Promise((next) => setTimeout(next, 20)); } })()");
    let asked = browser.evaluate("window.asked").as_u64().unwrap();
    assert!(asked <= 4, "{asked} requests");
    browser.check("library-failing");
    fail(429, "{ 'Retry-After': '60' }");
    browser.click(&Locator::button("Retry"));
    browser.wait_for(&Locator::text("The server has too much to do."));
    browser.wait_for(&Locator::text("in 60 seconds"));
    assert_eq!(browser.evaluate("document.querySelector('#list-problem button').disabled"), json!(true));
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    fail(0, "{}");
    // The browser may have opened the page again where it was, at its end.
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)");
    browser.wait_for(&Locator::text("The server can’t be reached."));
    browser.evaluate("window.fetch = window.before");
    browser.click(&Locator::button("Retry"));
    browser.wait_until(ALL_THERE);
    assert_eq!(browser.evaluate("document.getElementById('list-problem').hidden"), json!(true));
}

#[tokio::test]
async fn somebody_signed_out_signs_in_over_the_list_and_it_goes_on() {
    let library = long_library(600).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    browser.clear_cookies();
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    browser.wait_for(&Locator::heading("Sign in to continue"));
    browser.fill("Password", crate::people::PASSWORD);
    browser.press("Enter");
    browser.wait_until("!document.querySelector('dialog[open]')");
    browser.wait_until(ALL_THERE);
    assert_eq!(names(&browser).last().unwrap(), "copy 000596");
}

#[tokio::test]
async fn on_a_slow_line_what_is_shown_comes_first_and_a_list_on_its_way_is_announced() {
    let library = long_library(600).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    browser.slow_line();
    // Images of a place that is left while they load.
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)");
    browser.wait_until(ALL_THERE);
    browser.wait_until("[...document.querySelectorAll('#grid img')].some((image) => !image.complete)");
    browser.evaluate("scrollTo(0, 0)");
    browser.wait_until("document.querySelector('#grid [data-index=\"0\"]')");
    let begun = std::time::Instant::now();
    while browser.abandoned_requests("/cdn/") == 0 {
        assert!(begun.elapsed().as_secs() < 30, "images of another place are loaded on");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // Back there, they come all the same.
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)");
    browser.wait_until(ALL_THERE);
    browser.wait_until(
        "[...document.querySelectorAll('#grid .tile')].filter((tile) => { const { top, bottom } = tile.getBoundingClientRect(); \
         return bottom > 0 && top < innerHeight; }).every((tile) => tile.classList.contains('tile-loaded'))",
    );
    browser.choose("Order", "By name");
    browser.wait_until("document.getElementById('results').getAttribute('aria-busy') === 'true'");
    browser.wait_for_path("/app/acme/photos?sort=name");
    browser.wait_until("!document.getElementById('results').hasAttribute('aria-busy')");
}

#[tokio::test]
async fn a_list_that_becomes_longer_meanwhile_has_no_hole_at_its_former_end() {
    let library = long_library(200).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos?sort=name");
    browser.wait_until(ALL_THERE);
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    browser.wait_until(ALL_THERE);
    library.server.add_copies(&library.key, "acme", "photos", 10).await;
    // A part that was not there yet says how long the list is now.
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)");
    browser.wait_until("document.getElementById('grid').dataset.total === '210'");
    browser.wait_until(ALL_THERE);
    browser.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    browser.wait_until("document.querySelector('#grid .tile[data-id][data-index=\"209\"]')");
    browser.wait_until(ALL_THERE);
}
