//! Writes JPEG, PNG, WebP and AVIF. Nothing but pixels: no place, no device, no profile; what is written is sRGB.

use ::png::{BitDepth, ColorType, Compression, SrgbRenderingIntent};
use mozjpeg::{ColorSpace, Compress};
use ravif::Img;
use rgb::FromSlice;
use webp::{PixelLayout, WebPConfig};

use super::canvas::{Canvas, Layout, unexpected};
use super::colour::on_white;
use super::{Failure, Format, LARGEST_EDGE, Limits};

/// What looks like the original at the size it is seen in.
const JPEG_QUALITY: u8 = 80;
/// The same for WebP.
const WEBP_QUALITY: u8 = 80;
/// The same for AVIF, whose scale begins to look good far lower.
const AVIF_QUALITY: u8 = 55;
/// The longest edge that WebP has room for.
const LARGEST_WEBP: u32 = 16_383;
/// libwebp's effort, 0 to 6: 2 takes half the time of its default 4, for files that are some 5 % larger.
const WEBP_METHOD: i32 = 2;
/// ravif's speed, 1 to 10, for what is looked at closely: a picture of 800 × 600 takes well under a second.
const AVIF_SPEED: u8 = 8;
/// Its speed for more than [`LARGE`], so that the largest take a few seconds at most.
const AVIF_SPEED_LARGE: u8 = 10;
/// Pixels from which on speed goes before size.
const LARGE: u64 = 1_000_000;

/// What rav1e was seen to hold for a pixel.
const AVIF_BYTES_PER_PIXEL: u64 = 32;

pub(super) fn encode(
    canvas: &Canvas,
    format: Format,
    quality: Option<u8>,
    limits: &Limits,
) -> Result<Vec<u8>, Failure> {
    let largest = match format {
        Format::WebP => LARGEST_WEBP,
        Format::Jpeg | Format::Png | Format::Avif => LARGEST_EDGE,
    };
    if canvas.size().longest() > largest {
        return Err(Failure::TooLarge(format!(
            "a {} is at most {largest} pixels wide and high",
            format.media_type().mime()
        )));
    }
    let quality = quality.map(|quality| quality.clamp(1, 100));
    match format {
        Format::Jpeg => jpeg(&on_white(canvas)?, quality.unwrap_or(JPEG_QUALITY)),
        Format::Png => png(canvas),
        Format::WebP => webp(canvas, quality.unwrap_or(WEBP_QUALITY)),
        Format::Avif if canvas.size().pixels() * AVIF_BYTES_PER_PIXEL > limits.memory => {
            Err(Failure::TooLarge("an AVIF of this size needs more memory than is allowed".into()))
        }
        Format::Avif => avif(canvas, quality.unwrap_or(AVIF_QUALITY)),
    }
}

fn jpeg(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, Failure> {
    let mut compress = Compress::new(ColorSpace::JCS_RGB);
    compress.set_size(canvas.size().width as usize, canvas.size().height as usize);
    compress.set_fastest_defaults();
    compress.set_quality(quality.into());
    let mut started = compress.start_compress(Vec::new()).map_err(unexpected)?;
    started.write_scanlines(canvas.pixels()).map_err(unexpected)?;
    started.finish().map_err(unexpected)
}

fn png(canvas: &Canvas) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, canvas.size().width, canvas.size().height);
    encoder.set_color(if canvas.layout() == Layout::Rgba { ColorType::Rgba } else { ColorType::Rgb });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header().map_err(unexpected)?;
    writer.write_image_data(&canvas.straight()?).map_err(unexpected)?;
    writer.finish().map_err(unexpected)?;
    Ok(bytes)
}

fn webp(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, Failure> {
    let layout = if canvas.layout() == Layout::Rgba { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let mut config = WebPConfig::new().map_err(|()| unexpected("libwebp is of another version"))?;
    config.quality = quality.into();
    config.method = WEBP_METHOD;
    let straight = canvas.straight()?;
    let encoder = webp::Encoder::new(&straight, layout, canvas.size().width, canvas.size().height);
    let bytes = encoder.encode_advanced(&config).map_err(|error| unexpected(format!("{error:?}")))?;
    Ok(bytes.to_vec())
}

fn avif(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, Failure> {
    let (width, height) = (canvas.size().width as usize, canvas.size().height as usize);
    let encoder = ravif::Encoder::new()
        .with_quality(quality.into())
        .with_alpha_quality(quality.into())
        .with_speed(if canvas.size().pixels() > LARGE { AVIF_SPEED_LARGE } else { AVIF_SPEED })
        .with_num_threads(Some(1));
    let straight = canvas.straight()?;
    let made = if canvas.layout() == Layout::Rgba {
        encoder.encode_rgba(Img::new(straight.as_rgba(), width, height))
    } else {
        encoder.encode_rgb(Img::new(straight.as_rgb(), width, height))
    };
    Ok(made.map_err(unexpected)?.avif_file)
}
