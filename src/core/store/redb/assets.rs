//! Assets in the tables: the record, and what is kept beside it so that lists are range scans.
//!
//! Every change of an asset goes through [`AssetCommands::put_asset`] or one of the moves here, which keep the list,
//! the tags, the counts, the file references and the index's change log in step with the record.

use std::ops::ControlFlow;

use super::tables::{ASSET_HOMES, ASSETS, FIRST_ID, LAST_ID, LISTED, TAGGED, VARIANTS, decode, encode};
use super::{Reader, Tx, between};
use crate::core::access::grant::{ReadGrant, WriteGrant};
use crate::core::model::Asset;
use crate::core::model::id::{AssetId, LibraryId, OrganizationId};
use crate::core::model::name::{Tag, fold};
use crate::core::model::time::{Millis, newest_first};
use crate::core::store::records::{AssetCommands, AssetQueries, LibraryQueries, NewAsset};
use crate::error::{Error, Result};

mod lists;

use lists::as_shown;

/// How far ahead of the clock the newest asset of a library may be for new ones to be created after it.
const MAX_AHEAD: Millis = 10_000;

impl<R: Reader> AssetQueries for R {
    fn asset(&self, grant: &ReadGrant, id: &AssetId) -> Result<Asset> {
        self.asset_or_trashed(grant, id)?
            .filter(|asset| asset.trashed.is_none())
            .ok_or_else(Error::asset_not_found)
    }

    fn asset_or_trashed(&self, grant: &ReadGrant, id: &AssetId) -> Result<Option<Asset>> {
        self.lookup(ASSETS, (grant.library().0, id.bytes()), decode)
    }

    fn home_among<'g>(&self, grants: &'g [ReadGrant], id: &AssetId) -> Result<Option<&'g ReadGrant>> {
        let home = self.lookup(ASSET_HOMES, id.bytes(), Ok)?;
        Ok(home.and_then(|(_, library)| grants.iter().find(|grant| grant.library().0 == library)))
    }

    fn published_asset(&self, organization: OrganizationId, id: &AssetId) -> Result<Asset> {
        let home = self.lookup(ASSET_HOMES, id.bytes(), Ok)?;
        let (_, library) = home.filter(|home| home.0 == organization.0).ok_or_else(Error::asset_not_found)?;
        let asset: Option<Asset> = self.lookup(ASSETS, (library, id.bytes()), decode)?;
        asset.filter(|asset| asset.trashed.is_none()).ok_or_else(Error::asset_not_found)
    }
}

