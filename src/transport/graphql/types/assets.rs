//! Assets in the schema: with the fields of every version of the REST API.

use async_graphql::{Context, ID, Object};

use super::{List, WholeNumber, list};
use crate::core::assets::AssetDetail;
use crate::error::Result;
use crate::transport::graphql::cost::charge;
use crate::transport::wire::v2026_07_08::{self, ApprovalState, AssetKind};
use crate::transport::wire::{self, v2026_05_20};

/// An asset in all versions.
pub struct Asset {
    pub(super) new: v2026_07_08::Asset,
    pub(super) old: v2026_05_20::Asset,
}

impl Asset {
    /// The asset as a client sees it; `origin` is the server's public url, without a slash at its end.
    pub fn new(detail: AssetDetail, origin: &str) -> Self {
        Self {
            new: v2026_07_08::Asset::new(detail.clone(), origin),
            old: v2026_05_20::Asset::new(detail, origin),
        }
    }

    /// What is the same in the newer version of the REST API.
    pub fn wire(&self) -> &v2026_07_08::Asset {
        &self.new
    }

    pub(super) fn views(&self, context: &Context<'_>) -> Result<List<AssetView<'_>>> {
        charge(context, self.new.variants.len())?;
        Ok(list(self.new.variants.iter().zip(&self.old.views), |(new, old)| AssetView { new, old }))
    }
}

pub(super) fn kind(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Main => "main",
        AssetKind::Variant => "variant",
    }
}

/// One original file, or one variant of it, with its metadata.
#[Object]
impl Asset {
    /// The assetId that other fields take.
    async fn id(&self) -> ID {
        ID(self.new.id.clone())
    }

    /// The asset that this one is a variant of; null for an original.
    async fn parent_id(&self) -> Option<ID> {
        self.new.parent_id.clone().map(ID)
    }

    /// The library it is in.
    async fn library_id(&self) -> Option<ID> {
        Some(ID(self.new.library_id.clone()))
    }

    /// "main" for an original, or "variant".
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        Some(kind(self.new.kind))
    }

    /// Its file name without the extension.
    async fn name(&self) -> Option<&str> {
        Some(&self.new.name)
    }

    /// Verbatim; empty when there is none.
    async fn description(&self) -> Option<&str> {
        self.new.description.as_deref()
    }

    /// Its tags.
    async fn tags(&self) -> List<&str> {
        list(&self.new.tags, String::as_str)
    }

    /// The permanent public url of its bytes.
    async fn url(&self) -> Option<&str> {
        Some(&self.new.url)
    }

    /// Its page in the web app.
    async fn app_url(&self) -> Option<&str> {
        Some(&self.new.app_url)
    }

    /// Its media type, detected from its bytes.
    async fn content_type(&self) -> Option<&str> {
        Some(&self.new.content_type)
    }

    /// In bytes.
    async fn size(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.new.size))
    }

    /// In pixels; null where it is not known.
    async fn width(&self) -> Option<u32> {
        self.new.width
    }

    /// In pixels; null where it is not known.
    async fn height(&self) -> Option<u32> {
        self.new.height
    }

    /// A blurred placeholder; null until there is one.
    async fn blurhash(&self) -> Option<&str> {
        self.new.blurhash.as_deref()
    }

    /// An object as JSON text, from the longer edge in pixels to the url of that size; null where there can't be any.
    async fn sizes(&self) -> Option<&str> {
        self.new.sizes.as_deref()
    }

    /// A small picture of it, 400 pixels at its longer edge; null where there can't be one.
    async fn thumb_url(&self) -> Option<&str> {
        self.old.thumb_url.as_deref()
    }

    /// A larger picture of it, 800 pixels at its longer edge; null where there can't be one.
    async fn thumb_high_url(&self) -> Option<&str> {
        self.old.thumb_high_url.as_deref()
    }

    /// A tiny blurred picture of it; null where there can't be one.
    async fn thumb_url_blurred(&self) -> Option<&str> {
        self.old.thumb_url_blurred.as_deref()
    }

    /// Its variants, oldest first.
    #[expect(clippy::unused_async, reason = "the schema takes async fields only")]
    async fn variants(&self, context: &Context<'_>) -> Result<List<AssetView<'_>>> {
        self.views(context)
    }

    /// The same as variants.
    #[graphql(name = "views")]
    #[expect(clippy::unused_async, reason = "the schema takes async fields only")]
    async fn also_variants(&self, context: &Context<'_>) -> Result<List<AssetView<'_>>> {
        self.views(context)
    }

    /// When it was uploaded, in unix milliseconds.
    async fn created(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.new.created))
    }

    /// When anything of it last changed, in unix milliseconds.
    async fn updated(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.new.updated))
    }

    /// Who uploaded it.
    async fn uploaded_by(&self) -> Option<Uploader<'_>> {
        Some(Uploader(&self.new.uploaded_by))
    }

    /// What people decided about it; null when nobody has decided.
    async fn approval(&self) -> Option<Approval<'_>> {
        self.new.approval.as_ref().map(Approval)
    }
}

