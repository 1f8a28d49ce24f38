//! One small file of every type, built byte by byte: intact, rotated, truncated, damaged and random.

use std::io::{Cursor, Read, Seek, SeekFrom};

use proptest::prelude::*;

use super::*;

const MAX_PIXELS: u64 = 200_000_000;

fn look(bytes: &[u8]) -> Result<Inspected, String> {
    inspect(&mut Cursor::new(bytes), MAX_PIXELS)
}

fn size_of(bytes: &[u8]) -> Option<(u32, u32)> {
    let found = look(bytes).unwrap();
    found.width.zip(found.height)
}

/// A TIFF of 40 × 30 pixels with this orientation; as EXIF it says nothing but the orientation.
fn tiff(orientation: u16) -> Vec<u8> {
    let entries: [[u16; 2]; 4] = [[256, 40], [257, 30], [273, 8], [274, orientation]];
    let mut file = b"MM\0*\0\0\0\x08\0\x04".to_vec();
    for [tag, value] in entries {
        file.extend(tag.to_be_bytes());
        file.extend([0, 3, 0, 0, 0, 1]);
        file.extend(value.to_be_bytes());
        file.extend([0, 0]);
    }
    file
}

fn big_tiff() -> Vec<u8> {
    let mut file = b"II+\0\x08\0\0\0".to_vec();
    file.extend(16u64.to_le_bytes());
    file.extend(3u64.to_le_bytes());
    for (tag, value) in [(256u16, 40u64), (257, 30), (324, 8)] {
        file.extend(tag.to_le_bytes());
        file.extend(16u16.to_le_bytes());
        file.extend(1u64.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], length.as_slice(), content].concat()
}

