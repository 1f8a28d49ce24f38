//! The work after uploads: whose file is to be worked on, and whose could not be.

use crate::core::access::grant::Administrator;
use crate::core::model::id::AssetId;
use crate::core::model::name::Tag;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, ContentHash, Library};
use crate::error::Result;

/// What there is to do.
pub enum Next {
    /// Work on this asset's file.
    Now(Box<Asset>),
    /// Nothing before this time.
    At(Millis),
    /// Nothing.
    Nothing,
}

/// How much work there is on the whole server.
pub struct WorkCounts {
    /// How many files wait for it.
    pub waiting: u64,
    /// How many it failed for.
    pub failed: u64,
}

/// Reads of the queue of work after uploads.
pub trait WorkQueries {
    /// What is to be worked on next: of all that is due and not taken, the newest upload; first tries before others.
    fn next_work(&self, by: &Administrator, now: Millis, is_taken: impl Fn(&AssetId) -> bool)
    -> Result<Next>;

    /// How many assets' files are still to be worked on.
    fn waiting_work(&self, by: &Administrator) -> Result<u64>;

    /// How much work there is on the whole server; counts nothing one by one.
    fn work_counts(&self, by: &Administrator) -> Result<WorkCounts>;

    /// The assets whose file could not be worked on, with their libraries, at most `most`; of each organization the
    /// newest failure first.
    fn failed_work(&self, by: &Administrator, most: usize) -> Result<Vec<(Asset, Library)>>;

    /// Which types were worked on when all assets were last looked through for work, as [`WorkCommands::set_worked_types`]
    /// recorded.
    fn worked_types(&self) -> Result<Option<u64>>;
}

/// Changes of the queue of work after uploads.
pub trait WorkCommands {
    /// The asset, in the trash or not, if it still has this file.
    fn asset_with_file(&self, by: &Administrator, id: &AssetId, hash: ContentHash) -> Result<Option<Asset>>;

    /// The asset, if its file could not be worked on.
    fn asset_with_failed_work(&self, by: &Administrator, id: &AssetId) -> Result<Option<Asset>>;

    /// The assets whose file could not be worked on, at most `most`.
    fn assets_with_failed_work(&self, by: &Administrator, most: usize) -> Result<Vec<Asset>>;

    /// Writes an asset whose work is at another point than `before`, and keeps the queue in step.
    fn put_work(&self, by: &Administrator, before: &Asset, after: &Asset) -> Result<()>;

    /// Records that an asset's variant looks otherwise now, if the asset is shown.
    fn touch_original(&self, by: &Administrator, variant: &Asset, now: Millis) -> Result<()>;

    /// Adds a tag that an asset's file names, unless the library has as many different tags as it may have and this is
    /// not one of them. `false` when nothing changed.
    fn import_tag(
        &self,
        by: &Administrator,
        asset: &mut Asset,
        tag: &Tag,
        most_in_library: usize,
    ) -> Result<bool>;

    /// Records which types were worked on when all assets had been looked through for work.
    fn set_worked_types(&self, by: &Administrator, types: u64) -> Result<()>;
}
