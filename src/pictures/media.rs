//! Detects a file's type and dimensions from its bytes. Never trusts a name or a claimed type, never decodes pixels, and
//! never holds more of a file than a header, however large its parts claim to be.

use std::io::{Cursor, Read, Seek};

use image::metadata::Orientation;
use serde::{Deserialize, Serialize};

mod boxes;
mod ebml;
pub(crate) mod jpeg;
mod raster;
pub(crate) mod reader;
pub(crate) mod svg;
pub(crate) mod tiff;
mod truncation;

use reader::{ByteReader, Damage};
pub use truncation::ends_early;

/// How many bytes from the start of a file are read to recognise it.
const HEAD: u64 = 64;
/// How far from its start a PDF's first object may be, in bytes.
const PDF_HEAD: u64 = 64 << 10;
/// How many parts (segments, chunks, boxes, elements) of a file are read before giving up. Real files have far fewer; a
/// hostile one could have one every few bytes.
const MAX_PARTS: usize = 10_000;

/// An accepted file type. The order is part of the stored format: new variants go to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    WebP,
    /// AVIF.
    Avif,
    /// TIFF.
    Tiff,
    /// BMP.
    Bmp,
    /// SVG.
    Svg,
    /// HEIC.
    Heic,
    /// MP4.
    Mp4,
    /// `QuickTime`.
    Mov,
    /// `WebM`.
    WebM,
    /// PDF.
    Pdf,
}

impl MediaType {
    /// All types, in their order.
    pub const ALL: [Self; 13] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::WebP,
        Self::Avif,
        Self::Tiff,
        Self::Bmp,
        Self::Svg,
        Self::Heic,
        Self::Mp4,
        Self::Mov,
        Self::WebM,
        Self::Pdf,
    ];

    /// The usual extension of its files.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
            Self::Svg => "svg",
            Self::Heic => "heic",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::WebM => "webm",
            Self::Pdf => "pdf",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Tiff => "image/tiff",
            Self::Bmp => "image/bmp",
            Self::Svg => "image/svg+xml",
            Self::Heic => "image/heic",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::WebM => "video/webm",
            Self::Pdf => "application/pdf",
        }
    }

    /// The type's name for a person.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Avif => "AVIF",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Svg => "SVG",
            Self::Heic => "HEIC",
            Self::Mp4 => "MP4",
            Self::Mov => "MOV",
            Self::WebM => "WebM",
            Self::Pdf => "PDF",
        }
    }

    /// Whether it is a vector image, which can be drawn at any size.
    #[must_use]
    pub const fn is_vector(self) -> bool {
        matches!(self, Self::Svg)
    }

    /// Whether a browser may show it in place: raster images, video and PDF. An SVG can hold scripts.
    #[must_use]
    pub const fn is_shown_inline(self) -> bool {
        !matches!(self, Self::Svg)
    }

    /// Whether its dimensions are those of one grid of pixels that has to be decoded as a whole.
    const fn is_raster_image(self) -> bool {
        match self {
            Self::Jpeg
            | Self::Png
            | Self::Gif
            | Self::WebP
            | Self::Avif
            | Self::Tiff
            | Self::Bmp
            | Self::Heic => true,
            Self::Svg | Self::Mp4 | Self::Mov | Self::WebM | Self::Pdf => false,
        }
    }
}

/// What was found out about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Its type.
    pub media_type: MediaType,
    /// Width in pixels with the orientation applied, where it is known.
    pub width: Option<u32>,
    /// Height in pixels with the orientation applied, where it is known.
    pub height: Option<u32>,
}

/// The geometry of a raster image in its file. The asset's dimensions and all its renditions use the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// The size that is decoded.
    pub decoded: Dimensions,
    /// The visible size, from the upper left corner.
    pub stored: Dimensions,
    /// The orientation that makes it upright.
    pub orientation: Orientation,
}

impl Geometry {
    /// The size after rotation.
    fn upright(self) -> Dimensions {
        self.stored.swapped_if(swaps_edges(self.orientation))
    }
}

/// Whether rows become columns.
const fn swaps_edges(orientation: Orientation) -> bool {
    match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => false,
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => true,
    }
}

/// A width and a height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Dimensions {
    fn swapped_if(self, is_rotated: bool) -> Self {
        if is_rotated { Self { width: self.height, height: self.width } } else { self }
    }

    /// The geometry of a whole picture of this size with this orientation.
    fn oriented(self, orientation: Orientation) -> Geometry {
        Geometry { decoded: self, stored: self, orientation }
    }

    /// The geometry of a whole picture of this size that is upright.
    fn upright(self) -> Geometry {
        self.oriented(Orientation::NoTransforms)
    }

    fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The reason for a file of another type, as a clause for a person.
pub const NOT_ACCEPTED: &str = "its type is not accepted (accepted are JPEG, PNG, GIF, WebP, AVIF, TIFF, BMP, SVG, HEIC, \
                                MP4, MOV, WebM and PDF)";

