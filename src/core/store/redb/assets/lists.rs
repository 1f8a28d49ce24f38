//! Lists of assets, newest first: range scans of the tables that are in that order.

use std::collections::BTreeSet;

use redb::Range;

use super::super::tables::{ASSETS, FIRST_ID, LAST_ID, LISTED, TAGGED, TAGS, VARIANTS, decode};
use super::super::{Reader, Snapshot, guarded, storage};
use crate::core::access::grant::ReadGrant;
use crate::core::model::Asset;
use crate::core::model::id::AssetId;
use crate::core::model::name::Tag;
use crate::core::model::page::{AssetPageRequest, Cursor, Page, PageStart};
use crate::core::store::records::{AssetLists, OrderQueries};
use crate::error::{Error, Result};

/// A position in a list that is ordered newest first: (inverted time, id, library).
type ListPosition = (u64, [u8; 16], u64);

impl AssetLists for Snapshot {
    fn listed(&self, grants: &[ReadGrant], page: AssetPageRequest) -> Result<Page<Asset>> {
        guarded(|| {
            let Some(page) = self.page_found(grants, page)? else {
                return Ok(Page { items: Vec::new(), next: None });
            };
            let table = self.tx.open_table(LISTED).map_err(storage)?;
            let mut ranges = Vec::with_capacity(grants.len());
            for grant in grants {
                let library = grant.library().0;
                let (age, id) = first_of(&page);
                ranges.push(table.range((library, age, id)..=(library, u64::MAX, LAST_ID)).map_err(storage)?);
            }
            self.page_at(merged(ranges, |(library, age, id)| (age, *id, library), page)?)
        })
    }

    fn tagged(&self, grant: &ReadGrant, tags: &[Tag], page: AssetPageRequest) -> Result<Page<Asset>> {
        guarded(|| {
            let table = self.tx.open_table(TAGGED).map_err(storage)?;
            let library = grant.library().0;
            let mut ranges = Vec::with_capacity(tags.len());
            for tag in tags {
                let (age, id) = first_of(&page);
                let range = (library, tag.folded(), age, id)..=(library, tag.folded(), u64::MAX, LAST_ID);
                ranges.push(table.range(range).map_err(storage)?);
            }
            self.page_at(merged(ranges, |(library, _, age, id)| (age, *id, library), page)?)
        })
    }

    fn tagged_count(&self, grant: &ReadGrant, tags: &[Tag]) -> Result<usize> {
        let library = grant.library().0;
        if let [tag] = tags {
            let count = self.lookup(TAGS, (library, tag.folded()), |(_, count)| Ok(count))?;
            return usize::try_from(count.unwrap_or(0)).map_err(Error::internal);
        }
        guarded(|| {
            let table = self.tx.open_table(TAGGED).map_err(storage)?;
            let mut ranges = Vec::with_capacity(tags.len());
            for tag in tags {
                let range = (library, tag.folded(), 0, FIRST_ID)..=(library, tag.folded(), u64::MAX, LAST_ID);
                ranges.push(table.range(range).map_err(storage)?);
            }
            let all = AssetPageRequest { start: PageStart::Offset(0), size: usize::MAX };
            Ok(merged(ranges, |(library, _, age, id)| (age, *id, library), all)?.items.len())
        })
    }

    fn listed_before(&self, grant: &ReadGrant, tags: &[Tag], position: Cursor) -> Result<Option<AssetId>> {
        guarded(|| {
            let (library, age, id) = (grant.library().0, position.age, position.id.bytes());
            let mut before: Vec<(u64, [u8; 16])> = Vec::new();
            if tags.is_empty() {
                let table = self.tx.open_table(LISTED).map_err(storage)?;
                let last =
                    table.range((library, 0, FIRST_ID)..(library, age, id)).map_err(storage)?.next_back();
                let last = last.transpose().map_err(storage)?;
                before.extend(last.map(|(key, _)| (key.value().1, *key.value().2)));
            }
            let table = self.tx.open_table(TAGGED).map_err(storage)?;
            for tag in tags {
                let range = (library, tag.folded(), 0, FIRST_ID)..(library, tag.folded(), age, id);
                let last = table.range(range).map_err(storage)?.next_back();
                let last = last.transpose().map_err(storage)?;
                before.extend(last.map(|(key, _)| (key.value().2, *key.value().3)));
            }
            Ok(before.into_iter().max().map(|(_, id)| AssetId::from_bytes(&id)))
        })
    }

