//! The dimensions of an asset and of its renditions always agree, because both come from the same code. Where programs
//! differ, the tables have what Chromium draws.

use std::path::Path;

use image::ImageFormat;
use proptest::prelude::*;
use rasterd::pictures::ResizeSpec;
use rasterd::pictures::media::{MediaType, inspect};

use crate::generated::{
    BLUE, GREEN, RED, WHITE, card_as, card_avif, card_jpeg, chunk, corners, derived, exif_of, seen,
};

const EXIF: &[u8] = b"Exif\0\0";

/// The card unrotated, and rotated by orientation 6.
const AS_IT_IS: (&str, &str) = ("320x160", "RGBW");
const TURNED: (&str, &str) = ("160x320", "BRWG");

/// The results for a file: the size, which both readers must agree on, and the corners of the rendered picture.
fn answers(bytes: &[u8], media_type: MediaType, what: &str) -> (String, String) {
    let inspected = inspect(&mut std::io::Cursor::new(bytes), u64::MAX).expect(what);
    assert_eq!(inspected.media_type, media_type, "{what}");
    let (width, height) = inspected.width.zip(inspected.height).expect(what);
    let size = derived(bytes, media_type).expect(what).size;
    assert_eq!((size.width, size.height), (width, height), "{what}: the asset and its pictures");
    let image = seen(bytes, media_type, ResizeSpec { width: Some(80), ..ResizeSpec::default() });
    let across = width.min(80);
    let down = (f64::from(height) * f64::from(across) / f64::from(width)).round();
    assert_eq!((image.width(), f64::from(image.height())), (across, down), "{what}: the rendition's shape");
    let named = [(RED, 'R'), (GREEN, 'G'), (BLUE, 'B'), (WHITE, 'W')];
    let name = |corner: [u8; 4]| {
        let near =
            |colour: [u8; 3]| corner.iter().zip(colour).all(|(found, colour)| found.abs_diff(colour) < 9);
        named.iter().find(|(colour, _)| near(*colour)).map_or('?', |(_, name)| *name)
    };
    (format!("{width}x{height}"), corners(&image).into_iter().map(name).collect())
}

fn assert_seen(files: Vec<(&str, Vec<u8>, (&str, &str))>, media_type: MediaType) {
    for (what, bytes, (size, drawn)) in files {
        let found = answers(&bytes, media_type, what);
        assert_eq!((found.0.as_str(), found.1.as_str()), (size, drawn), "{media_type:?}, {what}");
    }
}

fn orientation(value: u16) -> Vec<u8> {
    let [low, high] = value.to_le_bytes();
    exif_of(*b"II", 3, 1, [low, high, 0, 0])
}

/// EXIF blocks, and whether browsers rotate a picture by them.
fn blocks() -> Vec<(&'static str, Vec<u8>, bool)> {
    let plain = orientation(6);
    let without_next = plain[..plain.len() - 4].to_vec();
    let mut two = [&plain[..8], &[2, 0], &plain[10..22], &plain[10..22], &[0; 4]].concat();
    let mut two_the_other_way = two.clone();
    two[18 + 12] = 1;
    two_the_other_way[18] = 1;
    let cut_in_the_second = two[..two.len() - 10].to_vec();
    let second_directory = [&plain[..8], &[0, 0, 14, 0, 0, 0], &plain[8..]].concat();
    vec![
        ("SHORT", plain.clone(), true),
        ("SHORT, big-endian", exif_of(*b"MM", 3, 1, [0, 6, 0, 0]), true),
        ("BYTE", exif_of(*b"II", 1, 1, [6, 0, 0, 0]), false),
        ("LONG", exif_of(*b"II", 4, 1, [6, 0, 0, 0]), false),
        ("LONG, big-endian", exif_of(*b"MM", 4, 1, [0, 0, 0, 6]), false),
        ("SBYTE", exif_of(*b"II", 6, 1, [6, 0, 0, 0]), false),
        ("SSHORT", exif_of(*b"II", 8, 1, [6, 0, 0, 0]), false),
        ("SLONG", exif_of(*b"II", 9, 1, [6, 0, 0, 0]), false),
        ("two SHORTs", exif_of(*b"II", 3, 2, [6, 0, 6, 0]), false),
        ("no SHORT", exif_of(*b"II", 3, 0, [6, 0, 0, 0]), false),
        ("9", orientation(9), false),
        ("0", orientation(0), false),
        ("no next directory", without_next, true),
        ("6, then 1", two, true),
        ("1, then 6", two_the_other_way, false),
        ("6, then cut", cut_in_the_second, true),
        ("in the second directory", second_directory, false),
        ("another magic", [&plain[..2], &[43], &plain[3..]].concat(), false),
    ]
}

fn expected(is_turned: bool) -> (&'static str, &'static str) {
    if is_turned { TURNED } else { AS_IT_IS }
}