/// Whether a file that begins with these bytes may be of an accepted type. Text and what is packed may turn out to be an
/// SVG only later.
#[must_use]
pub fn may_be_accepted(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let may_be_svg =
        [&b"<"[..], b"\x1F\x8B", b"\xFF\xFE", b"\xFE\xFF"].iter().any(|begin| text.starts_with(begin));
    may_be_svg
        || ByteReader::new(&mut Cursor::new(start)).is_ok_and(|mut reader| recognise(&mut reader).is_some())
}

/// Detects the type and dimensions of a file.
///
/// # Errors
/// Why the file is not accepted, as a clause for a person: "its type is not accepted", "it is a damaged PNG".
pub fn inspect(file: &mut (impl Read + Seek), max_pixels: u64) -> Result<Inspected, String> {
    let mut reader = ByteReader::new(file).map_err(|_| "it could not be read back from the disk")?;
    if reader.length() == 0 {
        return Err("it is empty".into());
    }
    let Some(media_type) = recognise(&mut reader) else {
        return Err(NOT_ACCEPTED.into());
    };
    let size = measure(media_type, &mut reader)
        .map_err(|damage| format!("it is a damaged {}: {damage}", media_type.name()))?;
    if media_type.is_raster_image() {
        let pixels = size.map_or(0, Dimensions::pixels);
        if pixels > max_pixels {
            return Err(format!("it has {pixels} pixels, and at most {max_pixels} are accepted"));
        }
    }
    Ok(Inspected { media_type, width: size.map(|size| size.width), height: size.map(|size| size.height) })
}

fn recognise<R: Read + Seek>(reader: &mut ByteReader<R>) -> Option<MediaType> {
    let head = reader.head(HEAD).ok()?;
    raster::recognise(&head)
        .or_else(|| is_pdf(&head).then_some(MediaType::Pdf))
        .or_else(|| boxes::recognise(reader))
        .or_else(|| ebml::is_webm(reader).then_some(MediaType::WebM))
        .or_else(|| svg::is_svg(reader).then_some(MediaType::Svg))
}

/// Why the geometry of a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GeometryError {
    /// What is wrong with it, as a clause for a person: "its dimensions are missing".
    #[error("{0}")]
    Damaged(String),
    /// The disk failed.
    #[error("it could not be read back from the disk")]
    Unreadable,
}

/// The geometry of a raster image of this type.
///
/// # Errors
/// [`GeometryError`], also for types that are not raster images.
pub fn geometry(file: &mut (impl Read + Seek), media_type: MediaType) -> Result<Geometry, GeometryError> {
    let mut reader = ByteReader::new(file).map_err(|_| GeometryError::Unreadable)?;
    match geometry_of(media_type, &mut reader) {
        Ok(geometry) => geometry.ok_or_else(|| GeometryError::Damaged("it is not a raster image".into())),
        Err(_) if reader.has_failed() => Err(GeometryError::Unreadable),
        Err(damage) => Err(GeometryError::Damaged(damage.to_string())),
    }
}

fn geometry_of<R: Read + Seek>(
    media_type: MediaType,
    reader: &mut ByteReader<R>,
) -> Result<Option<Geometry>, Damage> {
    let geometry = match media_type {
        MediaType::Jpeg => jpeg::geometry(reader),
        MediaType::Png => raster::png(reader),
        MediaType::Gif => raster::gif(reader),
        MediaType::WebP => raster::webp(reader),
        MediaType::Bmp => raster::bmp(reader),
        MediaType::Tiff => tiff::geometry(reader),
        MediaType::Avif | MediaType::Heic => boxes::image(reader),
        MediaType::Mp4 | MediaType::Mov | MediaType::WebM | MediaType::Svg | MediaType::Pdf => {
            return Ok(None);
        }
    }?;
    if geometry.stored.is_empty() {
        return Err(Damage("its width or height is zero".into()));
    }
    Ok(Some(geometry))
}

fn measure<R: Read + Seek>(
    media_type: MediaType,
    reader: &mut ByteReader<R>,
) -> Result<Option<Dimensions>, Damage> {
    let size = match media_type {
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::Gif
        | MediaType::WebP
        | MediaType::Bmp
        | MediaType::Tiff
        | MediaType::Avif
        | MediaType::Heic => geometry_of(media_type, reader)?.map(Geometry::upright),
        MediaType::Mp4 | MediaType::Mov => boxes::movie_size(reader)?,
        MediaType::WebM => ebml::size(reader)?,
        MediaType::Svg => svg::size(reader)?,
        MediaType::Pdf => {
            expect_pdf_object(reader)?;
            None
        }
    };
    if size.is_some_and(Dimensions::is_empty) {
        return Err(Damage("its width or height is zero".into()));
    }
    Ok(size)
}

/// Whether the bytes begin with a PDF header. White space or a byte order mark before it is common.
fn is_pdf(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    head.strip_prefix(b"%PDF-").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

/// Refuses a PDF without any object, which no reader can repair.
fn expect_pdf_object<R: Read + Seek>(reader: &mut ByteReader<R>) -> Result<(), Damage> {
    let head = reader.head(PDF_HEAD)?;
    if head.windows(4).any(|bytes| bytes == b" obj") {
        return Ok(());
    }
    Err(Damage("it has a header and no content".into()))
}

#[cfg(test)]
mod tests;
