//! Assets: the record, and the lists, tags, counts and file references that change with it.

use crate::core::access::grant::{ReadGrant, WriteGrant};
use crate::core::model::Asset;
use crate::core::model::id::{AssetId, OrganizationId};
use crate::core::model::name::Tag;
use crate::core::model::page::{AssetPageRequest, Cursor, Page};
use crate::core::model::time::Millis;
use crate::error::Result;

/// A new asset's record, which only [`AssetCommands::add_asset`] takes in.
#[derive(Debug, Clone)]
pub struct NewAsset(pub Asset);

/// Reads of assets.
pub trait AssetQueries {
    /// A listed asset or a variant of one, not in the trash.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` when it is missing, elsewhere or trashed.
    fn asset(&self, grant: &ReadGrant, id: &AssetId) -> Result<Asset>;

    /// An asset of the library, in the trash or not.
    fn asset_or_trashed(&self, grant: &ReadGrant, id: &AssetId) -> Result<Option<Asset>>;

    /// Which of these libraries an asset is in now, in the trash or not.
    fn home_among<'g>(&self, grants: &'g [ReadGrant], id: &AssetId) -> Result<Option<&'g ReadGrant>>;

    /// What a public url serves: the asset of this id in this organization, whatever library it is in now.
    /// No grant: anyone who holds the url may fetch it.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    fn published_asset(&self, organization: OrganizationId, id: &AssetId) -> Result<Asset>;
}

/// Lists of assets, which only a snapshot has: they read several ranges side by side.
pub trait AssetLists {
    /// A page of the listed assets of some libraries, newest first.
    fn listed(&self, grants: &[ReadGrant], page: AssetPageRequest) -> Result<Page<Asset>>;

    /// A page of the listed assets of a library that carry any of these tags, newest first.
    fn tagged(&self, grant: &ReadGrant, tags: &[Tag], page: AssetPageRequest) -> Result<Page<Asset>>;

    /// How many listed assets of a library carry any of these tags.
    fn tagged_count(&self, grant: &ReadGrant, tags: &[Tag]) -> Result<usize>;

    /// The listed asset just before a position in a library's list, or of the list of those that carry any of these
    /// tags.
    fn listed_before(&self, grant: &ReadGrant, tags: &[Tag], position: Cursor) -> Result<Option<AssetId>>;

    /// The variants of each of these assets that are not in the trash, oldest first; none for an asset of a library
    /// that is not among the grants.
    fn variants_of_each(&self, grants: &[ReadGrant], assets: &[Asset]) -> Result<Vec<Vec<Asset>>>;
}

/// Changes of assets.
pub trait AssetCommands {
    /// When so many assets that are added now were created, in their order: each a millisecond after the one before
    /// it, and all after the newest of the library, so that what was sent later is listed as newer. The last of them is
    /// created now, unless that would not be after the newest.
    fn creation_times(&self, grant: &WriteGrant, count: usize, now: Millis) -> Result<Vec<Millis>>;

    /// Adds a new asset, or a variant under its original.
    fn add_asset(&self, grant: &WriteGrant, new: NewAsset) -> Result<Asset>;

    /// Writes an asset whose description or content data changed; its place and its tags stay.
    fn put_asset(&self, grant: &WriteGrant, asset: &Asset) -> Result<()>;

    /// Adds a tag to an asset. `false` when it had it.
    fn tag_asset(&self, grant: &WriteGrant, asset: &mut Asset, tag: &Tag) -> Result<bool>;

    /// Takes a tag off an asset. `false` when it did not have it.
    fn untag_asset(&self, grant: &WriteGrant, asset: &mut Asset, tag: &Tag) -> Result<bool>;

    /// Moves an asset with its variants to another library.
    fn move_asset(
        &self,
        source: &WriteGrant,
        target: &WriteGrant,
        asset: Asset,
        now: Millis,
    ) -> Result<Asset>;

    /// Gives an asset the file of its variant, and the variant the file of the asset; returns the asset with its
    /// variants as they are shown. The two trade, so each file has as many assets as before.
    fn promote_variant(
        &self,
        grant: &WriteGrant,
        asset: Asset,
        variant: Asset,
        now: Millis,
    ) -> Result<(Asset, Vec<Asset>)>;

    /// The library of a grant is still there; asked first by every change of its assets.
    fn expect_library(&self, grant: &WriteGrant) -> Result<()>;
}
