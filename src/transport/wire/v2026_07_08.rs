//! The shapes of version 2026-07-08, which MCP uses, too: only what differs from other versions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AssetUrls, Highlights, PLAN, Uploader, pictures};
use crate::core::assets::AssetDetail;
use crate::core::model::{self, Access, Grant};
use crate::core::search::{FoundAsset, FoundAssets};
use crate::core::{libraries, uploads};

/// What a key is and reaches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    /// The organizationId that other calls take.
    pub organization_id: String,
    /// What people call the organization.
    pub organization_name: String,
    /// Always "self-hosted".
    pub plan: &'static str,
    /// The libraries that the key reaches, and whether it may write to each.
    pub libraries: Vec<LibraryAccess>,
}

/// A library that a key reaches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LibraryAccess {
    /// The libraryId that other calls take.
    pub library: String,
    /// What the key may do there; write includes read.
    pub access: AccessLevel,
}

/// What a key may do in a library.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessLevel {
    /// See what is there.
    Read,
    /// Change it, too.
    Write,
}

impl From<libraries::CallerDetail> for Viewer {
    fn from(libraries::CallerDetail { organization, grants }: libraries::CallerDetail) -> Self {
        Self {
            organization_id: organization.slug.to_string(),
            organization_name: organization.name,
            plan: PLAN,
            libraries: grants.into_iter().map(LibraryAccess::from).collect(),
        }
    }
}

impl From<Grant> for LibraryAccess {
    fn from(grant: Grant) -> Self {
        let access = match grant.access {
            Access::Read => AccessLevel::Read,
            Access::Write => AccessLevel::Write,
        };
        Self { library: grant.slug.to_string(), access }
    }
}

/// An asset: one original file, or one variant of it, with its metadata.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// The assetId that other calls take.
    pub id: String,
    /// The asset that this one is a variant of; null for an original.
    pub parent_id: Option<String>,
    /// The library it is in.
    pub library_id: String,
    /// Whether it is an original (main) or a variant.
    #[serde(rename = "type")]
    pub kind: AssetKind,
    /// Its file name without the extension.
    pub name: String,
    /// Verbatim; empty when there is none.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The permanent public url of its bytes.
    pub url: String,
    /// Its page in the web app.
    pub app_url: String,
    /// Its media type, detected from its bytes.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// In pixels; null where it is not known.
    pub width: Option<u32>,
    /// In pixels; null where it is not known.
    pub height: Option<u32>,
    /// A blurred placeholder; null until there is one.
    pub blurhash: Option<String>,
    /// An object as JSON text, from the longer edge in pixels to the url of that size; null where there can't be any.
    pub sizes: Option<String>,
    /// Its variants, oldest first.
    pub variants: Vec<AssetVariant>,
    /// When it was uploaded, in unix milliseconds.
    pub created: u64,
    /// When anything of it last changed, in unix milliseconds.
    pub updated: u64,
    /// Who uploaded it.
    pub uploaded_by: Uploader,
    /// What people decided about it; null when nobody has decided.
    pub approval: Option<Approval>,
}

/// Whether an asset is an original or a variant of one.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AssetKind {
    /// An original.
    Main,
    /// A variant.
    Variant,
}

/// What people decided about an asset.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Approval {
    /// Where the decision stands.
    pub state: ApprovalState,
    /// The note that they left.
    pub note: Option<String>,
    /// The name of the person who decided.
    pub by: String,
    /// When, in unix milliseconds.
    pub at: u64,
}

/// An asset's approval as it is now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalSet {
    /// The asset.
    pub asset_id: String,
    /// What people decided about it.
    pub approval: Option<Approval>,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Somebody is to look at it.
    InReview,
    /// It may be used.
    Approved,
    /// It may not be used as it is.
    NeedsChanges,
}

impl From<model::Approval> for Approval {
    fn from(model::Approval { state, note, by, at }: model::Approval) -> Self {
        Self { state: state.into(), note, by, at }
    }
}

