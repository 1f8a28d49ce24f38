//! Files made of boxes, as ISO/IEC 14496-12 has it: AVIF, HEIC, MP4 and MOV. Never looks into the media data.

use std::io::{Read, Seek};
use std::ops::Range;

use super::source::{Damage, Order, Source};
use super::{MOST_PARTS, MediaType, Size};

type Kind = [u8; 4];

/// How many brands of a file are looked at.
const MOST_BRANDS: u64 = 64;

const AVIF: [Kind; 3] = [*b"avif", *b"avis", *b"avio"];
const HEIC: [Kind; 8] = [*b"heic", *b"heix", *b"heim", *b"heis", *b"hevc", *b"hevx", *b"hevm", *b"hevs"];
const MOV: [Kind; 1] = [*b"qt  "];
const MP4: [Kind; 21] = [
    *b"isom", *b"iso2", *b"iso3", *b"iso4", *b"iso5", *b"iso6", *b"iso7", *b"iso8", *b"iso9", *b"mp41",
    *b"mp42", *b"avc1", *b"M4V ", *b"M4VH", *b"M4VP", *b"MSNV", *b"dash", *b"cmfc", *b"mmp4", *b"F4V ",
    *b"XAVC",
];
/// Audio, and the raw files of cameras: they name an accepted brand as well, and are something else.
const REFUSED: [Kind; 6] = [*b"M4A ", *b"M4B ", *b"M4P ", *b"F4A ", *b"F4B ", *b"crx "];
/// What a `QuickTime` movie from before there were brands begins with.
const UNBRANDED: [Kind; 6] = [*b"moov", *b"mdat", *b"wide", *b"free", *b"skip", *b"pnot"];

/// A box: what it is, and where its content lies.
struct Part {
    kind: Kind,
    body: Range<u64>,
}

/// The type of a file made of boxes, told by its brands: the major one decides, then the others.
pub fn recognise<R: Read + Seek>(source: &mut Source<R>) -> Option<MediaType> {
    let length = source.length();
    let first = part(source, 0, length).ok()?;
    if &first.kind != b"ftyp" {
        let is_movie = UNBRANDED.contains(&first.kind)
            && parts(source, 0..length).is_ok_and(|parts| parts.iter().any(|part| &part.kind == b"moov"));
        return is_movie.then_some(MediaType::Mov);
    }
    let brands = brands(source, &first.body).ok()?;
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
fn brands<R: Read + Seek>(source: &mut Source<R>, body: &Range<u64>) -> Result<Vec<Kind>, Damage> {
    let mut brands = vec![source.bytes(body.start)?];
    let end = body.end.min(body.start + 4 * MOST_BRANDS);
    let mut at = body.start + 8;
    while at + 4 <= end {
        brands.push(source.bytes(at)?);
        at += 4;
    }
    Ok(brands)
}

/// The dimensions of the primary picture, with its rotation applied. A sequence has them in its track.
pub fn image_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    let file = 0..source.length();
    let Some(meta) = find(source, file, *b"meta")? else {
        return movie_size(source)?.ok_or("its dimensions are missing".into());
    };
    let meta = parts(source, behind_version(&meta))?;
    let item = body_of(&meta, *b"pitm").ok_or("it does not say which picture is meant")?;
    let has_long_ids = version(source, &item)? > 0;
    let (item, _) = item_id(source, item.start + 4, has_long_ids)?;
    let properties = body_of(&meta, *b"iprp").ok_or("its dimensions are missing")?;
    let properties = parts(source, properties)?;
    let container = body_of(&properties, *b"ipco").ok_or("its dimensions are missing")?;
    let container = parts(source, container)?;
    let associations = body_of(&properties, *b"ipma").ok_or("its dimensions are missing")?;
    let (mut size, mut turned) = (None, false);
    for number in properties_of(source, &associations, item)? {
        let Some(property) = container.get(number) else { continue };
        match &property.kind {
            b"ispe" => size = Some(extent(source, &property.body)?),
            b"irot" => turned = source.u8(property.body.start)? & 1 == 1,
            _ => {}
        }
    }
    size.map(|size| size.turned_if(turned)).ok_or("its dimensions are missing".into())
}

fn extent<R: Read + Seek>(source: &mut Source<R>, body: &Range<u64>) -> Result<Size, Damage> {
    let width = source.u32(body.start + 4, Order::Big)?;
    let height = source.u32(body.start + 8, Order::Big)?;
    Ok(Size { width, height })
}

