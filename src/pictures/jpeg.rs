//! Decodes JPEG with libjpeg, row by row, at its smallest scale that is not below the requested size. That avoids most of
//! the work for a large photograph.

use std::fs::File;
use std::io::{BufReader, Seek};

use mozjpeg::{ColorSpace, Decompress};

use super::canvas::ChannelLayout;
use super::colour::Profile;
use super::downscale::Downscaler;
use super::jpeg_header::JpegHeader;
use super::resize::{PixelSize, ResizeSpec};
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure, unsupported};

/// Rows that are decoded at once.
const ROWS: usize = 16;

pub(super) fn decode(
    source: &File,
    geometry: &CheckedGeometry,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let jpeg_header = JpegHeader::read(source)?;
    jpeg_header.check(source, limits)?;

    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let mut header = Decompress::builder().from_reader(reader).map_err(undecodable)?;
    let stored = size(header.size())?;
    geometry.expect(stored.width, stored.height)?;
    let target = geometry.target(resize);
    header.scale(eighths(stored, target));
    let (layout, colours) = layout(header.color_space())?;
    let mut rows = header.to_colorspace(colours).map_err(undecodable)?;

    let scaled = size((rows.width(), rows.height()))?;
    let mut downscaler = Downscaler::new(layout, scaled, target, limits)?;
    let mut strip = vec![0u8; layout.stride(scaled.width) * ROWS];
    let mut left = scaled.height as usize;
    while left > 0 {
        let strip = strip.get_mut(..layout.stride(scaled.width) * left.min(ROWS)).unwrap_or_default();
        rows.read_scanlines_into(strip).map_err(undecodable)?;
        if layout == ChannelLayout::Cmyk && jpeg_header.adobe {
            for ink in strip.iter_mut() {
                *ink = 255 - *ink;
            }
        }
        downscaler.push(strip)?;
        left -= left.min(ROWS);
    }
    Ok(geometry.decoded(downscaler.finish()?, Profile::parse(&jpeg_header.profile())))
}

/// Distinguishes disk errors from damaged files. The library's messages about the latter are for programmers, so they are replaced.
fn undecodable(error: std::io::Error) -> Failure {
    if error.raw_os_error().is_some() {
        return error.into();
    }
    Failure::damaged("its pixels can't be decoded")
}

fn size((width, height): (usize, usize)) -> Result<PixelSize, Failure> {
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(width @ 1..), Ok(height @ 1..)) => Ok(PixelSize { width, height }),
        _ => Err(Failure::damaged("it has no width or no height")),
    }
}

/// The smallest scale that libjpeg decodes fast and that is not below the target, in eighths.
fn eighths(stored: PixelSize, target: PixelSize) -> u8 {
    [1, 2, 4]
        .into_iter()
        .find(|eighths| {
            let scaled = |edge: u32| (u64::from(edge) * u64::from(*eighths)).div_ceil(8);
            scaled(stored.width) >= u64::from(target.width)
                && scaled(stored.height) >= u64::from(target.height)
        })
        .unwrap_or(8)
}

fn layout(stored: ColorSpace) -> Result<(ChannelLayout, ColorSpace), Failure> {
    match stored {
        ColorSpace::JCS_GRAYSCALE => Ok((ChannelLayout::Gray, ColorSpace::JCS_GRAYSCALE)),
        ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK => Ok((ChannelLayout::Cmyk, ColorSpace::JCS_CMYK)),
        ColorSpace::JCS_RGB | ColorSpace::JCS_YCbCr => Ok((ChannelLayout::Rgb, ColorSpace::JCS_RGB)),
        _ => Err(unsupported("a JPEG of unknown colours")),
    }
}
