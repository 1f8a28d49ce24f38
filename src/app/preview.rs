//! A look at an asset for whoever asks about it: the picture itself, where it is small enough to hand over.

use std::io::Read;

use super::App;
use super::access::{Caller, LibraryPath};
use super::assets::parse_id;
use super::media::MediaType;
use super::store::AssetQueries;
use crate::error::Result;

/// The largest file that is handed over, in bytes: what fits well into a model's context.
const LARGEST: u64 = 200 * 1024;

impl App {
    /// The picture, when it is of a type that everybody shows and not too large.
    ///
    /// # Errors
    /// As [`App::get_asset`].
    pub fn preview(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
    ) -> Result<Option<(MediaType, Vec<u8>)>> {
        let grant = caller.read(path)?;
        let content = caller.view().asset(&grant, &parse_id(id)?)?.content;
        if content.size > LARGEST || !is_shown_everywhere(content.media_type) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.blobs().file(content.hash)?.read_to_end(&mut bytes)?;
        Ok(Some((content.media_type, bytes)))
    }
}

fn is_shown_everywhere(media_type: MediaType) -> bool {
    match media_type {
        MediaType::Jpeg | MediaType::Png | MediaType::Gif | MediaType::WebP => true,
        MediaType::Avif
        | MediaType::Tiff
        | MediaType::Bmp
        | MediaType::Svg
        | MediaType::Heic
        | MediaType::Mp4
        | MediaType::Mov
        | MediaType::WebM
        | MediaType::Pdf => false,
    }
}
