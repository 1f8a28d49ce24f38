//! Small files, built byte by byte.

use super::*;

/// A TIFF of 40 × 30 pixels with this orientation; as EXIF it says nothing but the orientation.
pub(super) fn tiff(orientation: u16) -> Vec<u8> {
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

pub(super) fn big_tiff() -> Vec<u8> {
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

pub(super) fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], length.as_slice(), content].concat()
}

pub(super) fn jpeg(width: u16, height: u16, orientation: u16) -> Vec<u8> {
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

pub(super) fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let checked = [kind.as_slice(), content].concat();
    [&length, checked.as_slice(), &crc32fast::hash(&checked).to_be_bytes()].concat()
}

pub(super) fn png(width: u32, height: u32, orientation: u16) -> Vec<u8> {
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

pub(super) fn gif(width: u16, height: u16) -> Vec<u8> {
    let screen = [width.to_le_bytes(), height.to_le_bytes()].concat();
    [b"GIF89a".as_slice(), &screen, &[0x80, 0, 0], &[0; 6], b",", &[0; 4], &screen, b"\0;"].concat()
}

pub(super) fn riff(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [kind.as_slice(), &length, content, padding].concat()
}

pub(super) fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    riff(*b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat())
}

pub(super) fn lossy_webp() -> Vec<u8> {
    webp(&[riff(*b"VP8 ", &[0, 0, 0, 0x9D, 0x01, 0x2A, 40, 0, 30, 0])])
}

pub(super) fn lossless_webp() -> Vec<u8> {
    // One less than the width and the height, in 14 bits each.
    let bits: u32 = 0x27 | 0x1D << 14;
    webp(&[riff(*b"VP8L", &[&[0x2F], bits.to_le_bytes().as_slice()].concat())])
}

pub(super) fn extended_webp(exif: &[u8]) -> Vec<u8> {
    let canvas = riff(*b"VP8X", &[8, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
    webp(&[canvas, riff(*b"VP8L", &[0x2F, 0, 0, 0, 0]), riff(*b"EXIF", exif)])
}

pub(super) fn bmp(width: i32, height: i32) -> Vec<u8> {
    let dimensions = [width.to_le_bytes(), height.to_le_bytes()].concat();
    [b"BM".as_slice(), &[0; 12], &[40, 0, 0, 0], &dimensions, &[1, 0, 24, 0]].concat()
}

pub(super) fn old_bmp() -> Vec<u8> {
    [b"BM".as_slice(), &[0; 12], &[12, 0, 0, 0, 40, 0, 30, 0, 1, 0, 24, 0]].concat()
}

pub(super) fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&length, kind.as_slice(), content].concat()
}

pub(super) fn brands(major: [u8; 4], others: &[[u8; 4]]) -> Vec<u8> {
    boxed(*b"ftyp", &[major.as_slice(), &[0; 4], others.as_flattened()].concat())
}

/// A still picture of 40 × 30 pixels, with a larger auxiliary one beside it.
pub(super) fn heif(major: [u8; 4], others: &[[u8; 4]], quarter_turns: u8) -> Vec<u8> {
    let extent = |width: u32, height: u32| {
        boxed(*b"ispe", &[&[0; 4], width.to_be_bytes().as_slice(), &height.to_be_bytes()].concat())
    };
    let properties = [extent(4000, 3000), extent(40, 30), boxed(*b"irot", &[quarter_turns])].concat();
    let associations = [0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 0x01, 0, 2, 2, 0x82, 0x83];
    let properties = [boxed(*b"ipco", &properties), boxed(*b"ipma", &associations)].concat();
    let meta = [vec![0; 4], boxed(*b"pitm", &[0, 0, 0, 0, 0, 2]), boxed(*b"iprp", &properties)].concat();
    [brands(major, others), boxed(*b"meta", &meta), boxed(*b"mdat", &[0; 16])].concat()
}

pub(super) const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
pub(super) const QUARTER_TURN: [u32; 9] = [0, 0x1_0000, 0, 0xFFFF_0000, 0, 0, 0, 0, 0x4000_0000];

pub(super) fn track(handler: [u8; 4], width: u32, height: u32, matrix: [u32; 9]) -> Vec<u8> {
    let matrix: Vec<u8> = matrix.into_iter().flat_map(u32::to_be_bytes).collect();
    let [width, height] = [(width << 16).to_be_bytes(), (height << 16).to_be_bytes()];
    let header = [[0; 40].as_slice(), &matrix, &width, &height].concat();
    let handler = boxed(*b"hdlr", &[[0; 8].as_slice(), &handler, &[0; 13]].concat());
    boxed(*b"trak", &[boxed(*b"tkhd", &header), boxed(*b"mdia", &handler)].concat())
}

pub(super) fn movie(tracks: &[Vec<u8>]) -> Vec<u8> {
    [boxed(*b"mdat", &[7; 100]), boxed(*b"moov", &[boxed(*b"mvhd", &[0; 100]), tracks.concat()].concat())]
        .concat()
}

pub(super) fn mp4(matrix: [u32; 9]) -> Vec<u8> {
    let tracks = [track(*b"soun", 9, 9, UPRIGHT), track(*b"vide", 40, 30, matrix)];
    [brands(*b"isom", &[*b"iso2", *b"avc1", *b"mp41"]), movie(&tracks)].concat()
}

pub(super) fn mov() -> Vec<u8> {
    [brands(*b"qt  ", &[*b"qt  "]), movie(&[track(*b"vide", 40, 30, UPRIGHT)])].concat()
}

pub(super) fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    [id, &[0x80 | u8::try_from(content.len()).unwrap()], content].concat()
}

pub(super) fn matroska(doc_type: &[u8]) -> Vec<u8> {
    let video = element(&[0xE0], &[element(&[0xB0], &[40]), element(&[0xBA], &[0, 30])].concat());
    let tracks = [element(&[0xAE], &element(&[0xD7], &[1])), element(&[0xAE], &video)].concat();
    let header = element(&[0x1A, 0x45, 0xDF, 0xA3], &element(&[0x42, 0x82], doc_type));
    // The segment's length is unknown, as in a live recording.
    let segment = [&[0x18, 0x53, 0x80, 0x67, 0x01], [0xFF; 7].as_slice()].concat();
    [header, segment, element(&[0xEC], &[0; 9]), element(&[0x16, 0x54, 0xAE, 0x6B], &tracks)].concat()
}

pub(super) const SVG: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30px"><g><path d="M0 0"/>&amp;</g></svg>
"#;

pub(super) const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n";

/// A file of every type, 40 × 30 where the type has dimensions.
pub(super) fn samples() -> Vec<(MediaType, Vec<u8>)> {
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
