//! Assets that are taken out of a backup, in the tables.

use std::ops::ControlFlow;

use super::tables::{ASSET_HOMES, ASSETS, LIBRARIES, VARIANTS, decode};
use super::{Reader, Tx, between};
use crate::core::access::grant::Administrator;
use crate::core::model::id::{AssetId, OrganizationId};
use crate::core::model::time::Millis;
use crate::core::model::{Asset, Library};
use crate::core::store::records::{ImportCommands, ImportQueries};
use crate::error::Result;

const FIRST_ID: &[u8; 16] = &[0; 16];
const LAST_ID: &[u8; 16] = &[0xFF; 16];

impl<R: Reader> ImportQueries for R {
    fn assets_in(&self, by: &Administrator, library: &Library) -> Result<Vec<Asset>> {
        by.expect_reach(library.organization)?;
        let mut assets: Vec<Asset> = Vec::new();
        self.scan(ASSETS, between((library.id.0, FIRST_ID), (library.id.0, LAST_ID)), |_, bytes| {
            assets.push(decode(bytes)?);
            Ok(ControlFlow::Continue(()))
        })?;
        assets.sort_by_key(|asset| (asset.parent.is_some(), asset.created));
        Ok(assets)
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
        let assets = std::iter::once(asset).chain(variants.into_iter().flatten()).collect();
        Ok(Some((found, assets)))
    }

    fn asset_id_is_taken(&self, by: &Administrator, id: &AssetId) -> Result<bool> {
        by.expect_whole_server()?;
        Ok(self.lookup(ASSET_HOMES, id.bytes(), |_| Ok(()))?.is_some())
    }
}

impl ImportCommands for Tx<'_> {
    fn import_asset(&self, by: &Administrator, library: &Library, asset: Asset, now: Millis) -> Result<bool> {
        by.expect_reach(library.organization)?;
        let mut asset = Asset { library: library.id, ..asset };
        let (organization, library) = (library.organization.0, library.id);
        let id = asset.id;
        let id = id.bytes();
        if self.lookup(ASSET_HOMES, id, |_| Ok(()))?.is_some() {
            return Ok(false);
        }
        self.put(ASSET_HOMES, id, (organization, library.0))?;
        match &asset.parent {
            Some(parent) => {
                if self.lookup(ASSETS, (library.0, parent.bytes()), |_| Ok(()))?.is_none() {
                    self.delete(ASSET_HOMES, id)?;
                    return Ok(false);
                }
                self.put(VARIANTS, (library.0, parent.bytes(), id), ())?;
            }
            None if asset.trashed.is_some() => self.adjust_counts(library, 0, 1)?,
            None => self.adjust_counts(library, 1, 0)?,
        }
        self.count_asset_in(OrganizationId(organization), asset.content.size)?;
        self.add_blob_ref(asset.content.hash)?;
        self.adjust_bytes(library, asset.content.size.cast_signed())?;
        if asset.trashed.is_some() {
            // Its time in the trash begins anew: it must not be gone with the next maintenance.
            let from = self.counted_from(now)?;
            asset.trashed = Some(from);
            self.enter_trash(from, library, &asset.id)?;
        } else {
            asset.tags = self.list(&asset)?;
        }
        self.queue_work(&asset)?;
        self.put_record(&asset)?;
        Ok(true)
    }
}
