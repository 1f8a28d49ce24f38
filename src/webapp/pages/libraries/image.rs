//! The image of an asset as a page embeds it: addresses on this origin in the sizes that screens need.

use crate::core::assets::AssetDetail;
use crate::core::model::Asset;
use crate::pictures::media::MediaType;

/// The longer edges that pages embed, in pixels: those of the thumbnails, and what is made ahead of large screens.
const EDGES: [u32; 4] = [400, 800, 1600, 2400];
/// The same, and more for somebody who looks closely.
const EDGES_FOR_ZOOMING: [u32; 6] = [400, 800, 1600, 2400, 4000, 8000];

/// The image of an asset.
pub struct Image {
    /// The address of the file itself, without a size.
    url: String,
    /// Goes into every address, so that a browser does not show what it kept from before a promotion.
    version: String,
    /// The width of the original, in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Whether it is drawn at any size, and not only up to its own.
    is_vector: bool,
}

impl Image {
    /// The image of an asset, or of one of its variants; `None` if no renditions can be made of it.
    pub fn of(detail: &AssetDetail, asset: &Asset) -> Option<Self> {
        if !asset.content.has_pictures(detail.renderable_types) {
            return None;
        }
        let (width, height) = asset.content.width.zip(asset.content.height)?;
        let mut version = asset.content.hash.to_hex();
        version.truncate(8);
        let is_vector = asset.content.media_type == MediaType::Svg;
        Some(Self { url: file_path(detail, asset), version, width, height, is_vector })
    }

    /// The address of the small thumbnail.
    pub fn thumbnail(&self) -> String {
        self.within(400)
    }

    /// The address of an image that fills a usual screen.
    pub fn large(&self) -> String {
        self.within(1600)
    }

    /// The thumbnails, each with its width, for `srcset`.
    pub fn thumbnails(&self) -> String {
        self.set(&[400, 800])
    }

    /// The sizes up to that of the file, each with its width, for `srcset`.
    pub fn all(&self) -> String {
        self.set(&EDGES)
    }

    /// [`Image::all`] with larger ones, for somebody who looks closely.
    pub fn zoomed(&self) -> String {
        self.set(&EDGES_FOR_ZOOMING)
    }

    /// [`Image::all`] for other sites, which know the file by this address.
    pub fn published(&self, url: &str) -> String {
        self.entries(&EDGES, |edge| format!("{url}?w={edge}&h={edge}&fm=auto"))
    }

    fn set(&self, edges: &[u32]) -> String {
        self.entries(edges, |edge| self.within(edge))
    }

    fn entries(&self, edges: &[u32], address: impl Fn(u32) -> String) -> String {
        let longer = self.width.max(self.height);
        let mut entries: Vec<String> = Vec::with_capacity(edges.len());
        for &edge in edges {
            let shown = if self.is_vector { edge } else { edge.min(longer) };
            entries.push(format!("{} {}w", address(edge), scaled(self.width, shown, longer)));
            if edge >= longer && !self.is_vector {
                break;
            }
        }
        entries.join(", ")
    }

    fn within(&self, edge: u32) -> String {
        format!("{}?w={edge}&h={edge}&fm=auto&v={}", self.url, self.version)
    }
}

/// The path of the file of an asset, or of one of its variants, on this origin.
pub fn file_path(detail: &AssetDetail, asset: &Asset) -> String {
    let AssetDetail { organization, library, .. } = detail;
    match &asset.parent {
        None => format!("/cdn/{organization}/{library}/{}", asset.id),
        Some(parent) => format!("/cdn/{organization}/{library}/{parent}/{}", asset.id),
    }
}

/// The width when the longer edge becomes `edge`; never 0.
fn scaled(width: u32, edge: u32, longer: u32) -> u32 {
    let scaled = u64::from(width) * u64::from(edge) / u64::from(longer.max(1));
    u32::try_from(scaled).unwrap_or(edge).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, height: u32) -> Image {
        Image { url: "/f".to_owned(), version: "0".to_owned(), width, height, is_vector: false }
    }

    #[test]
    fn no_size_is_offered_beyond_the_first_that_is_as_large_as_the_file() {
        let widths = |image: &Image| -> Vec<String> {
            image.all().split(", ").filter_map(|entry| Some(entry.split_once(' ')?.1.to_owned())).collect()
        };
        assert_eq!(widths(&image(3000, 1500)), ["400w", "800w", "1600w", "2400w"]);
        assert_eq!(widths(&image(500, 1000)), ["200w", "400w", "500w"]);
        assert_eq!(widths(&image(100, 100)), ["100w"]);
        assert_eq!(widths(&image(1, u32::MAX)), ["1w", "1w", "1w", "1w"]);
        let vector = Image { is_vector: true, ..image(64, 64) };
        assert_eq!(widths(&vector), ["400w", "800w", "1600w", "2400w"]);
    }
}
