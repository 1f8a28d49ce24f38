//! The properties of a TIFF's pixels, from its first directory.

use std::fs::File;

use crate::pictures::colour::MAX_PROFILE_BYTES;
use crate::pictures::media::reader::{ByteOrder, ByteReader, Damage};
use crate::pictures::media::tiff::{
    Directory, IMAGE_LENGTH, IMAGE_WIDTH, OLD_JPEG, STRIP_OFFSETS, TILE_OFFSETS, TagNumber,
};
use crate::pictures::resize::PixelSize;
use crate::pictures::{Failure, unsupported};

const BITS_PER_SAMPLE: TagNumber = 258;
const COMPRESSION: TagNumber = 259;
const PHOTOMETRIC: TagNumber = 262;
const FILL_ORDER: TagNumber = 266;
const SAMPLES_PER_PIXEL: TagNumber = 277;
const ROWS_PER_STRIP: TagNumber = 278;
const STRIP_BYTE_COUNTS: TagNumber = 279;
const PLANAR_CONFIGURATION: TagNumber = 284;
const T4_OPTIONS: TagNumber = 292;
const PREDICTOR: TagNumber = 317;
const COLOR_MAP: TagNumber = 320;
const TILE_WIDTH: TagNumber = 322;
const TILE_LENGTH: TagNumber = 323;
const TILE_BYTE_COUNTS: TagNumber = 325;
const INK_SET: TagNumber = 332;
const EXTRA_SAMPLES: TagNumber = 338;
const SAMPLE_FORMAT: TagNumber = 339;
const JPEG_TABLES: TagNumber = 347;
const YCBCR_SUBSAMPLING: TagNumber = 530;
const ICC_PROFILE: TagNumber = 34_675;

/// The most strips or tiles: more than any picture within the limits has, unless each is tiny.
const MAX_PARTS: u64 = 1 << 20;
/// The most samples per pixel. More are used only for scientific data.
const MAX_SAMPLES: u64 = 64;
/// The largest JPEG tables that the strips share, in bytes.
const MAX_TABLE_BYTES: u64 = 1 << 20;

/// How a strip or tile is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    /// Modified Huffman: one-dimensional rows, each starting at a byte.
    FaxRows,
    /// Group 3, one- or two-dimensional.
    Fax3 {
        is_two_dimensional: bool,
    },
    Fax4,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

/// What the samples of a pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Gray { is_inverted: bool },
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
    Lab { is_signed: bool },
}

impl Colours {
    /// The number of colour samples.
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::Gray { .. } | Self::Palette => 1,
            Self::Rgb | Self::YCbCr | Self::Lab { .. } => 3,
            Self::Cmyk => 4,
        }
    }
}

/// The number format of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleFormat {
    Unsigned,
    Signed,
    Float,
}

/// The alpha sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alpha {
    /// The index of the sample.
    pub(super) channel: usize,
    /// Whether the colours are premultiplied.
    pub(super) is_premultiplied: bool,
}

/// The header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) size: PixelSize,
    pub(super) order: ByteOrder,
    pub(super) compression: Compression,
    /// Whether the least significant bit of a byte comes first.
    pub(super) is_lsb_first: bool,
    /// Whether each sample is stored as the difference from the one to the left.
    pub(super) predictor: Predictor,
    pub(super) bits: u32,
    pub(super) sample_format: SampleFormat,
    pub(super) samples: usize,
    pub(super) is_planar: bool,
    pub(super) colours: Colours,
    pub(super) alpha: Option<Alpha>,
    /// How many pixels across and down share their chroma.
    pub(super) subsampling: (u32, u32),
    /// The size of a strip or tile.
    pub(super) chunk: PixelSize,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    /// Red, green and blue of each index.
    pub(super) palette: Vec<[u8; 3]>,
    /// The JPEG tables that all strips share.
    pub(super) tables: Vec<u8>,
    pub(super) profile: Option<Vec<u8>>,
}

