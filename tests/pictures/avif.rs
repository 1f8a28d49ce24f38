//! AVIF in every form that cameras and photo editors write: grids, boxes of unknown length, data inside of the header,
//! sequences, HDR, large pictures.

use std::path::Path;

use image::RgbaImage;
use image::imageops::FilterType;
use rasterd::pictures::media::{MediaType, inspect};
use rasterd::pictures::{DecodeLimits, Failure, PixelSize, ResizeSpec, derive};

use crate::generated::{BLUE, GREEN, RED, WHITE, assert_near, card_avif, corners, derived, file, seen};

/// The mean colours of 4 × 3 parts of the picture in most fixtures, from another decoder.
const PARTS: [[u8; 3]; 12] = [
    [121, 26, 103],
    [171, 44, 89],
    [73, 132, 42],
    [187, 68, 79],
    [145, 80, 73],
    [165, 180, 143],
    [47, 183, 62],
    [106, 139, 115],
    [123, 121, 99],
    [175, 79, 80],
    [130, 131, 111],
    [135, 131, 148],
];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).expect("a fixture")
}

fn means(image: &RgbaImage) -> Vec<[u8; 4]> {
    let (width, height) = (image.width() / 4, image.height() / 3);
    let mean = |part: usize| {
        let (x, y) = (u32::try_from(part % 4).expect("few"), u32::try_from(part / 4).expect("few"));
        let part = image::imageops::crop_imm(image, x * width, y * height, width, height).to_image();
        let sum = |channel: usize| part.pixels().map(|pixel| u32::from(pixel.0[channel])).sum::<u32>();
        std::array::from_fn(|channel| u8::try_from(sum(channel) / (width * height)).expect("a byte"))
    };
    (0..12).map(mean).collect()
}

fn assert_size(bytes: &[u8], width: u32, height: u32, what: &str) {
    let inspected = inspect(&mut std::io::Cursor::new(bytes), u64::MAX).expect(what);
    assert_eq!(
        (inspected.media_type, inspected.width, inspected.height),
        (MediaType::Avif, Some(width), Some(height)),
        "{what}"
    );
    assert_eq!(derived(bytes, MediaType::Avif).expect(what).size, PixelSize::new(width, height), "{what}");
}

#[test]
fn files_of_photo_editors_look_the_same_as_in_another_decoder() {
    for (name, by) in [
        ("avif_mdat_size0.avif", 3),
        ("avif_grid.avif", 3),
        ("avif_sequence.avif", 3),
        ("avif_pq_hdr.avif", 4),
    ] {
        let bytes = fixture(name);
        assert_size(&bytes, 256, 192, name);
        for size in [ResizeSpec::default(), ResizeSpec::within(128)] {
            let image = seen(&bytes, MediaType::Avif, size);
            for (found, expected) in means(&image).iter().zip(PARTS) {
                assert_near(&found[..3], &expected, by, name);
                assert_near(&found[3..], &[255], 0, name);
            }
        }
    }
}

#[test]
fn a_large_picture_opens_within_the_minimum_memory() {
    let bytes = fixture("avif_24mp_flat.avif");
    let limits = DecodeLimits { memory: 256 << 20, ..DecodeLimits::default() };
    let made = derive(&file(&bytes), MediaType::Avif, &[400], &limits).expect("it is made");
    assert_eq!((made.size, made.thumbnails[0].size), (PixelSize::new(6000, 4000), PixelSize::new(400, 267)));
    let limits = DecodeLimits { memory: 32 << 20, ..DecodeLimits::default() };
    let refused = derive(&file(&bytes), MediaType::Avif, &[400], &limits);
    assert!(matches!(refused, Err(Failure::TooLarge(_))), "{refused:?}");
}

fn boxed(kind: &str, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("small").to_be_bytes();
    [&length, kind.as_bytes(), body].concat()
}

/// A box with a version and flags, which are 0.
fn full(kind: &str, body: &[u8]) -> Vec<u8> {
    boxed(kind, &[&[0; 4][..], body].concat())
}

/// The content of the first box of this type, at any level.
fn content_of(bytes: &[u8], kind: &[u8; 4]) -> Vec<u8> {
    let at = bytes.windows(4).position(|name| name == kind).expect("a box");
    let length = u32::from_be_bytes(*bytes[at - 4..].first_chunk().expect("a length")) as usize;
    bytes[at + 4..at - 4 + length].to_vec()
}

/// The parts of the card's file.
struct Card {
    pixels: Vec<u8>,
    configuration: Vec<u8>,
}

impl Card {
    fn new() -> Self {
        let whole = card_avif(320, 160);
        Self { pixels: content_of(&whole, b"mdat"), configuration: content_of(&whole, b"av1C") }
    }

    fn size_of_pixels(&self) -> [u8; 4] {
        u32::try_from(self.pixels.len()).expect("small").to_be_bytes()
    }

    fn properties(&self) -> Vec<u8> {
        let size = full("ispe", &[&320u32.to_be_bytes()[..], &160u32.to_be_bytes()].concat());
        let container = boxed("ipco", &[size, boxed("av1C", &self.configuration)].concat());
        let associations = full("ipma", &[0, 0, 0, 1, 0, 1, 2, 1, 0x82]);
        boxed("iprp", &[container, associations].concat())
    }

