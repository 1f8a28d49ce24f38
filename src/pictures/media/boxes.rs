//! Files made of boxes (ISO/IEC 14496-12): AVIF, HEIC, MP4 and MOV. Never reads the media data.

use std::io::{Read, Seek};
use std::ops::Range;

use image::metadata::Orientation;

use super::reader::{ByteOrder, ByteReader, Damage};
use super::{Dimensions, Geometry, MAX_PARTS, MediaType};

type Kind = [u8; 4];

/// How many brands of a file are read.
const MAX_BRANDS: u64 = 64;

const AVIF: [Kind; 3] = [*b"avif", *b"avis", *b"avio"];
const HEIC: [Kind; 8] = [*b"heic", *b"heix", *b"heim", *b"heis", *b"hevc", *b"hevx", *b"hevm", *b"hevs"];
const MOV: [Kind; 1] = [*b"qt  "];
const MP4: [Kind; 21] = [
    *b"isom", *b"iso2", *b"iso3", *b"iso4", *b"iso5", *b"iso6", *b"iso7", *b"iso8", *b"iso9", *b"mp41",
    *b"mp42", *b"avc1", *b"M4V ", *b"M4VH", *b"M4VP", *b"MSNV", *b"dash", *b"cmfc", *b"mmp4", *b"F4V ",
    *b"XAVC",
];
/// Audio and camera raw files. They also list an accepted brand, but are not accepted.
const REFUSED: [Kind; 6] = [*b"M4A ", *b"M4B ", *b"M4P ", *b"F4A ", *b"F4B ", *b"crx "];
/// The first box of a `QuickTime` movie from before brands existed.
const UNBRANDED: [Kind; 6] = [*b"moov", *b"mdat", *b"wide", *b"free", *b"skip", *b"pnot"];

/// A box: its type, and the range of its content.
struct IsoBox {
    kind: Kind,
    body: Range<u64>,
}

/// The type of a file made of boxes by its brands: first the major one, then the others.
pub fn recognise<R: Read + Seek>(reader: &mut ByteReader<R>) -> Option<MediaType> {
    let length = reader.length();
    let first = box_at(reader, 0, length).ok()?;
    if &first.kind != b"ftyp" {
        let is_movie = UNBRANDED.contains(&first.kind)
            && boxes_in(reader, 0..length)
                .is_ok_and(|boxes| boxes.iter().any(|found| &found.kind == b"moov"));
        return is_movie.then_some(MediaType::Mov);
    }
    let brands = brands(reader, &first.body).ok()?;
    let major = *brands.first()?;
    if REFUSED.contains(&major) {
        return None;
    }
    brand_type(major).or_else(|| brands.into_iter().find_map(brand_type))
}

fn brand_type(brand: Kind) -> Option<MediaType> {
    [
        (MediaType::Avif, AVIF.as_slice()),
        (MediaType::Heic, HEIC.as_slice()),
        (MediaType::Mov, MOV.as_slice()),
        (MediaType::Mp4, MP4.as_slice()),
    ]
    .into_iter()
    .find_map(|(media_type, brands)| brands.contains(&brand).then_some(media_type))
}

/// The major brand, then the compatible ones.
fn brands<R: Read + Seek>(reader: &mut ByteReader<R>, body: &Range<u64>) -> Result<Vec<Kind>, Damage> {
    let mut brands = vec![reader.bytes(body.start)?];
    let end = body.end.min(body.start + 4 * MAX_BRANDS);
    let mut at = body.start + 8;
    while at + 4 <= end {
        brands.push(reader.bytes(at)?);
        at += 4;
    }
    Ok(brands)
}

/// The geometry of the primary picture. The container declares how it is cropped and rotated; EXIF is ignored. A sequence
/// has its dimensions in its track.
pub fn image<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    let file = 0..reader.length();
    let Some(meta) = find(reader, file, *b"meta")? else {
        let size = movie_size(reader)?.ok_or("its dimensions are missing")?;
        return Ok(size.upright());
    };
    let meta = boxes_in(reader, after_version(&meta))?;
    let item = body_of(&meta, *b"pitm").ok_or("it does not declare its primary picture")?;
    let has_long_ids = version(reader, &item)? > 0;
    let (item, _) = item_id(reader, item.start + 4, has_long_ids)?;
    let properties = body_of(&meta, *b"iprp").ok_or("its dimensions are missing")?;
    let properties = boxes_in(reader, properties)?;
    let container = body_of(&properties, *b"ipco").ok_or("its dimensions are missing")?;
    let container = boxes_in(reader, container)?;
    let associations = body_of(&properties, *b"ipma").ok_or("its dimensions are missing")?;
    let (mut size, mut cut, mut turns, mut mirror) = (None, None, 0, None);
    for number in properties_of(reader, &associations, item)? {
        let Some(property) = container.get(number) else { continue };
        let body = &property.body;
        match &property.kind {
            b"ispe" => size = Some(extent(reader, body)?),
            b"clap" => cut = Some(reader.range(body.clone(), 32)?),
            b"irot" => turns = reader.u8(body.start)? & 3,
            b"imir" => mirror = Some(reader.u8(body.start)? & 1),
            _ => {}
        }
    }
    let decoded = size.ok_or("its dimensions are missing")?;
    let stored = cut.and_then(|cut| clean_aperture(&cut, decoded)).unwrap_or(decoded);
    Ok(Geometry { decoded, stored, orientation: turned_and_mirrored(turns, mirror) })
}

