//! The picture engine: makes thumbnails, renditions, a blurhash and a dominant colour from an original.
//!
//! It takes files and knows no store, no asset and no HTTP. [`render`] and [`derive`] are synchronous and read hostile
//! files; [`RenderPool`](render_pool::RenderPool) runs them in child processes with limits.
//!
//! A decoder passes rows to a `Downscaler`, so where a format can be read from top to bottom, a picture is never in
//! memory at its full size. Only the small result is converted to sRGB, rotated upright and encoded.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

use crate::pictures::media::MediaType;

mod avif;
mod bmp;
mod canvas;
mod colour;
mod downscale;
mod encode;
mod geometry;
mod gif;
mod hdr;
mod jpeg;
mod jpeg_header;
pub mod media;
mod media_tools;
pub mod memory;
mod metadata;
mod perceptual_hash;
pub mod permits;
mod placeholder;
mod png;
mod properties;
mod raster;
pub mod render_pool;
mod resize;
pub mod sandbox;
mod svg;
mod tiff;
mod tool_output;
pub mod worker;

use canvas::Canvas;
use geometry::CheckedGeometry;
pub use media_tools::{MediaTools, RenderableTypes};
pub use metadata::{Coordinates, Exposure, Metadata, metadata};
pub use resize::{Fit, PixelSize, ResizeSpec};

/// The longest edges of the thumbnails that every picture gets.
pub const THUMBNAIL_EDGES: [u32; 2] = [400, 800];
/// The longest edge of the blurred placeholder.
pub const BLURRED_EDGE: u32 = 32;
/// The longest edge of a rendition, given by the formats JPEG and AVIF.
pub const MAX_ENCODED_EDGE: u32 = 65_500;

/// Limits for decoding one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecodeLimits {
    /// Pixels of the original.
    pub pixels: u64,
    /// Bytes of memory.
    pub memory: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { pixels: 200_000_000, memory: 256 << 20 }
    }
}

/// A format that renditions are encoded in.
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
    /// The media type of the result.
    #[must_use]
    pub const fn media_type(self) -> MediaType {
        match self {
            Self::Jpeg => MediaType::Jpeg,
            Self::Png => MediaType::Png,
            Self::WebP => MediaType::WebP,
            Self::Avif => MediaType::Avif,
        }
    }

    /// The longest edge that the format can encode.
    #[must_use]
    pub const fn longest_edge(self) -> u32 {
        match self {
            Self::WebP => 16_383,
            Self::Jpeg | Self::Png | Self::Avif => MAX_ENCODED_EDGE,
        }
    }
}

/// How a picture is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RenderSpec {
    /// How the picture is resized. Never larger than the original, unless that is a vector image.
    pub size: ResizeSpec,
    /// The format.
    pub format: Format,
    /// 1 to 100; `None` for the format's default. PNG ignores it.
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
    pub size: PixelSize,
}

/// A thumbnail, a WebP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// The requested edge. Its own longest edge is shorter when the original's is.
    pub edge: u32,
    /// Its size.
    pub size: PixelSize,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What is made from every picture after its upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    /// The original's size, upright.
    pub size: PixelSize,
    /// The blurhash, of 4 × 3 components, or 3 × 4 for a portrait picture.
    pub blurhash: String,
    /// The dominant colour: red, green, blue.
    pub colour: [u8; 3],
    /// A perceptual hash: similar pictures differ in few bits.
    pub perceptual_hash: u64,
    /// From small to large: one for every requested edge that is shorter than the original's, and one at the original's
    /// size when a requested edge is not. A vector image gets all edges. Never empty when an edge was requested.
    pub thumbnails: Vec<Thumbnail>,
    /// A WebP of at most [`BLURRED_EDGE`], blurred.
    pub blurred: Vec<u8>,
}

/// Why a picture could not be made. Each reads as a clause about the file: "it is damaged: …". The order is part of the
/// stored format: new variants go to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// A type, or a variety of it, that is not decoded: "a TIFF of special inks".
    #[error("not supported: {0}")]
    Unsupported(String),
    /// More pixels, bytes or parts than are allowed.
    #[error("{0}")]
    TooLarge(String),
    /// The file is not a valid file of its type.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Decoding was stopped after this many seconds.
    #[error("it could not be opened within {0} seconds")]
    TooSlow(u64),
    /// The process that opened it crashed, or hit its memory limit.
    #[error("it could not be opened within the limits on memory and time")]
    Crashed,
    /// Not the file's fault: the disk failed, or a process could not be started.
    #[error("it could not be opened: {0}")]
    Unavailable(String),
}

impl Failure {
    fn damaged(reason: impl std::fmt::Display) -> Self {
        Self::Damaged(reason.to_string())
    }

    /// Whether another attempt may succeed, because the machine may have lacked memory or time.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::TooSlow(_) | Self::Crashed => true,
            Self::Unsupported(_) | Self::TooLarge(_) | Self::Damaged(_) => false,
        }
    }
}

