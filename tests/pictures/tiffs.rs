//! TIFF is many formats in one: every way to store the card shows the same card, and faults of a file are reported as
//! such.

use std::path::Path;

use image::RgbaImage;
use rasterd::pictures::media::MediaType;
use rasterd::pictures::{DecodeLimits, Failure, Format, RenderSpec, ResizeSpec, render};

use crate::generated::{BLUE, GREEN, RED, WHITE, assert_near, card, corners, derived, file, seen};

const BLACK: [u8; 3] = [0; 3];

/// A value of a tag: its kind, and its numbers.
#[derive(Clone)]
enum Value {
    Short(Vec<u16>),
    Long(Vec<u32>),
}

/// A TIFF with these tags and this data. `{at}` offsets are filled in: each part of the data is a strip or a tile.
fn tiff(is_big_endian: bool, tags: &[(u16, Value)], parts: &[Vec<u8>], offsets: u16) -> Vec<u8> {
    let short = |number: u16| if is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let long = |number: u32| if is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
    let count = u32::try_from(parts.len()).expect("few");
    let mut file = [&b"II*\0\0\0\0\0"[..], &parts.concat(), &[0][..parts.concat().len() % 2]].concat();
    if is_big_endian {
        file[..4].copy_from_slice(b"MM\0*");
    }
    let mut starts = Vec::new();
    let mut at = 8;
    for part in parts {
        starts.push(at);
        at += u32::try_from(part.len()).expect("small");
    }
    let lengths = parts.iter().map(|part| u32::try_from(part.len()).expect("small")).collect();
    let counts = if offsets == 273 { 279 } else { 325 };
    let mut tags = [tags, &[(offsets, Value::Long(starts)), (counts, Value::Long(lengths))]].concat();
    tags.sort_by_key(|(tag, _)| *tag);
    let mut entries = Vec::new();
    for (tag, value) in tags {
        let (kind, count, mut bytes) = match value {
            Value::Short(numbers) => {
                (3, numbers.len(), numbers.into_iter().flat_map(short).collect::<Vec<_>>())
            }
            Value::Long(numbers) => (4, numbers.len(), numbers.into_iter().flat_map(long).collect()),
        };
        if bytes.len() > 4 {
            let at = u32::try_from(file.len()).expect("small");
            file.extend(&bytes);
            bytes = long(at).to_vec();
        }
        bytes.resize(4, 0);
        let count = u32::try_from(count).expect("few");
        entries.push([&short(tag)[..], &short(kind), &long(count), &bytes].concat());
    }
    let directory = u32::try_from(file.len()).expect("small");
    file[4..8].copy_from_slice(&long(directory));
    file.extend(short(u16::try_from(entries.len()).expect("few")));
    file.extend(entries.concat());
    file.extend([0; 4]);
    assert!(count > 0);
    file
}

fn one(number: u16) -> Value {
    Value::Short(vec![number])
}

/// The tags of an uncompressed picture of 40 × 30 pixels in one strip.
fn plain(photometric: u16, bits: u16, samples: u16) -> Vec<(u16, Value)> {
    vec![
        (256, one(40)),
        (257, one(30)),
        (258, Value::Short(vec![bits; samples.into()])),
        (259, one(1)),
        (262, one(photometric)),
        (277, one(samples)),
        (278, one(30)),
    ]
}

fn with(mut tags: Vec<(u16, Value)>, more: &[(u16, Value)]) -> Vec<(u16, Value)> {
    tags.retain(|(tag, _)| more.iter().all(|(other, _)| other != tag));
    tags.extend_from_slice(more);
    tags
}

/// The card's pixels, each converted to these samples.
fn rows<const SAMPLES: usize>(samples: impl Fn([u8; 3]) -> [u64; SAMPLES], bits: u32, big: bool) -> Vec<u8> {
    let pixels = card(40, 30);
    pixels
        .chunks(40)
        .flat_map(|row| packed(&row.iter().flat_map(|pixel| samples(*pixel)).collect::<Vec<_>>(), bits, big))
        .collect()
}