fn jpeg(width: u16, height: u16, orientation: u16) -> Vec<u8> {
    let exif = segment(0xE1, &[b"Exif\0\0", tiff(orientation).as_slice()].concat());
    let frame = [&[8], height.to_be_bytes().as_slice(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    [
        vec![0xFF, 0xD8],
        segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        exif,
        vec![0xFF],
        segment(0xC0, &frame),
        segment(0xDA, &[1, 1, 0, 0, 63, 0]),
        vec![0x12, 0xFF, 0xD9],
    ]
    .concat()
}

fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let checked = [kind.as_slice(), content].concat();
    [&length, checked.as_slice(), &crc32fast::hash(&checked).to_be_bytes()].concat()
}

fn png(width: u32, height: u32, orientation: u16) -> Vec<u8> {
    let header = [&width.to_be_bytes(), height.to_be_bytes().as_slice(), &[8, 2, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(*b"IHDR", &header),
        chunk(*b"eXIf", &tiff(orientation)),
        chunk(*b"IDAT", &[1, 2, 3]),
        chunk(*b"IEND", &[]),
    ]
    .concat()
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    let screen = [width.to_le_bytes(), height.to_le_bytes()].concat();
    [b"GIF89a".as_slice(), &screen, &[0x80, 0, 0], &[0; 6], b",", &[0; 4], &screen, b"\0;"].concat()
}

fn riff(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [kind.as_slice(), &length, content, padding].concat()
}

fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    riff(*b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat())
}

fn lossy_webp() -> Vec<u8> {
    webp(&[riff(*b"VP8 ", &[0, 0, 0, 0x9D, 0x01, 0x2A, 40, 0, 30, 0])])
}

fn lossless_webp() -> Vec<u8> {
    // One less than the width and the height, in 14 bits each.
    let bits: u32 = 0x27 | 0x1D << 14;
    webp(&[riff(*b"VP8L", &[&[0x2F], bits.to_le_bytes().as_slice()].concat())])
}

fn extended_webp(exif: &[u8]) -> Vec<u8> {
    let canvas = riff(*b"VP8X", &[8, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
    webp(&[canvas, riff(*b"VP8L", &[0x2F, 0, 0, 0, 0]), riff(*b"EXIF", exif)])
}

fn bmp(width: i32, height: i32) -> Vec<u8> {
    let dimensions = [width.to_le_bytes(), height.to_le_bytes()].concat();
    [b"BM".as_slice(), &[0; 12], &[40, 0, 0, 0], &dimensions, &[1, 0, 24, 0]].concat()
}

fn old_bmp() -> Vec<u8> {
    [b"BM".as_slice(), &[0; 12], &[12, 0, 0, 0, 40, 0, 30, 0, 1, 0, 24, 0]].concat()
}

fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&length, kind.as_slice(), content].concat()
}

fn brands(major: [u8; 4], others: &[[u8; 4]]) -> Vec<u8> {
    boxed(*b"ftyp", &[major.as_slice(), &[0; 4], others.as_flattened()].concat())
}

/// A still picture of 40 × 30 pixels, with a larger auxiliary one beside it.
fn heif(major: [u8; 4], others: &[[u8; 4]], quarter_turns: u8) -> Vec<u8> {
    let extent = |width: u32, height: u32| {
        boxed(*b"ispe", &[&[0; 4], width.to_be_bytes().as_slice(), &height.to_be_bytes()].concat())
    };
    let properties = [extent(4000, 3000), extent(40, 30), boxed(*b"irot", &[quarter_turns])].concat();
    let associations = [0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 0x01, 0, 2, 2, 0x82, 0x83];
    let properties = [boxed(*b"ipco", &properties), boxed(*b"ipma", &associations)].concat();
    let meta = [vec![0; 4], boxed(*b"pitm", &[0, 0, 0, 0, 0, 2]), boxed(*b"iprp", &properties)].concat();
    [brands(major, others), boxed(*b"meta", &meta), boxed(*b"mdat", &[0; 16])].concat()
}

const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
const QUARTER_TURN: [u32; 9] = [0, 0x1_0000, 0, 0xFFFF_0000, 0, 0, 0, 0, 0x4000_0000];

fn track(handler: [u8; 4], width: u32, height: u32, matrix: [u32; 9]) -> Vec<u8> {
    let matrix: Vec<u8> = matrix.into_iter().flat_map(u32::to_be_bytes).collect();
    let [width, height] = [(width << 16).to_be_bytes(), (height << 16).to_be_bytes()];
    let header = [[0; 40].as_slice(), &matrix, &width, &height].concat();
    let handler = boxed(*b"hdlr", &[[0; 8].as_slice(), &handler, &[0; 13]].concat());
    boxed(*b"trak", &[boxed(*b"tkhd", &header), boxed(*b"mdia", &handler)].concat())
}

fn movie(tracks: &[Vec<u8>]) -> Vec<u8> {
    [boxed(*b"mdat", &[7; 100]), boxed(*b"moov", &[boxed(*b"mvhd", &[0; 100]), tracks.concat()].concat())]
        .concat()
}

fn mp4(matrix: [u32; 9]) -> Vec<u8> {
    let tracks = [track(*b"soun", 9, 9, UPRIGHT), track(*b"vide", 40, 30, matrix)];
    [brands(*b"isom", &[*b"iso2", *b"avc1", *b"mp41"]), movie(&tracks)].concat()
}

fn mov() -> Vec<u8> {
    [brands(*b"qt  ", &[*b"qt  "]), movie(&[track(*b"vide", 40, 30, UPRIGHT)])].concat()
}

fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    [id, &[0x80 | u8::try_from(content.len()).unwrap()], content].concat()
}