impl AssetCommands for Tx<'_> {
    fn creation_times(&self, grant: &WriteGrant, count: usize, now: Millis) -> Result<Vec<Millis>> {
        let library = grant.library().0;
        let mut newest = None;
        self.scan(
            LISTED,
            between((library, 0, FIRST_ID), (library, u64::MAX, LAST_ID)),
            |(_, age, _), ()| {
                newest = Some(newest_first(age));
                Ok(ControlFlow::Break(()))
            },
        )?;
        // One that is far ahead was created while the clock was wrong, and is not followed there.
        let newest = newest.filter(|newest| *newest <= now.saturating_add(MAX_AHEAD));
        let count = count as u64;
        let first = now.saturating_sub(count.saturating_sub(1)).max(newest.map_or(0, |newest| newest + 1));
        Ok((first..first.saturating_add(count)).collect())
    }

    fn add_asset(&self, grant: &WriteGrant, NewAsset(asset): NewAsset) -> Result<Asset> {
        grant.expect_own(&asset)?;
        let library = grant.library();
        if let Some(parent) = &asset.parent {
            self.put(VARIANTS, (library.0, parent.bytes(), asset.id.bytes()), ())?;
        } else {
            self.adjust_counts(library, 1, 0)?;
        }
        self.put(ASSET_HOMES, asset.id.bytes(), (grant.organization().0, library.0))?;
        self.add_blob_ref(asset.content.hash)?;
        self.adjust_bytes(library, asset.content.size.cast_signed())?;
        self.count_asset_in(grant.organization(), asset.content.size)?;
        self.queue_work(&asset)?;
        self.list(&asset)?;
        self.put_record(&asset)?;
        Ok(asset)
    }

    fn put_asset(&self, grant: &WriteGrant, asset: &Asset) -> Result<()> {
        grant.expect_own(asset)?;
        self.put_record(asset)
    }

    fn tag_asset(&self, grant: &WriteGrant, asset: &mut Asset, tag: &Tag) -> Result<bool> {
        grant.expect_own(asset)?;
        self.add_tag(asset, tag)
    }

    fn untag_asset(&self, grant: &WriteGrant, asset: &mut Asset, tag: &Tag) -> Result<bool> {
        grant.expect_own(asset)?;
        let before = asset.tags.len();
        asset.tags.retain(|text| fold(text) != tag.folded());
        if asset.tags.len() == before {
            return Ok(false);
        }
        if asset.parent.is_none() {
            self.delete(TAGGED, tagged_key(grant.library(), tag.folded(), asset))?;
            self.adjust_tag_count(grant.library(), tag.folded(), tag.as_str(), -1)?;
        }
        Ok(true)
    }

    fn move_asset(
        &self,
        source: &WriteGrant,
        target: &WriteGrant,
        asset: Asset,
        now: Millis,
    ) -> Result<Asset> {
        source.expect_own(&asset)?;
        for variant in self.variants_of(&asset)? {
            self.delete(VARIANTS, (source.library().0, asset.id.bytes(), variant.id.bytes()))?;
            self.put(VARIANTS, (target.library().0, asset.id.bytes(), variant.id.bytes()), ())?;
            // One that was trashed alone is due where its record is.
            if let Some(when) = variant.trashed {
                self.leave_trash(when, source.library(), &variant.id)?;
                self.enter_trash(when, target.library(), &variant.id)?;
            }
            self.rehome(source, target, variant.touched(now))?;
        }
        self.unlist(&asset)?;
        self.adjust_counts(source.library(), -1, 0)?;
        let mut asset = self.rehome(source, target, asset.touched(now))?;
        self.adjust_counts(target.library(), 1, 0)?;
        asset.tags = self.list(&asset)?;
        self.put_record(&asset)?;
        Ok(asset)
    }

    fn promote_variant(
        &self,
        grant: &WriteGrant,
        mut asset: Asset,
        mut variant: Asset,
        now: Millis,
    ) -> Result<(Asset, Vec<Asset>)> {
        grant.expect_own(&asset)?;
        grant.expect_own(&variant)?;
        // The work on a file goes where the file goes.
        self.unqueue_work(&asset)?;
        self.unqueue_work(&variant)?;
        std::mem::swap(&mut asset.content, &mut variant.content);
        std::mem::swap(&mut asset.name, &mut variant.name);
        std::mem::swap(&mut asset.perceptual_hash, &mut variant.perceptual_hash);
        self.queue_work(&asset)?;
        self.queue_work(&variant)?;
        let asset = asset.touched(now);
        self.put_asset(grant, &asset)?;
        self.put_asset(grant, &variant.touched(now))?;
        let variants = as_shown(self.variants_of(&asset)?);
        Ok((asset, variants))
    }

    fn expect_library(&self, grant: &WriteGrant) -> Result<()> {
        self.library(grant).map(drop)
    }
}

