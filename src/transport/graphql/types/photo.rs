//! Photos: assets as the oldest clients know them, with the fields of that time.

use async_graphql::{Context, ID, Object};

use super::assets::{Asset, AssetView, kind};
use super::{List, WholeNumber, list};
use crate::error::Result;

/// An asset, with the name and the fields that the oldest clients know.
pub struct Photo(pub Asset);

/// An asset, as the oldest clients know it.
#[Object]
impl Photo {
    /// The assetId that other fields take.
    async fn id(&self) -> ID {
        ID(self.0.new.id.clone())
    }

    /// The asset that this one is a variant of; null for an original.
    async fn parent_id(&self) -> Option<ID> {
        self.0.new.parent_id.clone().map(ID)
    }

    /// In pixels; null where it is not known.
    async fn width(&self) -> Option<u32> {
        self.0.new.width
    }

    /// In pixels; null where it is not known.
    async fn height(&self) -> Option<u32> {
        self.0.new.height
    }

    /// Its file name without the extension.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.new.name)
    }

    /// The library it is in.
    async fn library_id(&self) -> Option<ID> {
        Some(ID(self.0.new.library_id.clone()))
    }

    /// A blurred placeholder; null until there is one.
    async fn blurhash(&self) -> Option<&str> {
        self.0.new.blurhash.as_deref()
    }

    /// The permanent public url of its bytes.
    async fn url(&self) -> Option<&str> {
        Some(&self.0.new.url)
    }

    /// The url that the sizes are made from; the same as url.
    async fn base_url(&self) -> Option<&str> {
        Some(&self.0.new.url)
    }

    /// An object as JSON text, from the longer edge in pixels to the url of that size; null where there can't be any.
    async fn sizes(&self) -> Option<&str> {
        self.0.new.sizes.as_deref()
    }

    /// A small picture of it, 400 pixels at its longer edge; null where there can't be one.
    async fn thumb_url(&self) -> Option<&str> {
        self.0.old.thumb_url.as_deref()
    }

    /// A larger picture of it, 800 pixels at its longer edge; null where there can't be one.
    async fn thumb_high_url(&self) -> Option<&str> {
        self.0.old.thumb_high_url.as_deref()
    }

    /// A tiny blurred picture of it; null where there can't be one.
    async fn thumb_url_blurred(&self) -> Option<&str> {
        self.0.old.thumb_url_blurred.as_deref()
    }

    /// Its variants, oldest first.
    #[expect(clippy::unused_async, reason = "the schema takes async fields only")]
    async fn views(&self, context: &Context<'_>) -> Result<List<AssetView<'_>>> {
        self.0.views(context)
    }

    /// "main" for an original, or "variant".
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        Some(kind(self.0.new.kind))
    }

    /// Verbatim; empty when there is none.
    async fn description(&self) -> Option<&str> {
        self.0.new.description.as_deref()
    }

    /// Its tags.
    async fn tags(&self) -> List<&str> {
        list(&self.0.new.tags, String::as_str)
    }

    /// When it was uploaded, in unix milliseconds.
    async fn created_at(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.0.new.created))
    }

    /// When anything of it last changed, in unix milliseconds.
    async fn updated_at(&self) -> Option<WholeNumber> {
        Some(WholeNumber(self.0.new.updated))
    }

    /// Always null.
    async fn metadata(&self) -> Option<&str> {
        None
    }
}
