//! The trash: list it, restore assets, and delete assets permanently. `assets.rs` moves assets to the trash.

use std::collections::BTreeMap;

use super::Core;
use super::assets::{AssetDetail, parse_id, within};
use super::model::Asset;
use super::renditions::{LibraryFile, RenditionFile, RenditionRequest, RenditionRequester};
use super::store::{AssetQueries, AuditCommands, Due, LibraryQueries, TrashCommands, TrashQueries, Tx};
use crate::core::access::{Administrator, Caller, LibraryPath, WriteGrant};
use crate::core::model::audit::{Action, some_of};
use crate::core::model::id::{AssetId, LibraryId};
use crate::core::model::page::PageRequest;
use crate::core::model::time::{Millis, millis};
use crate::error::{Error, Result};

/// How many assets one transaction deletes when the trash is emptied.
const EMPTY_BATCH: usize = 200;

/// A trashed asset, and when it will be deleted permanently.
#[derive(Debug, Clone)]
pub struct Trashed {
    /// The asset, or a variant that was trashed on its own.
    pub detail: AssetDetail,
    /// When it was moved to the trash.
    pub since: Millis,
    /// When it will be deleted permanently.
    pub until: Millis,
}

impl Core {
    /// A page of a library's trash, the most recent first.
    ///
    /// # Errors
    /// Those of [`Caller::read`].
    pub fn list_trash(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        page: PageRequest,
    ) -> Result<Vec<Trashed>> {
        let grant = caller.read(path)?;
        let keep = millis(self.settings().trash_keep);
        let assets = caller.snapshot().trash_of(&grant, page)?;
        let trashed = self.details(caller, assets)?.into_iter().filter_map(|detail| {
            let since = detail.asset.trashed?;
            Some(Trashed { detail, since, until: since.saturating_add(keep) })
        });
        Ok(trashed.collect())
    }

    /// A rendition of a picture in the trash, for which there is no public url any more.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `RESOURCE_NOT_FOUND` when it is not in this library's trash; of [`Core::rendition`].
    pub async fn trashed_rendition(
        &self,
        caller: Caller,
        path: &LibraryPath<'_>,
        id: &str,
        request: &RenditionRequest,
    ) -> Result<RenditionFile> {
        let grant = caller.read(path)?;
        let asset = caller.snapshot().asset_or_trashed(&grant, &parse_id(id)?)?;
        let trashed = asset.filter(|asset| asset.trashed.is_some()).ok_or_else(Error::asset_not_found)?;
        // Rendering may take a while, and the snapshot is no longer needed.
        drop(caller);
        let requester = RenditionRequester::of(LibraryFile::of(&trashed), None);
        self.rendition_of(requester, &trashed.content, request).await
    }

    /// Restores assets with the variants that were trashed with them, and returns those that this call restored. All or
    /// nothing.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `BAD_USER_INPUT` for their number; `RESOURCE_NOT_FOUND` when one is not in the
    /// library; `CONFLICT` for a variant whose original is in the trash.
    pub async fn restore_assets(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
    ) -> Result<Vec<AssetId>> {
        self.change_trashed(caller, path, ids, Action::AssetsRestored, |tx, grant, asset, now| {
            tx.restore_asset(grant, asset, now).map(|()| true)
        })
        .await
    }

    /// Permanently deletes assets in the trash, and returns those that this call deleted. All or nothing.
    ///
    /// # Errors
    /// Those of [`Core::restore_assets`].
    pub async fn purge_assets(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
    ) -> Result<Vec<AssetId>> {
        let purge =
            |tx: &Tx<'_>, grant: &WriteGrant, asset: Asset, now| tx.purge_asset_now(grant, &asset.id, now);
        let purged = self.change_trashed(caller, path, ids, Action::AssetsPurged, purge).await?;
        self.free_space_if_full().await;
        Ok(purged)
    }

