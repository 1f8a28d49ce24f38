//! The colours that a PNG's chunks define, as Chromium draws them, and truncated files.

use image::{ExtendedColorType, RgbaImage};
use rasterd::pictures::ResizeSpec;
use rasterd::pictures::media::{MediaType, inspect};

use crate::generated::{assert_near, chunk, derived, png, seen};

const GAMMA_1: u32 = 100_000;
const GAMMA_2_2: u32 = 45_455;
/// White, red, green and blue of Display P3, in hundred thousandths.
const P3: [u32; 8] = [31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000];
/// Those of sRGB with another white point.
const D50: [u32; 8] = [34_570, 35_850, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];

fn gamma(value: u32) -> Vec<u8> {
    chunk("gAMA", &value.to_be_bytes())
}

fn primaries(places: [u32; 8]) -> Vec<u8> {
    chunk("cHRM", &places.map(u32::to_be_bytes).concat())
}

fn code_points(primaries: u8, transfer: u8, matrix: u8, full: u8) -> Vec<u8> {
    chunk("cICP", &[primaries, transfer, matrix, full])
}

fn srgb() -> Vec<u8> {
    chunk("sRGB", &[0])
}

fn p3_profile() -> Vec<u8> {
    let profile = moxcms::ColorProfile::new_display_p3().encode().expect("it is encoded");
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &profile).expect("to memory");
    chunk("iCCP", &[&b"p3\0\0"[..], &encoder.finish().expect("to memory")].concat())
}

/// The rendered values of a colour and of a gray with these chunks.
fn assert_colours(what: &str, chunks: &[Vec<u8>], colour: [u8; 3], gray: u8) {
    let colours = [
        (ExtendedColorType::Rgb8, vec![200, 100, 20], [colour[0], colour[1], colour[2], 255]),
        (ExtendedColorType::L8, vec![100], [gray, gray, gray, 255]),
        (ExtendedColorType::Rgba8, vec![200, 100, 20, 128], [colour[0], colour[1], colour[2], 128]),
        (ExtendedColorType::La8, vec![100, 128], [gray, gray, gray, 128]),
    ];
    for (kind, pixel, expected) in colours {
        let plain = png(8, 8, kind, &pixel.repeat(64));
        let (header, rest) = plain.split_at(33);
        let bytes = [header, &chunks.concat(), rest].concat();
        let image = seen(&bytes, MediaType::Png, ResizeSpec::default());
        assert_near(&image.get_pixel(4, 4).0, &expected, 3, &format!("{what}, {kind:?}"));
    }
}

#[test]
fn chunks_define_the_colour_space() {
    let plain = [200, 100, 20];
    assert_colours("nothing", &[], plain, 100);
    assert_colours("gamma 1", &[gamma(GAMMA_1)], [229, 168, 79], 168);
    assert_colours("gamma 1.8", &[gamma(55_556)], [210, 119, 26], 119);
    assert_colours("gamma 2.2", &[gamma(GAMMA_2_2)], plain, 100);
    assert_colours("gamma 0", &[gamma(0)], plain, 100);
    assert_colours("primaries alone", &[primaries(P3)], plain, 100);
    assert_colours("gamma and primaries", &[gamma(GAMMA_2_2), primaries(P3)], [216, 93, 0], 100);
    assert_colours("gamma and a white", &[gamma(GAMMA_2_2), primaries(D50)], [209, 101, 30], 100);
    assert_colours("primaries of 0", &[gamma(GAMMA_1), primaries([0; 8])], plain, 100);
    assert_colours("code points", &[code_points(12, 13, 0, 1)], [215, 93, 0], 100);
    assert_colours("linear code points", &[code_points(9, 8, 0, 1)], [255, 159, 52], 168);
    assert_colours("code points of television", &[code_points(1, 1, 0, 1)], [197, 91, 7], 91);
    assert_colours("code points in narrow range", &[code_points(12, 13, 0, 0)], plain, 100);
}

#[test]
fn hdr_white_is_mapped_to_sdr_white() {
    for (what, transfer, white, colour, gray) in
        [("PQ", 16, 148, [255, 0, 0], 107), ("HLG", 18, 191, [255, 69, 0], 104)]
    {
        let points = [code_points(9, transfer, 0, 1)];
        assert_colours(what, &points, colour, gray);
        let bytes = png(8, 8, ExtendedColorType::Rgb8, &[white; 192]);
        let image =
            seen(&[&bytes[..33], &points[0], &bytes[33..]].concat(), MediaType::Png, ResizeSpec::default());
        assert_near(&image.get_pixel(4, 4).0, &[255; 4], 3, what);
    }
}

