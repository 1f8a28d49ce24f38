//! Reads the first directory of a TIFF. EXIF in any file is a TIFF as well.

use std::io::{Read, Seek};
use std::ops::Range;

use image::metadata::Orientation;

use super::reader::{ByteOrder, ByteReader, Damage};
use super::{Dimensions, Geometry, MAX_PARTS};

/// The number of a tag.
pub type TagNumber = u16;

/// Width in pixels.
pub const IMAGE_WIDTH: TagNumber = 256;
/// Height in pixels.
pub const IMAGE_LENGTH: TagNumber = 257;
/// The offset of each strip.
pub const STRIP_OFFSETS: TagNumber = 273;
/// The orientation of the picture.
pub const ORIENTATION: TagNumber = 274;
/// The offset of each tile.
pub const TILE_OFFSETS: TagNumber = 324;
/// An XMP packet.
pub const XMP: TagNumber = 700;
/// An IPTC record.
pub const IPTC: TagNumber = 33_723;
/// The offset of an old-style JPEG, which needs no strips.
pub const OLD_JPEG: TagNumber = 513;

const SHORT: u16 = 3;

/// The width of a file's offsets: 32 bits in a TIFF, 64 bits in a `BigTIFF`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Narrow,
    Wide,
}

/// A list of tags.
#[derive(Debug)]
pub struct Directory {
    /// The byte order of all numbers in the file.
    pub order: ByteOrder,
    width: Width,
    /// The range of the TIFF, which its offsets count from.
    block: Range<u64>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: TagNumber,
    kind: u16,
    count: u64,
    /// The offset of the value, or of the pointer to it.
    at: u64,
}

impl Directory {
    /// The first directory of the TIFF in this range.
    ///
    /// # Errors
    /// When there is none.
    pub fn first<R: Read + Seek>(reader: &mut ByteReader<R>, block: Range<u64>) -> Result<Self, Damage> {
        let start = block.start;
        let order = match &reader.bytes(start)? {
            b"II" => ByteOrder::Little,
            b"MM" => ByteOrder::Big,
            _ => return Err("its header is wrong".into()),
        };
        let absolute = |offset: u64| start.checked_add(offset).ok_or(Damage::from("its header is wrong"));
        let (width, at) = match reader.u16(absolute(2)?, order)? {
            42 => (Width::Narrow, u64::from(reader.u32(absolute(4)?, order)?)),
            43 => (Width::Wide, reader.u64(absolute(8)?, order)?),
            _ => return Err("its header is wrong".into()),
        };
        let at = absolute(at)?;
        let (count, first, length) = match width {
            Width::Narrow => (u64::from(reader.u16(at, order)?), 2, 12),
            Width::Wide => (reader.u64(at, order)?, 8, 20),
        };
        let mut directory = Self { order, width, block, entries: Vec::new() };
        for number in 0..count.min(MAX_PARTS as u64) {
            let Some(at) = at.checked_add(first + number * length) else { break };
            // A directory that claims to be longer than the file still has the entries that exist.
            if at.checked_add(length).is_none_or(|end| end > directory.block.end) {
                break;
            }
            directory.entries.push(directory.entry(reader, at)?);
        }
        Ok(directory)
    }

    fn entry<R: Read + Seek>(&self, reader: &mut ByteReader<R>, at: u64) -> Result<Entry, Damage> {
        let (count, value) = match self.width {
            Width::Narrow => (u64::from(reader.u32(at + 4, self.order)?), at + 8),
            Width::Wide => (reader.u64(at + 4, self.order)?, at + 12),
        };
        Ok(Entry {
            tag: reader.u16(at, self.order)?,
            kind: reader.u16(at + 2, self.order)?,
            count,
            at: value,
        })
    }

