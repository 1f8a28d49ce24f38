//! The shapes of version 2026-05-20, which older clients use: only what differs from other versions.

use schemars::JsonSchema;
use serde::Serialize;

use super::v2026_07_08::AssetKind;
use super::{AssetUrls, Highlights, PLAN, Uploader, pictures};
use crate::core::assets::AssetDetail;
use crate::core::search::{FoundAsset, FoundAssets};
use crate::core::{libraries, model, uploads};

/// How many tags a list can be filtered by; `configured` is the server's own limit.
#[must_use]
pub fn tag_filter(configured: usize) -> usize {
    configured.min(5)
}

/// What a key is and reaches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Viewer20260520")]
pub struct Viewer {
    /// The organizationId that other calls take.
    pub organization_id: String,
    /// What people call the organization.
    pub organization_name: String,
    /// Always "self-hosted".
    pub plan: &'static str,
    /// The libraryIds that the key reaches.
    pub libraries: Vec<String>,
}

impl From<libraries::CallerDetail> for Viewer {
    fn from(libraries::CallerDetail { organization, grants }: libraries::CallerDetail) -> Self {
        Self {
            organization_id: organization.slug.to_string(),
            organization_name: organization.name,
            plan: PLAN,
            libraries: grants.into_iter().map(|grant| grant.slug.to_string()).collect(),
        }
    }
}

/// An asset: one original file, or one variant of it, with its metadata.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Asset20260520")]
pub struct Asset {
    /// The assetId that other calls take.
    pub id: String,
    /// In pixels; null where it is not known.
    pub width: Option<u32>,
    /// In pixels; null where it is not known.
    pub height: Option<u32>,
    /// Its file name without the extension.
    pub name: String,
    /// The library it is in.
    pub library_id: String,
    /// A blurred placeholder; null until there is one.
    pub blurhash: Option<String>,
    /// The permanent public url of its bytes.
    pub url: String,
    /// A small picture of it, 400 pixels at its longer edge; null where there can't be one.
    pub thumb_url: Option<String>,
    /// A larger picture of it, 800 pixels at its longer edge; null where there can't be one.
    pub thumb_high_url: Option<String>,
    /// A tiny blurred picture of it; null where there can't be one.
    pub thumb_url_blurred: Option<String>,
    /// Its variants, oldest first.
    pub views: Vec<AssetView>,
    /// Whether it is an original (main) or a variant.
    #[serde(rename = "type")]
    pub kind: AssetKind,
    /// Verbatim; empty when there is none.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its media type, detected from its bytes.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// When it was uploaded, in unix milliseconds.
    pub created: u64,
    /// When anything of it last changed, in unix milliseconds.
    pub updated: u64,
    /// Who uploaded it.
    pub uploaded_by: Uploader,
}

/// A variant of an asset, as it is shown with its original.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssetView {
    /// Its own id.
    pub id: String,
    /// Its original's id.
    pub parent_id: String,
    /// In pixels; null where it is not known.
    pub width: Option<u32>,
    /// In pixels; null where it is not known.
    pub height: Option<u32>,
    /// Its file name without the extension.
    pub name: String,
    /// The permanent public url of its bytes.
    pub url: String,
    /// A small picture of it, 400 pixels at its longer edge; null where there can't be one.
    pub thumb_url: Option<String>,
    /// Always variant.
    #[serde(rename = "type")]
    pub kind: AssetKind,
    /// Where it comes from.
    pub metadata: ViewMetadata,
}

/// Where a variant comes from.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewMetadata {
    /// Its original's id.
    pub based_on_id: String,
    /// When it was uploaded, in unix milliseconds.
    pub created: u64,
    /// Its file name without the extension.
    pub name: String,
    /// The permanent public url of its bytes.
    pub url: String,
}

