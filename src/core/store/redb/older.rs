//! Records as earlier versions wrote them. They are read for ever, and never written.

use serde::{Deserialize, Serialize};

use crate::core::model::id::{AssetId, LibraryId};
use crate::core::model::time::Millis;
use crate::core::model::{Asset, Content, ContentHash, ProcessingState};
use crate::pictures::media::MediaType;

/// [`Content`] before there was work after an upload.
#[derive(Serialize, Deserialize)]
struct ContentV1 {
    hash: ContentHash,
    size: u64,
    media_type: MediaType,
    width: Option<u32>,
    height: Option<u32>,
}

/// [`Asset`] before there was work after an upload.
#[derive(Serialize, Deserialize)]
struct AssetV1 {
    id: AssetId,
    library: LibraryId,
    parent: Option<AssetId>,
    name: String,
    content: ContentV1,
    description: String,
    tags: Vec<String>,
    created: Millis,
    updated: Millis,
    uploaded_by: String,
    trashed: Option<Millis>,
}

/// An asset's record of version 1.
pub fn asset_of_version_1(bytes: &[u8]) -> postcard::Result<Asset> {
    let AssetV1 {
        id,
        library,
        parent,
        name,
        content,
        description,
        tags,
        created,
        updated,
        uploaded_by,
        trashed,
    } = postcard::from_bytes(bytes)?;
    let ContentV1 { hash, size, media_type, width, height } = content;
    Ok(Asset {
        id,
        library,
        parent,
        name,
        content: Content { hash, size, media_type, width, height, processing: ProcessingState::Nothing },
        description,
        tags,
        created,
        updated,
        uploaded_by,
        trashed,
        approval: None,
        perceptual_hash: None,
    })
}

/// An asset's record of version 2, which ended before what was added in version 3: the approval and the perceptual hash, both of
/// which it had none of.
pub fn asset_of_version_2(bytes: &[u8]) -> postcard::Result<Asset> {
    const NONE: u8 = 0;
    postcard::from_bytes(&[bytes, &[NONE, NONE]].concat())
}

#[cfg(test)]
mod tests;
