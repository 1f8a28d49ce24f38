//! One property at a time: orientation, colour, depth, alpha, animation, shape.

use image::{ExtendedColorType, ImageFormat, RgbaImage};
use moxcms::ColorProfile;
use mozjpeg::ColorSpace;
use rasterd::pictures::media::MediaType;
use rasterd::pictures::{Fit, Format, PixelSize, ResizeSpec, metadata};

use crate::generated::{
    BLUE, GREEN, RED, WHITE, assert_near, card, card_as, card_avif, card_jpeg, corners, derived, exif,
    exif_segment, file, jpeg, png, profile_segment, rendition, seen, with_chunk,
};

const ORIENTATION: u16 = 0x0112;

/// The colours in the upper corners of an upright card, for each orientation.
const UPRIGHT: [(u16, [u8; 3], [u8; 3]); 8] = [
    (1, RED, GREEN),
    (2, GREEN, RED),
    (3, WHITE, BLUE),
    (4, BLUE, WHITE),
    (5, RED, BLUE),
    (6, BLUE, RED),
    (7, WHITE, GREEN),
    (8, GREEN, WHITE),
];

#[test]
fn every_orientation_is_turned_upright() {
    let plain = png(320, 160, ExtendedColorType::Rgb8, &card(320, 160).concat());
    for (orientation, left, right) in UPRIGHT {
        let shorts = [(ORIENTATION, orientation)];
        let files = [
            (card_jpeg(320, 160, &[exif_segment(&shorts, &[])]), MediaType::Jpeg),
            (with_chunk(&plain, "eXIf", &exif(&shorts, &[])), MediaType::Png),
        ];
        for (bytes, media_type) in files {
            let image = seen(&bytes, media_type, ResizeSpec::within(80));
            let expected = if orientation < 5 { (80, 40) } else { (40, 80) };
            assert_eq!(image.dimensions(), expected, "{media_type:?} {orientation}");
            assert_near(&corners(&image)[0], &left, 3, "above left");
            assert_near(&corners(&image)[1], &right, 3, "above right");
            let size = derived(&bytes, media_type).expect("it can be opened").size;
            assert_eq!((size.width, size.height), (expected.0 * 4, expected.1 * 4));
        }
    }
}

#[test]
fn all_formats_show_the_same_card() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="160">
        <rect width="160" height="80" fill="#f00"/><rect x="160" width="160" height="80" fill="#0f0"/>
        <rect y="80" width="160" height="80" fill="#00f"/><rect x="160" y="80" width="160" height="80" fill="#fff"/></svg>"##;
    let files = [
        (card_jpeg(320, 160, &[]), MediaType::Jpeg),
        (card_as(ImageFormat::Png, 320, 160), MediaType::Png),
        (card_as(ImageFormat::Gif, 320, 160), MediaType::Gif),
        (card_as(ImageFormat::WebP, 320, 160), MediaType::WebP),
        (card_as(ImageFormat::Tiff, 320, 160), MediaType::Tiff),
        (card_as(ImageFormat::Bmp, 320, 160), MediaType::Bmp),
        (card_avif(320, 160), MediaType::Avif),
        (svg.as_bytes().to_vec(), MediaType::Svg),
    ];
    for (bytes, media_type) in files {
        let image = seen(&bytes, media_type, ResizeSpec::within(100));
        assert_eq!(image.dimensions(), (100, 50), "{media_type:?}");
        for (found, expected) in corners(&image).iter().zip([RED, GREEN, BLUE, WHITE]) {
            assert_near(found, &expected, 6, media_type.mime());
        }
    }
}

#[test]
fn all_formats_are_written() {
    let card = card_jpeg(320, 160, &[]);
    for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Avif] {
        let made = rendition(&card, MediaType::Jpeg, ResizeSpec::within(100), format).expect("it is made");
        assert_eq!((made.size, made.format), (PixelSize::new(100, 50), format));
        let image = seen(&made.bytes, format.media_type(), ResizeSpec::default());
        assert_eq!(image.dimensions(), (100, 50));
        for (found, expected) in corners(&image).iter().zip([RED, GREEN, BLUE, WHITE]) {
            assert_near(found, &expected, 12, format.media_type().mime());
        }
    }
}

