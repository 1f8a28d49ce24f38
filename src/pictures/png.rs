//! Decodes PNG row by row. Interlaced pictures are held as a whole, because they are not stored from top to bottom.

use std::fs::File;
use std::io::{BufReader, Seek};

use ::png::{
    ColorType, Decoder, DecodingError, Info, InterlaceInfo, Limits as DecoderLimits, Reader, ScaledFloat,
    Transformations, splat_interlaced_row,
};
use moxcms::{CicpColorPrimaries, TransferCharacteristics};

use super::canvas::ChannelLayout;
use super::colour::{MAX_PROFILE_BYTES, Profile};
use super::downscale::{Downscaler, within_memory};
use super::resize::ResizeSpec;
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure};

/// The memory limit of the decoder apart from rows: a decompressed profile, and buffers.
const DECODER_BYTES: usize = MAX_PROFILE_BYTES + (4 << 20);

pub(super) fn decode(
    source: &File,
    geometry: &CheckedGeometry,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let mut reader = BufReader::with_capacity(64 << 10, source);
    reader.rewind()?;
    let mut decoder = Decoder::new_with_limits(reader, DecoderLimits { bytes: DECODER_BYTES });
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info()?;
    geometry.expect(header.width, header.height)?;
    let mut reader = decoder.read_info()?;

    let info = reader.info();
    let is_interlaced = info.interlaced;
    let profile = profile(info);
    let layout = match reader.output_color_type().0 {
        ColorType::Grayscale => ChannelLayout::Gray,
        ColorType::GrayscaleAlpha => ChannelLayout::GrayAlpha,
        ColorType::Rgb => ChannelLayout::Rgb,
        ColorType::Rgba => ChannelLayout::Rgba,
        ColorType::Indexed => return Err(Failure::damaged("it has no palette")),
    };

    let mut downscaler = Downscaler::new(layout, geometry.stored, geometry.target(resize), limits)?;
    if is_interlaced {
        let bytes = reader.output_buffer_size().ok_or_else(|| Failure::damaged("it has no size"))?;
        within_memory(bytes as u64, limits)?;
        downscaler.push(&interlaced(&mut reader, bytes, layout, geometry)?)?;
    } else {
        while let Some(row) = until_truncated(reader.next_row())? {
            downscaler.push(row.data())?;
        }
    }
    Ok(geometry.decoded(downscaler.finish_partial()?, profile))
}

/// All rows of an interlaced picture. In a truncated file, they are coarse after its end.
fn interlaced(
    reader: &mut Reader<BufReader<&File>>,
    bytes: usize,
    layout: ChannelLayout,
    geometry: &CheckedGeometry,
) -> Result<Vec<u8>, Failure> {
    let mut pixels = vec![if layout.has_alpha() { 0 } else { 255 }; bytes];
    let (stride, bits) = (layout.stride(geometry.stored.width), u8::try_from(layout.channels() * 8));
    let mut has_rows = false;
    while let Some(row) = until_truncated(reader.next_interlaced_row())? {
        if let (InterlaceInfo::Adam7(place), Ok(bits)) = (row.interlace(), bits) {
            splat_interlaced_row(&mut pixels, stride, row.data(), place, bits);
            has_rows = true;
        }
    }
    if has_rows { Ok(pixels) } else { Err(Failure::damaged("it ends before its first row")) }
}

/// Ends the rows at the point where a file is truncated or damaged, as browsers do.
fn until_truncated<T>(row: Result<Option<T>, DecodingError>) -> Result<Option<T>, Failure> {
    match row {
        Err(DecodingError::IoError(error)) if error.raw_os_error().is_some() => Err(error.into()),
        Err(DecodingError::LimitsExceeded) => Err(DecodingError::LimitsExceeded.into()),
        Err(DecodingError::IoError(_) | DecodingError::Format(_) | DecodingError::Parameter(_)) => Ok(None),
        Ok(row) => Ok(row),
    }
}

/// The colour space, by precedence: code points, then an ICC profile, then the sRGB chunk, then a gamma with or without
/// primaries. Primaries alone are ignored.
fn profile(info: &Info<'_>) -> Option<Profile> {
    if let Some(points) = info.coding_independent_code_points
        && points.matrix_coefficients == 0
        && points.is_video_full_range_image
        && let Ok(primaries) = CicpColorPrimaries::try_from(points.color_primaries)
        && let Ok(transfer) = TransferCharacteristics::try_from(points.transfer_function)
        && primaries != CicpColorPrimaries::Unspecified
        && transfer != TransferCharacteristics::Unspecified
    {
        return Profile::hdr(points.color_primaries, points.transfer_function)
            .or_else(|| Profile::from_png_cicp(primaries, transfer));
    }
    if let Some(icc) = &info.icc_profile {
        return Profile::parse(icc);
    }
    if info.srgb.is_some() {
        return None;
    }
    let primaries = info.chrm_chunk.map(|declared| {
        let chromaticity = |(x, y): (ScaledFloat, ScaledFloat)| [x.into_value(), y.into_value()];
        [declared.white, declared.red, declared.green, declared.blue].map(chromaticity)
    });
    Profile::from_gamma(info.gama_chunk?.into_value(), primaries)
}

impl From<DecodingError> for Failure {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(error) => error.into(),
            DecodingError::LimitsExceeded => {
                Self::TooLarge("its colour profile or a row is too large".into())
            }
            DecodingError::Format(_) | DecodingError::Parameter(_) => {
                Self::damaged("its header can't be read")
            }
        }
    }
}
