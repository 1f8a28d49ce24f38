//! The rendition that is made for a request, in the normal form that equal requests share.

use super::key::{LibraryFile, RenditionKey};
use super::request::{LISTED_EDGES, RenditionRequest, RequestedFormat, THUMB_HIGH};
use super::size_steps::{proportional, snapped, stepped};
use crate::core::model::Content;
use crate::pictures::media::MediaType;
use crate::pictures::{Fit, Format, PixelSize, RenderSpec, RenderableTypes, ResizeSpec};

/// Goes up when the same spec renders to a different picture, so that no cache keeps the old one.
const ENGINE: u8 = 2;

/// What to make, in the one form that all equal requests have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RenditionSpec {
    /// The tiny blurred picture, a WebP.
    Blurred,
    /// A picture.
    Picture(RenderSpec),
}

impl RenditionSpec {
    /// What is made of such a file. `None` when its type can't be rendered.
    pub fn new(
        request: &RenditionRequest,
        content: &Content,
        renderable_types: RenderableTypes,
    ) -> Option<Self> {
        if !renderable_types.includes(content.media_type) {
            return None;
        }
        if request.blurred {
            return Some(Self::Blurred);
        }
        let original = content.width.zip(content.height).map(|(width, height)| PixelSize::new(width, height));
        let size = resize_spec(request, original, content.media_type.is_vector());
        let longest =
            original.map(|original| size.scaled(original)).map_or(0, |size| size.width.max(size.height));
        let format = format(request.format, content.media_type, longest);
        let quality = match format {
            Format::Png => None,
            Format::Jpeg | Format::WebP | Format::Avif => request.quality.map(stepped),
        };
        Some(Self::Picture(RenderSpec { size, format, quality }))
    }

    /// Whether rendering costs so little beyond opening the file that a failure must be the file's fault.
    pub fn is_small(&self) -> bool {
        match self {
            Self::Blurred => true,
            Self::Picture(RenderSpec { format: Format::Avif, .. }) => false,
            Self::Picture(RenderSpec { size, .. }) => {
                size.width.zip(size.height).is_some_and(|(width, height)| width.max(height) <= THUMB_HIGH)
            }
        }
    }

    /// The format of the result.
    pub const fn format(&self) -> Format {
        match self {
            Self::Blurred => Format::WebP,
            Self::Picture(rendition) => rendition.format,
        }
    }

    /// The cache key when it is rendered on its own from this file.
    pub fn key(&self, file: LibraryFile) -> RenditionKey {
        self.key_in("rasterd 2026 rendition of a library", file)
    }

    /// Whether it is one of the pictures that every client shows: the blurred picture, a thumbnail or a listed size.
    pub fn is_listed(&self) -> bool {
        match self {
            Self::Blurred => true,
            Self::Picture(RenderSpec { format: Format::Avif, .. } | RenderSpec { quality: Some(_), .. }) => {
                false
            }
            Self::Picture(RenderSpec { size, .. }) => {
                size.width == size.height && size.width.is_some_and(|edge| LISTED_EDGES.contains(&edge))
            }
        }
    }

    /// The cache key when it is one of the pictures made after the upload, each from the next larger one. These differ
    /// slightly from ones rendered on their own, and different bytes must not share an entity tag.
    pub fn cascaded_key(&self, file: LibraryFile) -> Option<RenditionKey> {
        let is_cascaded = match self {
            Self::Blurred => true,
            Self::Picture(rendition) => rendition.format == Format::WebP && rendition.quality.is_none(),
        };
        is_cascaded.then(|| self.key_in("rasterd 2026 rendition of a library, cascaded", file))
    }

    fn key_in(&self, context: &str, file: LibraryFile) -> RenditionKey {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&[ENGINE]).update(&file.key().0).update(self.key_text().as_bytes());
        RenditionKey(*hasher.finalize().as_bytes())
    }

    /// The spec as text for its key. The spelling is fixed and need not match the names in the code: another one would
    /// change every key, and with it discard all cached renditions and all entity tags.
    fn key_text(&self) -> String {
        match self {
            Self::Blurred => "Blurred".to_owned(),
            Self::Picture(RenderSpec { size: ResizeSpec { width, height, fit }, format, quality }) => {
                format!(
                    "Picture(Rendition {{ size: Wanted {{ width: {width:?}, height: {height:?}, fit: {fit:?} }}, \
                 format: {format:?}, quality: {quality:?} }})"
                )
            }
        }
    }
}

/// The format, given the longer edge of the result; 0 where that is not known.
fn format(requested: RequestedFormat, original: MediaType, longest: u32) -> Format {
    match (requested, original) {
        (RequestedFormat::Fixed(format), _) => format,
        (RequestedFormat::Auto { webp: true }, _) if longest <= Format::WebP.longest_edge() => Format::WebP,
        (RequestedFormat::Auto { .. }, _) if longest > Format::Jpeg.longest_edge() => Format::Png,
        (RequestedFormat::Original, MediaType::WebP) => Format::WebP,
        (RequestedFormat::Original, MediaType::Avif) => Format::Avif,
        (RequestedFormat::Original | RequestedFormat::Auto { .. }, original) => plain(original),
    }
}

/// The format that every browser shows: lossless for types that usually hold graphics and may be transparent.
fn plain(original: MediaType) -> Format {
    match original {
        MediaType::Png | MediaType::Gif | MediaType::Bmp | MediaType::Svg => Format::Png,
        MediaType::Jpeg
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Heic
        | MediaType::Mp4
        | MediaType::Mov
        | MediaType::WebM
        | MediaType::Pdf => Format::Jpeg,
    }
}

/// The box, snapped to the size steps. A box as large as the original counts as none.
fn resize_spec(request: &RenditionRequest, original: Option<PixelSize>, is_vector: bool) -> ResizeSpec {
    let in_device_pixels = |edge: u32| edge.saturating_mul(request.density).div_ceil(100);
    let resize = match (request.width.map(in_device_pixels), request.height.map(in_device_pixels)) {
        (None, None) => ResizeSpec::default(),
        (Some(width), None) => ResizeSpec { width: Some(snapped(width)), ..ResizeSpec::default() },
        (None, Some(height)) => ResizeSpec { height: Some(snapped(height)), ..ResizeSpec::default() },
        (Some(width), Some(height)) => {
            let step = snapped(width);
            let height = proportional(height, step, width);
            ResizeSpec { width: Some(step), height: Some(height), fit: request.fit }
        }
    };
    let result = |original| if is_vector { resize.drawn(original) } else { resize.scaled(original) };
    match (resize.fit, original) {
        (Fit::Contain, Some(original)) if result(original) == original => ResizeSpec::default(),
        (Fit::Contain | Fit::Cover, Some(_) | None) => resize,
    }
}

#[cfg(test)]
mod tests;