/// Numbers of this many bits, packed, the highest bit first; whole bytes in the byte order of the file.
fn packed(samples: &[u64], bits: u32, is_big_endian: bool) -> Vec<u8> {
    if bits.is_multiple_of(8) && !is_big_endian {
        let bytes = bits as usize / 8;
        return samples.iter().flat_map(|sample| sample.to_le_bytes()[..bytes].to_vec()).collect();
    }
    let all: Vec<bool> =
        samples.iter().flat_map(|sample| (0..bits).rev().map(move |bit| sample >> bit & 1 == 1)).collect();
    let byte = |bits: &[bool]| (0..8).fold(0, |byte, bit| byte << 1 | u8::from(bits.get(bit) == Some(&true)));
    all.chunks(8).map(byte).collect()
}

fn strip(tags: &[(u16, Value)], pixels: Vec<u8>) -> Vec<u8> {
    tiff(false, tags, &[pixels], 273)
}

fn shown(bytes: &[u8]) -> RgbaImage {
    let image = seen(bytes, MediaType::Tiff, ResizeSpec::default());
    assert_eq!(image.dimensions(), (40, 30));
    image
}

fn assert_card(bytes: &[u8], what: &str) {
    for (found, expected) in corners(&shown(bytes)).iter().zip([RED, GREEN, BLUE, WHITE]) {
        assert_near(found, &[&expected[..], &[255]].concat(), 3, what);
    }
}

#[test]
fn samples_of_every_size_and_order_show_the_card() {
    for bits in [1, 2, 3, 4, 5, 8, 10, 12, 14, 16, 24, 32, 64] {
        let largest = u64::MAX >> (64 - bits);
        let pixels = |big| rows(|pixel| pixel.map(|value| if value > 0 { largest } else { 0 }), bits, big);
        let tags = plain(2, u16::try_from(bits).expect("few"), 3);
        assert_card(&strip(&tags, pixels(false)), &format!("{bits} bits"));
        assert_card(&tiff(true, &tags, &[pixels(true)], 273), &format!("{bits} bits, big-endian"));
    }
}

#[test]
fn gray_samples_of_few_bits_are_scaled_to_white() {
    for (bits, gray, expected) in
        [(1, 1, 255), (2, 1, 85), (2, 2, 170), (4, 5, 85), (12, 0x800, 128), (16, 0x8000, 128)]
    {
        let pixels = rows(|_| [gray], bits, false);
        let tags = plain(1, u16::try_from(bits).expect("few"), 1);
        let found = *shown(&strip(&tags, pixels.clone())).get_pixel(20, 15);
        assert_near(&found.0, &[expected, expected, expected, 255], 1, &format!("{bits} bits"));
        let inverted = *shown(&strip(&with(tags, &[(262, one(0))]), pixels)).get_pixel(20, 15);
        let expected = 255 - expected;
        assert_near(&inverted.0, &[expected, expected, expected, 255], 1, &format!("{bits} bits, inverted"));
    }
}

#[test]
fn floating_point_and_signed_samples_are_read() {
    let halves = |value: u8| if value > 0 { 1.0f32 } else { 0.0 };
    let fractions = rows(|pixel| pixel.map(|value| u64::from(halves(value).to_bits())), 32, false);
    let kind = |kind| [(339, Value::Short(vec![kind; 3]))];
    assert_card(&strip(&with(plain(2, 32, 3), &kind(3)), fractions), "fractions of 32 bits");
    let half = rows(|pixel| pixel.map(|value| if value > 0 { 0x3c00 } else { 0 }), 16, false);
    assert_card(&strip(&with(plain(2, 16, 3), &kind(3)), half), "fractions of 16 bits");
    let signed = rows(|pixel| pixel.map(|value| u64::from(value ^ 0x80)), 8, false);
    assert_card(&strip(&with(plain(2, 8, 3), &kind(2)), signed), "signed numbers");
}

#[test]
fn planes_tiles_and_strips_show_the_card() {
    let pixels = card(40, 30);
    let planes: Vec<Vec<u8>> =
        (0..3).map(|channel| pixels.iter().map(|pixel| pixel[channel]).collect()).collect();
    let in_planes = with(plain(2, 8, 3), &[(284, one(2))]);
    assert_card(&tiff(false, &in_planes, &planes, 273), "planes");

    let strips: Vec<Vec<u8>> = pixels.chunks(40 * 7).map(<[_]>::concat).collect();
    let in_strips = with(plain(2, 8, 3), &[(278, one(7))]);
    assert_card(&tiff(false, &in_strips, &strips, 273), "strips");

    let tile = |left: u32, top: u32| -> Vec<u8> {
        let at = |x: u32, y: u32| pixels.get((y * 40 + x) as usize).filter(|_| x < 40).copied();
        (0..16)
            .flat_map(|y| (0..16).map(move |x| (left + x, top + y)))
            .flat_map(|(x, y)| at(x, y).unwrap_or([77; 3]))
            .collect()
    };
    let tiles: Vec<Vec<u8>> =
        [0, 16].into_iter().flat_map(|top| [0, 16, 32].map(|left| tile(left, top))).collect();
    let mut in_tiles = with(plain(2, 8, 3), &[(322, one(16)), (323, one(16))]);
    in_tiles.retain(|(tag, _)| *tag != 278);
    assert_card(&tiff(false, &in_tiles, &tiles, 324), "tiles");
}

