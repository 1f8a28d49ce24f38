//! Vector images: one size for the asset and its renditions, rendering at any size, and text.

use std::io::{Cursor, Write};

use image::{Rgba, RgbaImage};
use rasterd::pictures::media::{MediaType, inspect};
use rasterd::pictures::{Failure, Fit, Format, PixelSize, ResizeSpec};

use crate::generated::{derived, rendition, seen};

const A4: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297"><rect x="10" y="10" width="100" height="50" fill="red"/></svg>"#;
const TWO_INCHES: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="2in" height="1in" viewBox="0 0 2000 1000"><rect x="10" y="10" width="1000" height="500" fill="red"/></svg>"#;
const HEIGHT_ALONE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" height="300" viewBox="0 0 100 50"><rect width="100" height="50" fill="#fff"/><circle cx="25" cy="25" r="20" fill="red"/><rect x="60" y="5" width="30" height="40" fill="#00f"/></svg>"##;
const ICON: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24"><circle cx="12" cy="12" r="10" fill="red"/></svg>"#;
const ACCENT: &str = r#"<?xml version="1.0" encoding="ISO-8859-1"?><svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><title>é</title><rect width="8" height="8" fill="red"/></svg>"#;

fn asset_size(svg: &[u8]) -> Option<(u32, u32)> {
    let inspected = inspect(&mut Cursor::new(svg), u64::MAX).expect("it is accepted");
    assert_eq!(inspected.media_type, MediaType::Svg);
    inspected.width.zip(inspected.height)
}

fn drawn(svg: &[u8], wanted: ResizeSpec) -> RgbaImage {
    let made = rendition(svg, MediaType::Svg, wanted, Format::Png).expect("it is drawn");
    image::load_from_memory(&made.bytes).expect("a PNG").to_rgba8()
}

fn wide(width: u32) -> ResizeSpec {
    ResizeSpec { width: Some(width), ..ResizeSpec::default() }
}

fn utf16(text: &str, mark: bool) -> Vec<u8> {
    let start = if mark { "\u{feff}" } else { r#"<?xml version="1.0" encoding="UTF-16"?>"# };
    format!("{start}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn an_asset_and_its_renditions_have_one_size() {
    for (svg, size, at_400) in [
        (A4, (794, 1123), (400, 566)),
        (TWO_INCHES, (192, 96), (400, 200)),
        (HEIGHT_ALONE, (600, 300), (400, 200)),
        (ICON, (24, 24), (400, 400)),
    ] {
        for bytes in [svg.as_bytes().to_vec(), utf16(svg, true), utf16(svg, false), packed(svg.as_bytes())] {
            assert_eq!(asset_size(&bytes), Some(size), "{svg}");
            assert_eq!(drawn(&bytes, ResizeSpec::default()).dimensions(), size, "{svg}");
            assert_eq!(drawn(&bytes, wide(400)).dimensions(), at_400, "{svg}");
            let made = derived(&bytes, MediaType::Svg).expect("it is drawn");
            assert_eq!(made.size, PixelSize::new(size.0, size.1), "{svg}");
            for thumbnail in made.thumbnails {
                assert_eq!(thumbnail.size.longest(), thumbnail.edge, "{svg}");
            }
        }
    }
}

#[test]
fn a_size_from_an_entity_in_percent_or_missing_is_the_same_for_both() {
    let root = |attributes: &str| {
        format!(
            r#"<!DOCTYPE svg [<!ENTITY w "900">]><svg {attributes} xmlns="http://www.w3.org/2000/svg"><rect width="30" height="20" fill="red"/></svg>"#
        )
    };
    for (attributes, size) in [
        ("width='&w;' height='&w;' viewBox='0 0 30 20'", (30, 20)),
        ("width='50%' height='60' viewBox='0 0 30 20'", (90, 60)),
        ("width='30'\n height='20pt'", (30, 27)),
        ("HEIGHT='1' height='40'", (300, 40)),
    ] {
        let svg = root(attributes);
        assert_eq!(asset_size(svg.as_bytes()), Some(size), "{attributes}");
        assert_eq!(drawn(svg.as_bytes(), ResizeSpec::default()).dimensions(), size, "{attributes}");
    }
    // Without any, it is as large as its content, which is only known after drawing.
    let unsized_root = root("");
    assert_eq!(asset_size(unsized_root.as_bytes()), None);
    assert_eq!(drawn(unsized_root.as_bytes(), ResizeSpec::default()).dimensions(), (30, 20));
}

#[test]
fn an_enlarged_icon_is_sharp() {
    let image = drawn(ICON.as_bytes(), wide(400));
    // From one side of the circle's edge to the other within three pixels of 400.
    let row: Vec<u8> = (0..400).map(|x| image.get_pixel(x, 200)[3]).collect();
    let soft = row.iter().filter(|alpha| (1..255).contains(*alpha)).count();
    assert!(soft <= 6, "{soft} soft pixels");
    assert_eq!(image.get_pixel(200, 200), &Rgba([255, 0, 0, 255]));
}

#[test]
fn smaller_svgs_also_fill_or_touch_the_box() {
    let filled = ResizeSpec { width: Some(300), height: Some(100), fit: Fit::Cover };
    assert_eq!(drawn(ICON.as_bytes(), filled).dimensions(), (300, 100));
    let touched = ResizeSpec { fit: Fit::Contain, ..filled };
    assert_eq!(drawn(ICON.as_bytes(), touched).dimensions(), (100, 100));
}

/// How many pixels of an image are dark.
fn ink(image: &RgbaImage) -> usize {
    image.pixels().filter(|pixel| pixel[0] < 100 && pixel[3] > 200).count()
}

#[test]
fn text_is_drawn_in_many_scripts_families_and_weights() {
    let drawing = |text: &str, style: &str| {
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"><rect width="400" height="200" fill="#ffd"/><text x="20" y="120" font-size="60" {style}>{text}</text></svg>"##
        );
        seen(svg.as_bytes(), MediaType::Svg, ResizeSpec::default())
    };
    for text in ["LOGO", "Ελληνικά", "Кириллица", "Žluťoučký", "Tiếng Việt"] {
        let found = ink(&drawing(text, "font-family='Arial,sans-serif'"));
        assert!(found > 1000, "{text}: {found}");
    }
    for family in ["Times New Roman", "Courier New", "no such family", "monospace", "serif"] {
        let found = ink(&drawing("LOGO", &format!("font-family='{family}'")));
        assert!(found > 1000, "{family}: {found}");
    }
    let [plain, bold] = ["", "font-weight='bold'"].map(|style| ink(&drawing("LOGO", style)));
    assert!(bold > plain * 5 / 4, "{plain} and {bold}");
}

#[test]
fn a_declared_encoding_is_read() {
    let bytes: Vec<u8> = ACCENT.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(asset_size(&bytes), Some((8, 8)));
    assert_eq!(drawn(&bytes, ResizeSpec::default()).get_pixel(4, 4), &Rgba([255, 0, 0, 255]));
}

#[test]
fn a_decompression_bomb_is_refused() {
    let mut text = ICON.replace("</svg>", "").into_bytes();
    text.resize(100 << 20, b' ');
    text.extend_from_slice(b"</svg>");
    let bomb = packed(&text);
    assert!(inspect(&mut Cursor::new(&bomb), u64::MAX).unwrap_err().contains("damaged SVG"));
    let refused = rendition(&bomb, MediaType::Svg, wide(400), Format::Png).unwrap_err();
    assert!(matches!(refused, Failure::TooLarge(_)), "{refused}");
}
