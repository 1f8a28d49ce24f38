//! Generates files for the tests, and inspects the results.

use std::fs::File;
use std::io::{Cursor, Write};

use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, RgbaImage};
use mozjpeg::{ColorSpace, Compress, Marker};
use rasterd::pictures::media::MediaType;
use rasterd::pictures::{
    DecodeLimits, Derived, Failure, Format, RenderSpec, Rendered, ResizeSpec, derive, render,
};

pub const RED: [u8; 3] = [255, 0, 0];
pub const GREEN: [u8; 3] = [0, 255, 0];
pub const BLUE: [u8; 3] = [0, 0, 255];
pub const WHITE: [u8; 3] = [255, 255, 255];

/// A file with these bytes.
pub fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("the bytes are written");
    file
}

/// Rows of pixels of a card of this size: red and green above, blue and white below.
pub fn card(width: u32, height: u32) -> Vec<[u8; 3]> {
    let colour = |x: u32, y: u32| match (x < width / 2, y < height / 2) {
        (true, true) => RED,
        (false, true) => GREEN,
        (true, false) => BLUE,
        (false, false) => WHITE,
    };
    (0..height).flat_map(|y| (0..width).map(move |x| colour(x, y))).collect()
}

/// A JPEG without loss of chroma, with segments before its pixels.
pub fn jpeg(
    width: u32,
    height: u32,
    space: ColorSpace,
    pixels: &[u8],
    segments: &[(u8, Vec<u8>)],
) -> Vec<u8> {
    let mut compress = Compress::new(space);
    compress.set_size(width as usize, height as usize);
    compress.set_fastest_defaults();
    compress.set_quality(95.0);
    if space == ColorSpace::JCS_RGB {
        compress.set_chroma_sampling_pixel_sizes((1, 1), (1, 1));
    }
    let mut started = compress.start_compress(Vec::new()).expect("it starts");
    for (number, body) in segments {
        started.write_marker(Marker::APP(*number), body);
    }
    started.write_scanlines(pixels).expect("rows are written");
    started.finish().expect("it ends")
}

/// A JPEG of the card.
pub fn card_jpeg(width: u32, height: u32, segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    jpeg(width, height, ColorSpace::JCS_RGB, &card(width, height).concat(), segments)
}

/// A PNG of these pixels.
pub fn png(width: u32, height: u32, colours: ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(pixels, width, height, colours).expect("it is encoded");
    bytes
}

/// The card in another format that `image` writes.
pub fn card_as(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let card = image::RgbImage::from_raw(width, height, card(width, height).concat()).expect("counted right");
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(card).write_to(&mut bytes, format).expect("it is encoded");
    bytes.into_inner()
}

/// The card as AVIF.
pub fn card_avif(width: usize, height: usize) -> Vec<u8> {
    let card = card(u32::try_from(width).expect("small"), u32::try_from(height).expect("small"));
    let pixels: Vec<rgb::RGB8> = card.into_iter().map(rgb::RGB8::from).collect();
    let encoder = ravif::Encoder::new().with_speed(10).with_quality(90.0).with_num_threads(Some(1));
    encoder.encode_rgb(ravif::Img::new(&pixels, width, height)).expect("it is encoded").avif_file
}

/// An EXIF block of little-endian tags of the kinds SHORT (a number) and ASCII (a text).
pub fn exif(shorts: &[(u16, u16)], texts: &[(u16, &str)]) -> Vec<u8> {
    let count = shorts.len() + texts.len();
    let mut entries: Vec<(u16, Vec<u8>)> = Vec::new();
    let mut values = Vec::new();
    let values_at = 8 + 2 + count * 12 + 4;
    for (tag, number) in shorts {
        entries.push((
            *tag,
            [&3u16.to_le_bytes()[..], &1u32.to_le_bytes(), &number.to_le_bytes(), &[0, 0]].concat(),
        ));
    }
    for (tag, text) in texts {
        let text = [text.as_bytes(), &[0]].concat();
        let length = u32::try_from(text.len()).expect("short");
        let place = if text.len() <= 4 {
            let mut inline = text.clone();
            inline.resize(4, 0);
            inline
        } else {
            let at = u32::try_from(values_at + values.len()).expect("short").to_le_bytes().to_vec();
            values.extend(text);
            at
        };
        entries.push((*tag, [&2u16.to_le_bytes()[..], &length.to_le_bytes(), &place].concat()));
    }
    entries.sort();
    let directory = entries.into_iter().flat_map(|(tag, rest)| [&tag.to_le_bytes()[..], &rest].concat());
    let mut block = b"II\x2a\0\x08\0\0\0".to_vec();
    block.extend(u16::try_from(count).expect("few").to_le_bytes());
    block.extend(directory);
    block.extend([0; 4]);
    block.extend(values);
    block
}

