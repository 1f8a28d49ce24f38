//! The file of an asset, for somebody with access to its library.

use super::parse_id;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::Asset;
use crate::core::store::AssetQueries;
use crate::core::stored_file::StoredFile;
use crate::error::Result;

/// The open file of an asset.
#[derive(Debug)]
pub struct AssetFile {
    /// The asset.
    pub asset: Asset,
    /// Its bytes.
    pub file: StoredFile,
}

impl Core {
    /// Opens the file of an asset.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `RESOURCE_NOT_FOUND` when it is missing, elsewhere or trashed.
    pub fn asset_file(&self, caller: &Caller, path: &LibraryPath<'_>, id: &str) -> Result<AssetFile> {
        let grant = caller.read(path)?;
        let asset = caller.snapshot().asset(&grant, &parse_id(id)?)?;
        let file = self.file_of(&asset)?;
        Ok(AssetFile { asset, file })
    }
}
