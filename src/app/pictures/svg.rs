//! Draws SVG by resvg. Nothing outside the file is read: no files, no network, no fonts of the machine (so text
//! is left out), and of pictures inside the file only raster pictures of a modest size. Scripts mean nothing here.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::sync::Arc;

use image::metadata::Orientation;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::{Document, ParsingOptions};
use resvg::usvg::{ImageHrefResolver, ImageKind, Options, Tree};

use super::canvas::{Canvas, Layout};
use super::reducer::within_memory;
use super::size::{Size, Wanted};
use super::{Decoded, Failure, Limits};

/// The largest file that is drawn. Real drawings are far smaller; parsing takes many times the file's size.
const LARGEST_FILE: u64 = 8 << 20;
/// The most elements and texts.
const MOST_NODES: u32 = 500_000;
/// How deep elements may lie in each other: what is drawn inside of what is drawn takes stack.
const DEEPEST: usize = 256;
/// The most pixels of one picture inside the drawing.
const MOST_INNER_PIXELS: usize = 8_000_000;

pub(super) fn decode(source: &File, wanted: &Wanted, limits: &Limits) -> Result<Decoded, Failure> {
    let mut source = source;
    source.rewind()?;
    if source.metadata()?.len() > LARGEST_FILE {
        return Err(Failure::TooLarge(format!("it is an SVG of more than {} MB", LARGEST_FILE >> 20)));
    }
    let mut text = Vec::new();
    source.take(LARGEST_FILE).read_to_end(&mut text)?;

    let options = Options { image_href_resolver: resolver(), ..Options::default() };
    let text = std::str::from_utf8(&text).map_err(Failure::damaged)?;
    let parsing = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, parsing).map_err(Failure::damaged)?;
    if document.descendants().any(|node| node.ancestors().nth(DEEPEST).is_some()) {
        return Err(Failure::TooLarge(format!("it is an SVG with elements more than {DEEPEST} deep")));
    }
    let tree = Tree::from_xmltree(&document, &options).map_err(Failure::damaged)?;
    let drawn = tree.size().to_int_size();
    let stored = Size::new(drawn.width(), drawn.height());
    let target = wanted.scaled(stored);
    within_memory(Layout::Rgba.stride(target.width) as u64 * u64::from(target.height), limits)?;

    let mut pixels =
        Pixmap::new(target.width, target.height).ok_or_else(|| Failure::damaged("it has no size"))?;
    #[expect(clippy::cast_precision_loss, reason = "at most 65,535 pixels")]
    let scale = (target.width as f32 / tree.size().width(), target.height as f32 / tree.size().height());
    resvg::render(&tree, Transform::from_scale(scale.0, scale.1), &mut pixels.as_mut());
    Ok(Decoded {
        canvas: Canvas::new(target, Layout::Rgba, pixels.take())?,
        stored,
        orientation: Orientation::NoTransforms,
        profile: None,
    })
}

/// Raster pictures in `data:` urls, and nothing else. An SVG in an SVG could go on for ever.
fn resolver() -> ImageHrefResolver<'static> {
    ImageHrefResolver {
        resolve_data: Box::new(|_claimed_type, data, _options| inner_picture(data)),
        resolve_string: Box::new(|_address, _options| None),
    }
}

fn inner_picture(data: Arc<Vec<u8>>) -> Option<ImageKind> {
    let size = imagesize::reader_size(Cursor::new(data.as_slice())).ok()?;
    if size.width.checked_mul(size.height)? > MOST_INNER_PIXELS {
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
