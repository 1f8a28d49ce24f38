//! The urls of an asset's smaller pictures. They are permanent like the asset's own, of which they are made, and null
//! where no pictures are made of what the asset is, or of this file.

use std::collections::BTreeMap;

use crate::app::model::Content;
use crate::app::pictures::{BLURRED_EDGE, Pictured};
use crate::app::renditions::SIZES;
pub use crate::app::renditions::{THUMB, THUMB_HIGH};

/// The url of a picture whose longer edge has so many pixels, or of all there are.
pub fn within(pictured: Pictured, content: &Content, url: &str, edge: u32) -> Option<String> {
    content.has_pictures(pictured).then(|| sized(url, edge))
}

/// The url of the tiny blurred picture.
pub fn blurred(pictured: Pictured, content: &Content, url: &str) -> Option<String> {
    content.has_pictures(pictured).then(|| format!("{url}?w={BLURRED_EDGE}&blur=1"))
}

/// The object of `sizes` as JSON text: the longer edge, in pixels, to the url of such a picture; only edges that are
/// shorter than the original's.
pub fn sizes(pictured: Pictured, content: &Content, url: &str) -> Option<String> {
    let longer = content.width?.max(content.height?);
    if !content.has_pictures(pictured) {
        return None;
    }
    let smaller = SIZES.into_iter().filter(|edge| *edge < longer);
    let sizes: BTreeMap<u32, String> = smaller.map(|edge| (edge, sized(url, edge))).collect();
    serde_json::to_string(&sizes).ok()
}

fn sized(url: &str, edge: u32) -> String {
    format!("{url}?w={edge}&h={edge}&fm=auto")
}
