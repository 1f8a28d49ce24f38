//! The files behind asset urls, for anyone who has the url. There is no caller and no grant: the id is the secret.

use super::Core;
use super::model::Asset;
use super::store::{AssetQueries, KeyQueries};
use super::stored_file::StoredFile;
use crate::core::model::id::AssetId;
use crate::error::{Error, Result};

/// The open file of an asset url.
#[derive(Debug)]
pub struct PublicFile {
    /// The asset, or the requested variant.
    pub asset: Asset,
    /// Its bytes.
    pub file: StoredFile,
}

impl Core {
    /// The file that an asset's url serves, or the url of one of its variants.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when the organization has no such asset, it or its variant is in the trash, or the
    /// variant is another asset's: one answer for all.
    pub fn public_file(&self, organization: &str, asset: &str, variant: Option<&str>) -> Result<PublicFile> {
        let snapshot = self.store().snapshot()?;
        let organization = snapshot.organization_named(organization)?.ok_or_else(Error::asset_not_found)?;
        let read = |id: &str| {
            let id = AssetId::parse(id).ok_or_else(Error::asset_not_found)?;
            snapshot.published_asset(organization, &id)
        };
        let original = read(asset)?;
        let asset = match variant {
            Some(variant) => Some(read(variant)?).filter(|variant| variant.parent == Some(original.id)),
            None => Some(original).filter(|original| original.parent.is_none()),
        };
        let asset = asset.ok_or_else(Error::asset_not_found)?;
        let file = self.file_of(&asset)?;
        Ok(PublicFile { asset, file })
    }

    /// Opens the file of an asset. When it is missing, the client gets `INTERNAL_SERVER_ERROR`, and the log names the file
    /// and the asset.
    pub(super) fn file_of(&self, asset: &Asset) -> Result<StoredFile> {
        self.blobs().open_file(asset.content.hash, asset.content.size).map_err(|error| {
            let cause = error.cause().map_or_else(|| error.to_string(), ToString::to_string);
            Error::internal(format!(
                "the file of the asset {} ({}) can't be opened: {cause}",
                asset.id, asset.name
            ))
        })
    }
}