/// A JPEG with raw bytes inserted at an offset.
fn with_bytes(jpeg: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    [&jpeg[..at], bytes, &jpeg[at..]].concat()
}

fn app(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).expect("short").to_be_bytes();
    [&[0xff, 0xe0 + number][..], &length, body].concat()
}

fn place_of(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).expect("it is there")
}

#[test]
fn a_jpeg_is_rotated_by_the_first_exif_before_its_pixels() {
    let card = card_jpeg(320, 160, &[]);
    let (frame, scan) = (place_of(&card, &[0xff, 0xc0]), place_of(&card, &[0xff, 0xda]));
    let end = card.len() - 2;
    let six = app(1, &[EXIF, &orientation(6)].concat());
    let one = app(1, &[EXIF, &orientation(1)].concat());
    let xmp = app(1, b"http://ns.adobe.com/xap/1.0/\0<x/>");
    let broken = app(1, &[EXIF, b"XX*\0\0\0\0\0"].concat());
    let at = |place, parts: &[&[u8]]| with_bytes(&card, place, &parts.concat());
    let mut files: Vec<_> = blocks()
        .into_iter()
        .map(|(what, block, turns)| (what, at(2, &[&app(1, &[EXIF, &block].concat())]), expected(turns)))
        .collect();
    files.extend([
        ("after others", at(frame, &[&six]), TURNED),
        ("after the frame header", at(scan, &[&six]), TURNED),
        ("after the pixels", at(end, &[&six]), AS_IT_IS),
        ("after XMP", at(2, &[&xmp, &six]), TURNED),
        ("6, then 1", at(2, &[&six, &one]), TURNED),
        ("1, then 6", at(2, &[&one, &six]), AS_IT_IS),
        ("a broken one first", at(2, &[&broken, &six]), AS_IT_IS),
        ("an empty one first", at(2, &[&app(1, EXIF), &six]), TURNED),
        ("another filling", at(2, &[&app(1, &[&b"Exif\0\xff"[..], &orientation(6)].concat())]), TURNED),
        ("without its name", at(2, &[&app(1, &orientation(6))]), AS_IT_IS),
        ("in another segment", at(2, &[&app(2, &[EXIF, &orientation(6)].concat())]), AS_IT_IS),
        ("bytes between segments", at(2, &[&six, b"\x11\0\x22\xff\0\x33"]), TURNED),
        ("many bytes between segments", at(2, &[&six, &vec![0; 100_000]]), TURNED),
    ]);
    assert_seen(files, MediaType::Jpeg);
}

#[test]
fn a_png_is_rotated_by_the_first_intact_exif_before_its_pixels() {
    let card = card_as(ImageFormat::Png, 320, 160);
    let end = place_of(&card, b"IEND") - 4;
    let (one, six) = (chunk("eXIf", &orientation(1)), chunk("eXIf", &orientation(6)));
    let mut damaged = six.clone();
    *damaged.last_mut().expect("a checksum") ^= 1;
    let text = format!("\nexif\n{:8}\n45786966", 4);
    let text = chunk("tEXt", &[&b"Raw profile type exif\0"[..], text.as_bytes()].concat());
    let at = |place, parts: &[&[u8]]| with_bytes(&card, place, &parts.concat());
    let mut files: Vec<_> = blocks()
        .into_iter()
        .map(|(what, block, turns)| (what, at(33, &[&chunk("eXIf", &block)]), expected(turns)))
        .collect();
    files.extend([
        ("after the pixels", at(end, &[&six]), AS_IT_IS),
        ("named as in a JPEG", at(33, &[&chunk("eXIf", &[EXIF, &orientation(6)].concat())]), AS_IT_IS),
        ("6, then 1", at(33, &[&six, &one]), TURNED),
        ("1, then 6", at(33, &[&one, &six]), AS_IT_IS),
        ("1, and 6 after the pixels", with_bytes(&at(end, &[&six]), 33, &one), AS_IT_IS),
        ("a damaged 6", at(33, &[&damaged]), AS_IT_IS),
        ("a text", at(33, &[&text]), AS_IT_IS),
    ]);
    assert_seen(files, MediaType::Png);
}

