//! JPEG, PNG, GIF, WebP and BMP: their signatures, and their dimensions from their headers.

use std::io::{Read, Seek};

use super::source::{Damage, Order, Source};
use super::{MOST_PARTS, MediaType, Size, tiff};

/// How much rubbish between two segments of a JPEG is skipped, in bytes. Decoders skip it too.
const MOST_RUBBISH: u64 = 4 << 10;
/// The lengths of the bitmap header that exist: one per version of the format.
const BMP_HEADERS: [u8; 7] = [12, 16, 40, 52, 56, 108, 124];

/// The type whose signature this is. TIFF is among them: its signature is as short.
pub fn recognise(head: &[u8]) -> Option<MediaType> {
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Some(MediaType::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(MediaType::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(MediaType::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(MediaType::WebP),
        // A camera's raw file, which begins as a TIFF.
        [b'I', b'I', b'*', 0, _, _, _, _, b'C', b'R', ..] => None,
        [b'I', b'I', b'*' | b'+', 0, ..] | [b'M', b'M', 0, b'*' | b'+', ..] => Some(MediaType::Tiff),
        // Two letters begin many a text: the length of the next header makes sure.
        [b'B', b'M', _, _, _, _, _, _, _, _, _, _, _, _, length, 0, 0, 0, ..]
            if BMP_HEADERS.contains(length) =>
        {
            Some(MediaType::Bmp)
        }
        _ => None,
    }
}

/// The dimensions of a JPEG. Goes on to the picture's data: one that ends before can't be opened.
pub fn jpeg_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    let (mut at, mut size, mut turned) = (2, None, false);
    for _ in 0..MOST_PARTS {
        let (marker, body) = jpeg_marker(source, at)?;
        match marker {
            // Start of frame; C4, C8 and CC are other things.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if size.is_none() => {
                let height = source.u16(body + 3, Order::Big)?;
                let width = source.u16(body + 5, Order::Big)?;
                size = Some(Size { width: width.into(), height: height.into() });
            }
            0xE1 => turned = turned || jpeg_exif_turns(source, body),
            0xDA => break,
            0xD9 => return Err("it has no picture in it".into()),
            // These stand alone.
            0x01 | 0xD0..=0xD8 => {
                at = body;
                continue;
            }
            _ => {}
        }
        at = body + u64::from(source.u16(body, Order::Big)?.max(2));
    }
    size.map(|size| size.turned_if(turned)).ok_or("its dimensions are missing".into())
}

/// The next marker and the place behind it.
fn jpeg_marker<R: Read + Seek>(source: &mut Source<R>, from: u64) -> Result<(u8, u64), Damage> {
    let mut before = 0;
    for at in from..from + MOST_RUBBISH {
        let byte = source.u8(at)?;
        if before == 0xFF && byte != 0xFF && byte != 0 {
            return Ok((byte, at + 1));
        }
        before = byte;
    }
    Err("its header is wrong".into())
}

fn jpeg_exif_turns<R: Read + Seek>(source: &mut Source<R>, body: u64) -> bool {
    source.bytes(body + 2).is_ok_and(|name: [u8; 6]| &name == b"Exif\0\0")
        && tiff::exif_turns(source, body + 8)
}

/// The dimensions of a PNG. Goes on to the picture's data, and on for the EXIF chunk, which may follow it.
pub fn png_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    if &source.bytes(12)? != b"IHDR" {
        return Err("its header is wrong".into());
    }
    let size = Size { width: source.u32(16, Order::Big)?, height: source.u32(20, Order::Big)? };
    let (mut at, mut has_pixels, mut turned) = (8, false, false);
    for _ in 0..MOST_PARTS {
        let (Ok(length), Ok(kind)) = (source.u32(at, Order::Big), source.bytes(at + 4)) else { break };
        match &kind {
            b"IDAT" => has_pixels = true,
            b"eXIf" => turned = tiff::exif_turns(source, at + 8),
            b"IEND" => break,
            _ => {}
        }
        at += 12 + u64::from(length);
    }
    if has_pixels { Ok(size.turned_if(turned)) } else { Err("it has no picture in it".into()) }
}

/// The dimensions of a GIF.
pub fn gif_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    let width = source.u16(6, Order::Little)?;
    let height = source.u16(8, Order::Little)?;
    let flags = source.u8(10)?;
    let colours = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    match source.u8(13 + colours)? {
        b',' | b'!' => Ok(Size { width: width.into(), height: height.into() }),
        _ => Err("it has no picture in it".into()),
    }
}

/// The dimensions of a WebP.
pub fn webp_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    match &source.bytes(12)? {
        b"VP8 " => {
            if source.bytes(23)? != [0x9D, 0x01, 0x2A] {
                return Err("it has no picture in it".into());
            }
            let [width, height] = [source.u16(26, Order::Little)?, source.u16(28, Order::Little)?];
            Ok(Size { width: (width & 0x3FFF).into(), height: (height & 0x3FFF).into() })
        }
        b"VP8L" => {
            if source.u8(20)? != 0x2F {
                return Err("it has no picture in it".into());
            }
            let bits = source.u32(21, Order::Little)?;
            Ok(Size { width: (bits & 0x3FFF) + 1, height: ((bits >> 14) & 0x3FFF) + 1 })
        }
        b"VP8X" => extended_webp_size(source),
        _ => Err("its header is wrong".into()),
    }
}

/// The dimensions of a WebP with an animation, transparency or metadata: those of its canvas.
fn extended_webp_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    let [w0, w1, w2, h0, h1, h2] = source.bytes(24)?;
    let width = u32::from_le_bytes([w0, w1, w2, 0]) + 1;
    let height = u32::from_le_bytes([h0, h1, h2, 0]) + 1;
    let (mut at, mut has_pixels, mut turned) = (12, false, false);
    for _ in 0..MOST_PARTS {
        let (Ok(kind), Ok(length)) = (source.bytes(at), source.u32(at + 4, Order::Little)) else { break };
        match &kind {
            b"VP8 " | b"VP8L" | b"ANMF" => has_pixels = true,
            b"EXIF" => turned = webp_exif_turns(source, at + 8),
            _ => {}
        }
        at += 8 + u64::from(length) + u64::from(length & 1);
    }
    if has_pixels {
        Ok(Size { width, height }.turned_if(turned))
    } else {
        Err("it has no picture in it".into())
    }
}

/// Some programs put the name of JPEG's EXIF segment before the block.
fn webp_exif_turns<R: Read + Seek>(source: &mut Source<R>, start: u64) -> bool {
    let named = source.bytes(start).is_ok_and(|name: [u8; 6]| &name == b"Exif\0\0");
    tiff::exif_turns(source, if named { start + 6 } else { start })
}

/// The dimensions of a BMP. A negative height means that the rows go from top to bottom.
pub fn bmp_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    if source.u8(14)? == 12 {
        let [width, height] = [source.u16(18, Order::Little)?, source.u16(20, Order::Little)?];
        return Ok(Size { width: width.into(), height: height.into() });
    }
    let width = source.u32(18, Order::Little)?.cast_signed();
    let height = source.u32(22, Order::Little)?.cast_signed();
    let width = u32::try_from(width).map_err(|_| "its width is negative")?;
    Ok(Size { width, height: height.unsigned_abs() })
}