impl From<model::ApprovalState> for ApprovalState {
    fn from(state: model::ApprovalState) -> Self {
        match state {
            model::ApprovalState::InReview => Self::InReview,
            model::ApprovalState::Approved => Self::Approved,
            model::ApprovalState::NeedsChanges => Self::NeedsChanges,
        }
    }
}

impl From<ApprovalState> for model::ApprovalState {
    fn from(state: ApprovalState) -> Self {
        match state {
            ApprovalState::InReview => Self::InReview,
            ApprovalState::Approved => Self::Approved,
            ApprovalState::NeedsChanges => Self::NeedsChanges,
        }
    }
}

/// A variant of an asset, as it is shown with its original.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssetVariant {
    /// Its own id.
    pub id: String,
    /// Its original's id.
    pub parent_id: String,
    /// Always variant.
    #[serde(rename = "type")]
    pub kind: AssetKind,
    /// Its file name without the extension.
    pub name: String,
    /// The permanent public url of its bytes.
    pub url: String,
    /// Its page in the web app.
    pub app_url: String,
    /// In pixels; null where it is not known.
    pub width: Option<u32>,
    /// In pixels; null where it is not known.
    pub height: Option<u32>,
    /// An object as JSON text, from the longer edge in pixels to the url of that size; null where there can't be any.
    pub sizes: Option<String>,
}

impl Asset {
    /// The asset as a client sees it; `origin` is the server's public url, without a slash at its end.
    #[must_use]
    pub fn new(detail: AssetDetail, origin: &str) -> Self {
        let urls = AssetUrls::of(&detail, origin);
        let (url, app_url) = (urls.public_url(&detail.asset), urls.app_url(&detail.asset));
        let variants =
            detail.variants.iter().map(|variant| AssetVariant::new(variant, &detail.asset, &urls)).collect();
        let (asset, renderable_types) = (detail.asset, detail.renderable_types);
        Self {
            id: asset.id.to_string(),
            parent_id: asset.parent.map(|parent| parent.to_string()),
            library_id: detail.library.to_string(),
            kind: if asset.parent.is_none() { AssetKind::Main } else { AssetKind::Variant },
            name: asset.name,
            description: Some(asset.description),
            tags: asset.tags,
            content_type: asset.content.media_type.mime().to_owned(),
            size: asset.content.size,
            width: asset.content.width,
            height: asset.content.height,
            blurhash: asset.content.processing_result().and_then(|result| result.blurhash.clone()),
            sizes: pictures::sizes(renderable_types, &asset.content, &url),
            url,
            app_url,
            variants,
            created: asset.created,
            updated: asset.updated,
            uploaded_by: Uploader { name: asset.uploaded_by },
            approval: asset.approval.map(Approval::from),
        }
    }

    /// Several assets as a client sees them.
    #[must_use]
    pub fn list(details: Vec<AssetDetail>, origin: &str) -> Vec<Self> {
        details.into_iter().map(|detail| Self::new(detail, origin)).collect()
    }
}

impl AssetVariant {
    fn new(variant: &model::Asset, original: &model::Asset, urls: &AssetUrls<'_>) -> Self {
        let url = urls.public_url(variant);
        Self {
            id: variant.id.to_string(),
            parent_id: original.id.to_string(),
            kind: AssetKind::Variant,
            name: variant.name.clone(),
            sizes: pictures::sizes(urls.renderable_types, &variant.content, &url),
            url,
            app_url: urls.app_url(variant),
            width: variant.content.width,
            height: variant.content.height,
        }
    }
}

/// A page of what a search found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
pub struct SearchHit {
    /// The asset.
    #[serde(flatten)]
    pub asset: Asset,
    /// What matched in it.
    pub highlights: Highlights,
    /// How well it matches; comparable within one answer.
    pub score: f64,
}

impl SearchHit {
    fn new(hit: FoundAsset, origin: &str) -> Self {
        Self {
            asset: Asset::new(hit.detail, origin),
            highlights: Highlights { name: hit.marked_name, tags: hit.matched_tags },
            // Six digits, so that the number reads the same wherever it passes through 64 bits.
            score: (f64::from(hit.score) * 1e6).round() / 1e6,
        }
    }
}

/// What an upload did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