fn matroska(doc_type: &[u8]) -> Vec<u8> {
    let video = element(&[0xE0], &[element(&[0xB0], &[40]), element(&[0xBA], &[0, 30])].concat());
    let tracks = [element(&[0xAE], &element(&[0xD7], &[1])), element(&[0xAE], &video)].concat();
    let header = element(&[0x1A, 0x45, 0xDF, 0xA3], &element(&[0x42, 0x82], doc_type));
    // The segment's length is unknown, as in a live recording.
    let segment = [&[0x18, 0x53, 0x80, 0x67, 0x01], [0xFF; 7].as_slice()].concat();
    [header, segment, element(&[0xEC], &[0; 9]), element(&[0x16, 0x54, 0xAE, 0x6B], &tracks)].concat()
}

const SVG: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30px"><g><path d="M0 0"/>&amp;</g></svg>
"#;

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n";

/// A file of every type, 40 × 30 where the type has dimensions.
fn samples() -> Vec<(MediaType, Vec<u8>)> {
    vec![
        (MediaType::Jpeg, jpeg(40, 30, 1)),
        (MediaType::Png, png(40, 30, 1)),
        (MediaType::Gif, gif(40, 30)),
        (MediaType::WebP, lossy_webp()),
        (MediaType::WebP, lossless_webp()),
        (MediaType::WebP, extended_webp(&tiff(1))),
        (MediaType::Avif, heif(*b"avif", &[*b"mif1", *b"miaf"], 0)),
        (MediaType::Avif, heif(*b"mif1", &[*b"mif1", *b"avif"], 2)),
        (MediaType::Tiff, tiff(1)),
        (MediaType::Tiff, big_tiff()),
        (MediaType::Bmp, bmp(40, 30)),
        (MediaType::Bmp, bmp(40, -30)),
        (MediaType::Bmp, old_bmp()),
        (MediaType::Svg, SVG.as_bytes().to_vec()),
        (MediaType::Heic, heif(*b"heic", &[*b"mif1"], 0)),
        (MediaType::Heic, heif(*b"mif1", &[*b"heic"], 0)),
        (MediaType::Mp4, mp4(UPRIGHT)),
        (MediaType::Mov, mov()),
        (MediaType::Mov, movie(&[track(*b"vide", 40, 30, UPRIGHT)])),
        (MediaType::WebM, matroska(b"webm")),
        (MediaType::Pdf, PDF.to_vec()),
    ]
}

#[test]
fn every_type_is_recognised_by_its_bytes() {
    for (media_type, bytes) in samples() {
        let found = look(&bytes).unwrap();
        assert_eq!(found.media_type, media_type);
        let size = if media_type == MediaType::Pdf { None } else { Some((40, 30)) };
        assert_eq!(found.width.zip(found.height), size, "{media_type:?}");
    }
}

#[test]
fn the_orientation_is_applied() {
    for orientation in 5..=8 {
        assert_eq!(size_of(&jpeg(40, 30, orientation)), Some((30, 40)));
        assert_eq!(size_of(&png(40, 30, orientation)), Some((30, 40)));
        assert_eq!(size_of(&tiff(orientation)), Some((30, 40)));
        // Chromium does not turn a WebP by its EXIF.
        assert_eq!(size_of(&extended_webp(&tiff(orientation))), Some((40, 30)));
        let named = [b"Exif\0\0", tiff(orientation).as_slice()].concat();
        assert_eq!(size_of(&extended_webp(&named)), Some((40, 30)));
    }
    for upright in [0, 1, 2, 3, 4, 9] {
        assert_eq!(size_of(&jpeg(40, 30, upright)), Some((40, 30)));
    }
    for (quarter_turns, size) in [(0, (40, 30)), (1, (30, 40)), (2, (40, 30)), (3, (30, 40))] {
        assert_eq!(size_of(&heif(*b"heic", &[], quarter_turns)), Some(size));
        assert_eq!(size_of(&heif(*b"avif", &[], quarter_turns)), Some(size));
    }
    assert_eq!(size_of(&mp4(QUARTER_TURN)), Some((30, 40)));
}

