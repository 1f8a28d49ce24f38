//! Decodes AVIF by libaom, as a whole. The container's own word on orientation and colour is read here, because the
//! decoder leaves it out.

use std::fs::File;
use std::io::{Read, Seek};

use aom_decode::Config;
use aom_decode::avif::{AV1Metadata, Avif, Image};
use image::metadata::Orientation;
use moxcms::{CicpColorPrimaries, TransferCharacteristics};

use super::canvas::Layout;
use super::colour::Profile;
use super::reducer::{Reducer, within_memory};
use super::size::{Size, Wanted, upright};
use super::{Decoded, Failure, Limits, within_pixels};

pub(super) fn decode(source: &File, wanted: &Wanted, limits: &Limits) -> Result<Decoded, Failure> {
    let mut source = source;
    source.rewind()?;
    within_memory(source.metadata()?.len(), limits)?;
    let mut bytes = Vec::new();
    source.take(limits.memory / 2).read_to_end(&mut bytes)?;
    let properties = Properties::read(&bytes);

    let parsed = Avif::parse_avif(&bytes).map_err(Failure::damaged)?;
    drop(bytes);
    let told = parsed.primary_item_metadata().map_err(Failure::damaged)?;
    let (width, height) = (told.max_frame_width.get(), told.max_frame_height.get());
    within_pixels(width, height, limits)?;
    let bytes = u64::from(width) * u64::from(height) * bytes_per_pixel(&told, parsed.alpha_item.is_some());
    if bytes > limits.memory {
        return Err(Failure::TooLarge(format!(
            "it needs {} MB of memory at once, and {} MB are allowed",
            bytes >> 20,
            limits.memory >> 20
        )));
    }

    let mut decoder =
        Avif::from_parsed_avif_data(parsed, &Config { threads: 1 }).map_err(Failure::damaged)?;
    match decoder.convert().map_err(Failure::damaged)? {
        Image::Gray8(image) => reduce(&image, Layout::Gray, |gray| [*gray], &properties, wanted, limits),
        Image::Gray16(image) => {
            reduce(&image, Layout::Gray, |gray| [high(*gray)], &properties, wanted, limits)
        }
        Image::RGB8(image) => reduce(&image, Layout::Rgb, |c| [c.r, c.g, c.b], &properties, wanted, limits),
        Image::RGB16(image) => {
            reduce(&image, Layout::Rgb, |c| [c.r, c.g, c.b].map(high), &properties, wanted, limits)
        }
        Image::RGBA8(image) => {
            reduce(&image, Layout::Rgba, |c| [c.r, c.g, c.b, c.a], &properties, wanted, limits)
        }
        Image::RGBA16(image) => {
            reduce(&image, Layout::Rgba, |c| [c.r, c.g, c.b, c.a].map(high), &properties, wanted, limits)
        }
    }
}

/// What decoding takes: libaom was seen to hold five times the samples, and the converted pixels come on top.
fn bytes_per_pixel(told: &AV1Metadata, has_alpha: bool) -> u64 {
    let samples_times_two = match (told.monochrome, told.chroma_subsampling) {
        (true, _) => 2,
        (false, (true, true)) => 3,
        (false, (true, false) | (false, true)) => 4,
        (false, (false, false)) => 6,
    };
    let held = samples_times_two * 5 / 2 + if has_alpha { 4 + 5 } else { 3 };
    held * if told.bit_depth > 8 { 2 } else { 1 }
}

fn high(sample: u16) -> u8 {
    sample.to_be_bytes()[0]
}

fn reduce<P, const CHANNELS: usize>(
    image: &imgref::ImgVec<P>,
    layout: Layout,
    pixel: impl Fn(&P) -> [u8; CHANNELS],
    properties: &Properties,
    wanted: &Wanted,
    limits: &Limits,
) -> Result<Decoded, Failure> {
    let edge = |edge: usize| u32::try_from(edge).map_err(Failure::damaged);
    let stored = Size::new(edge(image.width())?, edge(image.height())?);
    let orientation = properties.orientation();
    let target = upright(wanted.scaled(upright(stored, orientation)), orientation);
    let mut reducer = Reducer::new(layout, stored, target, limits)?;
    for row in image.rows() {
        reducer.push(&row.iter().flat_map(&pixel).collect::<Vec<u8>>())?;
    }
    Ok(Decoded { canvas: reducer.finish()?, stored, orientation, profile: properties.profile() })
}