    fn find(&self, tag: TagNumber) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.tag == tag).copied()
    }

    /// Whether it has this tag.
    pub fn has(&self, tag: TagNumber) -> bool {
        self.find(tag).is_some()
    }

    /// The first value of a tag of any integer type; `None` when it has another type, is negative or is missing.
    ///
    /// # Errors
    /// When it is outside of the file.
    pub fn number<R: Read + Seek>(
        &self,
        reader: &mut ByteReader<R>,
        tag: TagNumber,
    ) -> Result<Option<u64>, Damage> {
        match self.find(tag).filter(|entry| entry.count > 0) {
            Some(entry) => {
                let at = self.values_offset(reader, &entry)?;
                self.value(reader, entry.kind, at)
            }
            None => Ok(None),
        }
    }

    /// The values of a tag, at most `max` of them; `None` when they are not integers or missing.
    ///
    /// # Errors
    /// When they are outside of the file, or more than `max`.
    pub fn numbers<R: Read + Seek>(
        &self,
        reader: &mut ByteReader<R>,
        tag: TagNumber,
        max: u64,
    ) -> Result<Option<Vec<u64>>, Damage> {
        let Some(entry) = self.find(tag) else { return Ok(None) };
        let Some(length) = length_of(entry.kind) else { return Ok(None) };
        if entry.count > max {
            return Err("a tag has too many values".into());
        }
        let at = self.values_offset(reader, &entry)?;
        if at.checked_add(entry.count * length).is_none_or(|end| end > self.block.end) {
            return Err("a tag lies outside of the file".into());
        }
        (0..entry.count).map(|number| self.value(reader, entry.kind, at + number * length)).collect()
    }

    /// The bytes of a tag, at most `max` of them; `None` when it is missing.
    ///
    /// # Errors
    /// When they are outside of the file, or more than `max`.
    pub fn bytes<R: Read + Seek>(
        &self,
        reader: &mut ByteReader<R>,
        tag: TagNumber,
        max: u64,
    ) -> Result<Option<Vec<u8>>, Damage> {
        let Some(entry) = self.find(tag) else { return Ok(None) };
        let at = self.values_offset(reader, &entry)?;
        let length = length_of(entry.kind).unwrap_or(1).saturating_mul(entry.count);
        let end = at.checked_add(length).ok_or("a tag lies outside of the file")?;
        reader.range(at..end, max).map(Some)
    }

    /// The offset of an entry's values.
    fn values_offset<R: Read + Seek>(
        &self,
        reader: &mut ByteReader<R>,
        entry: &Entry,
    ) -> Result<u64, Damage> {
        let room = match self.width {
            Width::Narrow => 4,
            Width::Wide => 8,
        };
        // Types without a length here are rationals.
        let length = length_of(entry.kind).unwrap_or(8).saturating_mul(entry.count);
        if length <= room {
            return Ok(entry.at);
        }
        let offset = match self.width {
            Width::Narrow => u64::from(reader.u32(entry.at, self.order)?),
            Width::Wide => reader.u64(entry.at, self.order)?,
        };
        self.block.start.checked_add(offset).ok_or("a tag lies outside of the file".into())
    }

    fn value<R: Read + Seek>(
        &self,
        reader: &mut ByteReader<R>,
        kind: u16,
        at: u64,
    ) -> Result<Option<u64>, Damage> {
        Ok(match kind {
            1 | 2 | 7 => Some(u64::from(reader.u8(at)?)),
            6 => u64::try_from(reader.u8(at)?.cast_signed()).ok(),
            SHORT => Some(u64::from(reader.u16(at, self.order)?)),
            8 => u64::try_from(reader.u16(at, self.order)?.cast_signed()).ok(),
            4 | 13 => Some(u64::from(reader.u32(at, self.order)?)),
            9 => u64::try_from(reader.u32(at, self.order)?.cast_signed()).ok(),
            16 | 18 => Some(reader.u64(at, self.order)?),
            17 => u64::try_from(reader.u64(at, self.order)?.cast_signed()).ok(),
            _ => None,
        })
    }
}

/// The length of a value of an integer type, in bytes.
fn length_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        SHORT | 8 => Some(2),
        4 | 9 | 13 => Some(4),
        16..=18 => Some(8),
        _ => None,
    }
}

/// The geometry of a TIFF's first picture. The orientation may have any integer type.
///
/// # Errors
/// When the file has no such picture.
pub fn geometry<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<Geometry, Damage> {
    let whole = 0..reader.length();
    let directory = Directory::first(reader, whole)?;
    let mut dimension = |tag| {
        let value = directory.number(reader, tag)?.and_then(|value| u32::try_from(value).ok());
        value.ok_or(Damage::from("its dimensions are missing"))
    };
    let size = Dimensions { width: dimension(IMAGE_WIDTH)?, height: dimension(IMAGE_LENGTH)? };
    if ![STRIP_OFFSETS, TILE_OFFSETS, OLD_JPEG].into_iter().any(|tag| directory.has(tag)) {
        return Err("it has no picture in it".into());
    }
    Ok(size.oriented(orientation(directory.number(reader, ORIENTATION)?)))
}

/// The orientation in an EXIF block. As in browsers, only a single SHORT counts, and an unreadable block has none.
pub fn exif_orientation<R: Read + Seek>(reader: &mut ByteReader<R>, block: Range<u64>) -> Orientation {
    let declared = Directory::first(reader, block).ok().and_then(|directory| {
        let entry = directory.find(ORIENTATION).filter(|entry| entry.kind == SHORT && entry.count == 1)?;
        directory.value(reader, entry.kind, entry.at).ok()?
    });
    orientation(declared)
}

fn orientation(value: Option<u64>) -> Orientation {
    value
        .and_then(|value| u8::try_from(value).ok())
        .and_then(Orientation::from_exif)
        .unwrap_or(Orientation::NoTransforms)
}
