//! Adds tags to assets, and removes them.

use super::within;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath, WriteGrant};
use crate::core::model::audit::{Action, some_of};
use crate::core::model::name::Tag;
use crate::core::store::{AssetCommands, ReserveUse, TagQueries, Tx};
use crate::error::{Error, Result};

impl Core {
    /// Adds tags to assets, and returns the number of new (asset, tag) pairs. All or nothing.
    ///
    /// # Errors
    /// Those of [`Caller::write`]; `BAD_USER_INPUT` for the numbers or a tag; `RESOURCE_NOT_FOUND` for any asset.
    pub async fn tag_assets(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
        tags: &[String],
    ) -> Result<usize> {
        let grant = caller.write(path)?;
        let tags = self.tags_to_write(ids, tags, Tag::parse)?;
        let limits = &self.settings().limits;
        let (most, most_in_library) = (limits.tags_per_asset, limits.tags_per_library);
        let recorded = (Action::AssetsTagged, names(&tags));
        self.change_each(ReserveUse::Never, &grant, ids, recorded, move |tx, grant, asset| {
            let before = tx.tag_total(grant)?;
            let changed = count_ok(tags.iter().map(|tag| tx.tag_asset(grant, asset, tag)))?;
            expect_tag_room(tx, grant, before, most_in_library)?;
            if changed > 0 && asset.tags.len() > most {
                return Err(Error::bad_input(format!(
                    "An asset has at most {most} tags; \"{}\" would have more.",
                    asset.id
                )));
            }
            Ok(changed)
        })
        .await
    }

    /// Removes tags from assets, and returns the number of removed (asset, tag) pairs. All or nothing.
    ///
    /// # Errors
    /// Those of [`Core::tag_assets`].
    pub async fn untag_assets(
        &self,
        caller: &Caller,
        path: &LibraryPath<'_>,
        ids: &[String],
        tags: &[String],
    ) -> Result<usize> {
        let grant = caller.write(path)?;
        let tags = self.tags_to_write(ids, tags, Tag::find)?;
        let recorded = (Action::AssetsUntagged, names(&tags));
        self.change_each(ReserveUse::Allowed, &grant, ids, recorded, move |tx, grant, asset| {
            count_ok(tags.iter().map(|tag| tx.untag_asset(grant, asset, tag)))
        })
        .await
    }

    fn tags_to_write(
        &self,
        ids: &[String],
        tags: &[String],
        read: impl Fn(&str) -> Result<Tag>,
    ) -> Result<Vec<Tag>> {
        within("asset ids", ids.len(), 1, self.settings().limits.ids_per_call)?;
        within("tags", tags.len(), 1, self.settings().limits.tags_per_call)?;
        tags.iter().map(|tag| read(tag)).collect()
    }
}

/// Refuses a change that increases the number of different tags of a library above its limit.
pub(in crate::core) fn expect_tag_room(
    tx: &Tx<'_>,
    grant: &WriteGrant,
    before: u64,
    most: usize,
) -> Result<()> {
    let after = tx.tag_total(grant)?;
    if after > before && after > most as u64 {
        return Err(Error::bad_input(format!(
            "A library has at most {most} different tags, and \"{}\" would have more. Use tags that are there, or take \
             some off all assets first.",
            grant.slug()
        )));
    }
    Ok(())
}

/// Tags in the audit log.
pub(in crate::core) fn names(tags: &[Tag]) -> String {
    some_of(tags.iter().map(Tag::as_str))
}

fn count_ok(changes: impl Iterator<Item = Result<bool>>) -> Result<usize> {
    let mut count = 0;
    for changed in changes {
        count += usize::from(changed?);
    }
    Ok(count)
}
