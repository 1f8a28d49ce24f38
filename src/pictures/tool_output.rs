//! Decodes the pictures that tools extracted from HEICs, videos and PDFs. They are upright already.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::fs::FileExt;

use super::media_tools::{HEIC_HEAD, PAGE_EDGE};
use super::properties::Properties;
use super::resize::{PixelSize, ResizeSpec};
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure, jpeg, png};
use crate::pictures::media::MediaType;

/// Decodes a JPEG or a PNG, whichever the tool wrote.
pub(super) fn decode(picture: &File, resize: &ResizeSpec, limits: &DecodeLimits) -> Result<Decoded, Failure> {
    let mut start = [0; 2];
    picture.read_exact_at(&mut start, 0)?;
    let geometry = |media_type| {
        CheckedGeometry::read(picture, media_type, limits).map(CheckedGeometry::without_orientation)
    };
    match start {
        [0xff, 0xd8] => jpeg::decode(picture, &geometry(MediaType::Jpeg)?, resize, limits),
        _ => png::decode(picture, &geometry(MediaType::Png)?, resize, limits),
    }
}

/// Tools pass a colour profile on, but no code points; those are read from the original.
pub(super) fn heic(
    original: &File,
    picture: &File,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let mut decoded = decode(picture, resize, limits)?;
    if decoded.profile.is_none() {
        let mut original = original;
        original.rewind()?;
        let mut head = Vec::new();
        original.take(HEIC_HEAD).read_to_end(&mut head)?;
        decoded.profile = Properties::read(&head).profile();
    }
    Ok(decoded)
}

/// A page counts as large as the largest picture made of it, however small it was rendered this time.
pub(super) fn page(picture: &File, resize: &ResizeSpec, limits: &DecodeLimits) -> Result<Decoded, Failure> {
    let mut decoded = decode(picture, resize, limits)?;
    decoded.stored = page_size(decoded.stored);
    Ok(decoded)
}

fn page_size(drawn: PixelSize) -> PixelSize {
    let edge = |edge: u32| {
        let longest = u64::from(drawn.longest());
        let scaled = (u64::from(edge) * u64::from(PAGE_EDGE) + longest / 2) / longest;
        u32::try_from(scaled).unwrap_or(PAGE_EDGE)
    };
    PixelSize::new(edge(drawn.width), edge(drawn.height))
}