impl Tx<'_> {
    /// Adds a tag to an asset, listed or not. `false` when it had it.
    pub(super) fn add_tag(&self, asset: &mut Asset, tag: &Tag) -> Result<bool> {
        if asset.tags.iter().any(|text| fold(text) == tag.folded()) {
            return Ok(false);
        }
        let text = if asset.is_listed() {
            self.put(TAGGED, tagged_key(asset.library, tag.folded(), asset), ())?;
            self.adjust_tag_count(asset.library, tag.folded(), tag.as_str(), 1)?
        } else {
            tag.as_str().to_owned()
        };
        asset.tags.push(text);
        Ok(true)
    }

    fn rehome(&self, source: &WriteGrant, target: &WriteGrant, mut asset: Asset) -> Result<Asset> {
        self.delete_record(&asset)?;
        self.put(ASSET_HOMES, asset.id.bytes(), (target.organization().0, target.library().0))?;
        let bytes = asset.content.size.cast_signed();
        self.adjust_bytes(source.library(), -bytes)?;
        self.adjust_bytes(target.library(), bytes)?;
        asset.library = target.library();
        self.put_record(&asset)?;
        Ok(asset)
    }

    /// Removes an asset's record for good, and releases its file.
    pub(super) fn delete_asset(&self, asset: &Asset, now: Millis) -> Result<()> {
        self.unqueue_work(asset)?;
        self.delete_record(asset)?;
        if let Some((organization, _)) = self.lookup(ASSET_HOMES, asset.id.bytes(), Ok)? {
            self.count_asset_out(OrganizationId(organization), asset.content.size)?;
        }
        self.delete(ASSET_HOMES, asset.id.bytes())?;
        self.adjust_bytes(asset.library, -asset.content.size.cast_signed())?;
        self.drop_blob_ref(asset.content.hash, now)
    }

    /// The variants of an asset, in the trash or not.
    pub(super) fn variants_of(&self, asset: &Asset) -> Result<Vec<Asset>> {
        let (library, original) = (asset.library.0, asset.id.bytes());
        let mut ids: Vec<[u8; 16]> = Vec::new();
        self.scan(
            VARIANTS,
            between((library, original, FIRST_ID), (library, original, LAST_ID)),
            |(_, _, id), ()| {
                ids.push(*id);
                Ok(ControlFlow::Continue(()))
            },
        )?;
        let found = self.lookup_each(ASSETS, ids.iter().map(|id| (library, id)), decode)?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Puts an asset on its library's list and under its tags, and returns the tags as the library writes them.
    pub(super) fn list(&self, asset: &Asset) -> Result<Vec<String>> {
        if asset.parent.is_some() {
            return Ok(asset.tags.clone());
        }
        self.put(LISTED, listed_key(asset), ())?;
        self.adjust_order(asset.library, newest_first(asset.created), 1)?;
        let mut tags = Vec::with_capacity(asset.tags.len());
        for text in &asset.tags {
            let folded = fold(text);
            self.put(TAGGED, tagged_key(asset.library, &folded, asset), ())?;
            tags.push(self.adjust_tag_count(asset.library, &folded, text, 1)?);
        }
        Ok(tags)
    }

    /// Takes an asset off its library's list and from under its tags.
    pub(super) fn unlist(&self, asset: &Asset) -> Result<()> {
        if asset.parent.is_some() {
            return Ok(());
        }
        self.delete(LISTED, listed_key(asset))?;
        self.adjust_order(asset.library, newest_first(asset.created), -1)?;
        for text in &asset.tags {
            let folded = fold(text);
            self.delete(TAGGED, tagged_key(asset.library, &folded, asset))?;
            self.adjust_tag_count(asset.library, &folded, text, -1)?;
        }
        Ok(())
    }

    /// Writes the record, and tells the index to look at it again if search can see what changed.
    pub(super) fn put_record(&self, asset: &Asset) -> Result<()> {
        let key = (asset.library.0, asset.id.bytes());
        let before: Option<Asset> = self.lookup(ASSETS, key, decode)?;
        self.put(ASSETS, key, encode(asset)?.as_slice())?;
        self.log_change(asset.library, &asset.id, before.as_ref(), Some(asset))
    }

    /// Deletes the record from the library it is in, and tells the index if search could see it.
    fn delete_record(&self, asset: &Asset) -> Result<()> {
        self.delete(ASSETS, (asset.library.0, asset.id.bytes()))?;
        self.log_change(asset.library, &asset.id, Some(asset), None)
    }
}

fn listed_key(asset: &Asset) -> (u64, u64, &[u8; 16]) {
    (asset.library.0, newest_first(asset.created), asset.id.bytes())
}

fn tagged_key<'a>(
    library: LibraryId,
    folded: &'a str,
    asset: &'a Asset,
) -> (u64, &'a str, u64, &'a [u8; 16]) {
    (library.0, folded, newest_first(asset.created), asset.id.bytes())
}

#[cfg(test)]
mod tests;
