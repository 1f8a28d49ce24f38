//! Assets: list, get, transfer and trash. Descriptions and tags are in files of their own.

use super::Core;
use super::model::Asset;
use super::store::{
    AssetCommands, AssetLists, AssetQueries, LibraryQueries, ReserveUse, Snapshot, TagQueries, TrashCommands,
    Tx,
};
use crate::core::access::{Caller, LibraryPath, ReadGrant, WriteGrant};
use crate::core::model::audit::Action;
use crate::core::model::id::AssetId;
use crate::core::model::name::{Slug, Tag};
use crate::core::model::page::{AssetPageRequest, Cursor, Page, PageRequest, PageStart};
use crate::error::{Error, Result};
use crate::pictures::RenderableTypes;

mod description;
mod file;
mod name;
mod photo_details;
mod same_files;
mod tags;
mod truncation;

pub(super) use tags::{expect_tag_room, names};

pub use description::description_mark;
pub use file::AssetFile;

/// An asset with what is shown with it.
#[derive(Debug, Clone)]
pub struct AssetDetail {
    /// The asset.
    pub asset: Asset,
    /// Its variants, oldest first.
    pub variants: Vec<Asset>,
    /// The slug of its organization.
    pub organization: Slug,
    /// The slug of its library.
    pub library: Slug,
    /// The types that can be rendered.
    pub renderable_types: RenderableTypes,
}

/// The result of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// The number of transferred assets.
    pub count: usize,
    /// The slug of the library they left.
    pub source: Slug,
    /// The slug of the library they are in now.
    pub target: Slug,
}

/// The offset above which skipping to a page takes long: more than about a millisecond.
const FAR: usize = 10_000;

impl Core {
    /// A page of a library's assets, newest first; with `tags`, only assets that have any of them.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `BAD_USER_INPUT` for too many tags.
    pub fn list_assets(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        tags: &[String],
        page: PageRequest,
    ) -> Result<Vec<AssetDetail>> {
        Ok(self.page_of_assets(caller, path, tags, page.into())?.items)
    }

    /// The request for the same page; if it begins far from the start of the list, it begins after a cursor instead.
    /// Finding that cursor reads everything before it, so it runs as one of the client's scans, away from the threads
    /// that answer requests.
    ///
    /// # Errors
    /// Those of [`Core::list_assets`].
    pub async fn seek_page(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        tags: &[String],
        page: AssetPageRequest,
    ) -> Result<AssetPageRequest> {
        self.seek_page_from(FAR, caller, path, tags, page).await
    }

    async fn seek_page_from(
        &self,
        far: usize,
        caller: &Caller,
        path: &LibraryPath<'_>,
        tags: &[String],
        page: AssetPageRequest,
    ) -> Result<AssetPageRequest> {
        let PageStart::Offset(offset) = page.start else { return Ok(page) };
        let Some(before) = offset.checked_sub(1).filter(|_| offset >= far) else { return Ok(page) };
        let grant = caller.read(path)?;
        expect_tag_filter(tags, self.settings().limits.tag_filter)?;
        let tags: Vec<Tag> = tags.iter().map(|tag| Tag::read(tag)).collect();
        let (core, last) = (self.clone(), AssetPageRequest { start: PageStart::Offset(before), size: 1 });
        let seen = self.scans().run(caller.client_id(), move || {
            let found = listed(&core.store().snapshot()?, &grant, &tags, last)?;
            Ok(found.items.first().map(Cursor::of))
        });
        Ok(match seen.await? {
            Some(place) => AssetPageRequest { start: PageStart::After(place), ..page },
            // Past the end.
            None => AssetPageRequest { start: PageStart::Offset(0), size: 0 },
        })
    }

    /// A page of a library's assets as [`Core::list_assets`] lists them, with the cursor of the next page. Following
    /// the cursors shows every asset that is there all the time exactly once.
    ///
    /// # Errors
    /// Those of [`Core::list_assets`].
    pub fn page_of_assets(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        tags: &[String],
        page: AssetPageRequest,
    ) -> Result<Page<AssetDetail>> {
        let grant = caller.read(path)?;
        expect_tag_filter(tags, self.settings().limits.tag_filter)?;
        let tags: Vec<Tag> = tags.iter().map(|tag| Tag::read(tag)).collect();
        let Page { items, next } = listed(caller.snapshot(), &grant, &tags, page)?;
        Ok(Page { items: self.details(caller, items)?, next })
    }