#[test]
fn a_movie_without_pictures_has_no_dimensions() {
    let sound = [brands(*b"mp42", &[]), movie(&[track(*b"soun", 0, 0, UPRIGHT)])].concat();
    assert_eq!(size_of(&sound), None);
}

#[test]
fn other_types_are_refused() {
    let others: [&[u8]; 14] = [
        b"plain text",
        b"BMW is a company, and this is a text about it",
        b"PK\x03\x04 a zip archive",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"II*\0\x10\0\0\0CR\x02\0 a raw file of a camera",
        b"<html><body><svg xmlns='http://www.w3.org/2000/svg'/></body></html>",
        b"<!DOCTYPE html><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<svg xmlns='http://www.w3.org/1999/xhtml'><script/></svg>",
        b"<?xml version='1.0'?><notsvg/>",
        b"some words <svg/>",
        b"%PDF is what it is about",
        b"<",
        b"\xFF\xD8",
        b"\0",
    ];
    let raw = [brands(*b"crx ", &[*b"crx ", *b"isom"]), movie(&[])].concat();
    let audio = [brands(*b"M4A ", &[*b"mp42", *b"isom"]), movie(&[])].concat();
    let built = [raw, audio, matroska(b"matroska"), matroska(b"webmx")];
    for bytes in others.into_iter().chain(built.iter().map(Vec::as_slice)) {
        let reason = look(bytes).unwrap_err();
        assert!(reason.starts_with("its type is not accepted (accepted are JPEG, "), "{reason}");
    }
    assert_eq!(look(b"").unwrap_err(), "it is empty");
}

#[test]
fn damaged_files_are_refused() {
    let cut = |bytes: Vec<u8>, keep: usize| bytes[..keep].to_vec();
    for (bytes, reason) in [
        (cut(jpeg(40, 30, 1), 90), "it is a damaged JPEG: it ends too early"),
        (vec![0xFF, 0xD8, 0xFF, 0xD9], "it is a damaged JPEG: it has no picture in it"),
        (cut(png(40, 30, 1), 33), "it is a damaged PNG: it has no picture in it"),
        (png(40, 0, 1), "it is a damaged PNG: its width or height is zero"),
        (cut(gif(40, 30), 15), "it is a damaged GIF: it ends too early"),
        (cut(lossy_webp(), 24), "it is a damaged WebP: it ends too early"),
        (cut(tiff(1), 20), "it is a damaged TIFF: its dimensions are missing"),
        (bmp(-40, 30), "it is a damaged BMP: its width is negative"),
        (brands(*b"heic", &[]), "it is a damaged HEIC: it ends before its table of contents"),
        (brands(*b"mp42", &[]), "it is a damaged MP4: it ends before its table of contents"),
        (cut(matroska(b"webm"), 30), "it is a damaged WebM: it has no tracks"),
        (b"%PDF-1.7\n".to_vec(), "it is a damaged PDF: it has a header and no content"),
        (jpeg(0, 30, 1), "it is a damaged JPEG: its width or height is zero"),
        (png(20_000, 10_001, 1), "it has 200020000 pixels, and at most 200000000 are accepted"),
    ] {
        assert_eq!(look(&bytes).unwrap_err(), reason);
    }
}

#[test]
fn an_svg_must_be_well_formed_to_its_end() {
    let nested = "<g>".repeat(2000);
    for (text, reason) in [
        ("<svg><g></svg>", "it is not well-formed XML from byte 8 on"),
        ("<svg><g>", "it ends too early"),
        ("<svg/><script/>", "there is something after its root element"),
        ("<svg></svg>text", "there is something after its root element"),
        ("<svg a></svg>", "an attribute in it is malformed"),
        ("<svg><!DOCTYPE html></svg>", "it has a declaration in the wrong place"),
        (&format!("<svg>{nested}"), "its elements are nested deeper than 1000"),
        (&format!("<svg><{}/></svg>", "n".repeat(2000)), "a name in it is longer than 1000 bytes"),
        (&format!("<svg>{}</svg>", "x".repeat(17 << 20)), "one of its parts is larger than 16777216 bytes"),
    ] {
        assert_eq!(look(text.as_bytes()).unwrap_err(), format!("it is a damaged SVG: {reason}"));
    }
}

