//! What a file is, told by its bytes: its type and its dimensions. Never trusts a name or a claimed type.

use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

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
    /// QuickTime.
    Mov,
    /// WebM.
    WebM,
    /// PDF.
    Pdf,
}

impl MediaType {
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

    /// Whether a browser may show it in place: raster images, video and PDF. An SVG can hold scripts.
    #[must_use]
    pub const fn is_shown_inline(self) -> bool {
        !matches!(self, Self::Svg)
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

/// Finds out what a file is.
///
/// # Errors
/// The reason, as a clause for a person, why it is not accepted: "its type is not accepted", "it is a damaged PNG".
pub fn inspect(_file: &mut (impl Read + Seek), _most_pixels: u64) -> Result<Inspected, String> {
    Err("its type is not accepted".into())
}
