//! What a client asks for: a box, a format and a quality, before they are normalized to a
//! [`RenditionSpec`](super::spec::RenditionSpec).

use crate::core::model::Content;
use crate::pictures::{Fit, Format};

/// The longer edge of the small thumbnail, in pixels.
pub const THUMB: u32 = 400;
/// The longer edge of the larger thumbnail, in pixels.
pub const THUMB_HIGH: u32 = 800;
/// The longer edges of the pictures that an asset lists, where they are shorter than its own.
pub const LISTED_EDGES: [u32; 4] = [400, 800, 1600, 2400];

/// The rendition that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenditionRequest {
    /// The width of the box that the picture fits in or fills, 1 to [`MAX_EDGE`](super::MAX_EDGE).
    pub width: Option<u32>,
    /// The height of that box, 1 to [`MAX_EDGE`](super::MAX_EDGE).
    pub height: Option<u32>,
    /// How the picture is fitted into the box.
    pub fit: Fit,
    /// The format.
    pub format: RequestedFormat,
    /// 1 to 100.
    pub quality: Option<u8>,
    /// Device pixels per pixel of the box, in hundredths: 100 to 300.
    pub density: u32,
    /// Asks for the tiny blurred picture, whatever the other fields say.
    pub blurred: bool,
}

impl Default for RenditionRequest {
    /// The picture in its own size and format.
    fn default() -> Self {
        Self {
            width: None,
            height: None,
            fit: Fit::Contain,
            format: RequestedFormat::Original,
            quality: None,
            density: 100,
            blurred: false,
        }
    }
}

impl RenditionRequest {
    /// What a browser requests from the url of an asset's picture with this edge.
    pub(super) fn listed(edge: u32) -> Self {
        let format = RequestedFormat::Auto { webp: true };
        Self { width: Some(edge), height: Some(edge), format, ..Self::default() }
    }
}

/// The format that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedFormat {
    /// The original's, or the one that every browser shows instead: PNG for GIF, BMP and SVG, JPEG for TIFF.
    Original,
    /// WebP for clients that accept it, else JPEG, or PNG where the original is a graphic. Never AVIF: encoding one
    /// takes many times as long as a WebP that is hardly larger.
    Auto {
        /// Whether the client accepts WebP.
        webp: bool,
    },
    /// Exactly this one.
    Fixed(Format),
}

/// The edges of the pictures that every browser will request: the thumbnails, and the other listed sizes.
pub(super) fn listed_edges(content: &Content) -> Vec<u32> {
    let longer = content.width.max(content.height).unwrap_or(0);
    LISTED_EDGES.into_iter().filter(|edge| *edge <= THUMB_HIGH || *edge < longer).collect()
}