#[test]
fn an_svg_has_the_size_that_it_gives() {
    for (root, size) in [
        ("<svg width='40' height='30'/>", Some((40, 30))),
        ("<svg width=' 40.4px ' height='29.5'/>", Some((40, 30))),
        ("<svg width='10mm' height='10mm' viewBox='0 0 40 30'/>", Some((38, 38))),
        ("<svg width='100%' height='100%' viewBox='-1,-1, 40 , 30'/>", Some((40, 30))),
        ("<svg width='8' viewBox='0 0 40 30'/>", Some((8, 6))),
        ("<svg viewBox='0 0 0.2 NaN'/>", None),
        ("<svg width='-1' height='inf'/>", None),
        ("<svg width='1e300' height='1'/>", None),
        ("<s:svg xmlns:s='http://www.w3.org/2000/svg' width='40' height='30'/>", Some((40, 30))),
        ("<!DOCTYPE svg [<!ENTITY ns 'http://www.w3.org/2000/svg'>]><svg xmlns='&ns;'/>", None),
    ] {
        assert_eq!(size_of(root.as_bytes()), size, "{root}");
    }
}

#[test]
fn an_svg_may_begin_with_a_byte_order_mark() {
    let utf8 = format!("\u{feff}{SVG}").into_bytes();
    let text = SVG.replace("UTF-8", "UTF-16");
    let little: Vec<u8> =
        "\u{feff}".chars().chain(text.chars()).flat_map(|c| (c as u16).to_le_bytes()).collect();
    let big: Vec<u8> =
        "\u{feff}".chars().chain(text.chars()).flat_map(|c| (c as u16).to_be_bytes()).collect();
    for bytes in [utf8, little, big] {
        assert_eq!(size_of(&bytes), Some((40, 30)));
    }
}

/// A nearly endless file of zeros after its header that counts how much of it is read.
struct Endless {
    head: Vec<u8>,
    position: u64,
    read: u64,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        for (at, byte) in (self.position..).zip(into.iter_mut()) {
            *byte = usize::try_from(at).ok().and_then(|at| self.head.get(at)).copied().unwrap_or(0);
        }
        self.position += into.len() as u64;
        self.read += into.len() as u64;
        Ok(into.len())
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(place) => place,
            SeekFrom::End(offset) => (1u64 << 60).saturating_add_signed(offset),
            SeekFrom::Current(offset) => self.position.saturating_add_signed(offset),
        };
        Ok(self.position)
    }
}

#[test]
fn only_a_little_of_a_large_file_is_read() {
    for (media_type, head) in samples() {
        if media_type == MediaType::Svg {
            continue;
        }
        let mut file = Endless { head, position: 0, read: 0 };
        assert_eq!(inspect(&mut file, MAX_PIXELS).unwrap().media_type, media_type);
        assert!(file.read < 1 << 20, "{media_type:?}: {} bytes", file.read);
    }
}

proptest! {
    #[test]
    fn random_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = look(&bytes);
    }

    #[test]
    fn a_damaged_file_does_not_panic(
        sample in 0..samples().len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        keep in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let (_, mut bytes) = samples().swap_remove(sample);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if is_cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        if let Ok(found) = look(&bytes) {
            prop_assert_eq!(found.width.is_some(), found.height.is_some());
            prop_assert!(found.width != Some(0) && found.height != Some(0));
        }
    }

    #[test]
    fn any_xml_does_not_panic(text in "[<>/!?a-c'\"=&;\\[\\] -]{0,80}") {
        let _ = look(text.as_bytes());
        let _ = look(format!("<svg>{text}</svg>").as_bytes());
    }
}
