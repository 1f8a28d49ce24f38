//! Decodes the pictures that tools made of HEICs, films and PDFs. They are upright already.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::fs::FileExt;

use super::properties::Properties;
use super::size::{Size, Wanted};
use super::tools::{HEIC_HEAD, PAGE_EDGE};
use super::{Decoded, Failure, Limits, Turn, jpeg, png};

/// A JPEG or a PNG, whatever the tool chose.
pub(super) fn decode(picture: &File, wanted: &Wanted, limits: &Limits) -> Result<Decoded, Failure> {
    let mut start = [0; 2];
    picture.read_exact_at(&mut start, 0)?;
    match start {
        [0xff, 0xd8] => jpeg::decode(picture, wanted, limits, Turn::Done),
        _ => png::decode(picture, wanted, limits, Turn::Done),
    }
}

/// Tools hand on a profile, but no code points: those are in the original.
pub(super) fn heic(
    original: &File,
    picture: &File,
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Decoded, Failure> {
    let mut decoded = decode(picture, wanted, limits)?;
    if decoded.profile.is_none() {
        let mut original = original;
        original.rewind()?;
        let mut head = Vec::new();
        original.take(HEIC_HEAD).read_to_end(&mut head)?;
        decoded.profile = Properties::read(&head).profile();
    }
    Ok(decoded)
}

/// A page is as large as the largest picture that is made of it, however small it was drawn this time.
pub(super) fn page(picture: &File, wanted: &Wanted, limits: &Limits) -> Result<Decoded, Failure> {
    let mut decoded = decode(picture, wanted, limits)?;
    decoded.stored = page_size(decoded.stored);
    Ok(decoded)
}

fn page_size(drawn: Size) -> Size {
    let edge = |edge: u32| {
        let longest = u64::from(drawn.longest());
        let scaled = (u64::from(edge) * u64::from(PAGE_EDGE) + longest / 2) / longest;
        u32::try_from(scaled).unwrap_or(PAGE_EDGE)
    };
    Size::new(edge(drawn.width), edge(drawn.height))
}
