//! Decodes TIFF by strips and rows of tiles, so that a scan of hundreds of megabytes takes the room of one of them.
//! Kinds that are stored in planes, or in fractions, go to [`super::raster`].

use std::fs::File;
use std::io::{BufReader, Seek};

use ::tiff::decoder::{Decoder, DecodingResult, Limits as DecoderLimits};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};
use image::ImageFormat;
use image::metadata::Orientation;

use super::canvas::Layout;
use super::colour::{LARGEST_PROFILE, Profile};
use super::reducer::{Reducer, within_memory};
use super::size::{Size, Wanted, upright};
use super::{Decoded, Failure, Limits, raster, within_pixels};

pub(super) fn decode(source: &File, wanted: &Wanted, limits: &Limits) -> Result<Decoded, Failure> {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let room = usize::try_from(limits.memory / 2).unwrap_or(usize::MAX);
    let mut decoder_limits = DecoderLimits::default();
    decoder_limits.decoding_buffer_size = room;
    decoder_limits.intermediate_buffer_size = room;
    decoder_limits.ifd_value_size = LARGEST_PROFILE;
    let mut decoder = Decoder::new(reader)?.with_limits(decoder_limits);

    let (width, height) = decoder.dimensions()?;
    within_pixels(width, height, limits)?;
    let stored = Size::new(width, height);
    let Some(kind) = kind(&mut decoder)? else {
        return raster::decode(source, ImageFormat::Tiff, wanted, limits);
    };
    let orientation = decoder
        .find_tag_unsigned::<u8>(Tag::Orientation)?
        .and_then(Orientation::from_exif)
        .unwrap_or(Orientation::NoTransforms);
    let profile = decoder.get_tag_u8_vec(Tag::IccProfile).ok().as_deref().and_then(Profile::parse);
    let target = upright(wanted.scaled(upright(stored, orientation)), orientation);
    let mut reducer = Reducer::new(kind.layout, stored, target, limits)?;
    push_chunks(&mut decoder, kind, stored, limits, &mut reducer)?;
    Ok(Decoded { canvas: reducer.finish()?, stored, orientation, profile })
}

/// How pixels are stored.
#[derive(Clone, Copy)]
struct Kind {
    layout: Layout,
    /// Bits of a sample.
    bits: u8,
    /// Whether red, green and blue are stored as brightness and two differences, as JPEG has them.
    is_ycc: bool,
}

/// The kind of a picture whose pixels lie one after the other; otherwise nothing.
fn kind(decoder: &mut Decoder<BufReader<&File>>) -> Result<Option<Kind>, Failure> {
    let in_planes = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration)?.is_some_and(|kind| kind != 1);
    let kinds = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat)?.unwrap_or_default();
    if in_planes || kinds.iter().any(|kind| *kind != 1) {
        return Ok(None);
    }
    let plain = |layout, bits| Some(Kind { layout, bits, is_ycc: false });
    Ok(match decoder.colortype()? {
        ColorType::Gray(bits @ (1 | 8 | 16)) => plain(Layout::Gray, bits),
        ColorType::GrayA(bits @ (8 | 16)) => plain(Layout::GrayAlpha, bits),
        ColorType::RGB(bits @ (8 | 16)) => plain(Layout::Rgb, bits),
        ColorType::RGBA(bits @ (8 | 16)) => plain(Layout::Rgba, bits),
        ColorType::CMYK(bits @ (8 | 16)) => plain(Layout::Cmyk, bits),
        ColorType::YCbCr(8) => Some(Kind { layout: Layout::Rgb, bits: 8, is_ycc: true }),
        _ => None,
    })
}

/// Reads a row of tiles, or a strip, after the other.
fn push_chunks(
    decoder: &mut Decoder<BufReader<&File>>,
    kind: Kind,
    stored: Size,
    limits: &Limits,
    reducer: &mut Reducer,
) -> Result<(), Failure> {
    let (chunk_width, chunk_height) = decoder.chunk_dimensions();
    if chunk_width == 0 || chunk_height == 0 {
        return Err(Failure::damaged("its parts have no size"));
    }
    let layout = kind.layout;
    let across = stored.width.div_ceil(chunk_width);
    let stride = layout.stride(stored.width);
    let chunk_row = layout.stride(chunk_width);
    let band_rows = chunk_height.min(stored.height);
    within_memory(stride as u64 * u64::from(band_rows) * 2, limits)?;
    within_memory(chunk_row as u64 * u64::from(chunk_height) * u64::from(kind.bits).div_ceil(8), limits)?;
    let mut band = vec![0; stride * band_rows as usize];
    for down in 0..stored.height.div_ceil(chunk_height) {
        let rows = band_rows.min(stored.height - down * chunk_height) as usize;
        for column in 0..across {
            let chunk = down * across + column;
            let (width, _) = decoder.chunk_data_dimensions(chunk);
            let bytes = samples(decoder.read_chunk(chunk)?, kind, layout.stride(width))?;
            let left = chunk_row * column as usize;
            for (row, part) in
                band.chunks_exact_mut(stride).zip(bytes.chunks_exact(layout.stride(width))).take(rows)
            {
                let place = row.get_mut(left..left + part.len());
                place.ok_or_else(|| Failure::damaged("a part hangs over"))?.copy_from_slice(part);
            }
        }
        reducer.push(band.get(..stride * rows).unwrap_or_default())?;
    }
    Ok(())
}

/// A byte a sample. Rows of single bits begin at a byte.
fn samples(chunk: DecodingResult, kind: Kind, stride: usize) -> Result<Vec<u8>, Failure> {
    match (chunk, kind.bits) {
        (DecodingResult::U8(bytes), 8) if kind.is_ycc => {
            Ok(bytes.as_chunks().0.iter().flat_map(|pixel| from_ycc(*pixel)).collect())
        }
        (DecodingResult::U8(bytes), 8) => Ok(bytes),
        (DecodingResult::U8(packed), 1) => {
            Ok(packed.chunks(stride.div_ceil(8)).flat_map(|row| unpacked(row, stride)).collect())
        }
        (DecodingResult::U16(words), _) => Ok(words.into_iter().map(|word| word.to_be_bytes()[0]).collect()),
        _ => Err(Failure::Unsupported("it is a TIFF of an unusual kind".into())),
    }
}

/// By the weights of ITU-R BT.601 and in full range, which is what the format defaults to.
fn from_ycc([brightness, blue, red]: [u8; 3]) -> [u8; 3] {
    let (brightness, blue, red) = (i32::from(brightness) << 16, i32::from(blue) - 128, i32::from(red) - 128);
    [brightness + 91_881 * red, brightness - 22_554 * blue - 46_802 * red, brightness + 116_130 * blue]
        .map(|light| u8::try_from(((light + (1 << 15)) >> 16).clamp(0, 255)).unwrap_or(u8::MAX))
}

fn unpacked(row: &[u8], count: usize) -> impl Iterator<Item = u8> + '_ {
    let bits =
        row.iter().flat_map(|byte| (0..8).rev().map(move |bit| if byte >> bit & 1 == 1 { 255 } else { 0 }));
    bits.take(count)
}

impl From<TiffError> for Failure {
    fn from(error: TiffError) -> Self {
        match error {
            TiffError::IoError(error) => error.into(),
            TiffError::UnsupportedError(error) => {
                Self::Unsupported(format!("it is a TIFF of an unusual kind: {error}"))
            }
            TiffError::LimitsExceeded => Self::TooLarge("it needs more memory than is allowed".into()),
            TiffError::FormatError(_) | TiffError::IntSizeError | TiffError::UsageError(_) => {
                Self::damaged(error)
            }
        }
    }
}