#[test]
fn the_more_precise_chunk_takes_precedence() {
    let plain = [200, 100, 20];
    assert_colours("sRGB before gamma", &[gamma(GAMMA_1), srgb()], plain, 100);
    assert_colours("code points before gamma", &[code_points(1, 13, 0, 1), gamma(GAMMA_1)], plain, 100);
    assert_colours("no code points", &[code_points(2, 2, 0, 1), gamma(GAMMA_1)], [229, 168, 79], 168);
    let colour = |chunks: &[Vec<u8>]| {
        let bytes = png(8, 8, ExtendedColorType::Rgb8, &[200, 100, 20].repeat(64));
        let (header, rest) = bytes.split_at(33);
        let bytes = [header, &chunks.concat(), rest].concat();
        seen(&bytes, MediaType::Png, ResizeSpec::default()).get_pixel(4, 4).0
    };
    assert_near(&colour(&[gamma(GAMMA_1), p3_profile()]), &[215, 93, 0], 3, "a profile before gamma");
    let both = [code_points(1, 13, 0, 1), p3_profile()];
    assert_near(&colour(&both), &[200, 100, 20], 3, "code points before a profile");
}

/// A picture of noise, so that its data is spread over the whole file.
fn noise(interlaced: bool) -> (Vec<u8>, RgbaImage) {
    let mut state = 1u32;
    let pixels: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0] / 2
    })
    .take(64 * 64 * 3)
    .collect();
    let image = image::RgbImage::from_raw(64, 64, pixels.clone()).expect("counted right");
    let whole = image::DynamicImage::ImageRgb8(image).to_rgba8();
    if !interlaced {
        return (png(64, 64, ExtendedColorType::Rgb8, &pixels), whole);
    }
    (interlaced_png(&whole), whole)
}

/// The seven passes of Adam7: where each begins, and its steps.
const PASSES: [(u32, u32, u32, u32); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

fn interlaced_png(image: &RgbaImage) -> Vec<u8> {
    let mut rows = Vec::new();
    for (left, top, across, down) in PASSES {
        for y in (top..image.height()).step_by(down as usize) {
            rows.push(0);
            for x in (left..image.width()).step_by(across as usize) {
                rows.extend(&image.get_pixel(x, y).0[..3]);
            }
        }
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &rows).expect("to memory");
    let (width, height) = (image.width().to_be_bytes(), image.height().to_be_bytes());
    let header = [&width[..], &height, &[8, 2, 0, 0, 1]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk("IHDR", &header),
        chunk("IDAT", &encoder.finish().expect("to memory")),
        chunk("IEND", &[]),
    ]
    .concat()
}

#[test]
fn the_existing_part_of_a_truncated_png_is_shown() {
    let (bytes, whole) = noise(false);
    let cut = &bytes[..bytes.len() * 6 / 10];
    let inspected = inspect(&mut std::io::Cursor::new(cut), u64::MAX).expect("it is taken");
    assert_eq!((inspected.width, inspected.height), (Some(64), Some(64)));
    let image = seen(cut, MediaType::Png, ResizeSpec::default());
    for y in 0..30 {
        assert_eq!(image.get_pixel(20, y), whole.get_pixel(20, y), "row {y}");
    }
    assert_eq!(image.get_pixel(20, 60).0, [255; 4], "what is missing is white");
    assert!(derived(cut, MediaType::Png).is_ok());
    assert!(derived(&bytes[..60], MediaType::Png).is_err(), "nothing of it is there");
}

#[test]
fn a_truncated_interlaced_png_is_complete_and_coarse_at_its_end() {
    let (bytes, whole) = noise(true);
    assert_eq!(seen(&bytes, MediaType::Png, ResizeSpec::default()), whole);
    // The first five passes are a quarter of all; the block of a pixel has its colour.
    let image = seen(&bytes[..bytes.len() * 3 / 10], MediaType::Png, ResizeSpec::default());
    assert_eq!(image.get_pixel(20, 30), whole.get_pixel(20, 30));
    assert_eq!(image.get_pixel(21, 31), whole.get_pixel(20, 30));
}
