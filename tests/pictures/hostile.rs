//! Hostile files: each gets an answer in limited time and memory, and none crashes the process.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::{ExtendedColorType, ImageFormat};
use proptest::prelude::*;
use rasterd::pictures::media::MediaType;
use rasterd::pictures::{DecodeLimits, Derived, Failure, ResizeSpec, derive, metadata};

use crate::generated::{card_as, card_avif, card_jpeg, chunk, derived, file, png, with_chunk};

/// The longest time for an answer.
const ANSWER: Duration = Duration::from_secs(2);

/// The answer, which must be in time even in a build without optimisation.
fn answer(bytes: &[u8], media_type: MediaType) -> Result<Derived, Failure> {
    let started = Instant::now();
    let answer = derived(bytes, media_type);
    assert!(started.elapsed() < ANSWER * 3, "{media_type:?} took {:?}", started.elapsed());
    answer
}

fn assert_too_large(bytes: &[u8], media_type: MediaType) {
    let answer = answer(bytes, media_type);
    assert!(matches!(answer, Err(Failure::TooLarge(_))), "{media_type:?}: {:?}", answer.err());
}

fn assert_refused(bytes: &[u8], media_type: MediaType) {
    assert!(answer(bytes, media_type).is_err(), "{media_type:?}");
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

/// A PNG header without pixels.
fn empty_png(width: u32, height: u32, interlaced: bool) -> Vec<u8> {
    let header =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, u8::from(interlaced)]].concat();
    let pixels = chunk("IDAT", &deflated(&[0; 1000]));
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk("IHDR", &header), &pixels, &chunk("IEND", &[])].concat()
}

#[test]
fn pixel_bombs_are_refused_by_their_header() {
    assert_too_large(&empty_png(60_000, 60_000, false), MediaType::Png);
    assert_too_large(&empty_png(13_000, 13_000, true), MediaType::Png);

    let mut jpeg = card_jpeg(64, 64, &[]);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame header");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_too_large(&jpeg, MediaType::Jpeg);

    let mut gif = card_as(ImageFormat::Gif, 8, 8);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_too_large(&gif, MediaType::Gif);

    let mut bmp = card_as(ImageFormat::Bmp, 8, 8);
    bmp[18..26].copy_from_slice(&[0, 0xea, 0, 0, 0, 0xea, 0, 0]);
    assert_too_large(&bmp, MediaType::Bmp);

    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"><rect width="9" height="9"/></svg>"#;
    answer(svg, MediaType::Svg).expect("a drawing has no pixels before it is drawn");
}

#[test]
fn a_correct_header_with_too_few_rows_is_damage() {
    assert!(matches!(answer(&empty_png(2000, 2000, false), MediaType::Png), Err(Failure::Damaged(_))));
}

#[test]
fn texts_and_profiles_that_decompress_to_much_are_not_decompressed() {
    let picture = png(64, 64, ExtendedColorType::Rgb8, &[9; 64 * 64 * 3]);
    let much = deflated(&vec![b' '; 64 << 20]);
    let text = [&b"Comment\0\0"[..], &much].concat();
    let texts: Vec<u8> = std::iter::repeat_n(chunk("zTXt", &text), 20).flatten().collect();
    let (header, rest) = picture.split_at(33);
    answer(&[header, &texts, rest].concat(), MediaType::Png).expect("texts do not matter");

    let profile = with_chunk(&picture, "iCCP", &[&b"profile\0\0"[..], &much].concat());
    let answered = answer(&profile, MediaType::Png);
    assert!(matches!(answered, Ok(_) | Err(Failure::TooLarge(_))), "{:?}", answered.err());
}

#[test]
fn a_profile_in_many_segments_is_refused() {
    let part = |number: u8| (2, [&b"ICC_PROFILE\0"[..], &[number, 255], &vec![0; 65_000]].concat());
    let segments: Vec<_> = (1..=200).map(part).collect();
    assert_too_large(&card_jpeg(64, 64, &segments), MediaType::Jpeg);
}

