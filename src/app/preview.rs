//! A look at an asset for whoever asks about it: the picture itself, small enough to hand over.

use std::os::unix::fs::FileExt;

use super::App;
use super::access::{Caller, LibraryPath};
use super::assets::parse_id;
use super::media::MediaType;
use super::model::Content;
use super::pictures::{Fit, Format};
use super::renditions::{Asked, AskedFormat};
use super::store::AssetQueries;
use crate::error::{Code, Result};

/// The largest file that is handed over, in bytes: what fits well into a model's context.
const LARGEST: u64 = 200 * 1024;
/// What is tried until one is small enough: the longer edge in pixels, and the quality.
const TRIES: [(u32, u8); 4] = [(800, 80), (800, 50), (400, 50), (200, 50)];

impl App {
    /// A picture of the asset, where its type can be decoded and the file can be opened.
    ///
    /// # Errors
    /// As [`App::get_asset`]; `SERVICE_UNAVAILABLE` when too many pictures are being made.
    pub async fn preview(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
    ) -> Result<Option<(MediaType, Vec<u8>)>> {
        let grant = caller.read(path)?;
        let content = caller.view().asset(&grant, &parse_id(id)?)?.content;
        if !content.has_pictures(self.pictured()) {
            return Ok(None);
        }
        for (edge, quality) in TRIES {
            match self.look(&content, edge, quality).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                // What can't be opened has no picture, and still everything else that there is to tell.
                Err(error) if error.code() == Code::BadUserInput => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// A picture of this size, unless it is too large a file.
    async fn look(&self, content: &Content, edge: u32, quality: u8) -> Result<Option<(MediaType, Vec<u8>)>> {
        let asked = Asked {
            width: Some(edge),
            height: Some(edge),
            fit: Fit::Contain,
            format: AskedFormat::This(Format::WebP),
            quality: Some(quality),
            ..Asked::default()
        };
        let made = self.rendition_of(content, &asked).await?;
        if made.size > LARGEST {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(made.size).unwrap_or_default()];
        made.file.read_exact_at(&mut bytes, 0)?;
        Ok(Some((made.media_type, bytes)))
    }
}