impl Asset {
    /// The asset as a client sees it; `origin` is the server's public url, without a slash at its end.
    #[must_use]
    pub fn new(detail: AssetDetail, origin: &str) -> Self {
        let urls = AssetUrls::of(&detail, origin);
        let url = urls.public_url(&detail.asset);
        let views =
            detail.variants.iter().map(|variant| AssetView::new(variant, &detail.asset, &urls)).collect();
        let (asset, renderable_types) = (detail.asset, detail.renderable_types);
        Self {
            id: asset.id.to_string(),
            width: asset.content.width,
            height: asset.content.height,
            name: asset.name,
            library_id: detail.library.to_string(),
            blurhash: asset.content.processing_result().and_then(|result| result.blurhash.clone()),
            thumb_url: pictures::within(renderable_types, &asset.content, &url, pictures::THUMB),
            thumb_high_url: pictures::within(renderable_types, &asset.content, &url, pictures::THUMB_HIGH),
            thumb_url_blurred: pictures::blurred(renderable_types, &asset.content, &url),
            url,
            views,
            kind: if asset.parent.is_none() { AssetKind::Main } else { AssetKind::Variant },
            description: Some(asset.description),
            tags: asset.tags,
            content_type: asset.content.media_type.mime().to_owned(),
            size: asset.content.size,
            created: asset.created,
            updated: asset.updated,
            uploaded_by: Uploader { name: asset.uploaded_by },
        }
    }

    /// Several assets as a client sees them.
    #[must_use]
    pub fn list(details: Vec<AssetDetail>, origin: &str) -> Vec<Self> {
        details.into_iter().map(|detail| Self::new(detail, origin)).collect()
    }
}

impl AssetView {
    fn new(variant: &model::Asset, original: &model::Asset, urls: &AssetUrls<'_>) -> Self {
        let url = urls.public_url(variant);
        Self {
            id: variant.id.to_string(),
            parent_id: original.id.to_string(),
            width: variant.content.width,
            height: variant.content.height,
            name: variant.name.clone(),
            url: url.clone(),
            thumb_url: pictures::within(urls.renderable_types, &variant.content, &url, pictures::THUMB),
            kind: AssetKind::Variant,
            metadata: ViewMetadata {
                based_on_id: original.id.to_string(),
                created: variant.created,
                name: variant.name.clone(),
                url,
            },
        }
    }
}

/// A page of what a search found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "SearchResult20260520")]
pub struct SearchResult {
    /// The hits of the page, best first.
    pub hits: Vec<SearchHit>,
    /// How many assets match in all.
    pub found: usize,
    /// The page's number; the first is 1.
    pub page: u64,
}

impl SearchResult {
    /// The page with this number, as a client sees it.
    #[must_use]
    pub fn new(found: FoundAssets, page: u64, origin: &str) -> Self {
        let hits = found.hits.into_iter().map(|hit| SearchHit::new(hit, origin)).collect();
        Self { hits, found: found.total, page }
    }
}

/// An asset that a search found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "SearchHit20260520")]
pub struct SearchHit {
    /// The asset.
    #[serde(flatten)]
    pub asset: Asset,
    /// What matched in it.
    pub highlights: Highlights,
    /// How well it matches; comparable within one answer.
    pub score: f32,
}

impl SearchHit {
    fn new(hit: FoundAsset, origin: &str) -> Self {
        Self {
            asset: Asset::new(hit.detail, origin),
            highlights: Highlights { name: hit.marked_name, tags: hit.matched_tags },
            score: hit.score,
        }
    }
}

/// What an upload did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Uploaded20260520")]
pub struct Uploaded {
    /// How many files were uploaded, and which were left out and why.
    pub response_text: String,
    /// The new assets.
    pub assets: Vec<Asset>,
}

impl Uploaded {
    /// What an upload did, as a client sees it.
    #[must_use]
    pub fn new(uploaded: uploads::Uploaded, origin: &str) -> Self {
        Self { response_text: uploaded.text, assets: Asset::list(uploaded.assets, origin) }
    }
}
