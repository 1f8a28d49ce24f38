//! What a file is, told by its bytes: its type and its dimensions. Never trusts a name or a claimed type, never
//! decodes a pixel, and never holds more of a file than a header, however large the file says its parts are.

use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

mod boxes;
mod ebml;
mod raster;
mod source;
mod svg;
mod tiff;

use source::{Damage, Source};

/// How much of the start of a file is looked at to recognise it, in bytes.
const HEAD: u64 = 64;
/// How far from its start a PDF's first object may be, in bytes.
const PDF_HEAD: u64 = 64 << 10;
/// How many parts (segments, chunks, boxes, elements) of a file are looked at before giving up. Real files have
/// far fewer before the part that is looked for; a hostile one could have one every few bytes.
const MOST_PARTS: usize = 10_000;

/// A type of file that is accepted. The order is part of the stored format: new ones go to the end.
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

    /// The type's name on the wire.
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

    /// Whether a browser may show it in place: raster images, video and PDF. An SVG can hold scripts.
    #[must_use]
    pub const fn is_shown_inline(self) -> bool {
        !matches!(self, Self::Svg)
    }

    /// Whether its dimensions are those of one grid of pixels that somebody will have to decode as a whole.
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

/// What a file's bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Its type.
    pub media_type: MediaType,
    /// Width in pixels with the orientation applied, where the type tells it.
    pub width: Option<u32>,
    /// Height in pixels with the orientation applied, where the type tells it.
    pub height: Option<u32>,
}

/// Dimensions in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

impl Size {
    fn turned_if(self, lies_on_its_side: bool) -> Self {
        if lies_on_its_side { Self { width: self.height, height: self.width } } else { self }
    }

    fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Finds out what a file is.
///
/// # Errors
/// The reason, as a clause for a person, why it is not accepted: "its type is not accepted", "it is a damaged PNG".
pub fn inspect(file: &mut (impl Read + Seek), most_pixels: u64) -> Result<Inspected, String> {
    let mut source = Source::new(file).map_err(|_| "it could not be read back from the disk")?;
    if source.length() == 0 {
        return Err("it is empty".into());
    }
    let Some(media_type) = recognise(&mut source) else {
        return Err(
            "its type is not accepted (accepted are JPEG, PNG, GIF, WebP, AVIF, TIFF, BMP, SVG, HEIC, \
                    MP4, MOV, WebM and PDF)"
                .into(),
        );
    };
    let size = measure(media_type, &mut source)
        .map_err(|damage| format!("it is a damaged {}: {damage}", media_type.name()))?;
    if media_type.is_raster_image() {
        let pixels = size.map_or(0, Size::pixels);
        if pixels > most_pixels {
            return Err(format!("it has {pixels} pixels, and at most {most_pixels} are accepted"));
        }
    }
    Ok(Inspected { media_type, width: size.map(|size| size.width), height: size.map(|size| size.height) })
}

fn recognise<R: Read + Seek>(source: &mut Source<R>) -> Option<MediaType> {
    let head = source.head(HEAD).ok()?;
    raster::recognise(&head)
        .or_else(|| is_pdf(&head).then_some(MediaType::Pdf))
        .or_else(|| boxes::recognise(source))
        .or_else(|| ebml::is_webm(source).then_some(MediaType::WebM))
        .or_else(|| svg::is_svg(source).then_some(MediaType::Svg))
}

fn measure<R: Read + Seek>(media_type: MediaType, source: &mut Source<R>) -> Result<Option<Size>, Damage> {
    let size = match media_type {
        MediaType::Jpeg => raster::jpeg_size(source).map(Some),
        MediaType::Png => raster::png_size(source).map(Some),
        MediaType::Gif => raster::gif_size(source).map(Some),
        MediaType::WebP => raster::webp_size(source).map(Some),
        MediaType::Bmp => raster::bmp_size(source).map(Some),
        MediaType::Tiff => tiff::size(source).map(Some),
        MediaType::Avif | MediaType::Heic => boxes::image_size(source).map(Some),
        MediaType::Mp4 | MediaType::Mov => boxes::movie_size(source),
        MediaType::WebM => ebml::size(source),
        MediaType::Svg => svg::size(source),
        MediaType::Pdf => expect_pdf_object(source).map(|()| None),
    }?;
    if size.is_some_and(Size::is_empty) {
        return Err(Damage("its width or height is zero".into()));
    }
    Ok(size)
}

/// Whether the bytes begin with a PDF's header. White space and a byte order mark before it are common.
fn is_pdf(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    head.strip_prefix(b"%PDF-").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

/// A reader repairs nearly everything in a PDF, but not one that has no object.
fn expect_pdf_object<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    let head = source.head(PDF_HEAD)?;
    if head.windows(4).any(|bytes| bytes == b" obj") {
        return Ok(());
    }
    Err(Damage("it has a header and no content".into()))
}

#[cfg(test)]
mod tests;
