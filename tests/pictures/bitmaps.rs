//! BMP and GIF as Chromium draws them: any order of rows, any position of a frame, and files truncated anywhere.

use image::RgbaImage;
use rasterd::pictures::media::{MediaType, inspect};
use rasterd::pictures::{DecodeLimits, Format, RenderSpec, ResizeSpec, render};

use crate::generated::{BLUE, GREEN, RED, WHITE, assert_near, card, corners, file, seen};

const W: u32 = 40;
const H: u32 = 20;

/// The rendered picture, whose size must be the asset's.
fn shown(bytes: &[u8], media_type: MediaType, what: &str) -> RgbaImage {
    let inspected = inspect(&mut std::io::Cursor::new(bytes), u64::MAX).expect(what);
    assert_eq!(inspected.media_type, media_type, "{what}");
    let image = seen(bytes, media_type, ResizeSpec::default());
    assert_eq!(inspected.width.zip(inspected.height), Some(image.dimensions()), "{what}");
    image
}

fn assert_corners(image: &RgbaImage, expected: [[u8; 4]; 4], what: &str) {
    for (found, expected) in corners(image).iter().zip(expected) {
        assert_near(found, &expected, 1, what);
    }
}

fn card_with(alpha: u8) -> [[u8; 4]; 4] {
    [RED, GREEN, BLUE, WHITE].map(|[red, green, blue]| [red, green, blue, alpha])
}

/// A BMP with a header of this length, which ends in masks, a palette, and rows.
fn bmp(bits: u16, compression: u32, length: u32, masks: &[u32], palette: &[u8], rows: &[u8]) -> Vec<u8> {
    let fields = [W.to_le_bytes(), H.to_le_bytes()].concat();
    let colours = u32::try_from(palette.len() / 4).expect("few");
    let mut header = [&length.to_le_bytes()[..], &fields, &[1, 0], &bits.to_le_bytes()].concat();
    header.extend([compression, 0, 0, 0, colours, 0].map(u32::to_le_bytes).concat());
    header.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
    if header.len() < length as usize {
        header.resize(length as usize, 0);
    }
    let at = u32::try_from(14 + header.len() + palette.len()).expect("short").to_le_bytes();
    [&b"BM\0\0\0\0\0\0\0\0"[..], &at, &header, palette, rows].concat()
}

/// The card's rows from the bottom up.
fn rows(pixel: impl Fn([u8; 3]) -> Vec<u8>) -> Vec<u8> {
    let card = card(W, H);
    card.chunks(W as usize)
        .rev()
        .flat_map(|row| row.iter().flat_map(|colour| pixel(*colour)).collect::<Vec<_>>())
        .collect()
}

fn four_bytes(alpha: u8) -> Vec<u8> {
    rows(|[red, green, blue]| vec![blue, green, red, alpha])
}

#[test]
fn thirty_two_bits_are_transparent_only_with_a_mask() {
    let masks = [0xff_0000, 0xff00, 0xff, 0xff00_0000];
    let without = [0xff_0000, 0xff00, 0xff, 0];
    for (what, bytes, alpha) in [
        ("no masks", bmp(32, 0, 40, &[], &[], &four_bytes(128)), 255),
        ("no masks, 0", bmp(32, 0, 40, &[], &[], &four_bytes(0)), 255),
        ("three masks", bmp(32, 3, 40, &masks[..3], &[], &four_bytes(128)), 255),
        ("four masks", bmp(32, 6, 40, &masks, &[], &four_bytes(128)), 128),
        ("version 3", bmp(32, 3, 56, &masks, &[], &four_bytes(128)), 128),
        ("version 4", bmp(32, 3, 108, &masks, &[], &four_bytes(128)), 128),
        ("version 4 without masks", bmp(32, 0, 108, &[], &[], &four_bytes(128)), 255),
        ("version 4 that needs no masks", bmp(32, 0, 108, &masks, &[], &four_bytes(128)), 128),
        ("version 5 without one for alpha", bmp(32, 3, 124, &without, &[], &four_bytes(128)), 255),
    ] {
        assert_corners(&shown(&bytes, MediaType::Bmp, what), card_with(alpha), what);
    }
    let clear = bmp(32, 3, 108, &masks, &[], &four_bytes(0));
    assert_eq!(shown(&clear, MediaType::Bmp, "clear").get_pixel(5, 5).0[3], 0);
}

