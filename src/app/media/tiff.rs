//! The first directory of a TIFF: its dimensions and its orientation. EXIF, in whatever file it stands, is a TIFF.

use std::io::{Read, Seek};

use super::source::{Damage, Order, Source};
use super::{MOST_PARTS, Size};

const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const TILE_OFFSETS: u16 = 324;

const SHORT: u16 = 3;
const LONG: u16 = 4;
const LONG8: u16 = 16;

/// What the first directory says.
#[derive(Debug, Default)]
struct Directory {
    width: Option<u64>,
    height: Option<u64>,
    orientation: Option<u64>,
    has_pixels: bool,
}

/// How wide the numbers of a file are: those of a TIFF are 32 bits, of a `BigTIFF` 64 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    Narrow,
    Wide,
}

/// The dimensions of a TIFF's first picture, with its orientation applied.
///
/// # Errors
/// When the file has no such picture.
pub fn size<R: Read + Seek>(source: &mut Source<R>) -> Result<Size, Damage> {
    let directory = first_directory(source, 0)?;
    let dimension = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok());
    let (Some(width), Some(height)) = (dimension(directory.width), dimension(directory.height)) else {
        return Err("its dimensions are missing".into());
    };
    if !directory.has_pixels {
        return Err("it has no picture in it".into());
    }
    Ok(Size { width, height }.turned_if(lies_on_its_side(directory.orientation)))
}

/// Whether the EXIF block at a place says that the picture lies on its side. One that can't be read says nothing,
/// as viewers have it.
pub fn exif_turns<R: Read + Seek>(source: &mut Source<R>, start: u64) -> bool {
    first_directory(source, start).is_ok_and(|directory| lies_on_its_side(directory.orientation))
}

/// The orientations 5 to 8 are those that swap rows and columns.
fn lies_on_its_side(orientation: Option<u64>) -> bool {
    matches!(orientation, Some(5..=8))
}

fn first_directory<R: Read + Seek>(source: &mut Source<R>, start: u64) -> Result<Directory, Damage> {
    let order = match &source.bytes(start)? {
        b"II" => Order::Little,
        b"MM" => Order::Big,
        _ => return Err("its header is wrong".into()),
    };
    let place = |offset: u64| start.checked_add(offset).ok_or(Damage::from("its header is wrong"));
    let (width, directory) = match source.u16(place(2)?, order)? {
        42 => (Width::Narrow, u64::from(source.u32(place(4)?, order)?)),
        43 => (Width::Wide, source.u64(place(8)?, order)?),
        _ => return Err("its header is wrong".into()),
    };
    let directory = place(directory)?;
    let (entries, first, entry_length) = match width {
        Width::Narrow => (u64::from(source.u16(directory, order)?), 2, 12),
        Width::Wide => (source.u64(directory, order)?, 8, 20),
    };
    let mut found = Directory::default();
    for number in 0..entries.min(MOST_PARTS as u64) {
        let Some(entry) = directory.checked_add(first + number * entry_length) else { break };
        // A directory that says it is longer than the file still has the entries that are there.
        let Ok(tag) = source.u16(entry, order) else { break };
        match tag {
            IMAGE_WIDTH => found.width = value(source, entry, width, order)?,
            IMAGE_LENGTH => found.height = value(source, entry, width, order)?,
            ORIENTATION => found.orientation = value(source, entry, width, order)?,
            STRIP_OFFSETS | TILE_OFFSETS => found.has_pixels = true,
            _ => {}
        }
    }
    Ok(found)
}

/// The value of an entry that holds one whole number.
fn value<R: Read + Seek>(
    source: &mut Source<R>,
    entry: u64,
    width: Width,
    order: Order,
) -> Result<Option<u64>, Damage> {
    let at = match width {
        Width::Narrow => entry + 8,
        Width::Wide => entry + 12,
    };
    Ok(match source.u16(entry + 2, order)? {
        SHORT => Some(u64::from(source.u16(at, order)?)),
        LONG => Some(u64::from(source.u32(at, order)?)),
        LONG8 if width == Width::Wide => Some(source.u64(at, order)?),
        _ => None,
    })
}
