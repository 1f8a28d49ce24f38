//! Decodes JPEG by libjpeg, row by row, at the smallest of its scales that is not below what is wanted: most of the
//! work of a large photograph is then never done.

use std::fs::File;
use std::io::{BufReader, Seek};

use mozjpeg::{ColorSpace, Decompress};

use super::canvas::Layout;
use super::colour::Profile;
use super::reducer::Reducer;
use super::segments::Segments;
use super::size::{Size, Wanted, upright};
use super::{Decoded, Failure, Limits, Turn};

/// Rows that are decoded at once.
const ROWS: usize = 16;

pub(super) fn decode(
    source: &File,
    wanted: &Wanted,
    limits: &Limits,
    turn: Turn,
) -> Result<Decoded, Failure> {
    let segments = Segments::read(source)?;
    segments.check(source, limits)?;
    let orientation = turn.left(segments.exif.as_deref());

    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let mut header = Decompress::builder().from_reader(reader).map_err(Failure::damaged)?;
    let stored = size(header.size())?;
    let target = upright(wanted.scaled(upright(stored, orientation)), orientation);
    header.scale(eighths(stored, target));
    let (layout, colours) = layout(header.color_space())?;
    let mut rows = header.to_colorspace(colours).map_err(Failure::damaged)?;

    let scaled = size((rows.width(), rows.height()))?;
    let mut reducer = Reducer::new(layout, scaled, target, limits)?;
    let mut strip = vec![0u8; layout.stride(scaled.width) * ROWS];
    let mut left = scaled.height as usize;
    while left > 0 {
        let strip = strip.get_mut(..layout.stride(scaled.width) * left.min(ROWS)).unwrap_or_default();
        rows.read_scanlines_into(strip).map_err(Failure::damaged)?;
        if layout == Layout::Cmyk && segments.adobe {
            for ink in strip.iter_mut() {
                *ink = 255 - *ink;
            }
        }
        reducer.push(strip)?;
        left -= left.min(ROWS);
    }
    Ok(Decoded {
        canvas: reducer.finish()?,
        stored,
        orientation,
        profile: Profile::parse(&segments.profile()),
    })
}

fn size((width, height): (usize, usize)) -> Result<Size, Failure> {
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(width @ 1..), Ok(height @ 1..)) => Ok(Size { width, height }),
        _ => Err(Failure::damaged("it has no width or no height")),
    }
}

/// The scale, in eighths, that libjpeg decodes fast and that is not below the target.
fn eighths(stored: Size, target: Size) -> u8 {
    [1, 2, 4]
        .into_iter()
        .find(|eighths| {
            let scaled = |edge: u32| (u64::from(edge) * u64::from(*eighths)).div_ceil(8);
            scaled(stored.width) >= u64::from(target.width)
                && scaled(stored.height) >= u64::from(target.height)
        })
        .unwrap_or(8)
}

fn layout(stored: ColorSpace) -> Result<(Layout, ColorSpace), Failure> {
    match stored {
        ColorSpace::JCS_GRAYSCALE => Ok((Layout::Gray, ColorSpace::JCS_GRAYSCALE)),
        ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK => Ok((Layout::Cmyk, ColorSpace::JCS_CMYK)),
        ColorSpace::JCS_RGB | ColorSpace::JCS_YCbCr => Ok((Layout::Rgb, ColorSpace::JCS_RGB)),
        _ => Err(Failure::Unsupported("it is a JPEG of unknown colours".into())),
    }
}