#[test]
fn bitmaps_of_every_depth_show_the_card() {
    let bits = |value: u8, most: u16| if value > 0 { most } else { 0 };
    let five = rows(|[red, green, blue]| {
        (bits(red, 31) << 10 | bits(green, 31) << 5 | bits(blue, 31)).to_le_bytes().to_vec()
    });
    let six = rows(|[red, green, blue]| {
        (bits(red, 31) << 11 | bits(green, 63) << 5 | bits(blue, 31)).to_le_bytes().to_vec()
    });
    let palette = [RED, GREEN, BLUE, WHITE].map(|[red, green, blue]| [blue, green, red, 0]).concat();
    let number = |colour| [RED, GREEN, BLUE, WHITE].iter().position(|known| *known == colour).unwrap_or(0);
    let numbers = rows(|colour| vec![u8::try_from(number(colour)).expect("few")]);
    let packed: Vec<u8> = numbers.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let three_bytes = rows(|[red, green, blue]| vec![blue, green, red]);
    for (what, bytes) in [
        ("24 bits", bmp(24, 0, 40, &[], &[], &three_bytes)),
        ("16 bits", bmp(16, 0, 40, &[], &[], &five)),
        ("16 bits by masks", bmp(16, 3, 40, &[0xf800, 0x7e0, 0x1f], &[], &six)),
        ("8 bits", bmp(8, 0, 40, &[], &palette, &numbers)),
        ("4 bits", bmp(4, 0, 40, &[], &palette, &packed)),
    ] {
        assert_corners(&shown(&bytes, MediaType::Bmp, what), card_with(255), what);
    }
    let mut from_the_top = bmp(24, 0, 40, &[], &[], &three_bytes);
    from_the_top[22..26].copy_from_slice(&(-20i32).to_le_bytes());
    let [red, green, blue, white] = card_with(255);
    assert_corners(
        &shown(&from_the_top, MediaType::Bmp, "from the top"),
        [blue, white, red, green],
        "from the top",
    );
    let old = [&b"BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x28\0\x14\0\x01\0\x18\0"[..], &three_bytes].concat();
    assert_corners(&shown(&old, MediaType::Bmp, "the oldest header"), card_with(255), "the oldest header");
}

#[test]
fn runs_are_decoded_and_may_skip_pixels() {
    let palette = [RED, GREEN, BLUE, WHITE].map(|[red, green, blue]| [blue, green, red, 0]).concat();
    // Ten rows of blue and white, then ten of red and green; the end of each row, and the end of all.
    let eight = [[20, 2, 20, 3, 0, 0].repeat(10), [20, 0, 20, 1, 0, 0].repeat(10), vec![0, 1]].concat();
    let four =
        [[20, 0x22, 20, 0x33, 0, 0].repeat(10), [20, 0, 20, 0x11, 0, 0].repeat(10), vec![0, 1]].concat();
    // The same as literal bytes.
    let as_it_is =
        |numbers: [u8; 2]| [&[0, 20][..], &[numbers[0]; 20], &[0, 20], &[numbers[1]; 20], &[0, 0]].concat();
    let whole = [as_it_is([2, 3]).repeat(10), as_it_is([0, 1]).repeat(10), vec![0, 1]].concat();
    for (what, bytes) in [
        ("8 bits", bmp(8, 1, 40, &[], &palette, &eight)),
        ("4 bits", bmp(4, 2, 40, &[], &palette, &four)),
        ("bytes as they are", bmp(8, 1, 40, &[], &palette, &whole)),
    ] {
        assert_corners(&shown(&bytes, MediaType::Bmp, what), card_with(255), what);
    }
    let moved = [[20, 2, 20, 3, 0, 0].repeat(5), vec![0, 2, 5, 5, 1, 3, 0, 1]].concat();
    let image = shown(&bmp(8, 1, 40, &[], &palette, &moved), MediaType::Bmp, "moved");
    assert_eq!(image.get_pixel(5, 9).0, [255; 4], "five to the right and five up");
    assert_eq!(image.get_pixel(4, 9).0, [0, 0, 0, 255], "what no run reaches is black");
    assert_eq!(image.get_pixel(4, 17).0, [0, 0, 255, 255]);
}

#[test]
fn a_bitmap_larger_than_the_memory_is_read_row_by_row() {
    let (width, height) = (3000u32, 1000u32);
    let pixels = card(width, height);
    let rows: Vec<u8> = pixels
        .chunks(width as usize)
        .rev()
        .flat_map(|row| row.iter().flat_map(|[red, green, blue]| [*blue, *green, *red]))
        .collect();
    let mut bytes = bmp(24, 0, 40, &[], &[], &rows);
    bytes[18..22].copy_from_slice(&width.to_le_bytes());
    bytes[22..26].copy_from_slice(&height.to_le_bytes());
    let rendition = RenderSpec { size: ResizeSpec::within(60), format: Format::Png, quality: None };
    let limits = DecodeLimits { memory: 2 << 20, ..DecodeLimits::default() };
    let made = render(&file(&bytes), MediaType::Bmp, &rendition, &limits).expect("9 MB within 2 MiB");
    let image = image::load_from_memory(&made.bytes).expect("a PNG").to_rgba8();
    assert_corners(&image, card_with(255), "a large one");
}