/// An EXIF block with this one orientation: of a kind of value, so many of it.
pub fn exif_of(order: [u8; 2], kind: u16, count: u32, value: [u8; 4]) -> Vec<u8> {
    let is_little = &order == b"II";
    let short = |number: u16| if is_little { number.to_le_bytes() } else { number.to_be_bytes() };
    let long = |number: u32| if is_little { number.to_le_bytes() } else { number.to_be_bytes() };
    let entry = [&short(0x0112)[..], &short(kind), &long(count), &value].concat();
    [&order[..], &short(42), &long(8), &short(1), &entry, &[0; 4]].concat()
}

/// An EXIF segment of a JPEG.
pub fn exif_segment(shorts: &[(u16, u16)], texts: &[(u16, &str)]) -> (u8, Vec<u8>) {
    (1, [b"Exif\0\0".to_vec(), exif(shorts, texts)].concat())
}

/// An ICC profile in one segment of a JPEG.
pub fn profile_segment(profile: &moxcms::ColorProfile) -> (u8, Vec<u8>) {
    (2, [b"ICC_PROFILE\0\x01\x01".to_vec(), profile.encode().expect("it is encoded")].concat())
}

/// A PNG chunk.
pub fn chunk(kind: &str, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    let content = [kind.as_bytes(), body].concat();
    let check = crc32fast::hash(&content).to_be_bytes();
    [&length[..], &content, &check].concat()
}

/// The PNG with a chunk put in after its header.
pub fn with_chunk(png: &[u8], kind: &str, body: &[u8]) -> Vec<u8> {
    let (header, rest) = png.split_at(33);
    [header, &chunk(kind, body), rest].concat()
}

/// A PDF of one page with these boxes and this content.
pub fn pdf(boxes: &str, content: &str) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n\
         2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n\
         3 0 obj <</Type/Page/Parent 2 0 R {boxes} /Contents 4 0 R>> endobj\n\
         4 0 obj <</Length {}>> stream\n{content}\nendstream endobj\n\
         trailer <</Root 1 0 R>>\n%%EOF\n",
        content.len()
    )
    .into_bytes()
}

/// Makes a rendition within the default limits.
pub fn rendition(
    bytes: &[u8],
    media_type: MediaType,
    size: ResizeSpec,
    format: Format,
) -> Result<Rendered, Failure> {
    let rendition = RenderSpec { size, format, quality: None };
    render(&file(bytes), media_type, &rendition, &DecodeLimits::default())
}

/// Makes the thumbnails within the default limits.
pub fn derived(bytes: &[u8], media_type: MediaType) -> Result<Derived, Failure> {
    derive(&file(bytes), media_type, &[400, 800], &DecodeLimits::default())
}

/// The pixels of a picture, by way of a PNG.
pub fn seen(bytes: &[u8], media_type: MediaType, size: ResizeSpec) -> RgbaImage {
    let png = rendition(bytes, media_type, size, Format::Png).expect("it can be opened");
    image::load_from_memory(&png.bytes).expect("it is a PNG").to_rgba8()
}

/// The four corners: above left and right, below left and right.
pub fn corners(image: &RgbaImage) -> [[u8; 4]; 4] {
    let (right, bottom) = (image.width() - 1 - image.width() / 8, image.height() - 1 - image.height() / 8);
    let (left, top) = (image.width() / 8, image.height() / 8);
    [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(x, y)| image.get_pixel(x, y).0)
}

/// Fails unless every channel is within `by` of what is expected.
pub fn assert_near(found: &[u8], expected: &[u8], by: u8, what: &str) {
    let is_near = found.iter().zip(expected).all(|(found, expected)| found.abs_diff(*expected) <= by);
    assert!(is_near, "{what}: {found:?} instead of {expected:?}");
}
