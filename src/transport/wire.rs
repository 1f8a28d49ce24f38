//! The JSON shapes that all transports share, built from the records in `core`. Knows no HTTP and no JSON-RPC.
//!
//! What differs between versions of the API is in one file for each version; everything else is here, once.
//! A field that is `None` is written as `null`, never left out.

use schemars::JsonSchema;
use serde::Serialize;

use crate::core::assets::{AssetDetail, Transferred};
use crate::core::libraries::LibraryDetail;
use crate::core::model::id::AssetId;
use crate::core::model::name::Slug;
use crate::core::model::{Asset, TagCount};
use crate::pictures::RenderableTypes;

pub mod check;
pub mod configured;
mod decoding;
mod pictures;
pub mod v2026_05_20;
pub mod v2026_07_08;
mod version;

pub use decoding::describe_json_error;
pub use version::Version;

/// The plan of every organization: the server has no others.
const PLAN: &str = "self-hosted";

/// The envelope of a success over REST: `{"data": …}`.
#[derive(Debug, Clone, Serialize)]
pub struct DataEnvelope<T> {
    /// The answer.
    pub data: T,
}

/// A library.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Library {
    /// The libraryId that other calls take.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How many assets it lists; variants and trash don't count.
    pub assets_count: u64,
    /// The same number as assetsCount.
    pub photos_count: u64,
    /// How many assets are in its trash.
    pub trash_count: u64,
    /// Its most used tags, at most 100.
    pub tags: Vec<Tag>,
}

impl From<LibraryDetail> for Library {
    fn from(LibraryDetail { library, tags }: LibraryDetail) -> Self {
        Self {
            id: library.slug.to_string(),
            name: library.name,
            assets_count: library.assets,
            photos_count: library.assets,
            trash_count: library.trashed,
            tags: tags.into_iter().map(Tag::from).collect(),
        }
    }
}

/// A tag of a library.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Tag {
    /// The tag itself.
    pub id: String,
    /// How many listed assets carry it.
    pub count: u64,
    /// Who added it.
    #[serde(rename = "type")]
    pub kind: TagKind,
}

/// Who added a tag.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TagKind {
    /// A person or a program.
    User,
}

impl From<TagCount> for Tag {
    fn from(TagCount { text, count }: TagCount) -> Self {
        Self { id: text, count, kind: TagKind::User }
    }
}

/// Who uploaded an asset.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Uploader {
    /// The name of the key that uploaded it.
    pub name: String,
}

/// What matched in a hit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Highlights {
    /// The name as HTML, each match wrapped in `<mark>`.
    pub name: String,
    /// The tags that match.
    pub tags: Vec<String>,
}

/// What a delete did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Deleted {
    /// Always true: a delete that can't be done is an error.
    pub success: bool,
    /// What happened, for a person.
    pub message: String,
    /// The assets that this call moved to the trash.
    pub ids: Vec<String>,
}

impl From<Vec<AssetId>> for Deleted {
    fn from(moved: Vec<AssetId>) -> Self {
        let message = match moved.len() {
            1 => "Moved 1 asset to trash".to_owned(),
            more => format!("Moved {more} assets to trash"),
        };
        Self { success: true, message, ids: moved.iter().map(AssetId::to_string).collect() }
    }
}

/// What tagging did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tagged {
    /// How many (asset, tag) pairs are new.
    pub tagged_count: usize,
}

/// What untagging did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Untagged {
    /// How many (asset, tag) pairs are gone.
    pub untagged_count: usize,
}

/// A description as it is now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    /// The asset.
    pub asset_id: String,
    /// Its description, verbatim; empty when there is none.
    pub description: String,
}

impl From<Asset> for Described {
    fn from(asset: Asset) -> Self {
        Self { asset_id: asset.id.to_string(), description: asset.description }
    }
}

/// What a transfer did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferResult {
    /// How many assets were transferred.
    pub transferred_count: usize,
    /// The library they left.
    pub source_library_id: String,
    /// The library they are in now.
    pub target_library_id: String,
}

impl From<Transferred> for TransferResult {
    fn from(Transferred { count, source, target }: Transferred) -> Self {
        Self {
            transferred_count: count,
            source_library_id: source.to_string(),
            target_library_id: target.to_string(),
        }
    }
}

/// The urls of an asset: its permanent public url, and its page in the web app.
struct AssetUrls<'a> {
    origin: &'a str,
    organization: &'a Slug,
    library: &'a Slug,
    /// The types that can be rendered.
    renderable_types: RenderableTypes,
}

impl<'a> AssetUrls<'a> {
    /// `origin` is the server's public url, without a slash at its end.
    fn of(detail: &'a AssetDetail, origin: &'a str) -> Self {
        Self {
            origin,
            organization: &detail.organization,
            library: &detail.library,
            renderable_types: detail.renderable_types,
        }
    }

    fn public_url(&self, asset: &Asset) -> String {
        let Self { origin, organization, library, .. } = self;
        match &asset.parent {
            None => format!("{origin}/cdn/{organization}/{library}/{}", asset.id),
            Some(parent) => format!("{origin}/cdn/{organization}/{library}/{parent}/{}", asset.id),
        }
    }

    fn app_url(&self, asset: &Asset) -> String {
        let Self { origin, organization, library, .. } = self;
        match &asset.parent {
            None => format!("{origin}/app/{organization}/{library}/{}", asset.id),
            Some(parent) => format!("{origin}/app/{organization}/{library}/{parent}?variant={}", asset.id),
        }
    }
}
