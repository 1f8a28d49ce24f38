//! The picture on an asset's page: how large it is shown, zooming it, other sizes of it, a part of it, and what the file
//! says about it.

use rasterd::core::model::Role;
use serde_json::json;

use super::test_library::{PHOTOS, TestLibrary, fixture};
use crate::browser::{Browser, Locator};

/// How large the picture is on the screen, as it is zoomed.
const SHOWN: &str = "(() => { const box = document.getElementById('picture').getBoundingClientRect(); \
                     return [Math.round(box.width), Math.round(box.height)]; })()";

/// A PNG in one colour, of this size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbaImage::from_pixel(width, height, image::Rgba([200, 60, 20, 128]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn uploaded(library: &TestLibrary, name: &str, bytes: &[u8]) -> String {
    library.server.upload(&library.key, "acme", "photos", name, bytes).await.to_string()
}

fn is_loaded(browser: &Browser) {
    browser.wait_until("(i => i.complete && i.naturalWidth > 0)(document.querySelector('.picture-whole'))");
}

#[tokio::test]
async fn a_picture_is_never_larger_than_it_is_and_what_is_see_through_shows_that() {
    let library = TestLibrary::empty().await;
    let icon = uploaded(&library, "icon.png", &png(64, 48)).await;
    let dot = uploaded(&library, "dot.png", &png(1, 1)).await;
    let vector = br#"<svg xmlns="http://www.w3.org/2000/svg" width="24" height="12"><rect width="24" height="12"/></svg>"#;
    let vector = uploaded(&library, "mark.svg", vector).await;
    let browser = library.browser(Role::Viewer).await;
    for (id, expected) in [(&icon, json!([64, 48])), (&dot, json!([1, 1]))] {
        browser.open(&format!("/app/acme/photos/{id}"));
        is_loaded(&browser);
        assert_eq!(browser.evaluate(SHOWN), expected);
        assert_eq!(
            browser.evaluate(
                "getComputedStyle(document.getElementById('picture')).backgroundImage.includes('conic')"
            ),
            true
        );
    }
    browser.check("asset-small");
    // A vector picture has no size of its own, so it is as large as the stage.
    browser.open(&format!("/app/acme/photos/{vector}"));
    is_loaded(&browser);
    browser.wait_until(&format!("{SHOWN}[0] > 600"));
}

#[tokio::test]
async fn the_thumbnail_is_there_until_the_picture_comes_and_both_scroll_apart() {
    let library = TestLibrary::empty().await;
    let sunset = library.upload("sunset.jpg").await;
    let browser = library.browser(Role::Editor).await;
    browser.open(&format!("/app/acme/photos/{sunset}"));
    is_loaded(&browser);
    // The thumbnail has the place of the picture, under it.
    let same_place = "(() => { const [a, b] = ['.picture-first', '.picture-whole'].map((s) => \
         JSON.stringify(document.querySelector(s).getBoundingClientRect())); return a === b; })()";
    assert_eq!(browser.evaluate(same_place), true);
    browser.wait_until("document.querySelector('.picture-first').classList.contains('picture-over')");
    assert_eq!(browser.evaluate("document.documentElement.scrollHeight <= innerHeight"), true);
    assert_eq!(
        browser.evaluate("(f => f.scrollHeight > f.clientHeight)(document.getElementById('facts'))"),
        true
    );
    browser.check("asset-page");
}

#[tokio::test]
async fn a_picture_is_zoomed_and_moved_by_keys_and_buttons() {
    let library = TestLibrary::empty().await;
    let before = library.upload("wine.jpg").await;
    let sunset = library.upload("sunset.jpg").await;
    let page = format!("/app/acme/photos/{sunset}");
    let browser = library.browser(Role::Editor).await;
    browser.open(&page);
    is_loaded(&browser);
    let fits = browser.evaluate(SHOWN);
    browser.press("+");
    browser.wait_until(&format!("{SHOWN}[0] > {}", fits[0]));
    assert!(browser.text(&Locator::css("#zoom-state")).contains('%'));
    // Where it is zoomed, arrow keys move it; else they go to the neighbours.
    let left = "document.getElementById('picture').getBoundingClientRect().left";
    let here = browser.evaluate(left).as_f64().unwrap();
    browser.press("ArrowRight");
    browser.wait_until(&format!("{left} < {here}"));
    assert_eq!(browser.path(), page);
    browser.press("0");
    browser.wait_until(&format!("{SHOWN}[0] === {}", fits[0]));
    browser.click(&Locator::button("Zoom in"));
    browser.wait_until(&format!("{SHOWN}[0] > {}", fits[0]));
    browser.evaluate(
        "document.getElementById('stage').dispatchEvent(new WheelEvent('wheel', { deltaY: 5000, cancelable: true }))",
    );
    browser.wait_until(&format!("{SHOWN}[0] === {}", fits[0]));
    browser.evaluate(
        "document.getElementById('picture').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))",
    );
    browser.wait_until(&format!("{SHOWN}[0] > {}", fits[0]));
    browser.press("0");
    browser.press("ArrowRight");
    browser.wait_for_path(&format!("/app/acme/photos/{before}"));
    browser.expect_no_console_errors("zoom");
}