#[test]
fn gray_stays_gray() {
    let pixels: Vec<u8> = (0..64u8).flat_map(|_| (0..64).map(|x| x * 4)).collect();
    let files = [
        (jpeg(64, 64, ColorSpace::JCS_GRAYSCALE, &pixels, &[]), MediaType::Jpeg),
        (png(64, 64, ExtendedColorType::L8, &pixels), MediaType::Png),
    ];
    for (bytes, media_type) in files {
        let image = seen(&bytes, media_type, ResizeSpec::default());
        for (found, expected) in image.pixels().zip(&pixels) {
            assert_near(&found.0, &[*expected, *expected, *expected, 255], 4, media_type.mime());
        }
    }
}

#[test]
fn cmyk_becomes_rgb() {
    // As Adobe writes them: 255 is no ink.
    let inks = [
        [0, 255, 255, 255],
        [255, 0, 255, 255],
        [255, 255, 255, 0],
        [255, 255, 255, 255],
        [255, 255, 255, 128],
    ];
    let light = [[0, 255, 255], [255, 0, 255], [0, 0, 0], [255, 255, 255], [128, 128, 128]];
    for (ink, expected) in inks.iter().zip(light) {
        let bytes = jpeg(32, 32, ColorSpace::JCS_CMYK, &ink.repeat(32 * 32), &[]);
        let image = seen(&bytes, MediaType::Jpeg, ResizeSpec::within(8));
        assert_near(&image.get_pixel(4, 4).0, &expected, 3, "CMYK");
    }
}

#[test]
fn sixteen_bits_become_eight() {
    let words: Vec<u8> = [0x8000u16, 0xff80, 0x00ff].map(u16::to_be_bytes).concat().repeat(64);
    let bytes = raw_png(8, 8, 2, 16, &words);
    assert_near(
        &seen(&bytes, MediaType::Png, ResizeSpec::default()).get_pixel(3, 3).0,
        &[128, 255, 0, 255],
        1,
        "PNG",
    );

    let pixels = [0x8000u16, 0xff80, 0x00ff].repeat(64);
    let mut tiff = std::io::Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut tiff).expect("it starts");
    encoder.write_image::<tiff::encoder::colortype::RGB16>(8, 8, &pixels).expect("it is encoded");
    let image = seen(&tiff.into_inner(), MediaType::Tiff, ResizeSpec::default());
    assert_near(&image.get_pixel(3, 3).0, &[128, 255, 0, 255], 1, "TIFF");
}

#[test]
fn ycbcr_becomes_rgb() {
    // Red and gray as YCbCr, in JPEG and some TIFFs.
    for (stored, expected) in [([76, 85, 255], [255, 0, 0]), ([128, 128, 128], [128, 128, 128])] {
        let mut tiff = std::io::Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut tiff).expect("it starts");
        let mut image = encoder.new_image::<tiff::encoder::colortype::YCbCr8>(8, 8).expect("it starts");
        image.encoder().write_tag(tiff::tags::Tag::ChromaSubsampling, &[1u16, 1][..]).expect("a tag");
        image.write_data(&stored.repeat(64)).expect("it is encoded");
        let image = seen(&tiff.into_inner(), MediaType::Tiff, ResizeSpec::default());
        assert_near(&image.get_pixel(3, 3).0, &expected, 1, "TIFF");
    }
}

/// A PNG with a raw header that `image` would not write.
fn raw_png(width: u32, height: u32, colours: u8, depth: u8, rows: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(::png::ColorType::from_u8(colours).expect("a known one"));
    encoder.set_depth(::png::BitDepth::from_u8(depth).expect("a known one"));
    encoder.write_header().and_then(|mut writer| writer.write_image_data(rows)).expect("it is encoded");
    bytes
}

