//! Decodes AVIF with rav1d: a single coded picture, a grid of them, or the first of a sequence, with an optional second
//! picture for the alpha. Of a grid, one row of tiles is in memory at a time.

use std::fs::File;
use std::io::{Read, Seek};

use re_rav1d::dav1d::{Decoder, Error, Picture, Settings};

use super::canvas::ChannelLayout;
use super::colour::Profile;
use super::downscale::{Downscaler, within_memory};
use super::hdr::HdrToneMap;
use super::resize::{PixelSize, ResizeSpec};
use super::{CheckedGeometry, DecodeLimits, Decoded, Failure, properties};

mod container;
mod pixels;

use container::{CodePoints, CodedImage, Contents};
use pixels::Pixels;

/// How often the decoder is asked for a picture before giving up.
const ATTEMPTS: u32 = 8;

pub(super) fn decode(
    source: &File,
    geometry: &CheckedGeometry,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let mut source = source;
    source.rewind()?;
    within_memory(source.metadata()?.len(), limits)?;
    let mut bytes = Vec::new();
    source.take(limits.memory / 2).read_to_end(&mut bytes)?;
    let Contents { picture, alpha, is_premultiplied, colour } = Contents::read(&bytes)?;
    drop(bytes);
    within_decoder_memory(&picture, alpha.as_ref(), geometry, limits)?;

    let layout = if alpha.is_some() { ChannelLayout::Rgba } else { ChannelLayout::Rgb };
    let source = if colour.icc.is_some() {
        ColourSource::Icc(colour.code_points)
    } else {
        ColourSource::CodePoints(colour.code_points)
    };
    let mut colours = Rows::new(picture, geometry, limits, source);
    let mut opacities = alpha.map(|alpha| Rows::new(alpha, geometry, limits, ColourSource::Alpha));
    let mut downscaler = Downscaler::new(layout, geometry.stored, geometry.target(resize), limits)?;
    let (mut line, mut opacity, mut merged) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..geometry.stored.height {
        colours.next(&mut line)?;
        let Some(opacities) = &mut opacities else {
            downscaler.push(&line)?;
            continue;
        };
        opacities.next(&mut opacity)?;
        merged.clear();
        for (colour, opacity) in line.as_chunks::<3>().0.iter().zip(&opacity) {
            let [red, green, blue] = if is_premultiplied { divided(*colour, *opacity) } else { *colour };
            merged.extend([red, green, blue, *opacity]);
        }
        downscaler.push(&merged)?;
    }
    let profile = match &colour.icc {
        Some(icc) => Profile::parse(icc),
        None => colours.points.and_then(|points| properties::profile(points.primaries, points.transfer)),
    };
    Ok(geometry.decoded(downscaler.finish()?, profile))
}

/// Refuses a picture whose planes, or one row of its tiles, don't fit into memory with room for the decoder.
fn within_decoder_memory(
    picture: &CodedImage,
    alpha: Option<&CodedImage>,
    geometry: &CheckedGeometry,
    limits: &DecodeLimits,
) -> Result<(), Failure> {
    let of = |coded: &CodedImage| {
        let rows = coded.tiles.len() / coded.columns.max(1);
        let pixels = geometry.decoded_size().pixels() / u64::try_from(rows.max(1)).unwrap_or(1);
        let planes = pixels * coded.samples.half_samples * coded.samples.bytes / 2;
        planes + planes / 4
    };
    let bytes = of(picture) + alpha.map_or(0, of);
    if bytes > limits.memory - limits.memory / 8 {
        return Err(Failure::TooLarge(format!(
            "it needs {} MB of memory at once, and {} MB are allowed",
            bytes >> 20,
            (limits.memory - limits.memory / 8) >> 20
        )));
    }
    Ok(())
}

fn divided(colour: [u8; 3], opacity: u8) -> [u8; 3] {
    colour.map(|part| {
        let straight = u16::from(part) * 255 / u16::from(opacity.max(1));
        u8::try_from(straight).unwrap_or(u8::MAX)
    })
}

/// Where the meaning of the decoded samples comes from.
#[derive(Debug, Clone, Copy)]
enum ColourSource {
    /// The samples are alpha.
    Alpha,
    /// An ICC profile. Code points at most declare how the samples are stored.
    Icc(Option<CodePoints>),
    /// Code points of the container; without them, those of the coded picture.
    CodePoints(Option<CodePoints>),
}

