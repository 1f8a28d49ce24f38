//! The work after uploads in the tables: whose file is to be worked on, newest upload first, and whose could not be.
//! How far each is stands in the asset's own record; here is only where to find it.

use std::ops::ControlFlow;

use super::tables::{ASSET_HOMES, ASSETS, FAILED_WORK, LIBRARIES, META, WAITING_WORK, decode};
use super::{Reader, Snapshot, Tx, everything};
use crate::core::access::grant::Administrator;
use crate::core::model::id::{AssetId, OrganizationId};
use crate::core::model::name::Tag;
use crate::core::model::time::{Millis, newest_first};
use crate::core::model::{Asset, ContentHash, Library, ProcessingState};
use crate::core::store::records::{Next, WorkCommands, WorkCounts, WorkQueries};
use crate::error::{Error, Result};

/// The types that were worked on when all assets were last looked through for work.
const WORKED_TYPES: &str = "worked_types";

impl WorkQueries for Snapshot {
    fn next_work(
        &self,
        by: &Administrator,
        now: Millis,
        is_taken: impl Fn(&AssetId) -> bool,
    ) -> Result<Next> {
        by.expect_whole_server()?;
        let mut next = Next::Nothing;
        self.scan(WAITING_WORK, everything(), |(due, _, id), _| {
            if due > now {
                next = Next::At(due);
                return Ok(ControlFlow::Break(()));
            }
            let id = AssetId::from_bytes(id);
            if is_taken(&id) {
                return Ok(ControlFlow::Continue(()));
            }
            let Some(asset) = self.asset_anywhere(&id)? else { return Ok(ControlFlow::Continue(())) };
            next = Next::Now(Box::new(asset));
            Ok(ControlFlow::Break(()))
        })?;
        Ok(next)
    }

    fn waiting_work(&self, by: &Administrator) -> Result<u64> {
        let mut waiting = 0;
        self.scan(WAITING_WORK, everything(), |_, organization| {
            waiting += u64::from(by.reaches(OrganizationId(organization)));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(waiting)
    }

    fn work_counts(&self, by: &Administrator) -> Result<WorkCounts> {
        by.expect_whole_server()?;
        Ok(WorkCounts { waiting: self.count(WAITING_WORK)?, failed: self.count(FAILED_WORK)? })
    }

    fn failed_work(&self, by: &Administrator, most: usize) -> Result<Vec<(Asset, Library)>> {
        let with_library = |asset: Asset| {
            let library = self.lookup(LIBRARIES, asset.library.0, decode);
            library.map(|library| library.map(|library| (asset, library))).transpose()
        };
        self.failed_assets(by, most)?.into_iter().filter_map(with_library).collect()
    }

    fn worked_types(&self) -> Result<Option<u64>> {
        self.lookup(META, WORKED_TYPES, Ok)
    }
}

/// Reads of assets wherever they are.
trait AnyAsset: Reader {
    /// The asset of this id, if it is there, in the trash or not.
    fn asset_anywhere(&self, id: &AssetId) -> Result<Option<Asset>> {
        let Some((_, library)) = self.lookup(ASSET_HOMES, id.bytes(), Ok)? else { return Ok(None) };
        self.lookup(ASSETS, (library, id.bytes()), decode)
    }

    /// The assets whose file could not be worked on; of each organization the newest failure first.
    fn failed_assets(&self, by: &Administrator, most: usize) -> Result<Vec<Asset>> {
        let mut failed = Vec::new();
        self.scan(FAILED_WORK, everything(), |(organization, _, id), ()| {
            if by.reaches(OrganizationId(organization)) {
                failed.extend(self.asset_anywhere(&AssetId::from_bytes(id))?);
            }
            Ok(if failed.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(failed)
    }
}

impl<R: Reader> AnyAsset for R {}

impl WorkCommands for Tx<'_> {
    fn asset_with_file(&self, by: &Administrator, id: &AssetId, hash: ContentHash) -> Result<Option<Asset>> {
        by.expect_whole_server()?;
        Ok(self.asset_anywhere(id)?.filter(|asset| asset.content.hash == hash))
    }

    fn asset_with_failed_work(&self, by: &Administrator, id: &AssetId) -> Result<Option<Asset>> {
        let found = self
            .asset_anywhere(id)?
            .filter(|asset| matches!(asset.content.processing, ProcessingState::Failed { .. }));
        match &found {
            Some(asset) if by.reaches(OrganizationId(self.organization_of(&asset.id)?)) => Ok(found),
            Some(_) | None => Ok(None),
        }
    }

    fn assets_with_failed_work(&self, by: &Administrator, most: usize) -> Result<Vec<Asset>> {
        self.failed_assets(by, most)
    }

    fn put_work(&self, by: &Administrator, before: &Asset, after: &Asset) -> Result<()> {
        by.expect_reach(OrganizationId(self.organization_of(&after.id)?))?;
        self.unqueue_work(before)?;
        self.queue_work(after)?;
        self.put_record(after)
    }

    fn touch_original(&self, by: &Administrator, variant: &Asset, now: Millis) -> Result<()> {
        by.expect_whole_server()?;
        let Some(original) = &variant.parent else { return Ok(()) };
        let original: Option<Asset> = self.lookup(ASSETS, (variant.library.0, original.bytes()), decode)?;
        match original {
            Some(original) if original.trashed.is_none() => self.put_record(&original.touched(now)),
            Some(_) | None => Ok(()),
        }
    }

    fn import_tag(
        &self,
        by: &Administrator,
        asset: &mut Asset,
        tag: &Tag,
        most_in_library: usize,
    ) -> Result<bool> {
        by.expect_whole_server()?;
        let is_full = self.tag_total_of(asset.library)? >= most_in_library as u64;
        if is_full && !self.has_tag(asset.library, tag.folded())? {
            return Ok(false);
        }
        self.add_tag(asset, tag)
    }

    fn set_worked_types(&self, by: &Administrator, types: u64) -> Result<()> {
        by.expect_whole_server()?;
        self.put(META, WORKED_TYPES, types)
    }
}

impl Tx<'_> {
    /// Enters an asset where its work is looked for. Its home has to be known already.
    pub(super) fn queue_work(&self, asset: &Asset) -> Result<()> {
        let (id, organization) = (asset.id.bytes(), || self.organization_of(&asset.id));
        match &asset.content.processing {
            ProcessingState::Waiting(pending) => {
                self.put(WAITING_WORK, (pending.due, newest_first(asset.created), id), organization()?)
            }
            ProcessingState::Failed { when, .. } => {
                self.put(FAILED_WORK, (organization()?, newest_first(*when), id), ())
            }
            ProcessingState::Nothing | ProcessingState::Done(_) => Ok(()),
        }
    }

    /// Takes an asset out of where its work is looked for. Its home has to be known still.
    pub(super) fn unqueue_work(&self, asset: &Asset) -> Result<()> {
        let id = asset.id.bytes();
        match &asset.content.processing {
            ProcessingState::Waiting(pending) => {
                self.delete(WAITING_WORK, (pending.due, newest_first(asset.created), id))
            }
            ProcessingState::Failed { when, .. } => {
                self.delete(FAILED_WORK, (self.organization_of(&asset.id)?, newest_first(*when), id))
            }
            ProcessingState::Nothing | ProcessingState::Done(_) => Ok(()),
        }
    }

    fn organization_of(&self, id: &AssetId) -> Result<u64> {
        let home = self.lookup(ASSET_HOMES, id.bytes(), Ok)?;
        home.map(|(organization, _)| organization)
            .ok_or_else(|| Error::internal("an asset with work to be done has no home"))
    }
}