#[tokio::test]
async fn a_size_and_a_format_are_chosen_with_their_bytes_and_what_to_paste() {
    let library = TestLibrary::empty().await;
    let sunset = library.upload_as("sunset.jpg", "It's [one].jpg").await;
    let browser = library.browser(Role::Viewer).await;
    browser.open(&format!("/app/acme/photos/{sunset}"));
    is_loaded(&browser);
    let value = |id: &str| browser.value(&Locator::css(&format!("#copy-{id}")));
    let own = value("url");
    assert!(
        value("html").contains(" srcset=\"") && value("html").contains("?w=400&amp;h=400&amp;fm=auto 400w")
    );
    browser.fill("Width", "400");
    browser.choose("Format", "WebP");
    browser.wait_for(&Locator::text("400 × "));
    let result = browser.text(&Locator::css("#rendition-result"));
    assert!(result.contains("WebP") && result.contains("% of the original"), "{result}");
    let chosen = format!("{own}?w=400&fm=webp");
    assert_eq!(value("url"), chosen);
    assert_eq!(value("markdown"), format!("![It's \\[one\\]]({chosen})"));
    assert_eq!(value("css"), format!("background-image: url(\"{chosen}\");"));
    assert!(value("curl").ends_with(&format!(" -o 'It'\\''s [one].webp' '{chosen}'")), "{}", value("curl"));
    let html = value("html");
    let escaped = chosen.replace('&', "&amp;");
    assert!(html.contains(&format!("src=\"{escaped}\"")) && html.contains("dpr=2 2x"), "{html}");
    // The result is on the stage, in its own size.
    browser.wait_until("document.querySelector('.picture-whole').src.startsWith('blob:')");
    browser.wait_until(&format!("{SHOWN}[0] === 400"));
    browser.check("asset-rendition");
    // A square that is cut out of it.
    browser.fill("Height", "400");
    browser.choose("If both are set", "Fill, crop the rest");
    browser.wait_for(&Locator::text("400 × 400 pixels"));
    browser.fill("Quality, 1–100", "101");
    browser.wait_until("!document.getElementById('rendition-result').textContent.includes('pixels')");
    browser.click(&Locator::button("Original"));
    browser.wait_until("document.querySelector('.picture-whole').srcset !== ''");
    assert_eq!(value("url"), own);
}

#[tokio::test]
async fn a_part_of_a_picture_becomes_a_variant() {
    let library = TestLibrary::empty().await;
    let sunset = library.upload("sunset.jpg").await;
    let page = format!("/app/acme/photos/{sunset}?q=sunset");
    let browser = library.browser(Role::Editor).await;
    browser.open(&page);
    is_loaded(&browser);
    browser.click(&Locator::button("Crop…"));
    browser.choose("Shape", "Square");
    browser.fill("Left", "10");
    browser.fill("Crop width", "100");
    browser.fill("Crop height", "100");
    browser.press("Tab");
    browser.wait_until("document.getElementById('crop-x').value === '10'");
    browser.check("asset-crop");
    browser.click(&Locator::button("Save as variant"));
    browser.wait_until("document.querySelectorAll('.variant').length === 2");
    // The search that led here is still in the address.
    assert_eq!(browser.path(), page);
    let core = library.server.core();
    let caller = core.authenticate(&library.key.token).unwrap();
    let detail = core.get_asset(&caller, &PHOTOS, &sunset).unwrap();
    let crop = &detail.variants[0].content;
    assert_eq!((crop.width, crop.height), (Some(100), Some(100)));
    assert_eq!(detail.asset.content.size, std::fs::metadata(fixture("sunset.jpg")).unwrap().len());
}

