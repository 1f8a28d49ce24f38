//! The trash in the tables: into it, and out of it for good.

use std::ops::ControlFlow;

use super::tables::{ASSETS, FIRST_ID, LAST_ID, LIBRARY_TRASH, TRASH, VARIANTS, decode};
use super::{Reader, Snapshot, Tx, between};
use crate::core::access::grant::{Administrator, ReadGrant, WriteGrant};
use crate::core::model::id::{AssetId, LibraryId};
use crate::core::model::page::PageRequest;
use crate::core::model::time::{Millis, newest_first};
use crate::core::model::{Asset, Library};
use crate::core::store::records::{AssetCommands, AssetQueries, Due, TrashCommands, TrashQueries};
use crate::error::{Code, Error, Result};

impl TrashQueries for Snapshot {
    fn trash_due(&self, by: &Administrator, until: Millis, most: usize) -> Result<Vec<Due>> {
        by.expect_whole_server()?;
        let mut due = Vec::new();
        self.scan(
            TRASH,
            between((0, 0, FIRST_ID), (until, u64::MAX, LAST_ID)),
            |(when, library, id), ()| {
                due.push((when, library, AssetId::from_bytes(id)));
                Ok(if due.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            },
        )?;
        Ok(due)
    }

    fn trashed_ids(&self, grant: &ReadGrant, page: PageRequest) -> Result<Vec<AssetId>> {
        let library = grant.library().0;
        let mut ids = Vec::new();
        let mut before = 0;
        self.scan(
            LIBRARY_TRASH,
            between((library, 0, FIRST_ID), (library, u64::MAX, LAST_ID)),
            |(_, _, id), ()| {
                if before < page.offset {
                    before += 1;
                } else {
                    ids.push(AssetId::from_bytes(id));
                }
                Ok(if ids.len() < page.size { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            },
        )?;
        Ok(ids)
    }

    fn trash_of(&self, grant: &ReadGrant, page: PageRequest) -> Result<Vec<Asset>> {
        let ids = self.trashed_ids(grant, page)?;
        let keys = ids.iter().map(|id| (grant.library().0, id.bytes()));
        Ok(self.lookup_each(ASSETS, keys, decode)?.into_iter().flatten().collect())
    }
}

impl TrashCommands for Tx<'_> {
    fn trash_asset(&self, grant: &WriteGrant, asset: Asset, now: Millis) -> Result<()> {
        grant.expect_own(&asset)?;
        let now = self.counted_from(now)?;
        for variant in self.variants_of(&asset)?.into_iter().filter(|variant| variant.trashed.is_none()) {
            self.put_record(&Asset { trashed: Some(now), ..variant.touched(now) })?;
        }
        self.unlist(&asset)?;
        match &asset.parent {
            None => self.adjust_counts(grant.library(), -1, 1)?,
            Some(original) => {
                let original = self.asset_or_trashed(grant, original)?;
                original.map_or(Ok(()), |original| self.put_asset(grant, &original.touched(now)))?;
            }
        }
        self.enter_trash(now, grant.library(), &asset.id)?;
        self.put_record(&Asset { trashed: Some(now), ..asset.touched(now) })
    }

    fn trashed_alone(&self, grant: &WriteGrant, id: &AssetId) -> Result<Option<Asset>> {
        let Some(asset) = self.asset_or_trashed(grant, id)? else { return Ok(None) };
        let Some(when) = asset.trashed else { return Ok(None) };
        let alone = self.lookup(TRASH, (when, grant.library().0, id.bytes()), Ok)?;
        Ok(alone.map(|()| asset))
    }

    fn restore_asset(&self, grant: &WriteGrant, asset: Asset, now: Millis) -> Result<()> {
        grant.expect_own(&asset)?;
        let Some(since) = asset.trashed else { return Ok(()) };
        self.leave_trash(since, grant.library(), &asset.id)?;
        match &asset.parent {
            None => {
                for variant in self.variants_of(&asset)? {
                    let alone = self.lookup(TRASH, (since, grant.library().0, variant.id.bytes()), Ok)?;
                    if variant.trashed == Some(since) && alone.is_none() {
                        self.put_record(&Asset { trashed: None, ..variant.touched(now) })?;
                    }
                }
                self.adjust_counts(grant.library(), 1, -1)?;
            }
            Some(original) => {
                let original =
                    self.asset_or_trashed(grant, original)?.filter(|found| found.trashed.is_none());
                let original = original.ok_or_else(|| {
                    Error::new(
                        Code::Conflict,
                        "This is a variant of an asset in the trash. Restore that one first.",
                    )
                })?;
                self.put_asset(grant, &original.touched(now))?;
            }
        }
        let mut asset = Asset { trashed: None, ..asset.touched(now) };
        asset.tags = self.list(&asset)?;
        self.put_record(&asset)
    }

    fn purge_asset_now(&self, grant: &WriteGrant, id: &AssetId, now: Millis) -> Result<bool> {
        let Some(asset) = self.trashed_alone(grant, id)? else { return Ok(false) };
        self.delete_with_variants(&asset, now)?;
        Ok(true)
    }

    fn purge_asset(
        &self,
        by: &Administrator,
        (when, library, id): Due,
        now: Millis,
    ) -> Result<Option<Asset>> {
        by.expect_whole_server()?;
        self.leave_trash(when, LibraryId(library), &id)?;
        let asset: Option<Asset> = self.lookup(ASSETS, (library, id.bytes()), decode)?;
        let due = asset.filter(|asset| asset.trashed == Some(when));
        due.iter().try_for_each(|asset| self.delete_with_variants(asset, now))?;
        Ok(due)
    }

    fn empty_library(
        &self,
        by: &Administrator,
        library: &Library,
        most: usize,
        now: Millis,
    ) -> Result<usize> {
        by.expect_reach(library.organization)?;
        let mut assets: Vec<Asset> = Vec::new();
        self.scan(ASSETS, between((library.id.0, FIRST_ID), (library.id.0, LAST_ID)), |_, bytes| {
            assets.push(decode(bytes)?);
            Ok(if assets.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        for asset in &assets {
            match (asset.parent, asset.trashed) {
                (None, Some(when)) => {
                    self.leave_trash(when, library.id, &asset.id)?;
                    self.adjust_counts(library.id, 0, -1)?;
                }
                (None, None) => {
                    self.unlist(asset)?;
                    self.adjust_counts(library.id, -1, 0)?;
                }
                (Some(parent), trashed) => {
                    self.delete(VARIANTS, (library.id.0, parent.bytes(), asset.id.bytes()))?;
                    if let Some(when) = trashed {
                        self.leave_trash(when, library.id, &asset.id)?;
                    }
                }
            }
            self.delete_asset(asset, now)?;
        }
        Ok(assets.len())
    }
}

impl Tx<'_> {
    /// Records that an asset is in the trash by itself.
    pub(super) fn enter_trash(&self, when: Millis, library: LibraryId, id: &AssetId) -> Result<()> {
        self.put(TRASH, (when, library.0, id.bytes()), ())?;
        self.put(LIBRARY_TRASH, (library.0, newest_first(when), id.bytes()), ())
    }

    /// Records that an asset is not in the trash by itself any more.
    pub(super) fn leave_trash(&self, when: Millis, library: LibraryId, id: &AssetId) -> Result<()> {
        self.delete(TRASH, (when, library.0, id.bytes()))?;
        self.delete(LIBRARY_TRASH, (library.0, newest_first(when), id.bytes()))
    }

    /// Removes a trashed asset and its variants, wherever those are. Each may be in the trash by itself.
    fn delete_with_variants(&self, asset: &Asset, now: Millis) -> Result<()> {
        match &asset.parent {
            Some(parent) => self.delete(VARIANTS, (asset.library.0, parent.bytes(), asset.id.bytes()))?,
            None => self.adjust_counts(asset.library, 0, -1)?,
        }
        for variant in self.variants_of(asset)? {
            self.delete(VARIANTS, (asset.library.0, asset.id.bytes(), variant.id.bytes()))?;
            variant.trashed.map_or(Ok(()), |when| self.leave_trash(when, variant.library, &variant.id))?;
            self.delete_asset(&variant, now)?;
        }
        asset.trashed.map_or(Ok(()), |when| self.leave_trash(when, asset.library, &asset.id))?;
        self.delete_asset(asset, now)
    }
}
