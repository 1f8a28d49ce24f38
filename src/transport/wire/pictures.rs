//! The urls of an asset's smaller pictures. They are permanent like the asset's own url, and null where its type, or
//! this file, can't be rendered.

use std::collections::BTreeMap;

use crate::core::model::Content;
use crate::core::renditions::LISTED_EDGES;
pub use crate::core::renditions::{THUMB, THUMB_HIGH};
use crate::pictures::{BLURRED_EDGE, RenderableTypes};

/// The url of a picture whose longer edge has this many pixels, or as many as the original.
pub fn within(renderable_types: RenderableTypes, content: &Content, url: &str, edge: u32) -> Option<String> {
    content.has_pictures(renderable_types).then(|| sized(url, edge))
}

/// The url of the tiny blurred picture.
pub fn blurred(renderable_types: RenderableTypes, content: &Content, url: &str) -> Option<String> {
    content.has_pictures(renderable_types).then(|| format!("{url}?w={BLURRED_EDGE}&blur=1"))
}

/// The object of `sizes` as JSON text: the longer edge, in pixels, to the url of such a picture; only edges that are
/// shorter than the original's.
pub fn sizes(renderable_types: RenderableTypes, content: &Content, url: &str) -> Option<String> {
    let longer = content.width?.max(content.height?);
    if !content.has_pictures(renderable_types) {
        return None;
    }
    let smaller = LISTED_EDGES.into_iter().filter(|edge| *edge < longer);
    let sizes: BTreeMap<u32, String> = smaller.map(|edge| (edge, sized(url, edge))).collect();
    serde_json::to_string(&sizes).ok()
}

fn sized(url: &str, edge: u32) -> String {
    format!("{url}?w={edge}&h={edge}&fm=auto")
}
