//! The answers of operations, before they are written: each version of the API has its own shape, and so have models.

use schemars::JsonSchema;
use serde::Serialize;

use super::fields::{AssetField, SelectedFields};
use super::paging::after;
use crate::core::assets::AssetDetail;
use crate::core::libraries::CallerDetail;
use crate::core::model::page::Cursor;
use crate::core::search::FoundAssets;
use crate::core::uploads::Uploaded;
use crate::error::Result;
use crate::pictures::media::MediaType;
use crate::transport::wire::{v2026_05_20, v2026_07_08};

/// The answer of an operation, in the shape for each reader. `origin` is always the server's public url. A type that is
/// the same for all readers is an answer as it is.
pub trait Answer: Send {
    /// Its shape in version 2026-05-20.
    type V20260520: Serialize + JsonSchema;
    /// Its shape in version 2026-07-08.
    type V20260708: Serialize + JsonSchema;
    /// Its shape for a model.
    type ForAgent: Serialize + JsonSchema + 'static;

    /// Converts it to version 2026-05-20.
    fn v2026_05_20(self, origin: &str) -> Self::V20260520;
    /// Converts it to version 2026-07-08.
    fn v2026_07_08(self, origin: &str) -> Self::V20260708;
    /// Converts it for a model.
    ///
    /// # Errors
    /// When a value can't be converted to JSON, which does not happen.
    fn for_agent(self, origin: &str) -> Result<AgentAnswer<Self::ForAgent>>;

    /// The start of the next page, if this is a list and there is more.
    fn next(&self) -> Option<Cursor> {
        None
    }
}

/// An answer for a model: a value, and what is shown with it.
pub struct AgentAnswer<T> {
    /// The value.
    pub value: T,
    /// A picture: its type, and its bytes.
    pub picture: Option<(MediaType, Vec<u8>)>,
    /// What the structured content has next to a list.
    pub page_info: Option<PageInfo>,
}

/// Facts about a list of which this is a page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// The number of the next page, if there is one.
    pub next_page: Option<u64>,
    /// The number of all entries, if known.
    pub total: Option<u64>,
}