/// The visible area of a picture. As in browsers, only a whole number of pixels from the upper left corner counts.
fn clean_aperture(body: &[u8], decoded: Dimensions) -> Option<Dimensions> {
    let [width, height, right, down] = *body.as_chunks::<8>().0 else { return None };
    let fraction = |[a, b, c, d, e, f, g, h]: [u8; 8]| {
        Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
            .filter(|(_, below)| *below != 0)
    };
    let whole = |bytes| {
        let (above, below) = fraction(bytes)?;
        (above % below == 0).then_some(above / below)
    };
    let size = Dimensions { width: whole(width)?, height: whole(height)? };
    // The offset is from the centre of the picture to the centre of the visible area.
    let begins_at_0 = |bytes, edge: u32, whole: u32| {
        let (above, below) = fraction(bytes)?;
        let (above, below) = (i64::from(above.cast_signed()), i64::from(below.cast_signed()));
        (edge <= whole && above * 2 == (i64::from(edge) - i64::from(whole)) * below).then_some(())
    };
    begins_at_0(right, size.width, decoded.width)?;
    begins_at_0(down, size.height, decoded.height)?;
    Some(size)
}

/// Quarter turns anticlockwise, then mirrored from top to bottom (0) or from left to right (1).
fn turned_and_mirrored(turns: u8, mirror: Option<u8>) -> Orientation {
    match (turns, mirror) {
        (0, None) => Orientation::NoTransforms,
        (1, None) => Orientation::Rotate270,
        (2, None) => Orientation::Rotate180,
        (_, None) => Orientation::Rotate90,
        (0, Some(0)) | (2, Some(1..)) => Orientation::FlipVertical,
        (0 | 2, Some(_)) => Orientation::FlipHorizontal,
        (1, Some(0)) | (3, Some(1..)) => Orientation::Rotate90FlipH,
        (_, Some(_)) => Orientation::Rotate270FlipH,
    }
}

fn extent<R: Read + Seek>(reader: &mut ByteReader<R>, body: &Range<u64>) -> Result<Dimensions, Damage> {
    let width = reader.u32(body.start + 4, ByteOrder::Big)?;
    let height = reader.u32(body.start + 8, ByteOrder::Big)?;
    Ok(Dimensions { width, height })
}

/// The indexes of the properties that a picture has, counted from 0.
fn properties_of<R: Read + Seek>(
    reader: &mut ByteReader<R>,
    body: &Range<u64>,
    item: u32,
) -> Result<Vec<usize>, Damage> {
    let has_long_ids = version(reader, body)? > 0;
    let has_long_numbers = reader.u8(body.start + 3)? & 1 == 1;
    let entries = reader.u32(body.start + 4, ByteOrder::Big)?;
    let mut at = body.start + 8;
    for _ in 0..(entries as usize).min(MAX_PARTS) {
        let (of, after) = item_id(reader, at, has_long_ids)?;
        let count = u64::from(reader.u8(after)?);
        let (first, width) = (after + 1, if has_long_numbers { 2 } else { 1 });
        at = first + count * width;
        if of != item {
            continue;
        }
        let mut numbers = Vec::new();
        for place in (first..at).step_by(usize::try_from(width).unwrap_or(1)) {
            // The top bit marks the property as essential; the indexes are counted from 1.
            let number = if has_long_numbers {
                reader.u16(place, ByteOrder::Big)? & 0x7FFF
            } else {
                u16::from(reader.u8(place)? & 0x7F)
            };
            numbers.extend(usize::from(number).checked_sub(1));
        }
        return Ok(numbers);
    }
    Ok(Vec::new())
}

