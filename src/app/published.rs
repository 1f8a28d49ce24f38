//! What asset urls serve: the file of an asset, to whoever holds the url. No caller and no grant: the id is the secret.

use std::fs::File;

use super::App;
use super::id::AssetId;
use super::model::Asset;
use super::store::{AssetQueries, KeyQueries};
use crate::error::{Error, Result};

/// A published file, opened.
#[derive(Debug)]
pub struct PublishedFile {
    /// The asset, or the variant that was asked for.
    pub asset: Asset,
    /// Its bytes.
    pub file: File,
}

impl App {
    /// The file behind an asset's url, or behind that of one of its variants.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the organization has no such asset, it or its variant is in the trash, or the
    /// variant is another asset's: one answer for all.
    pub fn published(&self, organization: &str, asset: &str, variant: Option<&str>) -> Result<PublishedFile> {
        let view = self.store().view()?;
        let organization = view.organization_named(organization)?.ok_or_else(Error::asset_not_found)?;
        let read = |id: &str| {
            let id = AssetId::parse(id).ok_or_else(Error::asset_not_found)?;
            view.published_asset(organization, &id)
        };
        let original = read(asset)?;
        let asset = match variant {
            Some(variant) => Some(read(variant)?).filter(|variant| variant.parent == Some(original.id)),
            None => Some(original).filter(|original| original.parent.is_none()),
        };
        let asset = asset.ok_or_else(Error::asset_not_found)?;
        let file = self.blobs().file(asset.content.hash)?;
        Ok(PublishedFile { asset, file })
    }
}