impl<T> From<T> for AgentAnswer<T> {
    fn from(value: T) -> Self {
        Self { value, picture: None, page_info: None }
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Answer for T {
    type V20260520 = Self;
    type V20260708 = Self;
    type ForAgent = Self;

    fn v2026_05_20(self, _origin: &str) -> Self {
        self
    }

    fn v2026_07_08(self, _origin: &str) -> Self {
        self
    }

    fn for_agent(self, _origin: &str) -> Result<AgentAnswer<Self>> {
        Ok(self.into())
    }
}

impl Answer for CallerDetail {
    type V20260520 = v2026_05_20::Viewer;
    type V20260708 = v2026_07_08::Viewer;
    type ForAgent = v2026_07_08::Viewer;

    fn v2026_05_20(self, _origin: &str) -> Self::V20260520 {
        self.into()
    }

    fn v2026_07_08(self, _origin: &str) -> Self::V20260708 {
        self.into()
    }

    fn for_agent(self, origin: &str) -> Result<AgentAnswer<Self::ForAgent>> {
        Ok(self.v2026_07_08(origin).into())
    }
}

/// One asset.
pub struct OneAsset {
    /// The asset.
    pub detail: AssetDetail,
    /// A small picture of it, if a model asked for one.
    pub preview: Option<(MediaType, Vec<u8>)>,
}

impl Answer for OneAsset {
    type V20260520 = v2026_05_20::Asset;
    type V20260708 = v2026_07_08::Asset;
    type ForAgent = v2026_07_08::Asset;

    fn v2026_05_20(self, origin: &str) -> Self::V20260520 {
        v2026_05_20::Asset::new(self.detail, origin)
    }

    fn v2026_07_08(self, origin: &str) -> Self::V20260708 {
        v2026_07_08::Asset::new(self.detail, origin)
    }

    fn for_agent(mut self, origin: &str) -> Result<AgentAnswer<Self::ForAgent>> {
        let picture = self.preview.take();
        Ok(AgentAnswer { picture, ..self.v2026_07_08(origin).into() })
    }
}

/// A page of a library's assets.
pub struct AssetList {
    /// The assets, newest first.
    pub assets: Vec<AssetDetail>,
    /// The start of the next page, if there is one.
    pub next: Option<Cursor>,
    /// The number of the requested page.
    pub number: Option<u64>,
    /// The number of all assets, if a model needs it.
    pub total: Option<u64>,
    /// The requested fields, for a model; all if it named none.
    pub fields: Vec<AssetField>,
}

impl Answer for AssetList {
    type V20260520 = Vec<v2026_05_20::Asset>;
    type V20260708 = Vec<v2026_07_08::Asset>;
    type ForAgent = Vec<SelectedFields<v2026_07_08::Asset>>;

    fn v2026_05_20(self, origin: &str) -> Self::V20260520 {
        v2026_05_20::Asset::list(self.assets, origin)
    }

    fn v2026_07_08(self, origin: &str) -> Self::V20260708 {
        v2026_07_08::Asset::list(self.assets, origin)
    }

    fn for_agent(self, origin: &str) -> Result<AgentAnswer<Self::ForAgent>> {
        let page_info = PageInfo { next_page: self.next.map(|_| after(self.number)), total: self.total };
        let value = SelectedFields::list(v2026_07_08::Asset::list(self.assets, origin), &self.fields)?;
        Ok(AgentAnswer { page_info: Some(page_info), ..value.into() })
    }

    fn next(&self) -> Option<Cursor> {
        self.next
    }
}

/// A page of search results.
pub struct Hits {
    /// The hits.
    pub found: FoundAssets,
    /// The page's number; the first is 1.
    pub number: u64,
    /// Whether there are more pages.
    pub has_more: bool,
    /// The requested fields, for a model; all if it named none.
    pub fields: Vec<AssetField>,
}

/// A page of hits for a model, with the number of the next page.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HitsForAgent {
    /// The hits of the page, best first.
    hits: Vec<SelectedFields<v2026_07_08::SearchHit>>,
    /// The number of all matching assets.
    found: usize,
    /// The page's number.
    page: u64,
    /// The number of the next page, if there is one.
    next_page: Option<u64>,
}

impl Answer for Hits {
    type V20260520 = v2026_05_20::SearchResult;
    type V20260708 = v2026_07_08::SearchResult;
    type ForAgent = HitsForAgent;

    fn v2026_05_20(self, origin: &str) -> Self::V20260520 {
        v2026_05_20::SearchResult::new(self.found, self.number, origin)
    }

    fn v2026_07_08(self, origin: &str) -> Self::V20260708 {
        v2026_07_08::SearchResult::new(self.found, self.number, origin)
    }

    fn for_agent(self, origin: &str) -> Result<AgentAnswer<Self::ForAgent>> {
        let next_page = self.has_more.then(|| after(Some(self.number)));
        let result = v2026_07_08::SearchResult::new(self.found, self.number, origin);
        let v2026_07_08::SearchResult { hits, found, page } = result;
        let hits = SelectedFields::list(hits, &self.fields)?;
        Ok(HitsForAgent { hits, found, page, next_page }.into())
    }
}

impl Answer for Uploaded {
    type V20260520 = v2026_05_20::Uploaded;
    type V20260708 = v2026_07_08::Uploaded;
    type ForAgent = v2026_07_08::Uploaded;

    fn v2026_05_20(self, origin: &str) -> Self::V20260520 {
        v2026_05_20::Uploaded::new(self, origin)
    }

    fn v2026_07_08(self, origin: &str) -> Self::V20260708 {
        v2026_07_08::Uploaded::new(self, origin)
    }

    fn for_agent(self, origin: &str) -> Result<AgentAnswer<Self::ForAgent>> {
        Ok(self.v2026_07_08(origin).into())
    }
}