/// How samples are stored as differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    Horizontal,
    Float,
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Self::damaged(damage)
    }
}

/// A directory and a reader of its file.
struct Tags<'a> {
    reader: ByteReader<&'a File>,
    directory: Directory,
}

impl Tags<'_> {
    fn number(&mut self, tag: TagNumber, default: u64) -> Result<u64, Failure> {
        Ok(self.directory.number(&mut self.reader, tag)?.unwrap_or(default))
    }

    fn numbers(&mut self, tag: TagNumber, max: u64) -> Result<Vec<u64>, Failure> {
        Ok(self.directory.numbers(&mut self.reader, tag, max)?.unwrap_or_default())
    }

    fn edge(&mut self, tag: TagNumber) -> Result<u32, Failure> {
        let edge = u32::try_from(self.number(tag, 0)?).ok().filter(|edge| *edge > 0);
        edge.ok_or_else(|| Failure::damaged("its parts have no size"))
    }

    fn compression(&mut self) -> Result<Compression, Failure> {
        if self.directory.has(OLD_JPEG) && !self.directory.has(STRIP_OFFSETS) {
            return Err(unsupported("a TIFF of the old kind of JPEG"));
        }
        Ok(match self.number(COMPRESSION, 1)? {
            1 => Compression::None,
            2 => Compression::FaxRows,
            3 => Compression::Fax3 { is_two_dimensional: self.number(T4_OPTIONS, 0)? & 1 == 1 },
            4 => Compression::Fax4,
            5 => Compression::Lzw,
            6 => return Err(unsupported("a TIFF of the old kind of JPEG")),
            7 => Compression::Jpeg,
            8 | 32_946 => Compression::Deflate,
            32_773 => Compression::PackBits,
            34_712 => return Err(unsupported("a TIFF compressed with JPEG 2000")),
            34_925 => return Err(unsupported("a TIFF compressed with LZMA")),
            50_000 => return Err(unsupported("a TIFF compressed with Zstandard")),
            50_001 => return Err(unsupported("a TIFF compressed with WebP")),
            other => return Err(unsupported(format!("a TIFF with compression {other}"))),
        })
    }

    fn colours(&mut self, samples: usize) -> Result<Colours, Failure> {
        let photometric = self.directory.number(&mut self.reader, PHOTOMETRIC)?;
        Ok(match photometric {
            Some(0) => Colours::Gray { is_inverted: true },
            // Raw data and undeclared colours are recognised by their number of samples.
            Some(2) => Colours::Rgb,
            Some(34_892) | None if samples >= 3 => Colours::Rgb,
            Some(1 | 4 | 34_892) | None => Colours::Gray { is_inverted: false },
            Some(3) => Colours::Palette,
            Some(5) if self.number(INK_SET, 1)? == 1 => Colours::Cmyk,
            Some(5) => return Err(unsupported("a TIFF of special inks")),
            Some(6) => Colours::YCbCr,
            Some(8) => Colours::Lab { is_signed: true },
            Some(9) => Colours::Lab { is_signed: false },
            Some(32_803) => return Err(unsupported("a TIFF of raw camera data")),
            Some(other) => return Err(unsupported(format!("a TIFF of colour type {other}"))),
        })
    }

    fn alpha(&mut self, colours: Colours, samples: usize) -> Result<Option<Alpha>, Failure> {
        let first = colours.channels();
        let extra = self.numbers(EXTRA_SAMPLES, MAX_SAMPLES)?;
        let alpha = extra.iter().position(|kind| matches!(kind, 1 | 2)).and_then(|position| {
            let channel = first + position;
            (channel < samples)
                .then_some(Alpha { channel, is_premultiplied: extra.get(position) == Some(&1) })
        });
        // Some programs write alpha as an undeclared fourth sample.
        let is_undeclared = extra.is_empty() && colours == Colours::Rgb && samples == 4;
        Ok(alpha.or(is_undeclared.then_some(Alpha { channel: 3, is_premultiplied: false })))
    }

    fn sample_format(&mut self) -> Result<SampleFormat, Failure> {
        match self.number(SAMPLE_FORMAT, 1)? {
            2 => Ok(SampleFormat::Signed),
            3 => Ok(SampleFormat::Float),
            5 | 6 => Err(unsupported("a TIFF of complex numbers")),
            _ => Ok(SampleFormat::Unsigned),
        }
    }

    fn predictor(&mut self, compression: Compression) -> Result<Predictor, Failure> {
        match (compression, self.number(PREDICTOR, 1)?) {
            (Compression::Lzw | Compression::Deflate, 2) => Ok(Predictor::Horizontal),
            (Compression::Lzw | Compression::Deflate, 3) => Ok(Predictor::Float),
            (
                Compression::None
                | Compression::FaxRows
                | Compression::Fax3 { .. }
                | Compression::Fax4
                | Compression::Lzw
                | Compression::Jpeg
                | Compression::Deflate
                | Compression::PackBits,
                _,
            ) => Ok(Predictor::None),
        }
    }

    fn bits(&mut self, samples: usize) -> Result<u32, Failure> {
        let mut bits = self.numbers(BITS_PER_SAMPLE, MAX_SAMPLES)?;
        bits.truncate(samples);
        let first = bits.first().copied().unwrap_or(1);
        if bits.iter().any(|bits| *bits != first) {
            return Err(unsupported("a TIFF whose samples differ in size"));
        }
        u32::try_from(first)
            .ok()
            .filter(|bits| (1..=64).contains(bits))
            .ok_or_else(|| Failure::damaged("the size of its samples is wrong"))
    }

    /// Reads 16-bit values: all reds, then greens, then blues. Some programs write 8-bit values.
    fn palette(&mut self, bits: u32) -> Result<Vec<[u8; 3]>, Failure> {
        if bits > 16 {
            return Err(Failure::damaged("its palette is too large"));
        }
        let colours = 1usize << bits;
        let values = self.numbers(COLOR_MAP, 3 << bits)?;
        if values.len() != 3 * colours {
            return Err(Failure::damaged("it has no palette"));
        }
        let is_narrow = values.iter().all(|value| *value < 256);
        let byte = |value: u64| {
            let value = if is_narrow { value } else { value >> 8 };
            u8::try_from(value).unwrap_or(u8::MAX)
        };
        let (red, rest) = values.split_at(colours);
        let (green, blue) = rest.split_at(colours);
        let colours = red.iter().zip(green).zip(blue);
        Ok(colours.map(|((red, green), blue)| [byte(*red), byte(*green), byte(*blue)]).collect())
    }

    /// The size of a chunk, and the offset and length of each.
    fn chunks(&mut self, size: PixelSize) -> Result<(PixelSize, Vec<u64>, Vec<u64>), Failure> {
        if self.directory.has(TILE_OFFSETS) || self.directory.has(TILE_WIDTH) {
            let chunk = PixelSize { width: self.edge(TILE_WIDTH)?, height: self.edge(TILE_LENGTH)? };
            let tag = if self.directory.has(TILE_OFFSETS) { TILE_OFFSETS } else { STRIP_OFFSETS };
            let lengths =
                if self.directory.has(TILE_BYTE_COUNTS) { TILE_BYTE_COUNTS } else { STRIP_BYTE_COUNTS };
            return Ok((chunk, self.numbers(tag, MAX_PARTS)?, self.numbers(lengths, MAX_PARTS)?));
        }
        // A single strip often declares a huge number of rows.
        let rows = self.number(ROWS_PER_STRIP, u64::MAX)?.min(u64::from(size.height));
        let height = u32::try_from(rows).unwrap_or(size.height);
        let height = if height == 0 { size.height } else { height };
        let chunk = PixelSize { width: size.width, height };
        let offsets = self.numbers(STRIP_OFFSETS, MAX_PARTS)?;
        Ok((chunk, offsets, self.numbers(STRIP_BYTE_COUNTS, MAX_PARTS)?))
    }

    fn subsampling(&mut self, colours: Colours, compression: Compression) -> Result<(u32, u32), Failure> {
        // The JPEG decoder upsamples it itself.
        if colours != Colours::YCbCr || compression == Compression::Jpeg {
            return Ok((1, 1));
        }
        let factors = self.numbers(YCBCR_SUBSAMPLING, 2)?;
        match (factors.first().copied().unwrap_or(2), factors.get(1).copied().unwrap_or(2)) {
            (across @ (1 | 2 | 4), down @ (1 | 2 | 4)) => {
                Ok((u32::try_from(across).unwrap_or(1), u32::try_from(down).unwrap_or(1)))
            }
            _ => Err(Failure::damaged("its chroma subsampling is invalid")),
        }
    }
}

