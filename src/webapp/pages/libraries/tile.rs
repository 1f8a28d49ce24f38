//! One asset in a grid.

use crate::core::assets::AssetDetail;
use crate::core::model::Asset;
use crate::pictures::media::MediaType;
use crate::webapp::pages::libraries::approve::badge;
use crate::webapp::pages::libraries::image::Image;

/// The longer edge up to which an image is shown in its own size, in pixels: that of the small thumbnail.
const SMALL: u32 = 400;
/// How much longer than wide, or wider than long, an image may be to fill its tile.
const MAX_FILLED_RATIO: f64 = 1.8;

/// One asset in a grid.
pub struct Tile {
    /// The asset's id.
    pub id: String,
    /// Where it leads; empty where it has no page.
    pub href: String,
    /// The asset's name.
    pub name: String,
    /// The name as HTML, with the words of the search marked.
    pub marked_name: String,
    /// Whether a word of the search is in the name.
    pub is_found: bool,
    /// The classes of how its image fits the tile.
    pub fit: &'static str,
    /// Its thumbnail, if it has one.
    pub thumbnail: Option<TileImage>,
    /// Its icon if it has none.
    pub icon: &'static str,
    /// A word for its type, unless it is a still image.
    pub kind: &'static str,
    /// How many variants it has.
    pub variants: usize,
    /// What was decided about it: the word, and the tone of its badge.
    pub approval: Option<(&'static str, &'static str)>,
}

/// A small image of an asset.
pub struct TileImage {
    /// Its address.
    pub src: String,
    /// Its addresses by width; empty where there is one only.
    pub srcset: String,
    /// The width of the original, in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// What a script draws until the image is loaded.
    pub blurhash: Option<String>,
    /// The colour that a script shows before that, as CSS has it.
    pub tint: Option<String>,
}

impl TileImage {
    fn new(asset: &Asset, src: String, srcset: String, (width, height): (u32, u32)) -> Self {
        let result = asset.content.processing_result();
        let tint = result.and_then(|result| result.colour);
        Self {
            src,
            srcset,
            width,
            height,
            blurhash: result.and_then(|result| result.blurhash.clone()),
            tint: tint.map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}")),
        }
    }
}

impl Tile {
    /// An asset that a click opens.
    pub fn new(detail: &AssetDetail, href: String, marked_name: String) -> Self {
        let thumbnail = Image::of(detail, &detail.asset).map(|image| {
            let size = (image.width, image.height);
            // One that is small has no other size.
            let srcset =
                if image.width.max(image.height) > SMALL { image.thumbnails() } else { String::new() };
            TileImage::new(&detail.asset, image.thumbnail(), srcset, size)
        });
        Self { href, ..Self::of(&detail.asset, detail.variants.len(), thumbnail, marked_name) }
    }

    /// An asset without a page, whose thumbnail has an address of its own.
    pub fn without_page(asset: &Asset, src: Option<String>) -> Self {
        let size = asset.content.width.zip(asset.content.height);
        let thumbnail = src.zip(size).map(|(src, size)| TileImage::new(asset, src, String::new(), size));
        Self::of(asset, 0, thumbnail, String::new())
    }

    fn of(asset: &Asset, variants: usize, thumbnail: Option<TileImage>, marked_name: String) -> Self {
        let (width, height) = (asset.content.width.unwrap_or(0), asset.content.height.unwrap_or(0));
        Self {
            id: asset.id.to_string(),
            href: String::new(),
            name: asset.name.clone(),
            is_found: marked_name.contains("<mark>"),
            marked_name,
            fit: fit_of(asset.content.media_type, width, height),
            thumbnail,
            icon: icon_of(asset.content.media_type),
            kind: kind_of(asset.content.media_type),
            variants,
            approval: asset.approval_state().map(badge),
        }
    }
}

/// The icon of a type.
pub fn icon_of(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::Gif
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp
        | MediaType::Svg
        | MediaType::Heic => "image",
        MediaType::Mp4 | MediaType::Mov | MediaType::WebM => "file-video",
        MediaType::Pdf => "file",
    }
}

/// How an image fits its square tile: photos fill it unless that would cut off much, graphics are shown as a whole, and
/// nothing is larger than it is. What may be transparent is on a pattern.
fn fit_of(media_type: MediaType, width: u32, height: u32) -> &'static str {
    let (longer, shorter) = (f64::from(width.max(height)), f64::from(width.min(height)));
    let is_clear = !is_opaque(media_type);
    let is_graphic = matches!(media_type, MediaType::Png | MediaType::Gif | MediaType::Svg | MediaType::Pdf);
    match (media_type, is_clear) {
        (MediaType::Svg, _) => "tile-whole tile-clear",
        (_, true) if longer <= f64::from(SMALL) => "tile-small tile-clear",
        (_, false) if longer <= f64::from(SMALL) => "tile-small",
        (_, true) if is_graphic || longer > shorter * MAX_FILLED_RATIO => "tile-whole tile-clear",
        (_, false) if is_graphic || longer > shorter * MAX_FILLED_RATIO => "tile-whole",
        (_, true) => "tile-full tile-clear",
        (_, false) => "tile-full",
    }
}

/// Whether nothing shows through an image of this type.
fn is_opaque(media_type: MediaType) -> bool {
    match media_type {
        MediaType::Jpeg
        | MediaType::Heic
        | MediaType::Mp4
        | MediaType::Mov
        | MediaType::WebM
        | MediaType::Pdf => true,
        MediaType::Png
        | MediaType::Gif
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp
        | MediaType::Svg => false,
    }
}

/// What people call a type.
pub fn type_name(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg => "JPEG",
        MediaType::Png => "PNG",
        MediaType::Gif => "GIF",
        MediaType::WebP => "WebP",
        MediaType::Avif => "AVIF",
        MediaType::Tiff => "TIFF",
        MediaType::Bmp => "BMP",
        MediaType::Svg => "SVG",
        MediaType::Heic => "HEIC",
        MediaType::Mp4 => "MP4 video",
        MediaType::Mov => "QuickTime video",
        MediaType::WebM => "WebM video",
        MediaType::Pdf => "PDF",
    }
}

fn kind_of(media_type: MediaType) -> &'static str {
    match media_type {
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::WebP
        | MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp => "",
        MediaType::Gif => "GIF",
        MediaType::Svg => "SVG",
        MediaType::Heic => "HEIC",
        MediaType::Mp4 | MediaType::Mov | MediaType::WebM => "Video",
        MediaType::Pdf => "PDF",
    }
}
