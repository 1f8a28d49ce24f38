//! Decodes BMP row by row, top-down or bottom-up. Only run-length encoded pictures are held as a whole, as palette indexes,
//! because their rows have no fixed offsets.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::canvas::ChannelLayout;
use super::downscale::{Downscaler, within_memory};
use super::resize::ResizeSpec;
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure, unsupported};

/// The length of both headers and the masks.
const HEAD: usize = 14 + 124;
/// Marks a pixel that no run reaches.
const UNSET: u16 = 256;

/// How pixels are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Palette,
    Masks,
    /// Run-length encoded indexes of this many bits.
    Runs(u32),
}

/// The headers.
struct Header {
    /// The offset of the pixels.
    pixels_at: u64,
    bits: u32,
    coding: Coding,
    is_top_down: bool,
    /// Red, green, blue, alpha; 0 for no alpha.
    masks: [u32; 4],
    palette: Vec<[u8; 3]>,
}

pub(super) fn decode(
    source: &File,
    geometry: &CheckedGeometry,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let header = Header::read(source)?;
    let size = geometry.stored;
    let layout = if header.masks[3] == 0 { ChannelLayout::Rgb } else { ChannelLayout::Rgba };
    let mut downscaler = Downscaler::new(layout, size, geometry.target(resize), limits)?;
    let (width, height) = (size.width as usize, size.height as usize);
    let mut row = Vec::with_capacity(layout.stride(size.width));
    if let Coding::Runs(bits) = header.coding {
        within_memory(size.pixels() * 2, limits)?;
        let mut reader = BufReader::with_capacity(64 << 10, source);
        reader.seek(SeekFrom::Start(header.pixels_at))?;
        let mut numbers = vec![UNSET; width * height];
        runs(&mut reader, bits, width, &mut numbers);
        for numbers in numbers.chunks_exact(width).rev() {
            row.clear();
            row.extend(numbers.iter().flat_map(|number| header.colour((*number).into())));
            downscaler.push(&row)?;
        }
        return Ok(geometry.decoded(downscaler.finish()?, None));
    }
    let stride = (width as u64 * u64::from(header.bits)).div_ceil(32) * 4;
    let mut packed = vec![0; usize::try_from(stride).map_err(|_| Failure::damaged("it is too wide"))?];
    let mut rows_missing = 0;
    for number in 0..height as u64 {
        let number = if header.is_top_down { number } else { height as u64 - 1 - number };
        row.clear();
        if read_row(source, &mut packed, header.pixels_at + number * stride)? {
            header.unpack(&packed, width, &mut row);
        } else {
            rows_missing += 1;
            row.resize(layout.stride(size.width), if layout.has_alpha() { 0 } else { 255 });
        }
        downscaler.push(&row)?;
    }
    if rows_missing == height {
        return Err(Failure::damaged("it ends before its first row"));
    }
    Ok(geometry.decoded(downscaler.finish()?, None))
}

