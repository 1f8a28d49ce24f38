//! Any bytes as a file: its type, its dimensions and its geometry.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rasterd::pictures::media::{self, MediaType};

const MAX_PIXELS: u64 = 200_000_000;

const fn is_raster(media_type: MediaType) -> bool {
    use MediaType::{Avif, Bmp, Gif, Jpeg, Png, Tiff, WebP};
    matches!(media_type, Jpeg | Png | Gif | WebP | Avif | Tiff | Bmp)
}

fuzz_target!(|bytes: &[u8]| {
    match media::inspect(&mut Cursor::new(bytes), MAX_PIXELS) {
        Ok(found) => {
            if let (true, Some(width), Some(height)) =
                (is_raster(found.media_type), found.width, found.height)
            {
                assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
            }
            let _geometry = media::geometry(&mut Cursor::new(bytes), found.media_type);
        }
        Err(reason) => assert!(!reason.is_empty() && reason.chars().count() < 300, "{reason}"),
    }
});
