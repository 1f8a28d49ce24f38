//! Encodes JPEG, PNG, WebP and AVIF. Writes only pixels in sRGB: no metadata and no profile.

use ::png::{ColorType, Compression, SrgbRenderingIntent};
use mozjpeg::{ColorSpace, Compress};
use ravif::{BitDepth, Img};
use rgb::FromSlice;
use webp::{PixelLayout, WebPConfig};

use super::canvas::{Canvas, ChannelLayout, unexpected};
use super::colour::on_white;
use super::{DecodeLimits, Failure, Format};

/// The default quality, at which the result looks like the original.
const JPEG_QUALITY: u8 = 80;
/// The same for WebP.
const WEBP_QUALITY: u8 = 80;
/// The same for AVIF, which looks good at far lower values.
const AVIF_QUALITY: u8 = 55;
/// libwebp's effort, 0 to 6: 2 takes half the time of the default 4, and the files are about 5 % larger.
const WEBP_METHOD: i32 = 2;
/// ravif's speed, 1 to 10, for pictures up to [`LARGE`]: 800 × 600 takes well under a second.
const AVIF_SPEED: u8 = 8;
/// The speed for larger pictures, so that the largest take a few seconds at most.
const AVIF_SPEED_LARGE: u8 = 10;
/// The number of pixels above which encoding is faster and uses 8 bits per sample instead of 10, which takes a fifth less
/// time and two thirds of the memory.
const LARGE: u64 = 1_000_000;

/// Bytes of memory per pixel that rav1e was measured to use at 8 bits per sample, including the source picture.
const AVIF_BYTES_PER_PIXEL: u64 = 20;
/// Additional bytes per pixel for alpha.
const AVIF_BYTES_PER_ALPHA: u64 = 12;

pub(super) fn encode(
    canvas: &Canvas,
    format: Format,
    quality: Option<u8>,
    limits: &DecodeLimits,
) -> Result<Vec<u8>, Failure> {
    let largest = format.longest_edge();
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
        Format::Avif if avif_bytes(canvas) > limits.memory => {
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
    encoder.set_color(if canvas.layout() == ChannelLayout::Rgba { ColorType::Rgba } else { ColorType::Rgb });
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header().map_err(unexpected)?;
    writer.write_image_data(&canvas.straight()?).map_err(unexpected)?;
    writer.finish().map_err(unexpected)?;
    Ok(bytes)
}

fn webp(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, Failure> {
    let layout = if canvas.layout() == ChannelLayout::Rgba { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let mut config = WebPConfig::new().map_err(|()| unexpected("libwebp is of another version"))?;
    config.quality = quality.into();
    config.method = WEBP_METHOD;
    let straight = canvas.straight()?;
    let encoder = webp::Encoder::new(&straight, layout, canvas.size().width, canvas.size().height);
    let bytes = encoder.encode_advanced(&config).map_err(|error| unexpected(format!("{error:?}")))?;
    Ok(bytes.to_vec())
}

fn avif_bytes(canvas: &Canvas) -> u64 {
    let of_alpha = if canvas.layout().has_alpha() { AVIF_BYTES_PER_ALPHA } else { 0 };
    canvas.size().pixels() * (AVIF_BYTES_PER_PIXEL + of_alpha)
}

fn avif(canvas: &Canvas, quality: u8) -> Result<Vec<u8>, Failure> {
    let (width, height) = (canvas.size().width as usize, canvas.size().height as usize);
    let (speed, depth) = if canvas.size().pixels() > LARGE {
        (AVIF_SPEED_LARGE, BitDepth::Eight)
    } else {
        (AVIF_SPEED, BitDepth::Ten)
    };
    let encoder = ravif::Encoder::new()
        .with_quality(quality.into())
        .with_alpha_quality(quality.into())
        .with_speed(speed)
        .with_bit_depth(depth)
        .with_num_threads(Some(1));
    let straight = canvas.straight()?;
    let image = if canvas.layout() == ChannelLayout::Rgba {
        encoder.encode_rgba(Img::new(straight.as_rgba(), width, height))
    } else {
        encoder.encode_rgb(Img::new(straight.as_rgb(), width, height))
    };
    Ok(image.map_err(unexpected)?.avif_file)
}