/// The rows of a picture, from top to bottom.
struct Rows {
    tiles: std::vec::IntoIter<Vec<u8>>,
    columns: usize,
    /// The number of rows of tiles.
    count: usize,
    source: ColourSource,
    points: Option<CodePoints>,
    max_pixels: u32,
    decoded: PixelSize,
    shown: usize,
    band: Vec<Pixels>,
    y: usize,
}

impl Rows {
    fn new(
        coded: CodedImage,
        geometry: &CheckedGeometry,
        limits: &DecodeLimits,
        source: ColourSource,
    ) -> Self {
        Self {
            count: coded.tiles.len() / coded.columns.max(1),
            tiles: coded.tiles.into_iter(),
            columns: coded.columns,
            source,
            points: None,
            max_pixels: u32::try_from(limits.pixels.min(geometry.decoded_size().pixels() * 2))
                .unwrap_or(u32::MAX),
            decoded: geometry.decoded_size(),
            shown: geometry.stored.width as usize,
            band: Vec::new(),
            y: 0,
        }
    }

    /// The next row, as wide as the visible area.
    fn next(&mut self, into: &mut Vec<u8>) -> Result<(), Failure> {
        if self.band.first().is_none_or(|tile| tile.size().1 == self.y) {
            self.advance()?;
        }
        into.clear();
        for tile in &self.band {
            match self.source {
                ColourSource::Alpha => tile.opacity(self.y, into),
                ColourSource::Icc(_) | ColourSource::CodePoints(_) => tile.colours(self.y, into),
            }
        }
        let channels = if matches!(self.source, ColourSource::Alpha) { 1 } else { 3 };
        into.truncate(self.shown * channels);
        self.y += 1;
        Ok(())
    }

    /// Decodes the next row of tiles.
    fn advance(&mut self) -> Result<(), Failure> {
        self.band.clear();
        self.y = 0;
        for _ in 0..self.columns {
            let tile = self.tiles.next().ok_or_else(|| Failure::damaged("it ends before its last row"))?;
            let tile = self.tile(tile)?;
            self.band.push(tile);
        }
        let height = self.band.first().map_or(0, |tile| tile.size().1);
        let width: usize = self.band.iter().map(|tile| tile.size().0).sum();
        let (expected, most) = (self.decoded.width as usize, self.decoded.height as usize);
        let covers = if self.count == 1 && self.columns == 1 {
            (width, height) == (expected, most)
        } else {
            width >= expected && height * self.count >= most
        };
        if !covers || self.band.iter().any(|tile| tile.size().1 != height) {
            return Err(Failure::damaged("its parts do not agree on its size"));
        }
        Ok(())
    }

    fn tile(&mut self, data: Vec<u8>) -> Result<Pixels, Failure> {
        let picture = decoded(data, self.max_pixels)?;
        let own = pixels::code_points(&picture);
        let points = match self.source {
            ColourSource::Alpha => CodePoints { matrix: 1, ..own },
            ColourSource::Icc(source) | ColourSource::CodePoints(source) => source.unwrap_or(own),
        };
        let hdr = match self.source {
            ColourSource::CodePoints(_) => HdrToneMap::of(points.primaries, points.transfer),
            ColourSource::Alpha | ColourSource::Icc(_) => None,
        };
        // Tone-mapped colours are already sRGB and need no profile.
        self.points = hdr.is_none().then_some(points);
        Ok(Pixels::new(&picture, points, hdr))
    }
}

/// Decodes the first picture in this data.
fn decoded(data: Vec<u8>, max_pixels: u32) -> Result<Picture, Failure> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(max_pixels);
    let mut decoder = Decoder::with_settings(&settings).map_err(unreadable)?;
    match decoder.send_data(data, None, None, None) {
        Ok(()) | Err(Error::Again) => {}
        Err(error) => return Err(unreadable(error)),
    }
    for _ in 0..ATTEMPTS {
        match decoder.get_picture() {
            Ok(picture) => return Ok(picture),
            Err(Error::Again) => match decoder.send_pending_data() {
                Ok(()) | Err(Error::Again) => {}
                Err(error) => return Err(unreadable(error)),
            },
            Err(error) => return Err(unreadable(error)),
        }
    }
    Err(Failure::damaged("there is no picture in it"))
}

fn unreadable(error: Error) -> Failure {
    match error {
        Error::NotEnoughMemory => Failure::TooLarge("it needs more memory than is allowed".into()),
        Error::UnsupportedBitstream => {
            Failure::Unsupported("it is an AV1 picture of a kind that is not decoded".into())
        }
        _ => Failure::damaged("its picture can't be decoded"),
    }
}