#[test]
fn a_jpeg_of_many_scans_is_refused() {
    let mut compress = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    compress.set_size(800, 800);
    compress.set_progressive_mode();
    let mut started = compress.start_compress(Vec::new()).expect("it starts");
    started.write_scanlines(&vec![90; 800 * 800 * 3]).expect("rows are written");
    let picture = started.finish().expect("it ends");
    answer(&picture, MediaType::Jpeg).expect("an honest progressive picture");

    let end = picture.len() - 2;
    let last = picture.windows(2).rposition(|pair| pair == [0xff, 0xda]).expect("a scan");
    let bomb = [&picture[..end], &picture[last..end].repeat(3000), &picture[end..]].concat();
    assert_too_large(&bomb, MediaType::Jpeg);
}

#[test]
fn a_tiff_of_one_huge_strip_is_refused() {
    let mut entries = Vec::new();
    // Width, height, bits, no compression, RGB, one strip at 8, samples, rows of the strip, bytes of the strip.
    for (tag, value) in [
        (256, 14_000),
        (257, 14_000),
        (258, 8),
        (259, 1),
        (262, 2),
        (273, 8),
        (277, 3),
        (278, 14_000),
        (279, 588_000_000),
    ] {
        entries.extend(
            [&u16::to_le_bytes(tag)[..], &4u16.to_le_bytes(), &1u32.to_le_bytes(), &u32::to_le_bytes(value)]
                .concat(),
        );
    }
    let tiff = [&b"II\x2a\0\x08\0\0\0\x09\0"[..], &entries, &[0; 4]].concat();
    assert_refused(&tiff, MediaType::Tiff);
}

#[test]
fn svgs_with_exponential_references_are_refused() {
    let uses = |level: u32| {
        format!(r#"<g id="l{}">{}</g>"#, level + 1, format!(r##"<use href="#l{level}"/>"##).repeat(10))
    };
    let levels: String = (0..9).map(uses).collect();
    let bomb = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><defs><rect id="l0" width="1" height="1"/>{levels}</defs><use href="#l9"/></svg>"##
    );
    assert_refused(bomb.as_bytes(), MediaType::Svg);

    let entities =
        (1..9).map(|level| format!(r#"<!ENTITY e{level} "{}">"#, format!("&e{};", level - 1).repeat(10)));
    let bomb = format!(
        r#"<!DOCTYPE svg [<!ENTITY e0 "<rect width='1' height='1'/>">{}]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">&e8;</svg>"#,
        entities.collect::<String>()
    );
    assert_refused(bomb.as_bytes(), MediaType::Svg);

    let deep = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}{}</svg>"#,
        "<g>".repeat(20_000),
        "</g>".repeat(20_000)
    );
    assert_too_large(deep.as_bytes(), MediaType::Svg);
}

#[test]
fn a_file_is_only_opened_as_its_detected_type() {
    let card = card_jpeg(64, 64, &[]);
    let page = [&card[..], b"<html><script>alert(1)</script></html>PK\x03\x04"].concat();
    answer(&page, MediaType::Jpeg).expect("what comes after the end does not matter");
    for other in [
        MediaType::Png,
        MediaType::Gif,
        MediaType::WebP,
        MediaType::Avif,
        MediaType::Tiff,
        MediaType::Bmp,
        MediaType::Svg,
    ] {
        assert_refused(&card, other);
        assert_refused(b"", other);
    }
    assert_refused(b"", MediaType::Jpeg);
    assert!(matches!(answer(&card, MediaType::Pdf), Err(Failure::Unsupported(_))));
}

/// A GIF of this many frames of one pixel each.
fn gif_of_frames(frames: usize) -> Vec<u8> {
    let screen = b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\0";
    let frame = b"\x21\xf9\x04\0\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    [&screen[..], &frame.repeat(frames), b";"].concat()
}

/// A chunk of a WebP.
fn webp_chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short").to_le_bytes();
    [&kind[..], &length, body, &[0][..body.len() % 2]].concat()
}

