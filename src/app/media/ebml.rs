//! `WebM`: its document type and the dimensions of its video. Never looks into a cluster.

use std::io::{Read, Seek};
use std::ops::Range;

use super::source::{Damage, Source};
use super::{MOST_PARTS, Size};

const HEADER: u32 = 0x1A45_DFA3;
const DOC_TYPE: u32 = 0x4282;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const VIDEO: u32 = 0xE0;
const PIXEL_WIDTH: u32 = 0xB0;
const PIXEL_HEIGHT: u32 = 0xBA;

/// An element: what it is, and where its content lies.
struct Element {
    id: u32,
    body: Range<u64>,
}

/// Whether a file is `WebM`. Matroska, its larger sibling, is not.
pub fn is_webm<R: Read + Seek>(source: &mut Source<R>) -> bool {
    doc_type_is_webm(source).unwrap_or(false)
}

fn doc_type_is_webm<R: Read + Seek>(source: &mut Source<R>) -> Result<bool, Damage> {
    let header = element(source, 0, source.length())?;
    if header.id != HEADER {
        return Ok(false);
    }
    let Some(doc_type) = find(source, header.body, DOC_TYPE)? else { return Ok(false) };
    let has_name = doc_type.end - doc_type.start >= 4 && &source.bytes(doc_type.start)? == b"webm";
    // Zeros at the end fill up a string.
    let is_all =
        (doc_type.start + 4..doc_type.end).take(16).all(|at| source.u8(at).is_ok_and(|byte| byte == 0));
    Ok(has_name && is_all)
}

/// The dimensions of the first track with video; none for a file without one.
///
/// # Errors
/// When the file has no list of tracks.
pub fn size<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Size>, Damage> {
    let file = 0..source.length();
    let segment = find(source, file, SEGMENT)?.ok_or("it ends before its content")?;
    let tracks = find(source, segment, TRACKS)?.ok_or("it has no tracks")?;
    for track in elements(source, tracks)? {
        if track.id != TRACK_ENTRY {
            continue;
        }
        let Some(video) = find(source, track.body, VIDEO)? else { continue };
        let video = elements(source, video)?;
        let width = number(source, &video, PIXEL_WIDTH)?;
        let height = number(source, &video, PIXEL_HEIGHT)?;
        return Ok(width.zip(height).map(|(width, height)| Size { width, height }));
    }
    Ok(None)
}

fn number<R: Read + Seek>(
    source: &mut Source<R>,
    elements: &[Element],
    id: u32,
) -> Result<Option<u32>, Damage> {
    let Some(element) = elements.iter().find(|element| element.id == id) else { return Ok(None) };
    if element.body.end - element.body.start > 8 {
        return Err("one of its numbers is too long".into());
    }
    let mut value = 0u64;
    for at in element.body.clone() {
        value = value << 8 | u64::from(source.u8(at)?);
    }
    u32::try_from(value).map(Some).map_err(|_| "its width or height is too large".into())
}

fn find<R: Read + Seek>(
    source: &mut Source<R>,
    within: Range<u64>,
    id: u32,
) -> Result<Option<Range<u64>>, Damage> {
    let mut at = within.start;
    for _ in 0..MOST_PARTS {
        if at >= within.end {
            break;
        }
        let element = element(source, at, within.end)?;
        if element.id == id {
            return Ok(Some(element.body));
        }
        at = element.body.end;
    }
    Ok(None)
}

/// The elements that stand side by side in a range.
fn elements<R: Read + Seek>(source: &mut Source<R>, within: Range<u64>) -> Result<Vec<Element>, Damage> {
    let mut elements = Vec::new();
    let mut at = within.start;
    while at < within.end && elements.len() < MOST_PARTS {
        let element = element(source, at, within.end)?;
        at = element.body.end;
        elements.push(element);
    }
    Ok(elements)
}

/// The element at a place. One of unknown length, or of more than there is, ends with what holds it.
fn element<R: Read + Seek>(source: &mut Source<R>, at: u64, end: u64) -> Result<Element, Damage> {
    let (id, behind) = vint(source, at, Marker::Kept)?;
    let (length, start) = vint(source, behind, Marker::Dropped)?;
    let id = u32::try_from(id).map_err(|_| "one of its elements has no valid id")?;
    let body_end = start.saturating_add(length).min(end);
    Ok(Element { id, body: start.min(body_end)..body_end })
}

/// Whether the bit that says how long a number is belongs to the number: it does in ids.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marker {
    Kept,
    Dropped,
}

/// The variable-length number at a place, and the place behind it. A length of only ones means that it is unknown.
fn vint<R: Read + Seek>(source: &mut Source<R>, at: u64, marker: Marker) -> Result<(u64, u64), Damage> {
    let first = source.u8(at)?;
    let more = first.leading_zeros();
    if more > 7 {
        return Err("one of its numbers is too long".into());
    }
    let mut value = u64::from(first);
    for offset in 1..=u64::from(more) {
        value = value << 8 | u64::from(source.u8(at + offset)?);
    }
    let behind = at + 1 + u64::from(more);
    if marker == Marker::Kept {
        return Ok((value, behind));
    }
    let marker_bit = 1u64 << (7 * (more + 1));
    let value = value & (marker_bit - 1);
    Ok((if value == marker_bit - 1 { u64::MAX } else { value }, behind))
}