/// A JPEG with these EXIF entries: exposure, aperture and place, as cameras write them.
fn photo_with_place() -> Vec<u8> {
    /// Entries with values of up to four bytes, or rationals after them.
    fn directory(start: u32, entries: &[(u16, u16, u32, Vec<u8>)]) -> Vec<u8> {
        let mut rest = start + 2 + 12 * u32::try_from(entries.len()).unwrap() + 4;
        let (mut table, mut data) = (Vec::<u8>::new(), Vec::<u8>::new());
        table.extend(u16::try_from(entries.len()).unwrap().to_be_bytes());
        for (tag, kind, count, value) in entries {
            table.extend(tag.to_be_bytes());
            table.extend(kind.to_be_bytes());
            table.extend(count.to_be_bytes());
            if value.len() <= 4 {
                let mut inline = value.clone();
                inline.resize(4, 0);
                table.extend(inline);
            } else {
                table.extend(rest.to_be_bytes());
                rest += u32::try_from(value.len()).unwrap();
                data.extend(value);
            }
        }
        table.extend([0; 4]);
        table.extend(data);
        table
    }
    let rationals = |numbers: &[(u32, u32)]| -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|(above, below)| [above.to_be_bytes(), below.to_be_bytes()].concat())
            .collect()
    };
    let exif_at = 8 + 2 + 2 * 12 + 4;
    let exif = directory(
        exif_at,
        &[
            (0x829A, 5, 1, rationals(&[(1, 250)])),
            (0x829D, 5, 1, rationals(&[(28, 10)])),
            (0x8827, 3, 1, 200_u16.to_be_bytes().to_vec()),
        ],
    );
    let place_at = exif_at + u32::try_from(exif.len()).unwrap();
    let place = directory(
        place_at,
        &[
            (1, 2, 2, b"S\0".to_vec()),
            (2, 5, 3, rationals(&[(33, 1), (51, 1), (24, 1)])),
            (3, 2, 2, b"E\0".to_vec()),
            (4, 5, 3, rationals(&[(151, 1), (12, 1), (55, 1)])),
        ],
    );
    let first = directory(
        8,
        &[(0x8769, 4, 1, exif_at.to_be_bytes().to_vec()), (0x8825, 4, 1, place_at.to_be_bytes().to_vec())],
    );
    let tiff = [b"MM\0\x2A\0\0\0\x08".to_vec(), first, exif, place].concat();
    let segment = [b"Exif\0\0".to_vec(), tiff].concat();
    let length = u16::try_from(segment.len() + 2).unwrap();
    let plain = std::fs::read(fixture("sunset.jpg")).unwrap();
    [&plain[..2], &[0xFF, 0xE1], &length.to_be_bytes(), &segment, &plain[2..]].concat()
}

#[tokio::test]
async fn the_camera_the_place_and_the_colours_are_shown_on_request() {
    let library = TestLibrary::empty().await;
    let photo = uploaded(&library, "opera.jpg", &photo_with_place()).await;
    let browser = library.browser(Role::Viewer).await;
    browser.open(&format!("/app/acme/photos/{photo}"));
    is_loaded(&browser);
    browser.click(&Locator::text("Camera, place and colours"));
    browser.wait_for(&Locator::text("33.8567° S, 151.2153° E"));
    let told = browser.text(&Locator::css("#photo-details"));
    assert!(["1/250 s", "f/2.8", "200"].iter().all(|value| told.contains(value)), "{told}");
    browser.wait_until("document.querySelectorAll('#histogram polygon').length === 3");
    // On the land of Australia: the map and the point agree.
    let point = "['cx', 'cy'].map((name) => document.querySelector('.map-point').getAttribute(name))";
    assert_eq!(browser.evaluate(point), json!(["756.1", "169.3"]));
    browser.check("asset-details");

    browser.without_scripts();
    browser.open(&format!("/app/acme/photos/{photo}"));
    browser.click(&Locator::text("Camera, place and colours"));
    browser.click(&Locator::link("Read them from the file"));
    browser.wait_for(&Locator::text("33.8567° S, 151.2153° E"));
}
