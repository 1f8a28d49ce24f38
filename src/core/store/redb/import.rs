//! Assets that are taken out of a backup, in the tables.

use std::ops::ControlFlow;

use super::tables::{ASSET_HOMES, ASSETS, FIRST_ID, LAST_ID, LIBRARIES, TAG_TOTALS, TRASH, VARIANTS, decode};
use super::{Reader, Tx, between};
use crate::core::access::grant::Administrator;
use crate::core::model::id::{AssetId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::{Asset, Library};
use crate::core::store::records::{ImportCommands, ImportQueries};
use crate::error::Result;

impl<R: Reader> ImportQueries for R {
    fn assets_in(&self, by: &Administrator, library: &Library) -> Result<Vec<Asset>> {
        by.expect_reach(library.organization)?;
        let mut assets: Vec<Asset> = Vec::new();
        self.scan(ASSETS, between((library.id.0, FIRST_ID), (library.id.0, LAST_ID)), |_, bytes| {
            assets.push(decode(bytes)?);
            Ok(ControlFlow::Continue(()))
        })?;
        assets.sort_by_key(|asset| (asset.parent.is_some(), asset.created));
        assets.into_iter().map(|asset| taken_out(self, asset)).collect()
    }

    fn visit_assets_in(
        &self,
        by: &Administrator,
        library: &Library,
        visit: &mut dyn FnMut(Asset) -> Result<()>,
    ) -> Result<()> {
        by.expect_reach(library.organization)?;
        self.scan(ASSETS, between((library.id.0, FIRST_ID), (library.id.0, LAST_ID)), |_, bytes| {
            visit(decode(bytes)?)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    fn tag_total_in(&self, by: &Administrator, library: &Library) -> Result<u64> {
        by.expect_reach(library.organization)?;
        Ok(self.lookup(TAG_TOTALS, library.id.0, Ok)?.unwrap_or_default())
    }

    fn asset_with_variants(&self, by: &Administrator, id: &AssetId) -> Result<Option<(Library, Vec<Asset>)>> {
        let Some((organization, library)) = self.lookup(ASSET_HOMES, id.bytes(), Ok)? else {
            return Ok(None);
        };
        by.expect_reach(OrganizationId(organization))?;
        let found: Option<Library> = self.lookup(LIBRARIES, library, decode)?;
        let asset: Option<Asset> = self.lookup(ASSETS, (library, id.bytes()), decode)?;
        let (Some(found), Some(asset)) = (found, asset) else { return Ok(None) };
        let mut ids: Vec<[u8; 16]> = Vec::new();
        self.scan(
            VARIANTS,
            between((library, id.bytes(), FIRST_ID), (library, id.bytes(), LAST_ID)),
            |(_, _, variant), ()| {
                ids.push(*variant);
                Ok(ControlFlow::Continue(()))
            },
        )?;
        let variants = self.lookup_each(ASSETS, ids.iter().map(|id| (library, id)), decode)?;
        let assets = std::iter::once(asset).chain(variants.into_iter().flatten());
        let assets = assets.map(|asset| taken_out(self, asset)).collect::<Result<_>>()?;
        Ok(Some((found, assets)))
    }

    fn asset_id_is_taken(&self, by: &Administrator, id: &AssetId) -> Result<bool> {
        by.expect_whole_server()?;
        Ok(self.lookup(ASSET_HOMES, id.bytes(), |_| Ok(()))?.is_some())
    }
}

/// An asset as it is taken out. A variant that is in the trash only because its original is goes where that one is.
fn taken_out(reader: &impl Reader, mut asset: Asset) -> Result<Asset> {
    if let (Some(_), Some(when)) = (&asset.parent, asset.trashed)
        && reader.lookup(TRASH, (when, asset.library.0, asset.id.bytes()), Ok)?.is_none()
    {
        asset.trashed = None;
    }
    Ok(asset)
}

impl ImportCommands for Tx<'_> {
    fn import_asset(&self, by: &Administrator, library: &Library, asset: Asset, now: Millis) -> Result<bool> {
        by.expect_reach(library.organization)?;
        let mut asset = Asset { library: library.id, ..asset };
        let (organization, library, id) = (library.organization, library.id, asset.id);
        let original: Option<Asset> = match &asset.parent {
            Some(original) => self.lookup(ASSETS, (library.0, original.bytes()), decode)?,
            None => None,
        };
        let is_taken = self.lookup(ASSET_HOMES, id.bytes(), |_| Ok(()))?.is_some();
        if is_taken || asset.parent.is_some() != original.is_some() {
            return Ok(false);
        }
        let trashed_alone = asset.trashed.is_some();
        if trashed_alone {
            // Its time in the trash starts again: it must not be gone with the next maintenance.
            let from = self.counted_from(now)?;
            asset.trashed = Some(from);
            self.enter_trash(from, library, &id)?;
        } else {
            asset.trashed = original.and_then(|original| original.trashed);
        }
        match &asset.parent {
            Some(original) => self.put(VARIANTS, (library.0, original.bytes(), id.bytes()), ())?,
            None if trashed_alone => self.adjust_counts(library, 0, 1)?,
            None => self.adjust_counts(library, 1, 0)?,
        }
        self.put(ASSET_HOMES, id.bytes(), (organization.0, library.0))?;
        self.count_asset_in(organization, asset.content.size)?;
        self.add_blob_ref(asset.content.hash)?;
        self.adjust_bytes(library, asset.content.size.cast_signed())?;
        if asset.trashed.is_none() {
            asset.tags = self.list(&asset)?;
        }
        self.queue_work(&asset)?;
        self.put_record(&asset)?;
        Ok(true)
    }
}