    /// The number of assets that a library lists.
    ///
    /// # Errors
    /// Those of [`Caller::read`].
    pub fn count_assets(&self, caller: &Caller, path: &LibraryPath<'_>) -> Result<u64> {
        Ok(caller.snapshot().library(&caller.read(path)?)?.assets)
    }

    /// One asset, or one variant.
    ///
    /// # Errors
    /// Those of [`Caller::read`]; `RESOURCE_NOT_FOUND` when it is missing, elsewhere or trashed.
    pub fn get_asset(&self, caller: &Caller, path: &LibraryPath<'_>, id: &str) -> Result<AssetDetail> {
        let grant = caller.read(path)?;
        let asset = caller.snapshot().asset(&grant, &parse_id(id)?)?;
        self.details(caller, vec![asset])?.pop().ok_or_else(Error::asset_not_found)
    }

    /// The library that an asset is in now, wherever it was before.
    ///
    /// # Errors
    /// Those of [`Caller::expect_organization`]; `RESOURCE_NOT_FOUND` when the caller has no access to it.
    pub fn library_of_asset(&self, caller: &Caller, organization: &str, id: &str) -> Result<Slug> {
        caller.expect_organization(organization)?;
        let grants = caller.read_all();
        let home = caller.snapshot().home_among(&grants, &parse_id(id)?)?;
        home.map(|grant| grant.slug().clone()).ok_or_else(Error::asset_not_found)
    }

    /// Moves assets to the trash, and returns the ids of those that this call moved. Assets in the trash are skipped.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `BAD_USER_INPUT` for their number; `RESOURCE_NOT_FOUND`, and nothing moved, when one
    /// was never in this library.
    pub async fn delete_assets(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
    ) -> Result<Vec<AssetId>> {
        let grant = caller.write(path)?;
        let ids = self.ids_to_write(ids)?;
        self.change_always(&grant, move |tx, grant, now| {
            let assets: Vec<Asset> = ids
                .iter()
                .map(|id| tx.asset_or_trashed(grant, id)?.ok_or_else(Error::asset_not_found))
                .collect::<Result<_>>()?;
            let moved: Vec<AssetId> =
                assets.iter().filter(|asset| asset.trashed.is_none()).map(|asset| asset.id).collect();
            for id in &moved {
                // A variant is in the trash already if its original was named before it.
                let here = tx.asset_or_trashed(grant, id)?.filter(|asset| asset.trashed.is_none());
                here.map_or(Ok(()), |asset| tx.trash_asset(grant, asset, now))?;
            }
            let trashed: Vec<&Asset> = assets.iter().filter(|asset| asset.trashed.is_none()).collect();
            tx.record_assets_event(now, grant, Action::AssetsTrashed, "", trashed.into_iter())?;
            Ok(moved)
        })
        .await
    }

    /// Moves assets with their variants to another library of the organization. All or nothing.
    ///
    /// # Errors
    /// Those of [`Caller::write`] for either library; `BAD_USER_INPUT`; `RESOURCE_NOT_FOUND` for any asset.
    pub async fn transfer_assets(
        &self,
        caller: &Caller,
        source: &LibraryPath<'_>,
        target: &LibraryPath<'_>,
        ids: &[String],
    ) -> Result<Transferred> {
        let (source, target) = (caller.write(source)?, caller.write(target)?);
        let ids = self.ids_to_write(ids)?;
        if source.library() == target.library() {
            return Err(Error::bad_input(
                "The assets are already in that library. Choose another one to transfer them to.",
            ));
        }
        let done =
            Transferred { count: ids.len(), source: source.slug().clone(), target: target.slug().clone() };
        let most_tags = self.settings().limits.tags_per_library;
        self.change(&source, move |tx, source, now| {
            target.confirm(tx, now)?;
            tx.expect_library(&target)?;
            let before = tx.tag_total(&target)?;
            let mut moved = Vec::with_capacity(ids.len());
            for id in &ids {
                let asset = tx.asset(source, id)?;
                if asset.parent.is_some() {
                    return Err(Error::bad_input(format!(
                        "\"{id}\" is a variant; it is transferred with its original."
                    )));
                }
                moved.push(tx.move_asset(source, &target, asset, now)?);
            }
            expect_tag_room(tx, &target, before, most_tags)?;
            tx.record_assets_event(now, &target, Action::AssetsTransferred, "", moved.iter())
        })
        .await?;
        Ok(done)
    }