    fn variants_of_each(&self, grants: &[ReadGrant], assets: &[Asset]) -> Result<Vec<Vec<Asset>>> {
        guarded(|| {
            let table = self.tx.open_table(VARIANTS).map_err(storage)?;
            assets
                .iter()
                .map(|asset| {
                    if !grants.iter().any(|grant| grant.library() == asset.library) {
                        return Ok(Vec::new());
                    }
                    let (library, id) = (asset.library.0, asset.id.bytes());
                    let mut keys = Vec::new();
                    for entry in
                        table.range((library, id, FIRST_ID)..=(library, id, LAST_ID)).map_err(storage)?
                    {
                        keys.push((0, *entry.map_err(storage)?.0.value().2, library));
                    }
                    if keys.is_empty() {
                        return Ok(Vec::new());
                    }
                    Ok(as_shown(self.assets_at(&keys)?))
                })
                .collect()
        })
    }
}

impl Snapshot {
    fn page_at(&self, Page { items, next }: Page<ListPosition>) -> Result<Page<Asset>> {
        Ok(Page { items: self.assets_at(&items)?, next })
    }

    /// The same page, in the list of one library after the asset before it instead of after so many; none past the end.
    fn page_found(&self, grants: &[ReadGrant], page: AssetPageRequest) -> Result<Option<AssetPageRequest>> {
        let ([grant], PageStart::Offset(offset @ 1..)) = (grants, page.start) else { return Ok(Some(page)) };
        let before = self.listed_at(grant, offset - 1)?;
        Ok(before.map(|before| AssetPageRequest { start: PageStart::After(before), ..page }))
    }

    /// The records at some positions of lists; a grant was asked for to get there.
    fn assets_at(&self, positions: &[ListPosition]) -> Result<Vec<Asset>> {
        let keys = positions.iter().map(|(_, id, library)| (*library, id));
        Ok(self.lookup_each(ASSETS, keys, decode)?.into_iter().flatten().collect())
    }
}

/// An asset's variants as they are shown beside it: without the trash, oldest first.
pub(super) fn as_shown(mut variants: Vec<Asset>) -> Vec<Asset> {
    variants.retain(|variant| variant.trashed.is_none());
    variants.sort_by_key(|variant| (variant.created, variant.id));
    variants
}

/// The first position that can be in a page, itself included.
fn first_of(page: &AssetPageRequest) -> (u64, &[u8; 16]) {
    match &page.start {
        PageStart::Offset(_) => (0, FIRST_ID),
        PageStart::After(cursor) => (cursor.age, cursor.id.bytes()),
    }
}

/// A page of several ranges that are each newest first, as one list in that order, each position once.
fn merged<K: redb::Key + 'static>(
    mut ranges: Vec<Range<'_, K, ()>>,
    position: impl Fn(K::SelfType<'_>) -> ListPosition,
    page: AssetPageRequest,
) -> Result<Page<ListPosition>> {
    let count = ranges.len();
    let mut advance = |index: usize| -> Result<Option<(ListPosition, usize)>> {
        let next = ranges.get_mut(index).and_then(Range::next).transpose().map_err(storage)?;
        Ok(next.map(|(key, _)| (position(key.value()), index)))
    };
    let mut heads = BTreeSet::new();
    for index in 0..count {
        heads.extend(advance(index)?);
    }
    let (mut skipped, mut last, mut found) = (0, None, Vec::new());
    while let Some((position, index)) = heads.pop_first() {
        heads.extend(advance(index)?);
        if last.replace(position) == Some(position) {
            continue;
        }
        let before = match page.start {
            PageStart::Offset(offset) => skipped < offset,
            PageStart::After(cursor) => (position.0, &position.1) == (cursor.age, cursor.id.bytes()),
        };
        if before {
            skipped += 1;
        } else if found.len() < page.size {
            found.push(position);
        } else {
            let next = found.last().map(|(age, id, _)| Cursor { age: *age, id: AssetId::from_bytes(id) });
            return Ok(Page { items: found, next });
        }
    }
    Ok(Page { items: found, next: None })
}