#[test]
fn a_webp_is_not_rotated() {
    let still = card_as(ImageFormat::WebP, 320, 160);
    let part = |kind: &[u8], body: &[u8]| {
        let length = u32::try_from(body.len()).expect("short").to_le_bytes();
        [kind, &length, body, &[0][..body.len() % 2]].concat()
    };
    let file = |parts: &[&[u8]]| part(b"RIFF", &[&b"WEBP"[..], &parts.concat()].concat());
    let canvas = |flags: u8| part(b"VP8X", &[flags, 0, 0, 0, 63, 1, 0, 159, 0, 0]);
    let pixels = &still[12..];
    let plain = part(b"EXIF", &orientation(6));
    let named = part(b"EXIF", &[EXIF, &orientation(6)].concat());
    let files = vec![
        ("after the pixels", file(&[&canvas(8), pixels, &plain]), AS_IT_IS),
        ("named as in a JPEG", file(&[&canvas(8), pixels, &named]), AS_IT_IS),
        ("before the pixels", file(&[&canvas(8), &plain, pixels]), AS_IT_IS),
        ("not announced", file(&[&canvas(0), pixels, &plain]), AS_IT_IS),
        ("without a canvas", file(&[pixels, &plain]), AS_IT_IS),
    ];
    assert_seen(files, MediaType::WebP);
}

/// The card as a TIFF, with an orientation of this value type.
fn tiff(kind: u16, value: [u8; 4]) -> Vec<u8> {
    let pixels = crate::generated::card(320, 160).concat();
    let number = |value: u32| value.to_le_bytes();
    let entries = [
        (256, 4, number(320)),
        (257, 4, number(160)),
        (258, 3, number(8)),
        (259, 3, number(1)),
        (262, 3, number(2)),
        (273, 4, number(8)),
        (274, kind, value),
        (277, 3, number(3)),
        (278, 4, number(160)),
        (279, 4, number(320 * 160 * 3)),
    ];
    let directory = u32::try_from(8 + pixels.len()).expect("small");
    let mut file = [&b"II*\0"[..], &directory.to_le_bytes(), &pixels, &[10, 0]].concat();
    for (tag, kind, value) in entries {
        file.extend([&u16::to_le_bytes(tag)[..], &kind.to_le_bytes(), &number(1), &value].concat());
    }
    [file, vec![0; 4]].concat()
}

#[test]
fn a_tiff_is_rotated_by_an_orientation_of_any_integer_type() {
    let mut files: Vec<_> =
        [("BYTE", 1), ("SHORT", 3), ("LONG", 4), ("SBYTE", 6), ("SSHORT", 8), ("SLONG", 9)]
            .map(|(what, kind)| (what, tiff(kind, [6, 0, 0, 0]), TURNED))
            .to_vec();
    files.extend([
        ("a fraction", tiff(11, 6f32.to_le_bytes()), AS_IT_IS),
        ("a negative number", tiff(9, [0xff; 4]), AS_IT_IS),
        ("65542", tiff(4, [6, 0, 1, 0]), AS_IT_IS),
        ("0", tiff(3, [0; 4]), AS_IT_IS),
    ]);
    assert_seen(files, MediaType::Tiff);
}

fn boxed(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("short").to_be_bytes();
    [&length, kind, body].concat()
}

/// The card as an AVIF whose picture has these additional properties, and with this EXIF.
fn avif(properties: &[Vec<u8>], exif: &[u8]) -> Vec<u8> {
    let plain = card_avif(320, 160);
    let body_of = |kind: &[u8]| {
        let at = place_of(&plain, kind) - 4;
        let length = u32::from_be_bytes(plain[at..at + 4].try_into().expect("four bytes"));
        plain[at..at + length as usize].to_vec()
    };
    let (extent, codec) = (body_of(b"ispe"), body_of(b"av1C"));
    let media = &body_of(b"mdat")[8..];
    let list = [&[extent, codec], properties].concat();
    let count = u8::try_from(list.len()).expect("few");
    let links: Vec<u8> = [vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 1, count], (1..=count).collect()].concat();
    let properties = [boxed(b"ipco", &list.concat()), boxed(b"ipma", &links)].concat();
    let entry = |id: u8, kind: &[u8]| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, &[0]].concat());
    let handler = boxed(b"hdlr", &[&[0; 8][..], b"pict", &[0; 13]].concat());
    let items = [&[0, 0, 0, 0, 0, 2][..], &entry(1, b"av01"), &entry(2, b"Exif")].concat();
    let reference = boxed(b"iref", &[&[0; 4][..], &boxed(b"cdsc", &[0, 2, 0, 1, 0, 1])].concat());
    let build = |media_at: u32| {
        let place = |id: u8, at: u32, length: usize| {
            let length = u32::try_from(length).expect("short").to_be_bytes();
            [&[0, id, 0, 0, 0, 1][..], &at.to_be_bytes(), &length].concat()
        };
        let exif_at = media_at + u32::try_from(media.len()).expect("short");
        let places = [
            &[0, 0, 0, 0, 0x44, 0, 0, 2][..],
            &place(1, media_at, media.len()),
            &place(2, exif_at, exif.len()),
        ];
        let parts = [
            &[0; 4][..],
            &handler,
            &boxed(b"pitm", &[0, 0, 0, 0, 0, 1]),
            &boxed(b"iloc", &places.concat()),
            &boxed(b"iinf", &items),
            &reference,
            &boxed(b"iprp", &properties),
        ];
        [boxed(b"ftyp", b"avif\0\0\0\0avifmif1miaf"), boxed(b"meta", &parts.concat())].concat()
    };
    let media_at = u32::try_from(build(0).len() + 8).expect("short");
    [build(media_at), boxed(b"mdat", &[media, exif].concat())].concat()
}

