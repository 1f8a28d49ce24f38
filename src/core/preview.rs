//! A preview of an asset: its picture, small enough for an agent's context.

use super::Core;
use super::assets::parse_id;
use super::model::Content;
use super::renditions::{LibraryFile, RenditionRequest, RenditionRequester, RequestedFormat};
use super::store::AssetQueries;
use crate::core::access::{Caller, LibraryPath};
use crate::error::{Code, Result};
use crate::pictures::media::MediaType;
use crate::pictures::{Fit, Format};

/// The largest preview, in bytes: what fits well into a model's context.
const MAX_BYTES: u64 = 200 * 1024;
/// Tried in this order until the file is small enough: the longer edge in pixels, and the quality.
const ATTEMPTS: [(u32, u8); 4] = [(800, 80), (800, 50), (400, 50), (200, 50)];

impl Core {
    /// A picture of the asset, where its type is renderable and the file can be decoded.
    ///
    /// # Errors
    /// Those of [`Core::get_asset`]; `SERVICE_UNAVAILABLE` when too many pictures are being rendered.
    pub async fn preview(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        id: &str,
    ) -> Result<Option<(MediaType, Vec<u8>)>> {
        let grant = caller.read(path)?;
        let asset = caller.snapshot().asset(&grant, &parse_id(id)?)?;
        let (requester, content) = (RenditionRequester::of(LibraryFile::of(&asset), None), asset.content);
        if !content.has_pictures(self.renderable_types()) {
            return Ok(None);
        }
        for (edge, quality) in ATTEMPTS {
            match self.preview_of(requester, &content, edge, quality).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                // A file that can't be decoded has no preview, but the caller still gets the rest of the answer.
                Err(error) if error.code() == Code::BadUserInput => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// A picture of this size, unless its file is too large.
    async fn preview_of(
        &self,
        requester: RenditionRequester,
        content: &Content,
        edge: u32,
        quality: u8,
    ) -> Result<Option<(MediaType, Vec<u8>)>> {
        let request = RenditionRequest {
            width: Some(edge),
            height: Some(edge),
            fit: Fit::Contain,
            format: RequestedFormat::Fixed(Format::WebP),
            quality: Some(quality),
            ..RenditionRequest::default()
        };
        let rendition = self.rendition_of(requester, content, &request).await?;
        if rendition.size > MAX_BYTES {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(rendition.size).unwrap_or_default()];
        rendition.file.read_range(0, &mut bytes)?;
        Ok(Some((rendition.media_type, bytes)))
    }
}
