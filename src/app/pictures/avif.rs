//! Decodes AVIF by libaom, as a whole. The container's own word on orientation and colour is in
//! [`properties`](super::properties), because the decoder leaves it out.

use std::fs::File;
use std::io::{Read, Seek};

use aom_decode::Config;
use aom_decode::avif::{AV1Metadata, Avif, Image};

use super::canvas::Layout;
use super::properties::Properties;
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
