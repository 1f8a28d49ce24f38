//! The results of searches and mutations.

use async_graphql::{ID, Object, SimpleObject};

use super::{Asset, List, WholeNumber, list};
use crate::core::search::{FoundAsset, FoundAssets};
use crate::core::uploads::Uploaded;
use crate::transport::wire;

/// A page of what a search found.
pub struct SearchResult {
    hits: Vec<FoundAsset>,
    found: usize,
    page: u64,
    origin: String,
}

impl SearchResult {
    /// The page with this number; the first is 1.
    pub fn new(found: FoundAssets, page: u64, origin: &str) -> Self {
        Self { hits: found.hits, found: found.total, page, origin: origin.to_owned() }
    }
}

/// A page of what a search found.
#[Object]
impl SearchResult {
    /// The hits of the page, best first.
    async fn hits(&self) -> List<SearchHit> {
        list(self.hits.iter().cloned(), |hit| SearchHit::new(hit, &self.origin))
    }

    /// How many assets match in all.
    async fn found(&self) -> Option<usize> {
        Some(self.found)
    }

    /// The page's number; the first is 1.
    async fn page(&self) -> Option<u64> {
        Some(self.page)
    }
}

struct SearchHit {
    asset: Asset,
    score: f32,
    name: String,
    tags: Vec<String>,
}

impl SearchHit {
    fn new(FoundAsset { detail, score, marked_name, matched_tags }: FoundAsset, origin: &str) -> Self {
        Self { asset: Asset::new(detail, origin), score, name: marked_name, tags: matched_tags }
    }
}

/// An asset that a search found.
#[Object]
impl SearchHit {
    #[expect(clippy::unused_async, reason = "the schema takes async fields only")]
    #[graphql(flatten)]
    async fn asset(&self) -> &Asset {
        &self.asset
    }

    /// What matched in it.
    async fn highlights(&self) -> Option<Highlights<'_>> {
        Some(Highlights(self))
    }

    /// How well it matches; comparable within one answer.
    async fn score(&self) -> Option<f32> {
        Some(self.score)
    }
}

struct Highlights<'a>(&'a SearchHit);

/// What matched in a hit.
#[Object]
impl Highlights<'_> {
    /// The name as HTML, each match wrapped in `<mark>`.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// The tags that match.
    async fn tags(&self) -> List<&str> {
        list(&self.0.tags, String::as_str)
    }
}

/// What an upload did.
pub struct UploadAssetsResult {
    text: String,
    assets: Vec<UploadedAsset>,
}

impl UploadAssetsResult {
    /// What an upload did; `origin` is the server's public url, without a slash at its end.
    pub fn new(Uploaded { assets, file_names, text }: Uploaded, origin: &str) -> Self {
        let assets = assets.into_iter().zip(file_names).map(|(detail, file_name)| UploadedAsset {
            is_processing: detail.asset.content.is_waiting(),
            asset: Asset::new(detail, origin),
            file_name,
        });
        Self { text, assets: assets.collect() }
    }
}

/// What an upload did.
#[Object]
impl UploadAssetsResult {
    /// How many files were uploaded, and which were left out and why.
    async fn response_text(&self) -> Option<&str> {
        Some(&self.text)
    }

    /// The new assets, in the order of their files.
    async fn assets(&self) -> List<&UploadedAsset> {
        list(&self.assets, |asset| asset)
    }
}

struct UploadedAsset {
    asset: Asset,
    file_name: String,
    is_processing: bool,
}

/// An asset that was just uploaded.
#[Object]
impl UploadedAsset {
    /// The assetId that other fields take.
    async fn id(&self) -> ID {
        ID(self.asset.wire().id.clone())
    }

    /// The asset that this one is a variant of; null for an original.
    async fn parent_id(&self) -> Option<ID> {
        self.asset.wire().parent_id.clone().map(ID)
    }

    /// Its file name without the extension.
    async fn name(&self) -> Option<&str> {
        Some(&self.asset.wire().name)
    }

    /// Its file name.
    async fn filename(&self) -> Option<&str> {
        Some(&self.file_name)
    }

    /// Its media type, detected from its bytes.
    async fn content_type(&self) -> Option<&str> {
        Some(&self.asset.wire().content_type)
    }

    /// When it was uploaded, in unix milliseconds.
    async fn created(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.asset.wire().created))
    }

    /// Its tags.
    async fn tags(&self) -> List<&str> {
        list(&self.asset.wire().tags, String::as_str)
    }

    /// "processing" while its dimensions and its placeholder are being worked out, then "done". It is stored in
    /// either case, and its url works.
    async fn status(&self) -> Option<&str> {
        Some(if self.is_processing { "processing" } else { "done" })
    }

    /// How much of the processing is done, 0 to 100.
    async fn progress(&self) -> Option<i32> {
        Some(if self.is_processing { 0 } else { 100 })
    }

    /// The permanent public url of its bytes.
    async fn url(&self) -> Option<&str> {
        Some(&self.asset.wire().url)
    }

    /// Its page in the web app.
    async fn app_url(&self) -> Option<&str> {
        Some(&self.asset.wire().app_url)
    }
}

/// What a delete did.
pub struct DeleteAssetsResult(pub wire::Deleted);

/// What a delete did.
#[Object]
impl DeleteAssetsResult {
    /// Always true: a delete that can't be done is an error.
    async fn success(&self) -> Option<bool> {
        Some(self.0.success)
    }

    /// What happened, for a person.
    async fn message(&self) -> Option<&str> {
        Some(&self.0.message)
    }

    /// The assets that this call moved to the trash.
    async fn ids(&self) -> List<ID> {
        list(&self.0.ids, |id| ID(id.clone()))
    }
}

/// What tagging did.
#[derive(SimpleObject)]
pub struct TagAssetsResult {
    /// How many (asset, tag) pairs are new.
    pub tagged_count: usize,
}

/// What untagging did.
#[derive(SimpleObject)]
pub struct UntagAssetsResult {
    /// How many (asset, tag) pairs are gone.
    pub untagged_count: usize,
}

/// A description as it is now.
#[derive(SimpleObject)]
pub struct UpdateAssetDescriptionResult {
    /// The asset.
    pub asset_id: ID,
    /// Its description, verbatim; empty when there is none.
    pub description: String,
}

/// What a transfer did.
#[derive(SimpleObject)]
pub struct TransferAssetsResult {
    /// How many assets were transferred.
    pub transferred_count: usize,
    /// The library they left.
    pub source_library_id: ID,
    /// The library they are in now.
    pub target_library_id: ID,
}