#[test]
fn an_avif_is_rotated_and_cropped_only_by_its_container() {
    let turn = |quarters| boxed(b"irot", &[quarters]);
    let mirror = |axis| boxed(b"imir", &[axis]);
    let cut = |width: u32, height: u32, right: i32, down: i32| {
        let fraction = |above: [u8; 4]| [above, 1u32.to_be_bytes()].concat();
        let body = [width.to_be_bytes(), height.to_be_bytes(), right.to_be_bytes(), down.to_be_bytes()];
        boxed(b"clap", &body.map(fraction).concat())
    };
    let six = [&[0; 4][..], &orientation(6)].concat();
    let plain = |properties: &[Vec<u8>]| avif(properties, &[]);
    let files = vec![
        ("as it is", plain(&[]), AS_IT_IS),
        ("one turn", plain(&[turn(1)]), ("160x320", "GWRB")),
        ("two turns", plain(&[turn(2)]), ("320x160", "WBGR")),
        ("three turns", plain(&[turn(3)]), TURNED),
        ("mirrored down", plain(&[mirror(0)]), ("320x160", "BWRG")),
        ("mirrored across", plain(&[mirror(1)]), ("320x160", "GRWB")),
        ("one turn, mirrored down", plain(&[turn(1), mirror(0)]), ("160x320", "RBGW")),
        ("in the other order", plain(&[mirror(0), turn(1)]), ("160x320", "RBGW")),
        ("one turn, mirrored across", plain(&[turn(1), mirror(1)]), ("160x320", "WGBR")),
        ("two turns, mirrored down", plain(&[turn(2), mirror(0)]), ("320x160", "GRWB")),
        ("three turns, mirrored down", plain(&[turn(3), mirror(0)]), ("160x320", "WGBR")),
        ("three turns, mirrored across", plain(&[turn(3), mirror(1)]), ("160x320", "RBGW")),
        ("EXIF", avif(&[], &six), AS_IT_IS),
        ("EXIF, and one turn", avif(&[turn(1)], &six), ("160x320", "GWRB")),
        ("cut from the corner", plain(&[cut(160, 80, -80, -40)]), ("160x80", "RRRR")),
        ("cut and turned", plain(&[cut(160, 80, -80, -40), turn(1)]), ("80x160", "RRRR")),
        ("cut from the middle", plain(&[cut(160, 80, 0, 0)]), AS_IT_IS),
        ("cut larger than it is", plain(&[cut(640, 80, 0, 0)]), AS_IT_IS),
    ];
    assert_seen(files, MediaType::Avif);
}

#[test]
fn all_fixtures_have_the_size_of_their_pictures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut count = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the fixtures") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a fixture");
            let Ok(inspected) = inspect(&mut std::io::Cursor::new(&bytes), u64::MAX) else { continue };
            let (Some((width, height)), Ok(made)) =
                (inspected.width.zip(inspected.height), derived(&bytes, inspected.media_type))
            else {
                continue;
            };
            count += 1;
            assert_eq!((made.size.width, made.size.height), (width, height), "{}", path.display());
        }
    }
    assert!(count > 4, "only {count} fixtures could be opened");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any content of an EXIF block, at any position.
    #[test]
    fn any_exif_gives_the_asset_and_its_renditions_one_geometry(
        value in 0u16..12,
        kind in 0u16..19,
        count in 0u32..3,
        order in prop_oneof![Just(*b"II"), Just(*b"MM")],
        is_named: bool,
        is_late: bool,
        damage in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let bytes = if &order == b"II" { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut block = exif_of(order, kind, count, [bytes[0], bytes[1], 0, 0]);
        if let Some((place, byte)) = damage {
            let place = place.index(block.len());
            block[place] = byte;
        }
        let block = if is_named { [EXIF, &block].concat() } else { block };
        let (jpeg, png) = (card_jpeg(32, 16, &[]), card_as(ImageFormat::Png, 32, 16));
        let late = if is_late { place_of(&jpeg, &[0xff, 0xda]) } else { 2 };
        answers(&with_bytes(&jpeg, late, &app(1, &block)), MediaType::Jpeg, "JPEG");
        let late = if is_late { place_of(&png, b"IEND") - 4 } else { 33 };
        answers(&with_bytes(&png, late, &chunk("eXIf", &block)), MediaType::Png, "PNG");
        answers(&tiff(kind, [bytes[0], bytes[1], 0, 0]), MediaType::Tiff, "TIFF");
    }
}