#[test]
fn alpha_is_kept_or_flattened_on_white() {
    let pixels = [[255, 0, 0, 255].repeat(32), [0, 0, 255, 0].repeat(32)].concat().repeat(64);
    let source = png(64, 64, ExtendedColorType::Rgba8, &pixels);
    for format in [Format::Png, Format::WebP, Format::Avif] {
        let made = rendition(&source, MediaType::Png, ResizeSpec::within(32), format).expect("it is made");
        let image = seen(&made.bytes, format.media_type(), ResizeSpec::default());
        assert_near(&image.get_pixel(4, 16).0, &[255, 0, 0, 255], 10, format.media_type().mime());
        assert_near(&[image.get_pixel(28, 16).0[3]], &[0], 3, format.media_type().mime());
    }
    let made = rendition(&source, MediaType::Png, ResizeSpec::within(32), Format::Jpeg).expect("it is made");
    let image = seen(&made.bytes, MediaType::Jpeg, ResizeSpec::default());
    assert_near(&image.get_pixel(4, 16).0, &[255, 0, 0, 255], 6, "JPEG");
    assert_near(&image.get_pixel(28, 16).0, &[255, 255, 255, 255], 6, "JPEG");
}

#[test]
fn wide_gamut_colours_are_converted() {
    // The red of sRGB in Display P3.
    let pixels = [234, 51, 35].repeat(64 * 64);
    let profile = ColorProfile::new_display_p3();
    let tagged = jpeg(64, 64, ColorSpace::JCS_RGB, &pixels, &[profile_segment(&profile)]);
    assert_near(
        &seen(&tagged, MediaType::Jpeg, ResizeSpec::within(16)).get_pixel(8, 8).0,
        &[255, 0, 0],
        4,
        "with",
    );
    let plain = jpeg(64, 64, ColorSpace::JCS_RGB, &pixels, &[]);
    assert_near(
        &seen(&plain, MediaType::Jpeg, ResizeSpec::within(16)).get_pixel(8, 8).0,
        &[234, 51, 35],
        4,
        "without",
    );
    let of_other_channels = ColorProfile::new_gray_with_gamma(1.0);
    let wrong = jpeg(64, 64, ColorSpace::JCS_RGB, &pixels, &[profile_segment(&of_other_channels)]);
    assert_near(
        &seen(&wrong, MediaType::Jpeg, ResizeSpec::within(16)).get_pixel(8, 8).0,
        &[234, 51, 35],
        4,
        "wrong",
    );
}

#[test]
fn animations_show_their_first_frame() {
    let frame = |colour: [u8; 4]| image::Frame::new(RgbaImage::from_pixel(40, 30, image::Rgba(colour)));
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    encoder.encode_frames([frame([255, 0, 0, 255]), frame([0, 0, 255, 255])]).expect("it is encoded");
    drop(encoder);
    let image = seen(&bytes, MediaType::Gif, ResizeSpec::default());
    assert_eq!(image.dimensions(), (40, 30));
    assert_near(&image.get_pixel(20, 15).0, &[255, 0, 0, 255], 0, "GIF");
}

#[test]
fn long_and_tiny_pictures_keep_their_shape() {
    let long = png(3000, 100, ExtendedColorType::Rgb8, &card(3000, 100).concat());
    let made = derived(&long, MediaType::Png).expect("it can be opened");
    let sizes: Vec<_> = made.thumbnails.iter().map(|thumbnail| (thumbnail.edge, thumbnail.size)).collect();
    assert_eq!(sizes, [(400, PixelSize::new(400, 13)), (800, PixelSize::new(800, 27))]);

    let dot = png(1, 1, ExtendedColorType::Rgb8, &[10, 20, 30]);
    let made = derived(&dot, MediaType::Png).expect("it can be opened");
    assert_eq!(made.thumbnails.len(), 1);
    assert_eq!(made.thumbnails[0].size, PixelSize::new(1, 1));
    assert_eq!((made.size, made.colour), (PixelSize::new(1, 1), [10, 20, 30]));
    assert!(made.blurhash.len() > 6, "{}", made.blurhash);
}

#[test]
fn thumbnails_stop_at_the_size_of_the_original() {
    let made = derived(&card_jpeg(500, 300, &[]), MediaType::Jpeg).expect("it can be opened");
    let sizes: Vec<_> = made.thumbnails.iter().map(|thumbnail| (thumbnail.edge, thumbnail.size)).collect();
    assert_eq!(sizes, [(400, PixelSize::new(400, 240)), (800, PixelSize::new(500, 300))]);
}

