//! The file that the page of an asset shows: the asset's own, or that of one of its variants.

use super::snippets::Snippets;
use crate::core::assets::AssetDetail;
use crate::core::model::Asset;
use crate::pictures::media::MediaType;
use crate::webapp::format::numbers::{bytes, grouped};
use crate::webapp::pages::libraries::image::{Image, file_path};
use crate::webapp::pages::libraries::tile::{icon_of, type_name};

/// The longer edge at which the shape of a vector picture is shown: it has no natural size.
const VECTOR_EDGE: u64 = 8000;

/// The file that the page shows.
pub struct ShownFile {
    /// The asset's id, or the variant's.
    pub id: String,
    /// Whether it is a variant's.
    pub is_variant: bool,
    /// Its name.
    pub name: String,
    /// Its image, if it has one.
    pub image: Option<Image>,
    /// The size above which the image is not shown, in pixels, until somebody zooms.
    pub frame: (u64, u64),
    /// Whether it is a video.
    pub is_video: bool,
    /// Whether something may show through it.
    pub is_see_through: bool,
    /// The icon of its type.
    pub icon: &'static str,
    /// Its address on this origin.
    pub file: String,
    /// Its size, in bytes.
    pub size: u64,
    /// What there is to know about it, each with a label.
    pub facts: Vec<(&'static str, String)>,
    /// What to paste elsewhere.
    pub snippets: Snippets,
    /// The media type that a crop of it is saved in.
    pub crop_type: &'static str,
    /// The picture that a crop is cut out of: one that browsers can decode.
    pub crop_source: String,
}

impl ShownFile {
    /// The file of an asset or a variant; `authority` is where a shell finds the authority that a client must trust first.
    pub fn new(detail: &AssetDetail, asset: &Asset, public_url: &str, authority: Option<&str>) -> Self {
        let media_type = asset.content.media_type;
        let file = file_path(detail, asset);
        let image = Image::of(detail, asset);
        let (crop_type, is_shown_by_browsers) = in_browsers(media_type);
        Self {
            id: asset.id.to_string(),
            is_variant: asset.parent.is_some(),
            name: asset.name.clone(),
            frame: image.as_ref().map_or((0, 0), |image| frame(image, media_type)),
            is_video: matches!(media_type, MediaType::Mp4 | MediaType::Mov | MediaType::WebM),
            is_see_through: crop_type != "image/jpeg",
            icon: icon_of(media_type),
            size: asset.content.size,
            facts: facts(asset),
            snippets: Snippets::new(asset, &format!("{public_url}{file}"), image.as_ref(), authority),
            crop_type,
            crop_source: if is_shown_by_browsers {
                file.clone()
            } else {
                format!("{file}?w=8000&h=8000&fm=auto&q=95")
            },
            image,
            file,
        }
    }
}

impl ShownFile {
    /// Whether the file may say more about a photo in it.
    pub fn has_photo_details(&self) -> bool {
        self.image.is_some() && !self.is_video
    }
}

/// The size that an image is shown at, at most: its own, or for a vector picture a large one of the same shape.
fn frame(image: &Image, media_type: MediaType) -> (u64, u64) {
    let (width, height) = (u64::from(image.width), u64::from(image.height));
    match media_type {
        MediaType::Svg => {
            let longer = width.max(height).max(1);
            ((width * VECTOR_EDGE / longer).max(1), (height * VECTOR_EDGE / longer).max(1))
        }
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::Gif
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp
        | MediaType::Heic
        | MediaType::Mp4
        | MediaType::Mov
        | MediaType::WebM
        | MediaType::Pdf => (width, height),
    }
}

/// The type that a crop of such a file is saved in, and whether browsers show the file itself.
const fn in_browsers(media_type: MediaType) -> (&'static str, bool) {
    match media_type {
        MediaType::Jpeg => ("image/jpeg", true),
        MediaType::Heic | MediaType::Mp4 | MediaType::Mov | MediaType::WebM | MediaType::Pdf => {
            ("image/jpeg", false)
        }
        MediaType::Png | MediaType::Gif | MediaType::Bmp | MediaType::Svg => ("image/png", true),
        MediaType::Tiff => ("image/png", false),
        MediaType::WebP | MediaType::Avif => ("image/webp", true),
    }
}

fn facts(asset: &Asset) -> Vec<(&'static str, String)> {
    let content = &asset.content;
    let mut facts = Vec::new();
    if let Some((width, height)) = content.width.zip(content.height) {
        let [width, height] = [width, height].map(|edge| grouped(u64::from(edge)));
        facts.push(("Dimensions", format!("{width} × {height} pixels")));
    }
    facts.push(("Type", type_name(content.media_type).to_owned()));
    facts.push(("Size", bytes(content.size)));
    let result = content.processing_result().cloned().unwrap_or_default();
    // ISO 8601 with a space reads better, and the camera's own time is not turned into another.
    let captured = result.captured.map(|captured| captured.replacen('T', " ", 1));
    let described = [("Title", result.title), ("Taken", captured), ("Camera", result.camera)];
    facts.extend(described.into_iter().filter_map(|(label, value)| Some((label, value?))));
    facts
}
