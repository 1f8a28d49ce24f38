//! Decodes what is only decoded as a whole: GIF (its first frame), WebP, BMP, and the TIFFs that [`super::tiff`]
//! leaves.

use std::fs::File;
use std::io::{BufReader, Seek};

use image::error::ImageError;
use image::{ColorType, ImageDecoder, ImageFormat, ImageReader};

use super::canvas::Layout;
use super::colour::Profile;
use super::reducer::{Reducer, within_memory};
use super::size::{Size, Wanted, upright};
use super::{Decoded, Failure, Limits, within_pixels};

pub(super) fn decode(
    source: &File,
    format: ImageFormat,
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Decoded, Failure> {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let mut reader = ImageReader::with_format(reader, format);
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.memory / 2);
    reader.limits(decoder_limits);
    let mut decoder = reader.into_decoder()?;

    let (width, height) = decoder.dimensions();
    within_pixels(width, height, limits)?;
    within_memory(decoder.total_bytes(), limits)?;
    let stored = Size::new(width, height);
    let orientation = decoder.orientation()?;
    let profile = decoder.icc_profile()?.as_deref().and_then(Profile::parse);
    let (layout, bytes) = layout(decoder.color_type())?;
    let target = upright(wanted.scaled(upright(stored, orientation)), orientation);
    let mut reducer = Reducer::new(layout, stored, target, limits)?;

    let length = usize::try_from(decoder.total_bytes()).map_err(Failure::damaged)?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels)?;
    for row in pixels.chunks_exact(layout.stride(width) * bytes) {
        match bytes {
            1 => reducer.push(row)?,
            _ => reducer.push(&high_bytes(row))?,
        }
    }
    Ok(Decoded { canvas: reducer.finish()?, stored, orientation, profile })
}

/// The channels, and the bytes of each.
fn layout(colours: ColorType) -> Result<(Layout, usize), Failure> {
    match colours {
        ColorType::L8 => Ok((Layout::Gray, 1)),
        ColorType::La8 => Ok((Layout::GrayAlpha, 1)),
        ColorType::Rgb8 => Ok((Layout::Rgb, 1)),
        ColorType::Rgba8 => Ok((Layout::Rgba, 1)),
        ColorType::L16 => Ok((Layout::Gray, 2)),
        ColorType::La16 => Ok((Layout::GrayAlpha, 2)),
        ColorType::Rgb16 => Ok((Layout::Rgb, 2)),
        ColorType::Rgba16 => Ok((Layout::Rgba, 2)),
        _ => Err(Failure::Unsupported("its numbers are fractions".into())),
    }
}

/// 16 bits to 8, in the machine's byte order, which is what decoders of 16 bits give.
fn high_bytes(row: &[u8]) -> Vec<u8> {
    row.as_chunks().0.iter().map(|pair| u16::from_ne_bytes(*pair).to_be_bytes()[0]).collect()
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(error) => Self::Unsupported(error.to_string()),
            ImageError::Limits(_) => Self::TooLarge("it needs more memory than is allowed".into()),
            ImageError::IoError(error) => error.into(),
            ImageError::Decoding(_) | ImageError::Encoding(_) | ImageError::Parameter(_) => {
                Self::damaged(error)
            }
        }
    }
}
