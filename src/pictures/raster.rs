//! Decodes WebP, which can only be decoded as a whole. A truncated file is padded with zeros, so that its existing part is
//! shown.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use image::error::ImageError;
use image::{ColorType, ImageDecoder, ImageFormat, ImageReader};

use super::canvas::ChannelLayout;
use super::colour::Profile;
use super::downscale::{Downscaler, within_memory};
use super::resize::ResizeSpec;
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure, unsupported};

pub(super) fn decode(
    source: &File,
    format: ImageFormat,
    geometry: &CheckedGeometry,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let reader = BufReader::with_capacity(64 << 10, Padded::new(source, limits)?);
    let mut reader = ImageReader::with_format(reader, format);
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.memory / 2);
    reader.limits(decoder_limits);
    let mut decoder = reader.into_decoder()?;

    let (width, height) = decoder.dimensions();
    geometry.expect(width, height)?;
    within_memory(decoder.total_bytes(), limits)?;
    let profile = decoder.icc_profile()?.as_deref().and_then(Profile::parse);
    let (layout, bytes) = layout(decoder.color_type())?;
    let mut downscaler = Downscaler::new(layout, geometry.stored, geometry.target(resize), limits)?;

    let length = usize::try_from(decoder.total_bytes()).map_err(Failure::damaged)?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels)?;
    for row in pixels.chunks_exact(layout.stride(width) * bytes) {
        match bytes {
            1 => downscaler.push(row)?,
            _ => downscaler.push(&high_bytes(row))?,
        }
    }
    Ok(geometry.decoded(downscaler.finish()?, profile))
}

/// A file padded with zeros to its declared length.
struct Padded<'a> {
    file: &'a File,
    at: u64,
    actual: u64,
    length: u64,
}

impl<'a> Padded<'a> {
    fn new(file: &'a File, limits: &DecodeLimits) -> Result<Self, Failure> {
        let actual = file.metadata()?.len();
        let mut declared = [0; 4];
        file.read_exact_at(&mut declared, 4)?;
        let declared = u64::from(u32::from_le_bytes(declared)) + 8;
        // The decoder holds the padding in memory.
        let is_padded = declared > actual && declared - actual <= limits.memory / 4;
        Ok(Self { file, at: 0, actual, length: if is_padded { declared } else { actual } })
    }
}

impl Read for Padded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = if self.at < self.actual {
            self.file.read_at(buffer, self.at)?
        } else {
            let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
            let zeros = buffer.len().min(left);
            buffer.get_mut(..zeros).unwrap_or_default().fill(0);
            zeros
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Padded<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The channel layout, and the bytes per channel.
fn layout(colours: ColorType) -> Result<(ChannelLayout, usize), Failure> {
    match colours {
        ColorType::L8 => Ok((ChannelLayout::Gray, 1)),
        ColorType::La8 => Ok((ChannelLayout::GrayAlpha, 1)),
        ColorType::Rgb8 => Ok((ChannelLayout::Rgb, 1)),
        ColorType::Rgba8 => Ok((ChannelLayout::Rgba, 1)),
        ColorType::L16 => Ok((ChannelLayout::Gray, 2)),
        ColorType::La16 => Ok((ChannelLayout::GrayAlpha, 2)),
        ColorType::Rgb16 => Ok((ChannelLayout::Rgb, 2)),
        ColorType::Rgba16 => Ok((ChannelLayout::Rgba, 2)),
        _ => Err(unsupported("floating-point samples")),
    }
}

/// Converts 16 bits to 8, from the machine's byte order, which decoders use.
fn high_bytes(row: &[u8]) -> Vec<u8> {
    row.as_chunks().0.iter().map(|pair| u16::from_ne_bytes(*pair).to_be_bytes()[0]).collect()
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(_) => unsupported("this kind of its format"),
            ImageError::Limits(_) => Self::TooLarge("it needs more memory than is allowed".into()),
            ImageError::IoError(error) => error.into(),
            ImageError::Decoding(_) | ImageError::Encoding(_) | ImageError::Parameter(_) => {
                Self::damaged("its pixels can't be decoded")
            }
        }
    }
}
