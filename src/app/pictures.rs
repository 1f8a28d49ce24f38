//! The picture engine: from an original to what people and agents look at. Thumbnails, renditions, blurhash, colour.
//!
//! Everything in here is synchronous and takes a file: it knows no store, no asset and no HTTP. [`render`] and
//! [`derive`] read hostile files; [`Studio`](studio::Studio) runs them in child processes with limits.
//!
//! A decoder hands rows to a `Reducer`, so a picture is never in memory at its full size where
//! its format can be read from the top to the bottom. What comes out is small, and only then converted to sRGB,
//! turned upright and encoded.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

use super::media::MediaType;

mod avif;
mod canvas;
mod colour;
pub mod confined;
mod encode;
mod glance;
mod jpeg;
mod made;
mod metadata;
pub mod places;
mod png;
mod properties;
mod raster;
mod reducer;
mod segments;
mod size;
pub mod studio;
mod svg;
mod tiff;
mod tools;
pub mod worker;

use canvas::Canvas;
pub use metadata::{Metadata, metadata};
pub use size::{Fit, Size, Wanted};
pub use tools::{Pictured, Tools};

/// The longest edges of the thumbnails that every picture gets.
pub const THUMBNAIL_EDGES: [u32; 2] = [400, 800];
/// The longest edge of the blurred picture.
pub const BLURRED_EDGE: u32 = 32;
/// The longest edge of a rendition: what a JPEG and an AVIF can hold. A WebP ends at 16,383.
pub const LARGEST_EDGE: u32 = 65_500;

/// What a picture may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Pixels of the original.
    pub pixels: u64,
    /// Bytes in memory for one picture in flight.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pixels: 200_000_000, memory: 256 << 20 }
    }
}

/// A format that renditions are made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// JPEG; alpha is flattened on white.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy.
    WebP,
    /// AVIF.
    Avif,
}

impl Format {
    /// The type of what comes out.
    #[must_use]
    pub const fn media_type(self) -> MediaType {
        match self {
            Self::Jpeg => MediaType::Jpeg,
            Self::Png => MediaType::Png,
            Self::WebP => MediaType::WebP,
            Self::Avif => MediaType::Avif,
        }
    }
}

/// A rendition that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rendition {
    /// How large it is to be. Never larger than the original.
    pub size: Wanted,
    /// The format.
    pub format: Format,
    /// 1 to 100; the format's own default when it is not given. PNG has none.
    pub quality: Option<u8>,
}

/// A rendition that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: Format,
    /// Its size.
    pub size: Size,
}

/// A thumbnail, a WebP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// The edge it was asked for. Its own longest edge is shorter when the original's is.
    pub edge: u32,
    /// Its size.
    pub size: Size,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What is made of every picture after its upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    /// The original's size, upright.
    pub size: Size,
    /// The blurhash, of 4 × 3 components, or 3 × 4 for an upright picture.
    pub blurhash: String,
    /// The dominant colour: red, green, blue.
    pub colour: [u8; 3],
    /// From small to large: every edge that was asked for and is shorter than the original's, and one more at the
    /// original's size when an edge was asked for that is not. Never empty when an edge was asked for.
    pub thumbnails: Vec<Thumbnail>,
    /// A WebP of at most [`BLURRED_EDGE`], blurred.
    pub blurred: Vec<u8>,
}

/// Why there is no picture. Each reads as a clause about the file: "it is damaged: …". The order is part of the stored
/// format: new ones go to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// A type, or a kind of it, that is not decoded.
    #[error("{0}")]
    Unsupported(String),
    /// More pixels, bytes or parts than are allowed.
    #[error("{0}")]
    TooLarge(String),
    /// Not what it claims to be.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It was given up after this many seconds.
    #[error("it could not be opened within {0} seconds")]
    TooSlow(u64),
    /// It brought down the process that opened it, or hit its memory limit.
    #[error("it could not be opened within the limits on memory and time")]
    Crashed,
    /// Not the file's fault: the disk, or a process that can't be started.
    #[error("it could not be opened: {0}")]
    Unavailable(String),
}

impl Failure {
    fn damaged(reason: impl std::fmt::Display) -> Self {
        Self::Damaged(reason.to_string())
    }