/// The failure for a variety of picture that is not decoded.
fn unsupported(kind: impl Into<String>) -> Failure {
    Failure::Unsupported(kind.into())
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::damaged("it ends too early"),
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => {
                Self::damaged("its data can't be read")
            }
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
/// [`Failure`], whatever the bytes are. Only running out of memory ends the process instead: see [`render_pool`].
pub fn render(
    source: &File,
    media_type: MediaType,
    rendition: &RenderSpec,
    limits: &DecodeLimits,
) -> Result<Rendered, Failure> {
    render_of(&DecodeInput::whole(source, media_type), rendition, limits)
}

fn render_of(
    source: &DecodeInput<'_>,
    rendition: &RenderSpec,
    limits: &DecodeLimits,
) -> Result<Rendered, Failure> {
    guarded(|| {
        let (canvas, _) = open(source, &rendition.size, limits)?;
        let cut = rendition.size.crop(canvas.size());
        let canvas = canvas.cropped(cut);
        let bytes = encode::encode(&canvas, rendition.format, rendition.quality, limits)?;
        Ok(Rendered { bytes, format: rendition.format, size: canvas.size() })
    })
}

/// Makes what every picture gets, with thumbnails of these longest edges. Decodes once; each size is made from the next
/// larger one.
///
/// # Errors
/// Those of [`render`].
pub fn derive(
    source: &File,
    media_type: MediaType,
    edges: &[u32],
    limits: &DecodeLimits,
) -> Result<Derived, Failure> {
    derive_of(&DecodeInput::whole(source, media_type), edges, limits)
}

fn derive_of(source: &DecodeInput<'_>, edges: &[u32], limits: &DecodeLimits) -> Result<Derived, Failure> {
    guarded(|| {
        let mut edges = edges.to_vec();
        edges.sort_unstable();
        edges.dedup();
        let largest = edges.last().copied().unwrap_or(BLURRED_EDGE);
        let (mut canvas, size) = open(source, &ResizeSpec::within(largest), limits)?;
        let is_vector = source.media_type.is_vector();
        if !is_vector {
            let first_that_covers = edges.partition_point(|edge| *edge < size.longest());
            edges.truncate(first_that_covers + 1);
        }
        let mut thumbnails = Vec::with_capacity(edges.len());
        for edge in edges.into_iter().rev() {
            let resize = ResizeSpec::within(edge);
            canvas = canvas.resized(if is_vector { resize.drawn(size) } else { resize.scaled(size) })?;
            let bytes = encode::encode(&canvas, Format::WebP, None, limits)?;
            thumbnails.push(Thumbnail { edge, size: canvas.size(), bytes });
        }
        thumbnails.reverse();
        let blurred = ResizeSpec::within(BLURRED_EDGE).scaled(canvas.size());
        let small = canvas.resized(blurred)?;
        Ok(Derived {
            size,
            blurhash: placeholder::blurhash(&small)?,
            colour: placeholder::dominant_colour(&small),
            perceptual_hash: perceptual_hash::perceptual_hash(&small)?,
            thumbnails,
            blurred: encode::encode(&placeholder::blurred(&small), Format::WebP, None, limits)?,
        })
    })
}

/// What a decoder reads.
struct DecodeInput<'a> {
    /// The file as it was uploaded.
    original: &'a File,
    media_type: MediaType,
    /// The picture that a tool extracted from it.
    tool_output: Option<&'a File>,
    /// A folder of fonts in addition to the built-in ones.
    fonts: Option<&'a Path>,
}

impl<'a> DecodeInput<'a> {
    const fn whole(original: &'a File, media_type: MediaType) -> Self {
        Self { original, media_type, tool_output: None, fonts: None }
    }

    fn tool_output(&self) -> Result<&'a File, Failure> {
        self.tool_output
            .ok_or_else(|| unsupported(format!("{} without a program for it", self.media_type.name())))
    }
}

/// What a decoder returns: downscaled, but not yet upright and not yet in sRGB.
struct Decoded {
    canvas: Canvas,
    /// The original's size as stored in the file.
    stored: PixelSize,
    orientation: Orientation,
    profile: Option<colour::Profile>,
}

/// Decodes a picture at the requested size, in sRGB and upright. Also returns the original's size, upright.
fn open(
    source: &DecodeInput<'_>,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<(Canvas, PixelSize), Failure> {
    let decoded = decode(source, resize, limits)?;
    let size = resize::upright(decoded.stored, decoded.orientation);
    let canvas = colour::to_srgb(decoded.canvas, decoded.profile.as_ref())?;
    Ok((canvas.upright(decoded.orientation), size))
}

fn decode(input: &DecodeInput<'_>, resize: &ResizeSpec, limits: &DecodeLimits) -> Result<Decoded, Failure> {
    let source = input.original;
    let geometry = || CheckedGeometry::read(source, input.media_type, limits);
    match input.media_type {
        MediaType::Jpeg => jpeg::decode(source, &geometry()?, resize, limits),
        MediaType::Png => png::decode(source, &geometry()?, resize, limits),
        MediaType::Gif => gif::decode(source, &geometry()?, resize, limits),
        MediaType::WebP => raster::decode(source, image::ImageFormat::WebP, &geometry()?, resize, limits),
        MediaType::Bmp => bmp::decode(source, &geometry()?, resize, limits),
        MediaType::Tiff => tiff::decode(source, &geometry()?, resize, limits),
        MediaType::Avif => avif::decode(source, &geometry()?, resize, limits),
        MediaType::Svg => svg::decode(source, input.fonts, resize, limits),
        MediaType::Heic => tool_output::heic(source, input.tool_output()?, resize, limits),
        MediaType::Mp4 | MediaType::Mov | MediaType::WebM => {
            tool_output::decode(input.tool_output()?, resize, limits)
        }
        MediaType::Pdf => tool_output::page(input.tool_output()?, resize, limits),
    }
}

/// Reports a panic of a decoder as a damaged file.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::damaged("its pixels can't be decoded")))
}

/// Refuses a picture with more pixels than allowed, before memory is allocated for them.
fn within_pixels(width: u32, height: u32, limits: &DecodeLimits) -> Result<(), Failure> {
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