impl Header {
    /// Reads the header.
    pub(super) fn read(file: &File) -> Result<Self, Failure> {
        let mut reader = ByteReader::new(file)?;
        let whole = 0..reader.length();
        let directory = Directory::first(&mut reader, whole)?;
        let mut tags = Tags { reader, directory };
        let size = PixelSize { width: tags.edge(IMAGE_WIDTH)?, height: tags.edge(IMAGE_LENGTH)? };
        let compression = tags.compression()?;
        let samples = tags.number(SAMPLES_PER_PIXEL, 1)?;
        let samples = usize::try_from(samples)
            .ok()
            .filter(|samples| (1..=64).contains(samples))
            .ok_or_else(|| unsupported(format!("a TIFF of {samples} samples a pixel")))?;
        let colours = tags.colours(samples)?;
        if samples < colours.channels() {
            return Err(Failure::damaged("it has fewer samples than colours"));
        }
        let bits = tags.bits(samples)?;
        let (chunk, offsets, lengths) = tags.chunks(size)?;
        let max = MAX_PROFILE_BYTES as u64;
        Ok(Self {
            size,
            order: tags.directory.order,
            compression,
            is_lsb_first: tags.number(FILL_ORDER, 1)? == 2,
            predictor: tags.predictor(compression)?,
            bits,
            sample_format: tags.sample_format()?,
            samples,
            is_planar: samples > 1 && tags.number(PLANAR_CONFIGURATION, 1)? == 2,
            colours,
            alpha: tags.alpha(colours, samples)?,
            subsampling: tags.subsampling(colours, compression)?,
            chunk,
            offsets,
            lengths,
            palette: if colours == Colours::Palette { tags.palette(bits)? } else { Vec::new() },
            tables: tags.directory.bytes(&mut tags.reader, JPEG_TABLES, MAX_TABLE_BYTES)?.unwrap_or_default(),
            // An unreadable profile is ignored.
            profile: tags.directory.bytes(&mut tags.reader, ICC_PROFILE, max).ok().flatten(),
        })
    }

    /// The number of strips or tiles per plane.
    pub(super) fn chunks_per_plane(&self) -> u64 {
        let across = self.size.width.div_ceil(self.chunk.width);
        let down = self.size.height.div_ceil(self.chunk.height);
        u64::from(across) * u64::from(down)
    }

    /// The offset and length of a strip or tile. Without a length, it extends to the end of the file.
    pub(super) fn chunk_range(&self, number: u64) -> Result<(u64, u64), Failure> {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let offset = self.offsets.get(number).copied();
        let offset = offset.ok_or_else(|| Failure::damaged("one of its parts is missing"))?;
        let length = self.lengths.get(number).copied().filter(|length| *length > 0);
        Ok((offset, length.unwrap_or(u64::MAX)))
    }

    /// The number of interleaved samples in a row of a chunk.
    pub(super) fn samples_per_row(&self) -> usize {
        let interleaved = if self.is_planar { 1 } else { self.samples };
        self.chunk.width as usize * interleaved
    }
}