    /// Whether another try may go better: the fault need not be the file's, but a lack of memory or time.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::TooSlow(_) | Self::Crashed => true,
            Self::Unsupported(_) | Self::TooLarge(_) | Self::Damaged(_) => false,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => Self::damaged(error),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// Whether pictures of this type are decoded here, without a tool.
#[must_use]
pub const fn is_decoded(media_type: MediaType) -> bool {
    match media_type {
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::Gif
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp
        | MediaType::Svg => true,
        MediaType::Heic | MediaType::Mp4 | MediaType::Mov | MediaType::WebM | MediaType::Pdf => false,
    }
}

/// Makes one rendition.
///
/// # Errors
/// [`Failure`], whatever the bytes are. Only a process that runs out of memory ends instead: see [`studio`].
pub fn render(
    source: &File,
    media_type: MediaType,
    rendition: &Rendition,
    limits: &Limits,
) -> Result<Rendered, Failure> {
    render_of(&Source::whole(source, media_type), rendition, limits)
}

fn render_of(source: &Source<'_>, rendition: &Rendition, limits: &Limits) -> Result<Rendered, Failure> {
    guarded(|| {
        let (canvas, _) = open(source, &rendition.size, limits)?;
        let cut = rendition.size.crop(canvas.size());
        let canvas = canvas.cropped(cut);
        let bytes = encode::encode(&canvas, rendition.format, rendition.quality, limits)?;
        Ok(Rendered { bytes, format: rendition.format, size: canvas.size() })
    })
}

/// Makes what every picture gets, with thumbnails of these longest edges. Decodes once; each size is made from the
/// next larger one.
///
/// # Errors
/// As [`render`].
pub fn derive(
    source: &File,
    media_type: MediaType,
    edges: &[u32],
    limits: &Limits,
) -> Result<Derived, Failure> {
    derive_of(&Source::whole(source, media_type), edges, limits)
}

fn derive_of(source: &Source<'_>, edges: &[u32], limits: &Limits) -> Result<Derived, Failure> {
    guarded(|| {
        let mut edges = edges.to_vec();
        edges.sort_unstable();
        edges.dedup();
        let largest = edges.last().copied().unwrap_or(BLURRED_EDGE);
        let (mut canvas, size) = open(source, &Wanted::within(largest), limits)?;
        let first_that_covers = edges.partition_point(|edge| *edge < size.longest());
        edges.truncate(first_that_covers + 1);
        let mut thumbnails = Vec::with_capacity(edges.len());
        for edge in edges.into_iter().rev() {
            canvas = canvas.resized(Wanted::within(edge).scaled(size))?;
            let bytes = encode::encode(&canvas, Format::WebP, None, limits)?;
            thumbnails.push(Thumbnail { edge, size: canvas.size(), bytes });
        }
        thumbnails.reverse();
        let small = canvas.resized(Wanted::within(BLURRED_EDGE).scaled(size))?;
        Ok(Derived {
            size,
            blurhash: glance::blurhash(&small)?,
            colour: glance::dominant_colour(&small),
            thumbnails,
            blurred: encode::encode(&glance::blurred(&small), Format::WebP, None, limits)?,
        })
    })
}

/// What is decoded.
struct Source<'a> {
    /// The file as it was uploaded.
    original: &'a File,
    media_type: MediaType,
    /// The picture that a tool made of it.
    made: Option<&'a File>,
}

impl<'a> Source<'a> {
    const fn whole(original: &'a File, media_type: MediaType) -> Self {
        Self { original, media_type, made: None }
    }

    fn made(&self) -> Result<&'a File, Failure> {
        self.made
            .ok_or_else(|| Failure::Unsupported(format!("{} is not decoded here", self.media_type.mime())))
    }
}

/// Who turns a picture upright.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// We, as the file says.
    Ours,
    /// It is upright, whatever the file still says.
    Done,
}

impl Turn {
    /// What is left to be done for a picture with this EXIF block.
    fn left(self, exif: Option<&[u8]>) -> Orientation {
        match self {
            Self::Ours => exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms),
            Self::Done => Orientation::NoTransforms,
        }
    }
}

/// What a decoder hands over: reduced, but neither turned upright nor converted.
struct Decoded {
    canvas: Canvas,
    /// The original's size as it is stored.
    stored: Size,
    orientation: Orientation,
    profile: Option<colour::Profile>,
}

/// Decodes a picture to at least the wanted size, in sRGB and upright, and then exactly to it. Also tells the
/// original's size, upright.
fn open(source: &Source<'_>, wanted: &Wanted, limits: &Limits) -> Result<(Canvas, Size), Failure> {
    let decoded = decode(source, wanted, limits)?;
    let size = size::upright(decoded.stored, decoded.orientation);
    let canvas = colour::to_srgb(decoded.canvas, decoded.profile.as_ref())?;
    Ok((canvas.upright(decoded.orientation), size))
}

fn decode(of: &Source<'_>, wanted: &Wanted, limits: &Limits) -> Result<Decoded, Failure> {
    let source = of.original;
    match of.media_type {
        MediaType::Jpeg => jpeg::decode(source, wanted, limits, Turn::Ours),
        MediaType::Png => png::decode(source, wanted, limits, Turn::Ours),
        MediaType::Gif => raster::decode(source, image::ImageFormat::Gif, wanted, limits),
        MediaType::WebP => raster::decode(source, image::ImageFormat::WebP, wanted, limits),
        MediaType::Bmp => raster::decode(source, image::ImageFormat::Bmp, wanted, limits),
        MediaType::Tiff => tiff::decode(source, wanted, limits),
        MediaType::Avif => avif::decode(source, wanted, limits),
        MediaType::Svg => svg::decode(source, wanted, limits),
        MediaType::Heic => made::heic(source, of.made()?, wanted, limits),
        MediaType::Mp4 | MediaType::Mov | MediaType::WebM => made::decode(of.made()?, wanted, limits),
        MediaType::Pdf => made::page(of.made()?, wanted, limits),
    }
}

/// A panic of a decoder is a damaged file.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::damaged("its decoder gave up on it")))
}

/// Refuses a picture with more pixels than are allowed, before anything is set aside for them.
fn within_pixels(width: u32, height: u32, limits: &Limits) -> Result<(), Failure> {
    if width == 0 || height == 0 {
        return Err(Failure::damaged("it has no width or no height"));
    }
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(Failure::TooLarge(format!(
            "it has {width} × {height} pixels, and {} megapixels are allowed",
            limits.pixels / 1_000_000
        )));
    }
    Ok(())
}