/// A GIF of one frame, each pixel coded separately.
fn gif(screen: (u16, u16), place: (u16, u16), size: (u16, u16), flags: u8, extension: &[u8]) -> Vec<u8> {
    let (width, height) = (u32::from(size.0), u32::from(size.1));
    let colours = [RED, GREEN, BLUE, WHITE];
    let number = |colour| colours.iter().position(|known| *known == colour).unwrap_or(0);
    let numbers: Vec<usize> =
        if width * height == 0 { Vec::new() } else { card(width, height).into_iter().map(number).collect() };
    // Rows in the order of an interlaced frame.
    let lines: Vec<usize> = if flags & 0x40 == 0 {
        (0..height as usize).collect()
    } else {
        [(0, 8), (4, 8), (2, 4), (1, 2)]
            .into_iter()
            .flat_map(|(first, step)| (first..height as usize).step_by(step))
            .collect()
    };
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |code: usize| bits.extend((0..3).map(|bit| code >> bit & 1 == 1));
    for line in lines {
        for pair in numbers[line * width as usize..(line + 1) * width as usize].chunks(2) {
            put(4);
            for number in pair {
                put(*number);
            }
        }
    }
    put(5);
    let packed: Vec<u8> = bits
        .chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
        .collect();
    let shorts = |(across, down): (u16, u16)| [across.to_le_bytes(), down.to_le_bytes()].concat();
    let mut file =
        [&b"GIF89a"[..], &shorts(screen), &[0x81, 1, 0], colours.as_flattened(), extension].concat();
    file.extend([&b","[..], &shorts(place), &shorts(size), &[flags, 2]].concat());
    for block in packed.chunks(255) {
        file.push(u8::try_from(block.len()).expect("short"));
        file.extend(block);
    }
    file.extend([0, b';']);
    file
}

#[test]
fn a_frame_is_at_its_offset_and_may_enlarge_the_picture() {
    let clear = [0; 4];
    let look = |bytes: &[u8], what: &str| shown(bytes, MediaType::Gif, what);
    let comment = b"\x21\xfe\x05hello\0";
    for (what, bytes) in [
        ("plain", gif((40, 20), (0, 0), (40, 20), 0, &[])),
        ("interlaced", gif((40, 20), (0, 0), (40, 20), 0x40, &[])),
        ("larger than its screen", gif((20, 10), (0, 0), (40, 20), 0, &[])),
        ("no screen", gif((0, 0), (0, 0), (40, 20), 0, &[])),
        ("a comment", gif((40, 20), (0, 0), (40, 20), 0, comment)),
    ] {
        let image = look(&bytes, what);
        assert_eq!(image.dimensions(), (40, 20), "{what}");
        assert_corners(&image, card_with(255), what);
    }
    let image = look(&gif((40, 20), (10, 5), (20, 10), 0, &[]), "moved");
    assert_eq!((image.get_pixel(9, 10).0, image.get_pixel(30, 10).0), (clear, clear));
    assert_eq!(image.get_pixel(10, 5).0, [255, 0, 0, 255]);
    assert_eq!(image.get_pixel(29, 14).0, [255; 4]);
    let image = look(&gif((40, 20), (20, 10), (40, 20), 0, &[]), "moved out");
    assert_eq!(image.dimensions(), (60, 30));
    assert_eq!((image.get_pixel(5, 5).0, image.get_pixel(59, 29).0), (clear, [255; 4]));
    let transparent = b"\x21\xf9\x04\x01\0\0\0\0";
    let image = look(&gif((40, 20), (0, 0), (40, 20), 0, transparent), "transparent");
    let [_, green, blue, white] = card_with(255);
    assert_corners(&image, [clear, green, blue, white], "the first colour is transparent");
}

#[test]
fn the_existing_part_of_a_truncated_file_is_shown() {
    let whole = gif((40, 20), (0, 0), (40, 20), 0, &[]);
    let cut = &whole[..whole.len() * 6 / 10];
    let image = shown(cut, MediaType::Gif, "a cut GIF");
    assert_eq!((image.get_pixel(5, 2).0, image.get_pixel(35, 2).0), ([255, 0, 0, 255], [0, 255, 0, 255]));
    assert_eq!(image.get_pixel(5, 19).0[3], 0, "what is missing is transparent");

    let whole = bmp(24, 0, 40, &[], &[], &rows(|[red, green, blue]| vec![blue, green, red]));
    let image = shown(&whole[..whole.len() * 7 / 10], MediaType::Bmp, "a cut BMP");
    assert_eq!((image.get_pixel(5, 19).0, image.get_pixel(5, 0).0), ([0, 0, 255, 255], [255; 4]));
}

#[test]
fn the_existing_part_of_a_truncated_webp_is_shown() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/umang.webp");
    let whole = std::fs::read(path).expect("a fixture");
    let cut = &whole[..whole.len() * 7 / 10];
    let inspected = inspect(&mut std::io::Cursor::new(cut), u64::MAX).expect("it is taken");
    let small = ResizeSpec::within(100);
    let (image, expected) = (seen(cut, MediaType::WebP, small), seen(&whole, MediaType::WebP, small));
    assert_eq!(image.dimensions(), expected.dimensions());
    assert!(inspected.width.is_some());
    for y in 0..image.height() / 4 {
        assert_near(&image.get_pixel(50, y).0, &expected.get_pixel(50, y).0, 3, "the upper part");
    }
}
