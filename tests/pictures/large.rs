//! Pictures of ordinary cameras open within the default memory limit, which the process enforces.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use mozjpeg::{ColorSpace, Compress};
use rasterd::pictures::media::MediaType;
use rasterd::pictures::render_pool::{RenderPool, RenderPoolOptions};
use rasterd::pictures::{DecodeLimits, Format, PixelSize, RenderSpec, ResizeSpec};
use tempfile::NamedTempFile;

use crate::generated::rendition;

/// 50 megapixels.
const WIDTH: u32 = 8_660;
const HEIGHT: u32 = 5_774;
/// The maximum of the default memory limit.
const MAX: u64 = 1 << 30;

/// With this memory limit. There is no time limit, because this build is not optimised.
fn pool(memory: u64) -> RenderPool {
    RenderPool::new(RenderPoolOptions {
        program: Some(PathBuf::from(env!("CARGO_BIN_EXE_rasterd"))),
        concurrency: 1,
        limits: DecodeLimits { memory, ..DecodeLimits::default() },
        time_limit: Duration::from_mins(5),
        ..RenderPoolOptions::default()
    })
}

fn saved(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("the bytes are written");
    file
}

fn jpeg(width: u32, height: u32, space: ColorSpace, is_progressive: bool, chroma: (u8, u8)) -> Vec<u8> {
    let channels = if space == ColorSpace::JCS_CMYK { 4 } else { 3 };
    let mut compress = Compress::new(space);
    compress.set_size(width as usize, height as usize);
    compress.set_fastest_defaults();
    compress.set_quality(70.0);
    if channels == 3 {
        compress.set_chroma_sampling_pixel_sizes(chroma, chroma);
    }
    if is_progressive {
        compress.set_progressive_mode();
    }
    let row: Vec<u8> = (0..width * channels).map(|place| (place / 97).to_le_bytes()[0]).collect();
    let rows = row.repeat(16);
    let mut started = compress.start_compress(Vec::new()).expect("it starts");
    let mut left = height as usize;
    while left > 0 {
        started.write_scanlines(&rows[..row.len() * left.min(16)]).expect("rows are written");
        left -= left.min(16);
    }
    started.finish().expect("it ends")
}

fn webp(channels: usize, is_lossless: bool) -> Vec<u8> {
    let pixels = [40, 90, 160, 128][..channels].repeat((WIDTH * HEIGHT) as usize);
    let layout = if channels == 4 { webp::PixelLayout::Rgba } else { webp::PixelLayout::Rgb };
    let mut config = webp::WebPConfig::new().expect("this version");
    (config.lossless, config.quality, config.method) = (i32::from(is_lossless), 10.0, 0);
    let encoder = webp::Encoder::new(&pixels, layout, WIDTH, HEIGHT);
    encoder.encode_advanced(&config).expect("it is encoded").to_vec()
}

async fn opens(bytes: &[u8], media_type: MediaType, what: &str) {
    let file = saved(bytes);
    let made = pool(MAX).derive(file.path(), media_type, &[400]).await;
    let made = made.unwrap_or_else(|failure| panic!("{what}: {failure}"));
    assert_eq!(made.size, PixelSize::new(WIDTH, HEIGHT), "{what}");
    assert_eq!(made.thumbnails[0].size, PixelSize::new(400, 267), "{what}");
}

#[tokio::test]
async fn jpegs_of_fifty_megapixels_open() {
    for (what, space, is_progressive, chroma) in [
        ("baseline", ColorSpace::JCS_RGB, false, (2, 2)),
        ("progressive", ColorSpace::JCS_RGB, true, (2, 2)),
        ("progressive 4:4:4", ColorSpace::JCS_RGB, true, (1, 1)),
        ("CMYK", ColorSpace::JCS_CMYK, false, (1, 1)),
        ("progressive CMYK", ColorSpace::JCS_CMYK, true, (1, 1)),
    ] {
        opens(&jpeg(WIDTH, HEIGHT, space, is_progressive, chroma), MediaType::Jpeg, what).await;
    }
}

#[tokio::test]
async fn webps_of_fifty_megapixels_open() {
    opens(&webp(3, false), MediaType::WebP, "lossy").await;
    opens(&webp(4, false), MediaType::WebP, "lossy with alpha").await;
    opens(&webp(3, true), MediaType::WebP, "lossless").await;
    opens(&webp(4, true), MediaType::WebP, "lossless with alpha").await;
}

/// With the minimum of the default memory limit.
#[tokio::test]
async fn a_picture_of_twelve_megapixels_becomes_an_avif() {
    let file = saved(&jpeg(4032, 3024, ColorSpace::JCS_RGB, false, (2, 2)));
    let rendition = RenderSpec { size: ResizeSpec::default(), format: Format::Avif, quality: None };
    let made = pool(256 << 20).render(file.path(), MediaType::Jpeg, rendition).await.expect("it is made");
    assert_eq!(made.size, PixelSize::new(4032, 3024));
}

/// How many bits a sample of an AVIF has, by its configuration.
fn bits(avif: &[u8]) -> u8 {
    let at = avif.windows(4).position(|name| name == b"av1C").expect("a configuration");
    if avif[at + 6] & 0x40 == 0 { 8 } else { 10 }
}

#[test]
fn large_avifs_have_eight_bits_to_save_time_and_memory() {
    let picture = jpeg(1600, 800, ColorSpace::JCS_RGB, false, (2, 2));
    for (width, expected) in [(None, 8), (Some(1200), 10)] {
        let size = ResizeSpec { width, ..ResizeSpec::default() };
        let made = rendition(&picture, MediaType::Jpeg, size, Format::Avif).expect("it is made");
        assert_eq!(bits(&made.bytes), expected, "{width:?}");
    }
}