/// Reads a row; false when the file ends first.
fn read_row(source: &File, row: &mut [u8], at: u64) -> Result<bool, Failure> {
    match source.read_exact_at(row, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Header {
    fn read(source: &File) -> Result<Self, Failure> {
        let mut head = Vec::with_capacity(HEAD);
        let mut file = source;
        file.rewind()?;
        file.take(HEAD as u64).read_to_end(&mut head)?;
        let long = |at: usize| {
            let bytes = head.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
            u32::from_le_bytes(bytes)
        };
        let short = |at: usize| long(at) & 0xffff;
        let length = long(14);
        let is_old = length == 12;
        let bits = short(if is_old { 24 } else { 28 });
        let compression = if length >= 20 { long(30) } else { 0 };
        let coding = match (compression, bits) {
            (0, 1 | 2 | 4 | 8) => Coding::Palette,
            (0, 16 | 24 | 32) | (3 | 6, 16 | 32) => Coding::Masks,
            (1, 8) | (2, 4) => Coding::Runs(bits),
            (3 | 4, _) if length == 64 => return Err(unsupported("a BMP of an old system")),
            (4 | 5, _) => return Err(unsupported("a BMP that holds a JPEG or a PNG")),
            (0..=6, _) => return Err(Failure::damaged(format!("it has {bits} bits a pixel"))),
            _ => return Err(unsupported("a BMP of an unknown compression")),
        };
        let has_masks = compression == 3 || compression == 6;
        let mut masks = match (bits, has_masks) {
            (_, true) => [long(54), long(58), long(62), 0],
            (16, false) => [0x7c00, 0x3e0, 0x1f, 0],
            (_, false) => [0xff_0000, 0xff00, 0xff, 0],
        };
        // Newer headers always have a mask for alpha.
        if coding == Coding::Masks && bits != 24 && (length >= 56 || compression == 6) {
            masks[3] = long(66);
        }
        let after = 14 + u64::from(length);
        let after_masks = if length == 40 && has_masks { if compression == 6 { 16 } else { 12 } } else { 0 };
        let is_top_down = !is_old && long(22).cast_signed() < 0;
        let palette = match coding {
            Coding::Masks => Vec::new(),
            Coding::Palette | Coding::Runs(_) => {
                let declared = if length >= 36 { long(46) } else { 0 };
                palette(source, after + after_masks, bits, declared, is_old)?
            }
        };
        Ok(Self { pixels_at: long(10).into(), bits, coding, is_top_down, masks, palette })
    }

    /// The colour of an index; black where the palette has no such entry.
    fn colour(&self, number: u32) -> [u8; 3] {
        self.palette.get(number as usize).copied().unwrap_or_default()
    }

    fn unpack(&self, packed: &[u8], width: usize, row: &mut Vec<u8>) {
        match self.bits {
            24 => {
                let pixels = packed.as_chunks::<3>().0.iter().take(width);
                row.extend(pixels.flat_map(|[blue, green, red]| [*red, *green, *blue]));
            }
            16 => {
                for pixel in packed.as_chunks::<2>().0.iter().take(width) {
                    self.push_masked(u32::from(u16::from_le_bytes(*pixel)), row);
                }
            }
            32 => {
                for pixel in packed.as_chunks::<4>().0.iter().take(width) {
                    self.push_masked(u32::from_le_bytes(*pixel), row);
                }
            }
            bits => {
                let shifts = (0..8 / bits).rev().map(|place| place * bits);
                let numbers = packed.iter().flat_map(|byte| {
                    shifts.clone().map(move |shift| u32::from(*byte) >> shift & ((1 << bits) - 1))
                });
                row.extend(numbers.take(width).flat_map(|number| self.colour(number)));
            }
        }
    }

    fn push_masked(&self, pixel: u32, row: &mut Vec<u8>) {
        let [red, green, blue, alpha] = self.masks;
        row.extend([red, green, blue].map(|mask| masked(pixel, mask)));
        if alpha != 0 {
            row.push(masked(pixel, alpha));
        }
    }
}

/// The masked value, scaled to 255.
fn masked(pixel: u32, mask: u32) -> u8 {
    if mask == 0 {
        return 0;
    }
    let shift = mask.trailing_zeros();
    let largest = u64::from(mask >> shift);
    let value = u64::from((pixel & mask) >> shift);
    u8::try_from((value * 255 + largest / 2) / largest).unwrap_or(u8::MAX)
}

/// Reads the palette, stored as blue, green, red. It may be incomplete.
fn palette(source: &File, at: u64, bits: u32, declared: u32, is_old: bool) -> Result<Vec<[u8; 3]>, Failure> {
    let max = 1 << bits;
    let count = if declared == 0 { max } else { declared.min(max) };
    let length = if is_old { 3 } else { 4 };
    let mut bytes = Vec::new();
    let mut file = source;
    file.seek(SeekFrom::Start(at))?;
    file.take(u64::from(count) * length).read_to_end(&mut bytes)?;
    let colours = bytes.chunks_exact(usize::try_from(length).unwrap_or(4));
    Ok(colours
        .filter_map(|colour| colour.first_chunk())
        .map(|[blue, green, red]| [*red, *green, *blue])
        .collect())
}

/// Decodes runs from the bottom row up, until they end or are unreadable.
fn runs(reader: &mut impl BufRead, bits: u32, width: usize, numbers: &mut [u16]) {
    let mut bytes = reader.bytes().map_while(Result::ok);
    let (mut column, mut line) = (0usize, 0usize);
    let mut put = |column: &mut usize, line: usize, number: u8| {
        if *column < width
            && let Some(place) = numbers.get_mut(line.saturating_mul(width).saturating_add(*column))
        {
            *place = number.into();
        }
        *column += 1;
    };
    // Two indexes of four bits each, or one of eight.
    let part = |byte: u8, place: usize| match (bits, place % 2) {
        (4, 0) => byte >> 4,
        (4, _) => byte & 15,
        _ => byte,
    };
    while let Some((count, value)) = bytes.next().zip(bytes.next()) {
        match (count, value) {
            (0, 0) => (column, line) = (0, line + 1),
            (0, 1) => return,
            (0, 2) => {
                let Some((right, up)) = bytes.next().zip(bytes.next()) else { return };
                (column, line) = (column + usize::from(right), line + usize::from(up));
            }
            (0, count) => {
                let count = usize::from(count);
                let length = if bits == 4 { count.div_ceil(2) } else { count };
                for place in 0..length {
                    let Some(byte) = bytes.next() else { return };
                    let in_a_byte = if bits == 4 { 2 } else { 1 };
                    for half in 0..in_a_byte.min(count - place * in_a_byte) {
                        put(&mut column, line, part(byte, half));
                    }
                }
                // Literal bytes are padded to an even length.
                if length % 2 == 1 && bytes.next().is_none() {
                    return;
                }
            }
            (count, value) => {
                for place in 0..usize::from(count) {
                    put(&mut column, line, part(value, place));
                }
            }
        }
    }
}
