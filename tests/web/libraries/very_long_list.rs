//! A list that is longer than a browser can lay out: the grid shows a stretch of it at a time, and nobody sees where one ends.

use rasterd::core::model::Role;
use serde_json::json;

use super::measurements::{ALL_THERE, NODES};
use super::test_library::TestLibrary;
use crate::browser::{Browser, Locator};

/// How many assets the list seems to have.
const MANY: u64 = 4_000_000;
/// The most that the grid may be high, in pixels.
const TALLEST: f64 = 12_000_000.0;

/// From now on lists have that many assets, and their parts are made up.
fn pretend(browser: &Browser) {
    browser.evaluate(&format!(
        "(() => {{ const before = window.fetch; const total = {MANY}; \
         const tile = (index) => `<li class=\"tile\" data-id=\"made-up-${{index}}\"><a class=\"tile-link\" href=\"#\">` + \
           `<span class=\"tile-none\"></span></a><span class=\"tile-name\">${{index}}</span></li>`; \
         const html = (text) => new Response(text, {{ headers: {{ 'Content-Type': 'text/html' }} }}); \
         window.fetch = async (address, ...rest) => {{ \
           const wanted = new URL(address, location.href).searchParams; \
           if (!wanted.has('start')) return html((await (await before(address, ...rest)).text()).replace(/data-total=\"\\d+\"/, `data-total=\"${{total}}\"`) \
             .replace(/data-timeline=\"[^\"]*\"/, 'data-timeline=\"2026-11:0 2026-03:2500000 2025-12:3999990\"')); \
           const start = Number(wanted.get('start')); \
           const part = Array.from({{ length: Math.min(60, total - start) }}, (_, at) => tile(start + at)); \
           return html(`<ul data-total=\"${{total}}\">${{part.join('')}}</ul>`); }}; }})()"
    ));
}

/// The positions of the tiles at the top of the screen, and how far they are from there.
const TOP: &str = "(() => { const edge = document.getElementById('toolbar').getBoundingClientRect().bottom; \
    const tile = [...document.querySelectorAll('#grid .tile[data-id]')].find((tile) => tile.getBoundingClientRect().bottom > edge); \
    return [Number(tile.dataset.index), tile.getBoundingClientRect().top]; })()";

#[tokio::test]
async fn a_list_of_millions_is_scrolled_from_end_to_end_without_a_seam() {
    let library = TestLibrary::with_fixtures().await;
    library.server.add_copies(&library.key, "acme", "photos", 60).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open("/app/acme/photos");
    browser.wait_until(ALL_THERE);
    pretend(&browser);
    browser.choose("Order", "Oldest first");
    browser.wait_until(&format!("document.getElementById('grid').dataset.total === '{MANY}'"));
    browser.wait_until(ALL_THERE);
    let height = browser.evaluate("document.getElementById('grid').offsetHeight").as_f64().unwrap();
    assert!(height <= TALLEST && height > TALLEST / 2.0, "{height}");

    // Its last asset, by a key.
    browser.evaluate("document.querySelector('#grid .tile-link').focus()");
    browser.press("End");
    let last = format!("Number(document.activeElement.closest('.tile')?.dataset.index) === {}", MANY - 1);
    browser.wait_until(&last);
    browser.wait_until(ALL_THERE);
    assert!(browser.evaluate("scrollY + innerHeight").as_f64().unwrap() < TALLEST + 2000.0);

    // Any month, by the scrubber.
    browser.evaluate("document.querySelector('.scrubber').focus()");
    browser.press("ArrowUp");
    browser.wait_until("document.querySelector('.scrubber').getAttribute('aria-valuetext') === 'Mar 2026'");
    browser.wait_until(ALL_THERE);
    let month = browser.evaluate(TOP)[0].as_u64().unwrap();
    assert!(2_500_000_u64.abs_diff(month) < 30, "{month}");

    // Over the ends of the stretch, up and down: each step moves by as much as it says, to the pixel.
    let steps = browser.evaluate(&format!(
        "(async () => {{ const frame = () => new Promise((next) => requestAnimationFrame(next)); const grid = document.getElementById('grid'); \
         const height = grid.querySelector('.tile').getBoundingClientRect().height + 4; const gaps = []; let moved = 0; \
         const settled = async () => {{ do await frame(); while (grid.querySelector('.tile-waiting') || !grid.querySelector('.tile[data-id]')); }}; \
         const columns = [...new Set([...grid.querySelectorAll('.tile')].map((tile) => tile.getBoundingClientRect().left))].length; \
         for (const way of [-1, 1]) {{ \
           scrollTo(0, way < 0 ? grid.offsetTop + 4 * innerHeight : grid.offsetTop + grid.offsetHeight - 6 * innerHeight); \
           await frame(); await settled(); \
           for (let at = 0; at < 30; at += 1) {{ \
             const [index, top] = {TOP}; const y = scrollY; \
             scrollBy(0, way * 200); await frame(); await settled(); \
             const [then, there] = {TOP}; \
             gaps.push(Math.abs(((then - index) / columns) * height - (there - top) - way * 200)); \
             if (Math.abs(scrollY - y) > 1000) moved += 1; }} }} \
         return [Math.round(Math.max(...gaps)), moved]; }})()"
    ));
    // Rows are not whole pixels, but places to scroll to are.
    assert!(steps[0].as_u64().unwrap() <= 1, "{steps}");
    assert!(steps[1].as_u64().unwrap() >= 2, "the stretch moved on, up and down: {steps}");
    browser.wait_until(ALL_THERE);
    assert!(browser.evaluate(NODES).as_u64().unwrap() <= 1500);

    browser.evaluate("document.querySelector('.scrubber').focus()");
    browser.press("Home");
    browser.wait_until(ALL_THERE);
    assert_eq!(browser.evaluate(TOP)[0], json!(0));
    assert!(browser.has(&Locator::css("#grid [data-index=\"0\"]")));
    browser.expect_no_console_errors("a list of millions");
}