#[test]
fn one_strip_is_read_however_many_rows_it_claims() {
    for rows in [Value::Long(vec![u32::MAX]), Value::Long(vec![0]), one(30), one(31)] {
        let tags = with(plain(2, 8, 3), &[(278, rows)]);
        assert_card(&strip(&tags, card(40, 30).concat()), "rows of a strip");
    }
    let mut tags = plain(2, 8, 3);
    tags.retain(|(tag, _)| *tag != 278);
    assert_card(&strip(&tags, card(40, 30).concat()), "no rows of a strip");
}

#[test]
fn one_strip_larger_than_the_memory_is_read_row_by_row() {
    let (width, height) = (3000u16, 1000u16);
    let tags =
        with(plain(2, 8, 3), &[(256, one(width)), (257, one(height)), (278, Value::Long(vec![u32::MAX]))]);
    let bytes = strip(&tags, card(width.into(), height.into()).concat());
    let rendition = RenderSpec { size: ResizeSpec::within(60), format: Format::Png, quality: None };
    let limits = DecodeLimits { memory: 2 << 20, ..DecodeLimits::default() };
    let made = render(&file(&bytes), MediaType::Tiff, &rendition, &limits).expect("9 MB within 2 MiB");
    let image = image::load_from_memory(&made.bytes).expect("a PNG").to_rgba8();
    for (found, expected) in corners(&image).iter().zip([RED, GREEN, BLUE, WHITE]) {
        assert_near(found, &expected, 3, "a large strip");
    }
}

#[test]
fn palettes_cmyk_and_lab_become_rgb() {
    let number = |pixel: [u8; 3]| match pixel {
        RED => [1],
        GREEN => [2],
        BLUE => [3],
        _ => [0],
    };
    for (bits, full) in [(2, 0xffff), (4, 0xffff), (8, 0xffff), (8, 0xff), (16, 0xffff)] {
        let count = 1usize << bits;
        // White, red, green, blue; the rest is black. All reds come first.
        let channel = |lit: [usize; 2]| {
            let light = move |place: usize| if lit.contains(&place) { full } else { 0 };
            (0..count).map(light).collect::<Vec<u16>>()
        };
        let colours = [channel([0, 1]), channel([0, 2]), channel([0, 3])].concat();
        let tags = with(plain(3, bits, 1), &[(320, Value::Short(colours))]);
        let pixels = rows(number, bits.into(), false);
        assert_card(&strip(&tags, pixels), &format!("a palette of {bits} bits"));
    }
    let inks = rows(
        |pixel| {
            let [red, green, blue] = pixel.map(|light| u64::from(255 - light));
            [red, green, blue, 0]
        },
        8,
        false,
    );
    assert_card(&strip(&plain(5, 8, 4), inks), "inks");
    let lab = rows(
        |pixel| match pixel {
            RED => [138, 81, 70],
            GREEN => [224, 177, 81],
            BLUE => [75, 68, 144],
            _ => [255, 0, 0],
        },
        8,
        false,
    );
    let image = shown(&strip(&plain(8, 8, 3), lab));
    for (found, expected) in corners(&image).iter().zip([RED, GREEN, BLUE, WHITE]) {
        assert_near(found, &expected, 40, "opponent colours");
    }
}