    /// Permanently deletes everything in a library's trash, and returns the number of deleted assets.
    ///
    /// # Errors
    /// Those of [`Caller::write`].
    pub async fn empty_trash(&self, caller: &Caller, path: &LibraryPath<'_>) -> Result<usize> {
        let grant = caller.write(path)?;
        let everything = PageRequest { offset: 0, size: usize::MAX };
        let mut removed = 0;
        for ids in caller.snapshot().trashed_ids(&grant, everything)?.chunks(EMPTY_BATCH) {
            let ids = ids.to_vec();
            let purge = |tx: &Tx<'_>, grant: &WriteGrant, asset: Asset, now| {
                tx.purge_asset_now(grant, &asset.id, now)
            };
            removed += self
                .change_always(&grant, move |tx, grant, now| {
                    change_in_trash(tx, grant, &ids, Action::AssetsPurged, purge, now)
                })
                .await?
                .len();
        }
        self.free_space_if_full().await;
        Ok(removed)
    }

    async fn change_trashed<F>(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
        action: Action,
        mut change: F,
    ) -> Result<Vec<AssetId>>
    where
        F: FnMut(&Tx<'_>, &WriteGrant, Asset, Millis) -> Result<bool> + Send + 'static,
    {
        let grant = caller.write(path)?;
        within("asset ids", ids.len(), 1, self.settings().limits.ids_per_call)?;
        let ids: Vec<AssetId> = ids.iter().map(|id| parse_id(id)).collect::<Result<_>>()?;
        self.change_always(&grant, move |tx, grant, now| {
            for id in &ids {
                tx.asset_or_trashed(grant, id)?.ok_or_else(Error::asset_not_found)?;
            }
            change_in_trash(tx, grant, &ids, action, &mut change, now)
        })
        .await
    }
}

/// Runs `change` on each of these assets that is in the trash on its own, records the changed ones in the audit log,
/// and returns them.
fn change_in_trash(
    tx: &Tx<'_>,
    grant: &WriteGrant,
    ids: &[AssetId],
    action: Action,
    mut change: impl FnMut(&Tx<'_>, &WriteGrant, Asset, Millis) -> Result<bool>,
    now: Millis,
) -> Result<Vec<AssetId>> {
    let mut changed: Vec<Asset> = Vec::new();
    for id in ids {
        let Some(asset) = tx.trashed_alone(grant, id)? else { continue };
        if change(tx, grant, asset.clone(), now)? {
            changed.push(asset);
        }
    }
    tx.record_assets_event(now, grant, action, "", changed.iter())?;
    Ok(changed.into_iter().map(|asset| asset.id).collect())
}

/// Permanently deletes what is due, and records that for each library.
pub(super) fn purge_due(tx: &Tx<'_>, by: &Administrator, due: &[Due], now: Millis) -> Result<()> {
    let mut removed: BTreeMap<LibraryId, Vec<String>> = BTreeMap::new();
    for due in due {
        if let Some(asset) = tx.purge_asset(by, *due, now)? {
            removed.entry(asset.library).or_default().push(asset.name);
        }
    }
    for (id, names) in removed {
        if let Some(library) = tx.library_numbered(by, id)? {
            let names = some_of(names.iter().map(String::as_str));
            let target = library.slug.as_str();
            tx.record_event(now, library.organization, by.actor(), Action::AssetsPurged, target, names)?;
        }
    }
    Ok(())
}

impl Tx<'_> {
    /// Records a change to some assets, if there are any: in the audit log, and in the history of each with `what` it did.
    pub(super) fn record_assets_event<'a>(
        &self,
        now: Millis,
        grant: &WriteGrant,
        action: Action,
        what: &str,
        assets: impl ExactSizeIterator<Item = &'a Asset> + Clone,
    ) -> Result<()> {
        if assets.len() == 0 {
            return Ok(());
        }
        let names = some_of(assets.clone().map(|asset| asset.name.as_str()));
        let detail = if what.is_empty() { names } else { format!("{names} ({what})") };
        let histories: Vec<(AssetId, &str)> = assets.map(|asset| (asset.id, what)).collect();
        self.record_asset_event(now, grant, action, detail, &histories)
    }
}