/// An animated WebP of this many frames of 8 × 8 pixels, with this profile.
fn webp_of_frames(frames: usize, profile: &[u8]) -> Vec<u8> {
    let still = card_as(ImageFormat::WebP, 8, 8);
    let frame = [&[0; 6][..], &[7, 0, 0, 7, 0, 0, 10, 0, 0, 0], &still[12..]].concat();
    let flags = if profile.is_empty() { 0x02 } else { 0x22 };
    let chunks = [
        webp_chunk(b"VP8X", &[flags, 0, 0, 0, 7, 0, 0, 7, 0, 0]),
        if profile.is_empty() { Vec::new() } else { webp_chunk(b"ICCP", profile) },
        webp_chunk(b"ANIM", &[0; 6]),
        webp_chunk(b"ANMF", &frame).repeat(frames),
    ];
    let body = [&b"WEBP"[..], &chunks.concat()].concat();
    let length = u32::try_from(body.len()).expect("short").to_le_bytes();
    [&b"RIFF"[..], &length, &body].concat()
}

/// A TIFF of one gray pixel with an additional tag: its number, its type, the claimed number of values, their offset.
fn tiff_with(tag: u16, kind: u16, count: u32, value: u32, next: u32) -> Vec<u8> {
    let mut entries: Vec<(u16, u16, u32, u32)> =
        [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 1)]
            .map(|(tag, value)| (tag, 4, 1, value))
            .to_vec();
    entries.push((tag, kind, count, value));
    let entries: Vec<u8> = entries
        .into_iter()
        .flat_map(|(tag, kind, count, value)| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
        })
        .collect();
    [&b"II\x2a\0\x08\0\0\0\x0a\0"[..], &entries, &next.to_le_bytes()].concat()
}

#[test]
fn only_the_first_of_many_frames_is_read() {
    answer(&gif_of_frames(2), MediaType::Gif).expect("an honest one");
    answer(&gif_of_frames(200_000), MediaType::Gif).expect("the first frame is all that is shown");
    answer(&webp_of_frames(2, &[]), MediaType::WebP).expect("an honest one");
    answer(&webp_of_frames(50_000, &[]), MediaType::WebP).expect("the first frame is all that is shown");
    answer(&tiff_with(305, 2, 1, 0, 0), MediaType::Tiff).expect("an honest one");
    // Its list of pictures is circular.
    answer(&tiff_with(305, 2, 1, 0, 8), MediaType::Tiff).expect("the first picture is all that is shown");
}

#[test]
fn profiles_of_any_size_are_ignored_or_refused() {
    for claimed in [1 << 20, u32::MAX / 2, u32::MAX] {
        // A refusal is also fine; what matters is that no memory of that size is allocated.
        drop(answer(&tiff_with(34_675, 7, claimed, 8, 0), MediaType::Tiff));
    }
    drop(answer(&webp_of_frames(1, &vec![0; 40 << 20]), MediaType::WebP));
    let mut short = webp_of_frames(1, b"profile!");
    let place = short.windows(4).position(|kind| kind == b"ICCP").expect("a profile");
    short[place + 4..place + 8].copy_from_slice(&[0xff; 4]);
    assert_refused(&short, MediaType::WebP);
}