#[test]
fn subsampled_colours_are_upsampled() {
    // Blocks of 2 × 2 pixels: four brightnesses, then two differences.
    let of = |pixel: [u8; 3]| match pixel {
        RED => [76, 85, 255],
        GREEN => [150, 44, 21],
        BLUE => [29, 255, 107],
        _ => [255, 128, 128],
    };
    let pixels = card(40, 30);
    let mut blocks = Vec::new();
    // The card changes in the middle of its height after an odd row, so the block there takes the row above.
    for y in (0..30).step_by(2) {
        for x in (0..40).step_by(2) {
            let [light, blue, red] = of(pixels[y * 40 + x]);
            blocks.extend([light, light, light, light, blue, red]);
        }
    }
    for subsampling in [Some([2, 2]), None] {
        let more = subsampling.map(|factors| (530, Value::Short(factors.to_vec())));
        let tags = with(plain(6, 8, 3), more.as_slice());
        let image = shown(&strip(&tags, blocks.clone()));
        for (found, expected) in corners(&image).iter().zip([RED, GREEN, BLUE, WHITE]) {
            assert_near(found, &expected, 3, "brightness and differences");
        }
    }
}

#[test]
fn alpha_is_interpreted_as_declared() {
    let pixels = |straight: bool| {
        let colour = if straight { 200 } else { 100 };
        rows(|_| [colour, colour / 2, 0, 128], 8, false)
    };
    let extra = |kind| [(338, one(kind))];
    for (what, more, pixels) in [
        ("multiplied", &extra(1)[..], pixels(false)),
        ("straight", &extra(2), pixels(true)),
        ("forgotten", &[], pixels(true)),
    ] {
        let image = shown(&strip(&with(plain(2, 8, 4), more), pixels));
        assert_near(&image.get_pixel(20, 15).0, &[200, 100, 0, 128], 2, what);
    }
    let image = shown(&strip(&with(plain(2, 8, 4), &extra(0)), pixels(true)));
    assert_near(&image.get_pixel(20, 15).0, &[200, 100, 0, 255], 2, "something else");
}

#[test]
fn every_compression_shows_the_card() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiff");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let image = seen(&std::fs::read(&path).expect("a fixture"), MediaType::Tiff, ResizeSpec::default());
        assert_eq!(image.dimensions(), (80, 60), "{name}");
        // A fax has no colours.
        let is_coloured = name.contains("differences") || name.starts_with("jpeg");
        let expected = if is_coloured { [RED, GREEN, BLUE, WHITE] } else { [BLACK, WHITE, WHITE, BLACK] };
        for (found, expected) in corners(&image).iter().zip(expected) {
            assert_near(found, &expected, 3, &name);
        }
        count += 1;
    }
    assert_eq!(count, 14);
}

#[test]
fn faults_of_a_file_are_reported_in_plain_words_and_permanent() {
    let pixels = card(40, 30).concat();
    let good = plain(2, 8, 3);
    let half = pixels[..pixels.len() / 2].to_vec();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (strip(&good, half), "it is damaged: it ends before its last row"),
        (
            strip(&with(good.clone(), &[(259, one(8))]), pixels.clone()),
            "it is damaged: its pixels can't be decompressed",
        ),
        (
            strip(&with(good.clone(), &[(259, one(4))]), pixels.clone()),
            "it is damaged: a fax has one bit a pixel",
        ),
        (
            strip(&with(plain(1, 1, 1), &[(259, one(4))]), vec![2; 40]),
            "it is damaged: its pixels can't be decompressed",
        ),
        (
            strip(&with(good.clone(), &[(259, one(7))]), pixels.clone()),
            "it is damaged: its pixels can't be decoded",
        ),
        (
            strip(&with(good.clone(), &[(259, one(6))]), pixels.clone()),
            "not supported: a TIFF of the old kind of JPEG",
        ),
        (
            strip(&with(good.clone(), &[(259, one(50000))]), pixels.clone()),
            "not supported: a TIFF compressed with Zstandard",
        ),
        (
            strip(&with(good.clone(), &[(262, one(32803))]), pixels.clone()),
            "not supported: a TIFF of raw camera data",
        ),
        (strip(&plain(3, 8, 1), vec![0; 1200]), "it is damaged: it has no palette"),
        (strip(&plain(2, 8, 1), vec![0; 1200]), "it is damaged: it has fewer samples than colours"),
        (
            strip(&with(good, &[(258, Value::Short(vec![8, 8, 4]))]), pixels),
            "not supported: a TIFF whose samples differ in size",
        ),
    ];
    for (bytes, reason) in cases {
        let failure = derived(&bytes, MediaType::Tiff).expect_err(reason);
        assert_eq!(failure.to_string(), reason);
        assert!(!failure.is_transient() && !matches!(failure, Failure::Unavailable(_)), "{reason}");
    }
}