    /// The header of a picture whose data is at an offset, in the file (0) or in the header itself (1).
    fn meta(&self, method: u8, offset: u32, inside: &[u8]) -> Vec<u8> {
        let place =
            [&[0, 1, 0, method, 0, 0, 0, 1][..], &offset.to_be_bytes(), &self.size_of_pixels()].concat();
        let list = [&[1, 0, 0, 0, 0x44, 0, 0, 1][..], &place].concat();
        let item = boxed("infe", b"\x02\0\0\0\0\x01\0\0av01\0");
        let parts = [
            full("hdlr", b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            full("pitm", &[0, 1]),
            boxed("iloc", &list),
            full("iinf", &[&[0, 1][..], &item].concat()),
            self.properties(),
            if inside.is_empty() { Vec::new() } else { boxed("idat", inside) },
        ];
        full("meta", &parts.concat())
    }

    /// A movie of one picture.
    fn movie(&self, offset: u32) -> Vec<u8> {
        let entry = boxed("av01", &[&[0; 78][..], &boxed("av1C", &self.configuration)].concat());
        let tables = [
            full("stsd", &[&[0, 0, 0, 1][..], &entry].concat()),
            full("stsz", &[&self.size_of_pixels()[..], &[0, 0, 0, 1]].concat()),
            full("stco", &[&[0, 0, 0, 1][..], &offset.to_be_bytes()].concat()),
        ];
        let media = [
            full("hdlr", b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            boxed("minf", &boxed("stbl", &tables.concat())),
        ];
        let one = [&[0, 1, 0, 0][..], &[0; 12], &[0, 1, 0, 0], &[0; 12], &[0x40, 0, 0, 0]].concat();
        let edges = [320u32 << 16, 160 << 16].map(u32::to_be_bytes).concat();
        let track = [full("tkhd", &[&[0; 36][..], &one, &edges].concat()), boxed("mdia", &media.concat())];
        boxed("moov", &boxed("trak", &track.concat()))
    }
}

#[test]
fn pixels_are_found_wherever_they_are_stored() {
    let card = Card::new();
    let still = boxed("ftyp", b"avif\0\0\0\0avifmif1");
    let sequence = boxed("ftyp", b"avis\0\0\0\0avismsf1");
    let at = u32::try_from(still.len() + 8).expect("small");
    let to_the_end = |kind: &str, content: &[u8]| [&[0; 4][..], kind.as_bytes(), content].concat();
    let data = boxed("mdat", &card.pixels);
    let meta = card.meta(0, at, &[]);
    let files = [
        ("behind the header", [&still[..], &data, &meta].concat()),
        ("in the header", [&still[..], &card.meta(1, 0, &card.pixels)].concat()),
        ("a header to the end of the file", [&still[..], &data, &to_the_end("meta", &meta[8..])].concat()),
        ("data to the end of the file", {
            let behind = u32::try_from(still.len() + meta.len() + 8).expect("small");
            [&still[..], &card.meta(0, behind, &[]), &to_the_end("mdat", &card.pixels)].concat()
        }),
        ("a sequence without a still", [&sequence[..], &data, &card.movie(at)].concat()),
    ];
    for (what, bytes) in files {
        assert_size(&bytes, 320, 160, what);
        let image = seen(&bytes, MediaType::Avif, ResizeSpec::default());
        for (found, expected) in corners(&image).iter().zip([RED, GREEN, BLUE, WHITE]) {
            assert_near(found, &expected, 6, what);
        }
    }
}

#[test]
fn transparency_is_kept() {
    let pixels: Vec<rgb::RGBA8> = (0..64 * 64)
        .map(|place| rgb::RGBA8::new(250, 40, 30, if place % 64 < 32 { 255 } else { 0 }))
        .collect();
    let encoder = ravif::Encoder::new().with_speed(10).with_quality(95.0).with_num_threads(Some(1));
    let bytes = encoder.encode_rgba(ravif::Img::new(&pixels, 64, 64)).expect("it is encoded").avif_file;
    let image = seen(&bytes, MediaType::Avif, ResizeSpec::default());
    assert_near(&image.get_pixel(8, 32).0, &[250, 40, 30, 255], 6, "opaque");
    assert_near(&image.get_pixel(56, 32).0[3..], &[0], 2, "transparent");
    let small = image::imageops::resize(&image, 2, 1, FilterType::Triangle);
    assert!(small.get_pixel(0, 0).0[3] > 200 && small.get_pixel(1, 0).0[3] < 55, "{small:?}");
}

#[test]
fn truncated_and_self_referential_files_are_refused() {
    for name in ["avif_grid.avif", "avif_sequence.avif", "avif_mdat_size0.avif"] {
        let bytes = fixture(name);
        for end in (0..bytes.len()).step_by(bytes.len() / 40) {
            drop(derived(&bytes[..end], MediaType::Avif));
        }
    }
    let mut grid = fixture("avif_grid.avif");
    // The four tiles become the grid.
    let at = grid.windows(4).position(|name| name == b"dimg").expect("references");
    grid[at + 8..at + 16].copy_from_slice(&[0, 1, 0, 1, 0, 1, 0, 1]);
    assert!(derived(&grid, MediaType::Avif).is_err());
}