/// Which of the listed properties, counted from 0, a picture has.
fn properties_of<R: Read + Seek>(
    source: &mut Source<R>,
    body: &Range<u64>,
    item: u32,
) -> Result<Vec<usize>, Damage> {
    let has_long_ids = version(source, body)? > 0;
    let has_long_numbers = source.u8(body.start + 3)? & 1 == 1;
    let entries = source.u32(body.start + 4, Order::Big)?;
    let mut at = body.start + 8;
    for _ in 0..(entries as usize).min(MOST_PARTS) {
        let (of, behind) = item_id(source, at, has_long_ids)?;
        let count = u64::from(source.u8(behind)?);
        let (first, width) = (behind + 1, if has_long_numbers { 2 } else { 1 });
        at = first + count * width;
        if of != item {
            continue;
        }
        let mut numbers = Vec::new();
        for place in (first..at).step_by(usize::try_from(width).unwrap_or(1)) {
            // The top bit says whether the property is essential; they are counted from 1.
            let number = if has_long_numbers {
                source.u16(place, Order::Big)? & 0x7FFF
            } else {
                u16::from(source.u8(place)? & 0x7F)
            };
            numbers.extend(usize::from(number).checked_sub(1));
        }
        return Ok(numbers);
    }
    Ok(Vec::new())
}

/// A picture's id and the place behind it.
fn item_id<R: Read + Seek>(source: &mut Source<R>, at: u64, is_long: bool) -> Result<(u32, u64), Damage> {
    if is_long {
        return Ok((source.u32(at, Order::Big)?, at + 4));
    }
    Ok((source.u16(at, Order::Big)?.into(), at + 2))
}

/// The dimensions of the first track with pictures, with its rotation applied; none for a movie without one.
pub fn movie_size<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Size>, Damage> {
    let file = 0..source.length();
    let movie = find(source, file, *b"moov")?.ok_or("it ends before its table of contents")?;
    for track in parts(source, movie)? {
        if &track.kind != b"trak" {
            continue;
        }
        let track = parts(source, track.body)?;
        let (Some(header), Some(media)) = (body_of(&track, *b"tkhd"), body_of(&track, *b"mdia")) else {
            continue;
        };
        if has_pictures(source, media)? {
            return track_size(source, &header).map(|size| Some(size).filter(|size| !size.is_empty()));
        }
    }
    Ok(None)
}

/// Whether a track holds video, or a sequence of pictures: sound, text and time codes have dimensions too.
fn has_pictures<R: Read + Seek>(source: &mut Source<R>, media: Range<u64>) -> Result<bool, Damage> {
    let Some(handler) = find(source, media, *b"hdlr")? else { return Ok(false) };
    let kind: Kind = source.bytes(handler.start + 8)?;
    Ok(matches!(&kind, b"vide" | b"pict"))
}

fn track_size<R: Read + Seek>(source: &mut Source<R>, header: &Range<u64>) -> Result<Size, Damage> {
    // Version 1 has 64-bit times in front.
    let matrix = header.start + if version(source, header)? == 1 { 52 } else { 40 };
    let (a, b) = (source.u32(matrix, Order::Big)?, source.u32(matrix + 4, Order::Big)?);
    let (c, d) = (source.u32(matrix + 12, Order::Big)?, source.u32(matrix + 16, Order::Big)?);
    // The numbers are 16.16 fixed point.
    let width = source.u32(matrix + 36, Order::Big)? >> 16;
    let height = source.u32(matrix + 40, Order::Big)? >> 16;
    let is_quarter_turn = a == 0 && d == 0 && b != 0 && c != 0;
    Ok(Size { width, height }.turned_if(is_quarter_turn))
}

fn version<R: Read + Seek>(source: &mut Source<R>, body: &Range<u64>) -> Result<u8, Damage> {
    source.u8(body.start)
}

fn behind_version(body: &Range<u64>) -> Range<u64> {
    body.start.saturating_add(4).min(body.end)..body.end
}

fn find<R: Read + Seek>(
    source: &mut Source<R>,
    within: Range<u64>,
    kind: Kind,
) -> Result<Option<Range<u64>>, Damage> {
    Ok(body_of(&parts(source, within)?, kind))
}

fn body_of(parts: &[Part], kind: Kind) -> Option<Range<u64>> {
    parts.iter().find(|part| part.kind == kind).map(|part| part.body.clone())
}

/// The boxes that stand side by side in a range. What is too short to be one, at the end, is padding.
fn parts<R: Read + Seek>(source: &mut Source<R>, within: Range<u64>) -> Result<Vec<Part>, Damage> {
    let mut parts = Vec::new();
    let mut at = within.start;
    while at + 8 <= within.end && parts.len() < MOST_PARTS {
        let part = part(source, at, within.end)?;
        at = part.body.end;
        parts.push(part);
    }
    Ok(parts)
}

/// The box at a place. One that says it is longer than what holds it ends with that.
fn part<R: Read + Seek>(source: &mut Source<R>, at: u64, end: u64) -> Result<Part, Damage> {
    let short_length = source.u32(at, Order::Big)?;
    let kind = source.bytes(at + 4)?;
    let (length, header) = match short_length {
        0 => (end.saturating_sub(at), 8),
        1 => (source.u64(at + 8, Order::Big)?, 16),
        length => (length.into(), 8),
    };
    if length < header {
        return Err("one of its boxes is too short".into());
    }
    let body_end = at.saturating_add(length).min(end);
    Ok(Part { kind, body: (at + header).min(body_end)..body_end })
}
