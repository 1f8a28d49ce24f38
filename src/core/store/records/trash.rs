//! The trash of libraries.

use crate::core::access::grant::{Administrator, ReadGrant, WriteGrant};
use crate::core::model::id::AssetId;
use crate::core::model::page::PageRequest;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, Library};
use crate::error::Result;

/// A trashed asset that is due to go.
pub type Due = (Millis, u64, AssetId);

/// Reads of the trash.
pub trait TrashQueries {
    /// The trashed assets that went into the trash up to `until`, oldest first, at most `most`.
    fn trash_due(&self, by: &Administrator, until: Millis, most: usize) -> Result<Vec<Due>>;

    /// The ids of some of what is in a library's trash, the latest first. No record is read for them.
    fn trashed_ids(&self, grant: &ReadGrant, page: PageRequest) -> Result<Vec<AssetId>>;

    /// Some of what is in a library's trash, the latest first.
    fn trash_of(&self, grant: &ReadGrant, page: PageRequest) -> Result<Vec<Asset>>;
}

/// Changes of the trash: into it, back out of it, and out of it for good.
pub trait TrashCommands {
    /// Puts a listed asset with its variants into the trash, or one variant alone.
    fn trash_asset(&self, grant: &WriteGrant, asset: Asset, now: Millis) -> Result<()>;

    /// An asset that is in the trash by itself, not as a variant that went along with its original.
    fn trashed_alone(&self, grant: &WriteGrant, id: &AssetId) -> Result<Option<Asset>>;

    /// Puts a trashed asset back on its library's list, with the variants that went into the trash with it.
    ///
    /// # Errors
    /// `CONFLICT` for a variant whose original is in the trash.
    fn restore_asset(&self, grant: &WriteGrant, asset: Asset, now: Millis) -> Result<()>;

    /// Removes an asset for good, if it is in the trash by itself: `false` for one that is not, or not any more, as a
    /// variant is that its original has just taken along.
    fn purge_asset_now(&self, grant: &WriteGrant, id: &AssetId, now: Millis) -> Result<bool>;

    /// Removes a trashed asset and its variants for good, if it is still in the trash since then. Returns what was
    /// removed.
    fn purge_asset(&self, by: &Administrator, due: Due, now: Millis) -> Result<Option<Asset>>;

    /// Removes up to `most` of a library's assets for good, trash and variants included, and says how many.
    fn empty_library(&self, by: &Administrator, library: &Library, most: usize, now: Millis)
    -> Result<usize>;
}
