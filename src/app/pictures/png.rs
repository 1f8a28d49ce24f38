//! Decodes PNG row by row. Interlaced ones are not stored from the top to the bottom, so they need room as a whole.

use std::fs::File;
use std::io::{BufReader, Seek};

use ::png::{ColorType, Decoder, DecodingError, Limits as DecoderLimits, Transformations};

use super::canvas::Layout;
use super::colour::{LARGEST_PROFILE, Profile};
use super::reducer::{Reducer, within_memory};
use super::size::{Size, Wanted, upright};
use super::{Decoded, Failure, Limits, Turn, within_pixels};

/// What the decoder may take beside rows: a profile, unpacked, and buffers.
const DECODER_BYTES: usize = LARGEST_PROFILE + (4 << 20);

pub(super) fn decode(
    source: &File,
    wanted: &Wanted,
    limits: &Limits,
    turn: Turn,
) -> Result<Decoded, Failure> {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let mut decoder = Decoder::new_with_limits(reader, DecoderLimits { bytes: DECODER_BYTES });
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info()?;
    within_pixels(header.width, header.height, limits)?;
    let mut reader = decoder.read_info()?;

    let info = reader.info();
    let stored = Size::new(info.width, info.height);
    let is_interlaced = info.interlaced;
    let orientation = turn.left(info.exif_metadata.as_deref());
    let profile = info.icc_profile.as_deref().and_then(Profile::parse);
    let layout = match reader.output_color_type().0 {
        ColorType::Grayscale => Layout::Gray,
        ColorType::GrayscaleAlpha => Layout::GrayAlpha,
        ColorType::Rgb => Layout::Rgb,
        ColorType::Rgba => Layout::Rgba,
        ColorType::Indexed => return Err(Failure::damaged("it has no palette")),
    };

    let target = upright(wanted.scaled(upright(stored, orientation)), orientation);
    let mut reducer = Reducer::new(layout, stored, target, limits)?;
    if is_interlaced {
        let bytes = reader.output_buffer_size().ok_or_else(|| Failure::damaged("it has no size"))?;
        within_memory(bytes as u64, limits)?;
        let mut pixels = vec![0; bytes];
        reader.next_frame(&mut pixels)?;
        reducer.push(&pixels)?;
    } else {
        for _ in 0..stored.height {
            let Some(row) = reader.next_row()? else { break };
            reducer.push(row.data())?;
        }
    }
    Ok(Decoded { canvas: reducer.finish()?, stored, orientation, profile })
}

impl From<DecodingError> for Failure {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(error) => error.into(),
            DecodingError::LimitsExceeded => {
                Self::TooLarge("its colour profile or a row is too large".into())
            }
            DecodingError::Format(_) | DecodingError::Parameter(_) => Self::damaged(error),
        }
    }
}
