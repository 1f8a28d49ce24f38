//! Real photographs: the results look like a careful, slow reduction of the whole picture.

use std::path::Path;

use image::imageops::FilterType;
use rasterd::pictures::media::MediaType;
use rasterd::pictures::{Format, ResizeSpec};

use crate::generated::{derived, rendition};

/// The minimum peak signal-to-noise ratio of a good thumbnail, in decibels; a shift by a pixel or a wrong gamma gives
/// far less.
const GOOD: f64 = 30.0;

const PHOTOGRAPHS: [(&str, MediaType); 5] = [
    ("sunset.jpg", MediaType::Jpeg),
    ("picos-de-europa.jpg", MediaType::Jpeg),
    ("wine.jpg", MediaType::Jpeg),
    ("seeding.png", MediaType::Png),
    ("umang.webp", MediaType::WebP),
];

fn photograph(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).expect("a fixture")
}

/// The original, reduced by another library from its full size.
fn reference(bytes: &[u8], media_type: MediaType, edge: u32) -> image::RgbImage {
    let whole = match media_type {
        MediaType::Jpeg => {
            let whole = mozjpeg::Decompress::builder().from_mem(bytes).expect("a JPEG");
            let mut rows = whole.rgb().expect("it begins");
            let pixels = rows.read_scanlines::<u8>().expect("it is whole");
            let edge = |edge: usize| u32::try_from(edge).expect("small");
            image::RgbImage::from_raw(edge(rows.width()), edge(rows.height()), pixels)
                .expect("counted right")
                .into()
        }
        _ => image::load_from_memory(bytes).expect("it can be opened"),
    };
    whole.resize(edge, edge, FilterType::Lanczos3).to_rgb8()
}

fn signal_to_noise(one: &image::RgbImage, other: &image::RgbImage) -> f64 {
    let squares: f64 = one.iter().zip(other.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    let mean = squares / f64::from(one.width() * one.height() * 3);
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

#[test]
fn reduced_photographs_look_like_the_original() {
    for (name, media_type) in PHOTOGRAPHS {
        let bytes = photograph(name);
        for edge in [333, 170] {
            let made =
                rendition(&bytes, media_type, ResizeSpec::within(edge), Format::Png).expect("it is made");
            let made = image::load_from_memory(&made.bytes).expect("a PNG").to_rgb8();
            let reference = reference(&bytes, media_type, edge);
            assert_eq!(made.dimensions(), reference.dimensions(), "{name}");
            let found = signal_to_noise(&made, &reference);
            assert!(found > GOOD, "{name} at {edge}: {found:.1} dB");
        }
    }
}

#[test]
fn thumbnails_look_like_the_original_and_are_small() {
    for (name, media_type) in PHOTOGRAPHS {
        let bytes = photograph(name);
        let made = derived(&bytes, media_type).expect("it can be opened");
        for thumbnail in &made.thumbnails {
            let image = image::load_from_memory(&thumbnail.bytes).expect("a WebP").to_rgb8();
            let found = signal_to_noise(&image, &reference(&bytes, media_type, thumbnail.size.longest()));
            assert!(found > GOOD - 2.0, "{name} at {}: {found:.1} dB", thumbnail.edge);
            assert!(thumbnail.bytes.len() < 200_000, "{name} at {}", thumbnail.edge);
        }
        assert_eq!(made.blurhash.len(), 28, "{name}");
        assert!(made.blurred.len() < 1500, "{name}: {}", made.blurred.len());
    }
}
