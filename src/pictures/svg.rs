//! Draws SVG with resvg at the requested size. Nothing outside of the file is read except fonts (`fonts.rs`): no other
//! files and no network. Embedded pictures are drawn only if they are raster images of a limited size. Scripts don't run.

use std::fs::File;
use std::io::{Cursor, Seek};
use std::path::Path;
use std::sync::Arc;

use image::metadata::Orientation;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::{Document, ParsingOptions};
use resvg::usvg::{ImageHrefResolver, ImageKind, Options, Tree};

use super::canvas::{Canvas, ChannelLayout};
use super::downscale::within_memory;
use super::resize::{PixelSize, ResizeSpec};
use super::{DecodeLimits, Decoded, Failure};
use crate::pictures::media::svg::CssSize;

mod fonts;
mod text;

/// The most XML nodes.
const MAX_NODES: u32 = 500_000;
/// How deep elements may be nested, because drawing recurses.
const MAX_DEPTH: usize = 256;
/// The most pixels of an embedded picture.
const MAX_EMBEDDED_PIXELS: usize = 8_000_000;

pub(super) fn decode(
    source: &File,
    fonts: Option<&Path>,
    resize: &ResizeSpec,
    limits: &DecodeLimits,
) -> Result<Decoded, Failure> {
    let mut source = source;
    source.rewind()?;
    let text = text::read(source)?;
    let tree = parse(&text, fonts)?;
    let size = tree.size().to_int_size();
    let stored = PixelSize::new(size.width(), size.height());
    let target = resize.drawn(stored);
    within_memory(ChannelLayout::Rgba.stride(target.width) as u64 * u64::from(target.height), limits)?;

    let mut pixels =
        Pixmap::new(target.width, target.height).ok_or_else(|| Failure::damaged("it has no size"))?;
    #[expect(clippy::cast_precision_loss, reason = "at most 65,535 pixels")]
    let scale = (target.width as f32 / tree.size().width(), target.height as f32 / tree.size().height());
    resvg::render(&tree, Transform::from_scale(scale.0, scale.1), &mut pixels.as_mut());
    Ok(Decoded {
        canvas: Canvas::new(target, ChannelLayout::Rgba, pixels.take())?,
        stored,
        orientation: Orientation::NoTransforms,
        profile: None,
    })
}

fn parse(text: &str, fonts: Option<&Path>) -> Result<Tree, Failure> {
    let resized = with_size_in_pixels(text, &xml(text)?);
    let text = resized.as_deref().unwrap_or(text);
    let document = xml(text)?;
    if document.descendants().any(|node| node.ancestors().nth(MAX_DEPTH).is_some()) {
        return Err(Failure::TooLarge(format!("it is an SVG with elements more than {MAX_DEPTH} deep")));
    }
    let has_text = document.descendants().any(|node| node.tag_name().name() == "text");
    let mut options = Options { image_href_resolver: resolver(), ..Options::default() };
    if has_text {
        options.fontdb = fonts::all(fonts);
        options.font_resolver = fonts::resolver();
    }
    Tree::from_xmltree(&document, &options).map_err(|_| Failure::damaged("it is not a readable SVG"))
}

fn xml(text: &str) -> Result<Document<'_>, Failure> {
    let parsing = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, parsing).map_err(Failure::damaged)
}

/// The same text with the root element's size in whole pixels, as the asset has it, for any unit and also when an edge is
/// missing. `None` when the root element gives no size: then the content decides.
fn with_size_in_pixels(text: &str, document: &Document<'_>) -> Option<String> {
    let root = document.root_element();
    // As written, without expanding entities, because the asset's size is read that way.
    let written = |name: &str| {
        let attribute =
            root.attributes().find(|attribute| attribute.name() == name && attribute.namespace().is_none());
        attribute.map(|attribute| (attribute.range(), text.get(attribute.range_value()).unwrap_or_default()))
    };
    let [width, height, view_box] = ["width", "height", "viewBox"].map(written);
    let [width_value, height_value, view_box_value] =
        [&width, &height, &view_box].map(|found| found.as_ref().map(|(_, value)| *value));
    let size = CssSize::read(width_value, height_value, view_box_value)?.rounded();
    let mut resized = text.to_owned();
    let mut ranges: Vec<_> = [width, height].into_iter().flatten().map(|(range, _)| range).collect();
    ranges.sort_by_key(|range| std::cmp::Reverse(range.start));
    for range in ranges {
        resized.replace_range(range, "");
    }
    let name = root.range().start + 1;
    let rest = resized.get(name..)?;
    let end = name + rest.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')?;
    resized.insert_str(end, &format!(" width=\"{}\" height=\"{}\"", size.width, size.height));
    Some(resized)
}

/// Resolves only raster images in `data:` urls. An SVG in an SVG could nest without end.
fn resolver() -> ImageHrefResolver<'static> {
    ImageHrefResolver {
        resolve_data: Box::new(|_claimed_type, data, _options| embedded_picture(data)),
        resolve_string: Box::new(|_address, _options| None),
    }
}

fn embedded_picture(data: Arc<Vec<u8>>) -> Option<ImageKind> {
    let size = imagesize::reader_size(Cursor::new(data.as_slice())).ok()?;
    if size.width.checked_mul(size.height)? > MAX_EMBEDDED_PIXELS {
        return None;
    }
    match imagesize::image_type(&data).ok()? {
        imagesize::ImageType::Jpeg => Some(ImageKind::JPEG(data)),
        imagesize::ImageType::Png => Some(ImageKind::PNG(data)),
        imagesize::ImageType::Gif => Some(ImageKind::GIF(data)),
        imagesize::ImageType::Webp => Some(ImageKind::WEBP(data)),
        _ => None,
    }
}
