//! Files that readers show in different ways, or not at all, compared with what a browser draws.

use std::path::Path;

use rasterd::pictures::ResizeSpec;
use rasterd::pictures::media::{MediaType, inspect};

use crate::generated::{assert_near, card_jpeg, derived, seen};

/// A fixture that is not wider than 400 pixels, its size, and the colours at some places.
type Fixture = (&'static str, (u32, u32), &'static [Pixel]);
/// A place in a picture and its colour there.
type Pixel = ((u32, u32), [u8; 4]);

const fn opaque(x: u32, y: u32, [red, green, blue]: [u8; 3]) -> Pixel {
    ((x, y), [red, green, blue, 255])
}

const CARD: &[Pixel] = &[
    opaque(25, 19, [67, 17, 150]),
    opaque(230, 19, [231, 23, 73]),
    opaque(25, 96, [232, 19, 21]),
    opaque(102, 96, [235, 255, 255]),
    opaque(230, 96, [15, 22, 226]),
    opaque(25, 172, [239, 16, 21]),
    opaque(230, 172, [43, 33, 93]),
];

const FIXTURES: [Fixture; 9] = [
    ("jpeg_bytes_between_segments.jpg", (256, 192), CARD),
    ("jpeg_arithmetic.jpg", (256, 192), CARD),
    (
        "png_exif_after_idat_orientation6.png",
        (192, 256),
        &[
            opaque(19, 25, [242, 9, 103]),
            opaque(172, 25, [20, 20, 230]),
            opaque(115, 128, [128, 128, 128]),
            opaque(19, 230, [56, 9, 210]),
            opaque(172, 230, [230, 20, 20]),
        ],
    ),
    (
        "webp_exif_prefix_orientation6.webp",
        (192, 256),
        &[
            opaque(19, 25, [231, 25, 74]),
            opaque(172, 25, [42, 29, 106]),
            opaque(76, 128, [20, 201, 39]),
            opaque(115, 230, [128, 128, 130]),
            opaque(172, 230, [228, 19, 17]),
        ],
    ),
    (
        "png_cicp_p3.png",
        (160, 120),
        &[
            opaque(16, 12, [25, 25, 173]),
            opaque(144, 12, [229, 25, 75]),
            opaque(80, 60, [128, 128, 128]),
            opaque(16, 108, [24, 229, 83]),
            opaque(144, 108, [229, 229, 178]),
        ],
    ),
    (
        "tiff_rowsperstrip_infinite.tif",
        (96, 72),
        &[
            opaque(9, 7, [127, 22, 104]),
            opaque(86, 7, [229, 25, 76]),
            opaque(38, 36, [255, 255, 255]),
            opaque(57, 36, [20, 200, 40]),
            opaque(86, 64, [52, 52, 206]),
        ],
    ),
    (
        "tiff_associated_alpha.tif",
        (96, 72),
        &[
            ((9, 7), [126, 21, 103, 205]),
            ((38, 7), [165, 20, 101, 148]),
            ((9, 36), [228, 19, 19, 145]),
            ((38, 36), [255, 255, 255, 36]),
            ((86, 64), [51, 51, 204, 203]),
        ],
    ),
    (
        "tiff_palette.tif",
        (256, 192),
        &[
            opaque(25, 19, [20, 23, 181]),
            opaque(153, 19, [160, 24, 52]),
            opaque(102, 96, [255, 255, 255]),
            opaque(153, 96, [20, 200, 40]),
            opaque(230, 172, [20, 20, 230]),
        ],
    ),
    (
        "tiff_g4_fillorder2.tif",
        (256, 192),
        &[
            opaque(25, 19, [0; 3]),
            opaque(102, 96, [255; 3]),
            opaque(153, 96, [0; 3]),
            opaque(230, 172, [0; 3]),
        ],
    ),
];

#[test]
fn every_fixture_looks_the_same_as_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/unusual");
    for (name, size, pixels) in FIXTURES {
        let bytes = std::fs::read(folder.join(name)).expect("a fixture");
        let inspected = inspect(&mut std::io::Cursor::new(&bytes), u64::MAX).expect(name);
        assert_eq!((inspected.width, inspected.height), (Some(size.0), Some(size.1)), "{name}");
        let image =
            seen(&bytes, inspected.media_type, ResizeSpec { width: Some(400), ..ResizeSpec::default() });
        assert_eq!(image.dimensions(), size, "{name}");
        for ((x, y), expected) in pixels {
            assert_near(&image.get_pixel(*x, *y).0, expected, 3, &format!("{name} at {x}, {y}"));
        }
    }
}

/// The header of a frame: of another kind, or of other bits.
fn with_frame(marker: u8, bits: u8) -> Vec<u8> {
    let mut bytes = card_jpeg(64, 64, &[]);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame header");
    bytes[frame + 1] = marker;
    bytes[frame + 4] = bits;
    bytes
}

#[test]
fn jpegs_that_no_browser_shows_are_accepted_and_reported_as_unsupported() {
    for (marker, bits, reason) in [
        (0xc1, 12, "not supported: a JPEG of 12 bits a sample"),
        (0xc2, 12, "not supported: a JPEG of 12 bits a sample"),
        (0xc3, 8, "not supported: a JPEG of the lossless kind"),
        (0xc5, 8, "not supported: a JPEG of the hierarchical kind"),
        (0xf7, 8, "not supported: a JPEG-LS"),
    ] {
        let bytes = with_frame(marker, bits);
        let inspected = inspect(&mut std::io::Cursor::new(&bytes), u64::MAX).expect(reason);
        assert_eq!((inspected.width, inspected.height), (Some(64), Some(64)), "{reason}");
        let failure = derived(&bytes, inspected.media_type).expect_err(reason);
        assert_eq!(failure.to_string(), reason);
        assert!(!failure.is_transient());
    }
}

#[test]
fn a_jpeg_without_pixels_is_accepted_and_reported_as_damaged() {
    let whole = card_jpeg(64, 64, &[]);
    let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan");
    for end in [scan + 2, scan + 4, scan + 6] {
        let inspected = inspect(&mut std::io::Cursor::new(&whole[..end]), u64::MAX).expect("it is taken");
        assert_eq!((inspected.width, inspected.height), (Some(64), Some(64)));
        if let Err(failure) = derived(&whole[..end], inspected.media_type) {
            assert!(failure.to_string().starts_with("it is damaged: "), "{failure}");
        }
    }
    assert!(derived(&whole[..scan + 2], MediaType::Jpeg).is_err());
}
