//! Whole libraries as the administrator of the machine reads them, for exports and in backups; and assets that are added as
//! they are, from a folder or a backup.

use crate::core::access::grant::Administrator;
use crate::core::model::id::AssetId;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, Library};
use crate::error::Result;

/// Reads of whole libraries.
pub trait ImportQueries {
    /// All assets of a library, variants and trash included; originals first, oldest first. A variant that is in the
    /// trash only because its original is counts as not trashed.
    fn assets_in(&self, by: &Administrator, library: &Library) -> Result<Vec<Asset>>;

    /// Visits all assets of a library, variants and trash included, in no order that means anything.
    fn visit_assets_in(
        &self,
        by: &Administrator,
        library: &Library,
        visit: &mut dyn FnMut(Asset) -> Result<()>,
    ) -> Result<()>;

    /// How many different tags the listed assets of a library carry.
    fn tag_total_in(&self, by: &Administrator, library: &Library) -> Result<u64>;

    /// An asset with its library and its variants, itself first, as in [`ImportQueries::assets_in`].
    fn asset_with_variants(&self, by: &Administrator, id: &AssetId) -> Result<Option<(Library, Vec<Asset>)>>;

    /// Whether there is an asset of this id, anywhere.
    fn asset_id_is_taken(&self, by: &Administrator, id: &AssetId) -> Result<bool>;
}

/// Additions from a folder or a backup.
pub trait ImportCommands {
    /// Adds an asset to a library as it was, under its id. A variant that is not in the trash by itself is where its
    /// original is. `false` when the id is taken, or when it is a variant whose original is not in the library.
    fn import_asset(&self, by: &Administrator, library: &Library, asset: Asset, now: Millis) -> Result<bool>;
}