#[test]
fn an_svg_accesses_nothing_outside_of_itself() {
    let mut secret = tempfile::Builder::new().suffix(".png").tempfile().expect("a file");
    let red = png(8, 8, ExtendedColorType::Rgb8, &[255, 0, 0].repeat(64));
    secret.write_all(&red).expect("it is written");
    let path = secret.path().display();
    let drawn = |inside: &str| {
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="8" height="8"><rect width="8" height="8" fill="#fff"/>{inside}</svg>"##
        )
    };
    for inside in [
        format!(r#"<image width="8" height="8" href="{path}"/>"#),
        format!(r#"<image width="8" height="8" xlink:href="file://{path}"/>"#),
        format!(r#"<image width="8" height="8" href="../../../../../../../..{path}"/>"#),
        r#"<image width="8" height="8" href="http://127.0.0.1:9/a.png"/>"#.to_owned(),
        format!(r#"<style>@import url("file://{path}");</style>"#),
        format!(r#"<use href="file://{path}#x"/><rect width="8" height="8" fill="url(file://{path}#x)"/>"#),
        format!(
            r#"<filter id="f"><feImage href="{path}"/></filter><rect width="8" height="8" fill="none" filter="url(#f)"/>"#
        ),
        r#"<script>document.documentElement.innerHTML = ""</script>"#.to_owned(),
        format!(
            r#"<foreignObject width="8" height="8"><img xmlns="http://www.w3.org/1999/xhtml" src="{path}"/></foreignObject>"#
        ),
    ] {
        let image = crate::generated::seen(drawn(&inside).as_bytes(), MediaType::Svg, ResizeSpec::default());
        let is_red = |[red, green, _, _]: [u8; 4]| red > green;
        assert!(image.pixels().all(|pixel| !is_red(pixel.0)), "{inside}");
    }
    let entity = format!(
        r#"<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{path}">]><svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><text>&x;</text></svg>"#
    );
    drop(answer(entity.as_bytes(), MediaType::Svg));
}

/// A small file of every format that is decoded.
fn small_files() -> Vec<(MediaType, Vec<u8>)> {
    vec![
        (MediaType::Jpeg, card_jpeg(40, 30, &[crate::generated::exif_segment(&[(0x0112, 6)], &[(0x010f, "A maker")])])),
        (MediaType::Png, card_as(ImageFormat::Png, 40, 30)),
        (MediaType::Gif, card_as(ImageFormat::Gif, 40, 30)),
        (MediaType::WebP, card_as(ImageFormat::WebP, 40, 30)),
        (MediaType::Tiff, card_as(ImageFormat::Tiff, 40, 30)),
        (MediaType::Bmp, card_as(ImageFormat::Bmp, 40, 30)),
        (MediaType::Avif, card_avif(40, 30)),
        (MediaType::Svg, br##"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><path d="M0 0L9 9" stroke="#f00"/></svg>"##.to_vec()),
    ]
}

/// Opens a file in every way. Any answer is fine, as long as there is one and it is not the server's fault.
fn open(bytes: &[u8], media_type: MediaType) {
    let limits = DecodeLimits { pixels: 1_000_000, memory: 32 << 20 };
    let source = file(bytes);
    let answer = derive(&source, media_type, &[16], &limits);
    assert!(!matches!(answer, Err(Failure::Unavailable(_))), "{media_type:?}: {answer:?}");
    if let Err(failure) = answer {
        let reason = failure.to_string();
        assert!(reason.len() < 200 && !reason.contains("Error"), "{media_type:?}: {reason}");
    }
    let answer = metadata(&source, media_type, &limits);
    assert!(!matches!(answer, Err(Failure::Unavailable(_))), "{media_type:?}: {answer:?}");
}

/// The fixtures that are stored in unusual ways.
fn unusual_files() -> Vec<(MediaType, Vec<u8>)> {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries =
        ["unusual", "tiff"].map(|name| std::fs::read_dir(fixtures.join(name)).expect("the fixtures"));
    let paths = entries.into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let files = paths.filter_map(|path| {
        let bytes = std::fs::read(path).expect("a fixture");
        let inspected =
            rasterd::pictures::media::inspect(&mut std::io::Cursor::new(&bytes), u64::MAX).ok()?;
        Some((inspected.media_type, bytes))
    });
    files.collect()
}

#[test]
fn files_truncated_anywhere_get_an_answer() {
    for (media_type, bytes) in small_files() {
        let step = (bytes.len() / 60).max(1);
        for end in (0..bytes.len()).step_by(step) {
            open(&bytes[..end], media_type);
        }
    }
    for (media_type, bytes) in unusual_files() {
        let step = (bytes.len() / 12).max(1);
        for end in (0..bytes.len()).step_by(step) {
            open(&bytes[..end], media_type);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn files_with_any_damage_get_an_answer(
        which in 0usize..8,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let (media_type, mut bytes) = small_files().swap_remove(which);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        open(&bytes, media_type);
    }

    #[test]
    fn unusual_files_with_any_damage_get_an_answer(
        which in any::<prop::sample::Index>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut files = unusual_files();
        let (media_type, mut bytes) = files.swap_remove(which.index(files.len()));
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        open(&bytes, media_type);
    }
}
