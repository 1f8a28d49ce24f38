//! `WebM`: its document type and the dimensions of its video. Never reads a cluster.

use std::io::{Read, Seek};
use std::ops::Range;

use super::reader::{ByteReader, Damage};
use super::{Dimensions, MAX_PARTS};

const HEADER: u32 = 0x1A45_DFA3;
const DOC_TYPE: u32 = 0x4282;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const VIDEO: u32 = 0xE0;
const PIXEL_WIDTH: u32 = 0xB0;
const PIXEL_HEIGHT: u32 = 0xBA;

/// An element: its id, and the range of its content.
struct Element {
    id: u32,
    body: Range<u64>,
}

/// Whether a file is `WebM`. Other Matroska files are not.
pub fn is_webm<R: Read + Seek>(reader: &mut ByteReader<R>) -> bool {
    doc_type_is_webm(reader).unwrap_or(false)
}

fn doc_type_is_webm<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<bool, Damage> {
    let header = element(reader, 0, reader.length())?;
    if header.id != HEADER {
        return Ok(false);
    }
    let Some(doc_type) = find(reader, header.body, DOC_TYPE)? else { return Ok(false) };
    let has_name = doc_type.end - doc_type.start >= 4 && &reader.bytes(doc_type.start)? == b"webm";
    // A string may be padded with zeros.
    let is_padded =
        (doc_type.start + 4..doc_type.end).take(16).all(|at| reader.u8(at).is_ok_and(|byte| byte == 0));
    Ok(has_name && is_padded)
}

/// The dimensions of the first track with video; `None` for a file without one.
///
/// # Errors
/// When the file has no list of tracks.
pub fn size<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Option<Dimensions>, Damage> {
    let file = 0..reader.length();
    let segment = find(reader, file, SEGMENT)?.ok_or("it ends before its content")?;
    let tracks = find(reader, segment, TRACKS)?.ok_or("it has no tracks")?;
    for track in elements(reader, tracks)? {
        if track.id != TRACK_ENTRY {
            continue;
        }
        let Some(video) = find(reader, track.body, VIDEO)? else { continue };
        let video = elements(reader, video)?;
        let width = number(reader, &video, PIXEL_WIDTH)?;
        let height = number(reader, &video, PIXEL_HEIGHT)?;
        return Ok(width.zip(height).map(|(width, height)| Dimensions { width, height }));
    }
    Ok(None)
}

fn number<R: Read + Seek>(
    reader: &mut ByteReader<R>,
    elements: &[Element],
    id: u32,
) -> Result<Option<u32>, Damage> {
    let Some(element) = elements.iter().find(|element| element.id == id) else { return Ok(None) };
    if element.body.end - element.body.start > 8 {
        return Err("one of its numbers is too long".into());
    }
    let mut value = 0u64;
    for at in element.body.clone() {
        value = value << 8 | u64::from(reader.u8(at)?);
    }
    u32::try_from(value).map(Some).map_err(|_| "its width or height is too large".into())
}

fn find<R: Read + Seek>(
    reader: &mut ByteReader<R>,
    within: Range<u64>,
    id: u32,
) -> Result<Option<Range<u64>>, Damage> {
    let mut at = within.start;
    for _ in 0..MAX_PARTS {
        if at >= within.end {
            break;
        }
        let element = element(reader, at, within.end)?;
        if element.id == id {
            return Ok(Some(element.body));
        }
        at = element.body.end;
    }
    Ok(None)
}

/// The elements in a range, one after another.
fn elements<R: Read + Seek>(reader: &mut ByteReader<R>, within: Range<u64>) -> Result<Vec<Element>, Damage> {
    let mut elements = Vec::new();
    let mut at = within.start;
    while at < within.end && elements.len() < MAX_PARTS {
        let element = element(reader, at, within.end)?;
        at = element.body.end;
        elements.push(element);
    }
    Ok(elements)
}

/// The element at an offset. One of unknown or excessive length ends with its parent.
fn element<R: Read + Seek>(reader: &mut ByteReader<R>, at: u64, end: u64) -> Result<Element, Damage> {
    let (id, after) = vint(reader, at, Marker::Kept)?;
    let (length, start) = vint(reader, after, Marker::Dropped)?;
    let id = u32::try_from(id).map_err(|_| "one of its elements has no valid id")?;
    let body_end = start.saturating_add(length).min(end);
    Ok(Element { id, body: start.min(body_end)..body_end })
}

/// Whether the bit that marks the length of a number is kept as part of it, as in ids.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marker {
    Kept,
    Dropped,
}

/// The variable-length number at an offset, and the offset after it. A length of only ones is unknown.
fn vint<R: Read + Seek>(reader: &mut ByteReader<R>, at: u64, marker: Marker) -> Result<(u64, u64), Damage> {
    let first = reader.u8(at)?;
    let more = first.leading_zeros();
    if more > 7 {
        return Err("one of its numbers is too long".into());
    }
    let mut value = u64::from(first);
    for offset in 1..=u64::from(more) {
        value = value << 8 | u64::from(reader.u8(at + offset)?);
    }
    let after = at + 1 + u64::from(more);
    if marker == Marker::Kept {
        return Ok((value, after));
    }
    let marker_bit = 1u64 << (7 * (more + 1));
    let value = value & (marker_bit - 1);
    Ok((if value == marker_bit - 1 { u64::MAX } else { value }, after))
}