/// A picture's id and the offset after it.
fn item_id<R: Read + Seek>(reader: &mut ByteReader<R>, at: u64, is_long: bool) -> Result<(u32, u64), Damage> {
    if is_long {
        return Ok((reader.u32(at, ByteOrder::Big)?, at + 4));
    }
    Ok((reader.u16(at, ByteOrder::Big)?.into(), at + 2))
}

/// The dimensions of the first track with pictures, with its rotation applied; `None` for a movie without one.
pub fn movie_size<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Option<Dimensions>, Damage> {
    let file = 0..reader.length();
    let movie = find(reader, file, *b"moov")?.ok_or("it ends before its table of contents")?;
    for track in boxes_in(reader, movie)? {
        if &track.kind != b"trak" {
            continue;
        }
        let track = boxes_in(reader, track.body)?;
        let (Some(header), Some(media)) = (body_of(&track, *b"tkhd"), body_of(&track, *b"mdia")) else {
            continue;
        };
        if has_pictures(reader, media)? {
            return track_size(reader, &header).map(|size| Some(size).filter(|size| !size.is_empty()));
        }
    }
    Ok(None)
}

/// Whether a track holds video or a sequence of pictures. Sound, text and time codes have dimensions too.
fn has_pictures<R: Read + Seek>(reader: &mut ByteReader<R>, media: Range<u64>) -> Result<bool, Damage> {
    let Some(handler) = find(reader, media, *b"hdlr")? else { return Ok(false) };
    let kind: Kind = reader.bytes(handler.start + 8)?;
    Ok(matches!(&kind, b"vide" | b"pict"))
}

fn track_size<R: Read + Seek>(reader: &mut ByteReader<R>, header: &Range<u64>) -> Result<Dimensions, Damage> {
    // Version 1 has 64-bit times before the matrix.
    let matrix = header.start + if version(reader, header)? == 1 { 52 } else { 40 };
    let (a, b) = (reader.u32(matrix, ByteOrder::Big)?, reader.u32(matrix + 4, ByteOrder::Big)?);
    let (c, d) = (reader.u32(matrix + 12, ByteOrder::Big)?, reader.u32(matrix + 16, ByteOrder::Big)?);
    // The numbers are 16.16 fixed point.
    let width = reader.u32(matrix + 36, ByteOrder::Big)? >> 16;
    let height = reader.u32(matrix + 40, ByteOrder::Big)? >> 16;
    let is_quarter_turn = a == 0 && d == 0 && b != 0 && c != 0;
    Ok(Dimensions { width, height }.swapped_if(is_quarter_turn))
}

fn version<R: Read + Seek>(reader: &mut ByteReader<R>, body: &Range<u64>) -> Result<u8, Damage> {
    reader.u8(body.start)
}

fn after_version(body: &Range<u64>) -> Range<u64> {
    body.start.saturating_add(4).min(body.end)..body.end
}

fn find<R: Read + Seek>(
    reader: &mut ByteReader<R>,
    within: Range<u64>,
    kind: Kind,
) -> Result<Option<Range<u64>>, Damage> {
    Ok(body_of(&boxes_in(reader, within)?, kind))
}

fn body_of(boxes: &[IsoBox], kind: Kind) -> Option<Range<u64>> {
    boxes.iter().find(|found| found.kind == kind).map(|found| found.body.clone())
}

/// The boxes in a range, one after another. A rest that is too short for a box is padding.
fn boxes_in<R: Read + Seek>(reader: &mut ByteReader<R>, within: Range<u64>) -> Result<Vec<IsoBox>, Damage> {
    let mut boxes = Vec::new();
    let mut at = within.start;
    while at + 8 <= within.end && boxes.len() < MAX_PARTS {
        let found = box_at(reader, at, within.end)?;
        at = found.body.end;
        boxes.push(found);
    }
    Ok(boxes)
}

/// The box at an offset. One that claims to be longer than its parent ends with the parent.
fn box_at<R: Read + Seek>(reader: &mut ByteReader<R>, at: u64, end: u64) -> Result<IsoBox, Damage> {
    let short_length = reader.u32(at, ByteOrder::Big)?;
    let kind = reader.bytes(at + 4)?;
    let (length, header) = match short_length {
        0 => (end.saturating_sub(at), 8),
        1 => (reader.u64(at + 8, ByteOrder::Big)?, 16),
        length => (length.into(), 8),
    };
    if length < header {
        return Err("one of its boxes is too short".into());
    }
    let body_end = at.saturating_add(length).min(end);
    Ok(IsoBox { kind, body: (at + header).min(body_end)..body_end })
}
