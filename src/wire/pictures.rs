//! The urls of an asset's smaller pictures. They are permanent like the asset's own, of which they are made, and null
//! where no pictures are made of what the asset is.

use std::collections::BTreeMap;

use crate::app::model::Content;
use crate::app::pictures::{BLURRED_EDGE, Pictured};

/// The longer edge of the small thumbnail, in pixels.
pub const THUMB: u32 = 400;
/// The longer edge of the larger one.
pub const THUMB_HIGH: u32 = 800;
/// The longer edges that `sizes` lists.
const SIZES: [u32; 4] = [400, 800, 1600, 2400];

/// The url of a picture whose longer edge has so many pixels, or of all there are.
pub fn within(pictured: Pictured, content: &Content, url: &str, edge: u32) -> Option<String> {
    pictured.includes(content.media_type).then(|| sized(url, edge))
}

/// The url of the tiny blurred picture.
pub fn blurred(pictured: Pictured, content: &Content, url: &str) -> Option<String> {
    pictured.includes(content.media_type).then(|| format!("{url}?w={BLURRED_EDGE}&blur=1"))
}

/// The object of `sizes` as JSON text: the longer edge, in pixels, to the url of such a picture; only edges that are
/// shorter than the original's.
pub fn sizes(pictured: Pictured, content: &Content, url: &str) -> Option<String> {
    let longer = content.width?.max(content.height?);
    if !pictured.includes(content.media_type) {
        return None;
    }
    let smaller = SIZES.into_iter().filter(|edge| *edge < longer);
    let sizes: BTreeMap<u32, String> = smaller.map(|edge| (edge, sized(url, edge))).collect();
    serde_json::to_string(&sizes).ok()
}

fn sized(url: &str, edge: u32) -> String {
    format!("{url}?w={edge}&h={edge}&fm=auto")
}