#[test]
fn cover_cuts_both_sides_alike() {
    let card = card_as(ImageFormat::Png, 320, 160);
    let square = ResizeSpec { width: Some(40), height: Some(40), fit: Fit::Cover };
    let image = seen(&card, MediaType::Png, square);
    assert_eq!(image.dimensions(), (40, 40));
    let expected = [RED, GREEN, BLUE, WHITE];
    for (found, expected) in corners(&image).iter().zip(expected) {
        assert_near(found, &expected, 3, "cover");
    }
    let middle = image.get_pixel(19, 4).0;
    assert!(middle[0] > middle[1], "the edge between red and green is in the middle: {middle:?}");
}

#[test]
fn renditions_have_no_location_and_no_device() {
    let texts = [(0x010f, "Secret Maker"), (0x0110, "Secret Model"), (0x8298, "Secret Author")];
    let xmp = (1, [&b"http://ns.adobe.com/xap/1.0/\0"[..], b"<x>Secret place</x>"].concat());
    let source = card_jpeg(64, 64, &[exif_segment(&[], &texts), xmp]);
    assert!(source.windows(6).any(|window| window == b"Secret"));
    for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Avif] {
        let made = rendition(&source, MediaType::Jpeg, ResizeSpec::default(), format).expect("it is made");
        assert!(!made.bytes.windows(6).any(|window| window == b"Secret"), "{format:?}");
    }
}

#[test]
fn metadata_is_read() {
    let texts = [
        (0x010e, "From the camera"),
        (0x010f, "NIKON CORPORATION"),
        (0x0110, "NIKON D850"),
        (0x0132, "2023:11:05 08:09:10"),
    ];
    let packet = br#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">Dune</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    let xmp = (1, [&b"http://ns.adobe.com/xap/1.0/\0"[..], packet].concat());
    let records =
        b"\x1c\x02\x05\0\x05Other\x1c\x02\x19\0\x04sand\x1c\x02\x19\0\x04dusk\x1c\x02\x78\0\x07At dusk";
    let iptc = [
        &b"Photoshop 3.0\08BIM\x04\x04\0\0"[..],
        &u32::try_from(records.len()).expect("short").to_be_bytes(),
        records,
    ];
    let source = card_jpeg(64, 64, &[exif_segment(&[], &texts), xmp, (13, iptc.concat())]);

    let inspected = metadata(&file(&source), MediaType::Jpeg, &rasterd::pictures::DecodeLimits::default());
    let inspected = inspected.expect("it can be read");
    assert_eq!(inspected.camera.as_deref(), Some("NIKON D850"));
    assert_eq!(inspected.title.as_deref(), Some("Dune"), "XMP goes before IPTC");
    assert_eq!(inspected.caption.as_deref(), Some("At dusk"), "IPTC goes before EXIF");
    assert_eq!(inspected.keywords, ["sand", "dusk"]);
}

#[test]
fn an_svg_reads_no_other_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outside = folder.path().join("outside.png");
    std::fs::write(&outside, png(8, 8, ExtendedColorType::Rgb8, &RED.repeat(64))).expect("it is written");
    let inner = png(8, 8, ExtendedColorType::Rgb8, &BLUE.repeat(64));
    let inner = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, inner);
    let outside = outside.display();
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="30" height="10">
        <script>while(true){{}}</script><rect width="30" height="10" fill="#fff"/>
        <image width="10" height="10" xlink:href="{outside}"/>
        <image x="10" width="10" height="10" xlink:href="file://{outside}"/>
        <image x="20" width="10" height="10" xlink:href="data:image/png;base64,{inner}"/></svg>"##
    );
    let image = seen(svg.as_bytes(), MediaType::Svg, ResizeSpec::default());
    assert_near(&image.get_pixel(5, 5).0, &WHITE, 0, "a path");
    assert_near(&image.get_pixel(15, 5).0, &WHITE, 0, "a url");
    assert_near(&image.get_pixel(25, 5).0, &BLUE, 0, "a picture inside");
}