/// The properties of the picture in its container. The first of each kind is the colour picture's.
#[derive(Debug, Default)]
struct Properties {
    /// Quarter turns, anticlockwise.
    turns: u8,
    /// Mirrored from top to bottom (0) or from left to right (1), after the turn.
    mirror: Option<u8>,
    icc: Option<Vec<u8>>,
    /// Primaries and transfer as code points of ITU-T H.273.
    code_points: Option<(u8, u8)>,
}

impl Properties {
    fn read(file: &[u8]) -> Self {
        let inside = |bytes, name| boxes(bytes).find(|(kind, _)| *kind == name).map(|(_, body)| body);
        let list = inside(file, *b"meta")
            .and_then(|meta| meta.get(4..))
            .and_then(|meta| inside(meta, *b"iprp"))
            .and_then(|properties| inside(properties, *b"ipco"));
        let mut found = Self::default();
        for (kind, body) in boxes(list.unwrap_or_default()) {
            match (&kind, body) {
                (b"irot", [turns, ..]) => found.turns = turns & 3,
                (b"imir", [axis, ..]) => found.mirror = Some(axis & 1),
                (b"colr", [b'p', b'r', b'o', b'f', icc @ ..] | [b'r', b'I', b'C', b'C', icc @ ..]) => {
                    found.icc.get_or_insert_with(|| icc.to_vec());
                }
                (b"colr", [b'n', b'c', b'l', b'x', _, primaries, _, transfer, ..]) => {
                    found.code_points.get_or_insert((*primaries, *transfer));
                }
                _ => {}
            }
        }
        found
    }

    fn orientation(&self) -> Orientation {
        match (self.turns, self.mirror) {
            (0, None) => Orientation::NoTransforms,
            (1, None) => Orientation::Rotate270,
            (2, None) => Orientation::Rotate180,
            (_, None) => Orientation::Rotate90,
            (0, Some(0)) | (2, Some(1..)) => Orientation::FlipVertical,
            (0 | 2, Some(_)) => Orientation::FlipHorizontal,
            (1, Some(0)) | (3, Some(1..)) => Orientation::Rotate90FlipH,
            (_, Some(_)) => Orientation::Rotate270FlipH,
        }
    }

    /// The ICC profile, else the profile of the code points unless they are those of sRGB or say nothing.
    fn profile(&self) -> Option<Profile> {
        if let Some(icc) = &self.icc {
            return Profile::parse(icc);
        }
        let (primaries, transfer) = self.code_points?;
        let primaries = CicpColorPrimaries::try_from(primaries).ok()?;
        let transfer = TransferCharacteristics::try_from(transfer).ok()?;
        Profile::of_code_points(primaries, transfer)
    }
}

/// The boxes of an ISO base media file, up to the first that is broken.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (body, after) = match u32::from_be_bytes(*length) {
            0 => (rest, &[][..]),
            1 => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?.checked_sub(16)?)?
            }
            length => rest.split_at_checked((length as usize).checked_sub(8)?)?,
        };
        bytes = after;
        Some((*kind, body))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn boxed(kind: &str, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 8).expect("small").to_be_bytes();
        [&length, kind.as_bytes(), body].concat()
    }

    fn file(properties: &[Vec<u8>]) -> Vec<u8> {
        let list = boxed("iprp", &boxed("ipco", &properties.concat()));
        [boxed("ftyp", b"avif"), boxed("meta", &[&[0; 4][..], &list].concat())].concat()
    }

    #[test]
    fn turns_and_mirrors_are_found() {
        let turned = Properties::read(&file(&[boxed("irot", &[1])]));
        assert_eq!(turned.orientation(), Orientation::Rotate270);
        let both = Properties::read(&file(&[boxed("irot", &[2]), boxed("imir", &[0])]));
        assert_eq!(both.orientation(), Orientation::FlipHorizontal);
        assert_eq!(Properties::read(&file(&[])).orientation(), Orientation::NoTransforms);
    }

    #[test]
    fn the_first_colour_counts() {
        let colour = |primaries| boxed("colr", &[b'n', b'c', b'l', b'x', 0, primaries, 0, 13, 0, 6, 0x80]);
        let properties = Properties::read(&file(&[colour(12), colour(1)]));
        assert_eq!(properties.code_points, Some((12, 13)));
        assert!(properties.profile().is_some());
        assert!(Properties::read(&file(&[colour(1)])).profile().is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Properties::read(&bytes);
        }
    }
}