    /// Runs `change` on each of several assets of a library in one transaction, records it for those that it changed, and
    /// adds up the results.
    async fn change_each<F>(
        &self,
        reserve_use: ReserveUse,
        grant: &WriteGrant,
        ids: &[String],
        (action, what): (Action, String),
        mut change: F,
    ) -> Result<usize>
    where
        F: FnMut(&Tx<'_>, &WriteGrant, &mut Asset) -> Result<usize> + Send + 'static,
    {
        let ids = self.ids_to_write(ids)?;
        self.change_as(reserve_use, grant, move |tx, grant, now| {
            let (mut total, mut changed_assets) = (0, Vec::new());
            for id in &ids {
                let mut asset = tx.asset(grant, id)?;
                let changed = change(tx, grant, &mut asset)?;
                if changed > 0 {
                    let asset = asset.touched(now);
                    tx.put_asset(grant, &asset)?;
                    changed_assets.push(asset);
                }
                total += changed;
            }
            tx.record_assets_event(now, grant, action, &what, changed_assets.iter())?;
            Ok(total)
        })
        .await
    }

    /// The ids in a call, without duplicates.
    pub(super) fn ids_to_write(&self, ids: &[String]) -> Result<Vec<AssetId>> {
        within("asset ids", ids.len(), 1, self.settings().limits.ids_per_call)?;
        let mut parsed = Vec::with_capacity(ids.len());
        for id in ids {
            let id = parse_id(id)?;
            if !parsed.contains(&id) {
                parsed.push(id);
            }
        }
        Ok(parsed)
    }

    /// The assets of one answer with their variants and slugs. Everything is read in the caller's snapshot, so their
    /// libraries are there.
    pub(super) fn details(&self, caller: &Caller, assets: Vec<Asset>) -> Result<Vec<AssetDetail>> {
        let variants = caller.snapshot().variants_of_each(&caller.read_libraries_of(&assets), &assets)?;
        let organization = &caller.organization().slug;
        let renderable_types = self.renderable_types();
        let with_slugs = |(asset, variants): (Asset, Vec<Asset>)| {
            let grant = caller.grants().iter().find(|grant| grant.library == asset.library)?;
            let (organization, library) = (organization.clone(), grant.slug.clone());
            Some(AssetDetail { asset, variants, organization, library, renderable_types })
        };
        Ok(assets.into_iter().zip(variants).filter_map(with_slugs).collect())
    }
}

pub(super) fn parse_id(id: &str) -> Result<AssetId> {
    AssetId::parse(id).ok_or_else(Error::asset_not_found)
}

/// Checks the number of tags to filter a list by.
///
/// # Errors
/// `BAD_USER_INPUT` when there are more than `most`.
pub fn expect_tag_filter(tags: &[String], most: usize) -> Result<()> {
    if tags.len() <= most {
        return Ok(());
    }
    Err(Error::bad_input(format!("Filter by at most {most} tags; this call has {}.", tags.len())))
}

/// Checks the number of values in a call.
pub(super) fn within(what: &str, number: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(Error::bad_input(format!("Give {least} to {most} {what}; this call has {number}.")))
}

/// A page of the listed assets of a library; with tags, only assets that have any of them.
fn listed(
    snapshot: &Snapshot,
    grant: &ReadGrant,
    tags: &[Tag],
    page: AssetPageRequest,
) -> Result<Page<Asset>> {
    if tags.is_empty() {
        snapshot.listed(std::slice::from_ref(grant), page)
    } else {
        snapshot.tagged(grant, tags, page)
    }
}

#[cfg(test)]
mod tests;