struct Uploader<'a>(&'a wire::Uploader);

/// Who uploaded an asset.
#[Object]
impl Uploader<'_> {
    /// The name of the key, or the e-mail address that came with the upload.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }
}

struct Approval<'a>(&'a v2026_07_08::Approval);

/// What people decided about an asset.
#[Object]
impl Approval<'_> {
    /// `in_review`, `approved` or `needs_changes`.
    async fn state(&self) -> Option<&str> {
        Some(match self.0.state {
            ApprovalState::InReview => "in_review",
            ApprovalState::Approved => "approved",
            ApprovalState::NeedsChanges => "needs_changes",
        })
    }

    /// The note that they left.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// The name of the person who decided.
    async fn by(&self) -> Option<&str> {
        Some(&self.0.by)
    }

    /// When, in unix milliseconds.
    async fn at(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.0.at))
    }
}

pub struct AssetView<'a> {
    new: &'a v2026_07_08::AssetVariant,
    old: &'a v2026_05_20::AssetView,
}

/// A variant of an asset, as it is shown with its original.
#[Object]
impl AssetView<'_> {
    /// Its own id.
    async fn id(&self) -> ID {
        ID(self.new.id.clone())
    }

    /// Its original's id.
    async fn parent_id(&self) -> Option<ID> {
        Some(ID(self.new.parent_id.clone()))
    }

    /// Always "variant".
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        Some(kind(self.new.kind))
    }

    /// Its file name without the extension.
    async fn name(&self) -> Option<&str> {
        Some(&self.new.name)
    }

    /// The permanent public url of its bytes.
    async fn url(&self) -> Option<&str> {
        Some(&self.new.url)
    }

    /// Its page in the web app.
    async fn app_url(&self) -> Option<&str> {
        Some(&self.new.app_url)
    }

    /// In pixels; null where it is not known.
    async fn width(&self) -> Option<u32> {
        self.new.width
    }

    /// In pixels; null where it is not known.
    async fn height(&self) -> Option<u32> {
        self.new.height
    }

    /// An object as JSON text, from the longer edge in pixels to the url of that size; null where there can't be any.
    async fn sizes(&self) -> Option<&str> {
        self.new.sizes.as_deref()
    }

    /// A small picture of it, 400 pixels at its longer edge; null where there can't be one.
    async fn thumb_url(&self) -> Option<&str> {
        self.old.thumb_url.as_deref()
    }

    /// Where it comes from.
    async fn metadata(&self) -> Option<AssetViewMetadata<'_>> {
        Some(AssetViewMetadata(&self.old.metadata))
    }
}

struct AssetViewMetadata<'a>(&'a v2026_05_20::ViewMetadata);

/// Where a variant comes from.
#[Object]
impl AssetViewMetadata<'_> {
    /// Its original's id.
    async fn based_on_id(&self) -> Option<ID> {
        Some(ID(self.0.based_on_id.clone()))
    }

    /// When it was uploaded, in unix milliseconds.
    async fn created(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.0.created))
    }

    /// Its file name without the extension.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// The permanent public url of its bytes.
    async fn url(&self) -> Option<&str> {
        Some(&self.0.url)
    }
}
