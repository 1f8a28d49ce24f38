//! The signatures of raster images, and the geometry of PNG, GIF, WebP and BMP from their headers.

use std::io::{Read, Seek};
use std::ops::Range;

use image::metadata::Orientation;

use super::reader::{ByteOrder, ByteReader, Damage};
use super::{Dimensions, Geometry, MAX_PARTS, MediaType, tiff};

/// The largest EXIF chunk that is read, in bytes. A preview in it is rarely larger than 64 KiB.
const MAX_EXIF_BYTES: u64 = 8 << 20;
/// How many blocks of a GIF extension are skipped: 25 MB of them.
const MAX_GIF_BLOCKS: usize = 100_000;
/// The valid lengths of the bitmap header, one per version of the format.
const BMP_HEADERS: [u8; 8] = [12, 16, 40, 52, 56, 64, 108, 124];

/// The type with this signature. Includes TIFF.
pub fn recognise(head: &[u8]) -> Option<MediaType> {
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Some(MediaType::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(MediaType::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(MediaType::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(MediaType::WebP),
        // A camera raw file, which begins like a TIFF.
        [b'I', b'I', b'*', 0, _, _, _, _, b'C', b'R', ..] => None,
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => Some(MediaType::Tiff),
        // Many texts begin with these two letters, so the length of the next header is checked as well.
        [b'B', b'M', _, _, _, _, _, _, _, _, _, _, _, _, length, 0, 0, 0, ..]
            if BMP_HEADERS.contains(length) =>
        {
            Some(MediaType::Bmp)
        }
        _ => None,
    }
}

/// The geometry of a PNG. As in browsers, the first intact EXIF chunk before the pixels counts; one after them does not,
/// because it would rotate a picture that is already partly shown.
pub fn png<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    if &reader.bytes(12)? != b"IHDR" {
        return Err("its header is wrong".into());
    }
    let size = Dimensions { width: reader.u32(16, ByteOrder::Big)?, height: reader.u32(20, ByteOrder::Big)? };
    let (mut at, mut orientation) = (8, None);
    for _ in 0..MAX_PARTS {
        let (Ok(length), Ok(kind)) = (reader.u32(at, ByteOrder::Big), reader.bytes(at + 4)) else { break };
        let body = at + 8..at + 8 + u64::from(length);
        match &kind {
            b"IDAT" => return Ok(size.oriented(orientation.unwrap_or(Orientation::NoTransforms))),
            b"eXIf" if orientation.is_none() && is_intact_png_chunk(reader, &body) => {
                orientation = Some(tiff::exif_orientation(reader, body.clone()));
            }
            b"IEND" => break,
            _ => {}
        }
        at = body.end + 4;
    }
    Err("it has no picture in it".into())
}

/// Whether the chunk's checksum is right. A chunk larger than any EXIF block counts as damaged.
fn is_intact_png_chunk<R: Read + Seek>(reader: &mut ByteReader<R>, body: &Range<u64>) -> bool {
    let Ok(checked) = reader.range(body.start - 4..body.end, MAX_EXIF_BYTES) else { return false };
    reader.u32(body.end, ByteOrder::Big).is_ok_and(|sum| sum == crc32fast::hash(&checked))
}

/// The geometry of a GIF. As in browsers, a first frame that exceeds the screen enlarges it.
pub fn gif<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    let screen = [reader.u16(6, ByteOrder::Little)?, reader.u16(8, ByteOrder::Little)?].map(u32::from);
    let flags = reader.u8(10)?;
    let mut at = 13 + if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    for _ in 0..MAX_PARTS {
        match reader.u8(at)? {
            b',' => {
                let mut edge = |screen: u32, offset, length| {
                    let offset = u32::from(reader.u16(at + offset, ByteOrder::Little)?);
                    Ok::<_, Damage>(
                        screen.max(offset + u32::from(reader.u16(at + length, ByteOrder::Little)?)),
                    )
                };
                let (width, height) = (edge(screen[0], 1, 5)?, edge(screen[1], 3, 7)?);
                return Ok(Dimensions { width, height }.upright());
            }
            b'!' => at = after_gif_blocks(reader, at + 2)?,
            _ => break,
        }
    }
    Err("it has no picture in it".into())
}

/// The offset after the blocks of an extension.
fn after_gif_blocks<R: Read + Seek>(reader: &mut ByteReader<R>, mut at: u64) -> Result<u64, Damage> {
    for _ in 0..MAX_GIF_BLOCKS {
        let length = reader.u8(at)?;
        at += 1 + u64::from(length);
        if length == 0 {
            return Ok(at);
        }
    }
    Err("it has too many parts".into())
}

/// The geometry of a WebP. As in browsers, its EXIF orientation is ignored.
pub fn webp<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    match &reader.bytes(12)? {
        b"VP8 " => {
            if reader.bytes(23)? != [0x9D, 0x01, 0x2A] {
                return Err("it has no picture in it".into());
            }
            let [width, height] = [reader.u16(26, ByteOrder::Little)?, reader.u16(28, ByteOrder::Little)?];
            Ok(Dimensions { width: (width & 0x3FFF).into(), height: (height & 0x3FFF).into() }.upright())
        }
        b"VP8L" => {
            if reader.u8(20)? != 0x2F {
                return Err("it has no picture in it".into());
            }
            let bits = reader.u32(21, ByteOrder::Little)?;
            Ok(Dimensions { width: (bits & 0x3FFF) + 1, height: ((bits >> 14) & 0x3FFF) + 1 }.upright())
        }
        b"VP8X" => extended_webp(reader),
        _ => Err("its header is wrong".into()),
    }
}

/// The geometry of a WebP with animation, transparency or metadata: its canvas.
fn extended_webp<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    let [w0, w1, w2, h0, h1, h2] = reader.bytes(24)?;
    let width = u32::from_le_bytes([w0, w1, w2, 0]) + 1;
    let height = u32::from_le_bytes([h0, h1, h2, 0]) + 1;
    let mut at = 12;
    for _ in 0..MAX_PARTS {
        let (Ok(kind), Ok(length)) = (reader.bytes(at), reader.u32(at + 4, ByteOrder::Little)) else { break };
        if matches!(&kind, b"VP8 " | b"VP8L" | b"ANMF") {
            return Ok(Dimensions { width, height }.upright());
        }
        at += 8 + u64::from(length) + u64::from(length & 1);
    }
    Err("it has no picture in it".into())
}

/// The geometry of a BMP. A negative height means that the rows are stored from top to bottom.
pub fn bmp<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    if reader.u8(14)? == 12 {
        let [width, height] = [reader.u16(18, ByteOrder::Little)?, reader.u16(20, ByteOrder::Little)?];
        return Ok(Dimensions { width: width.into(), height: height.into() }.upright());
    }
    let width = reader.u32(18, ByteOrder::Little)?.cast_signed();
    let height = reader.u32(22, ByteOrder::Little)?.cast_signed();
    let width = u32::try_from(width).map_err(|_| "its width is negative")?;
    Ok(Dimensions { width, height: height.unsigned_abs() }.upright())
}
