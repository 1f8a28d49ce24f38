//! The check of assets, and of the lists, counts and references that are derived from them.

use std::collections::{BTreeMap, HashSet};

use super::{Checker, Counted};
use crate::core::model::id::AssetId;
use crate::core::model::name::fold;
use crate::core::model::time::newest_first;
use crate::core::model::{Asset, ContentHash, ProcessingState};
use crate::core::store::records::NamedFile;
use crate::core::store::redb::order::periods;
use crate::core::store::redb::tables::{
    ASSET_HOMES, ASSETS, BLOBS, FAILED_WORK, LIBRARY_BYTES, LIBRARY_TRASH, LISTED, LISTED_COUNTS,
    ORGANIZATION_USE, ORPHANS, TAG_RANKS, TAG_TOTALS, TAGGED, TAGS, TRASH, VARIANTS, WAITING_WORK, decode,
    most_first,
};
use crate::error::Result;

impl Checker<'_> {
    pub(super) fn assets(&mut self) -> Result<()> {
        self.walk(ASSETS, |checker, (library, id), bytes| {
            let id = AssetId::from_bytes(id);
            let Some(asset) = checker.record::<Asset>(|| format!("asset {id}"), bytes) else {
                checker.unreadable_assets += 1;
                return Ok(());
            };
            let named = NamedFile { size: asset.content.size, assets: 0, asset: id };
            checker.found.files.entry(asset.content.hash).or_insert(named).assets += 1;
            if asset.id != id || asset.library.0 != library {
                checker.found.add(format!("The asset {} is stored under {id} of another library.", asset.id));
                return Ok(());
            }
            checker.asset(&asset);
            Ok(())
        })?;
        self.lists()?;
        self.trash()?;
        self.work()?;
        self.counts()?;
        self.references()
    }

    /// Checks what has to be there for an asset, and counts it.
    fn asset(&mut self, asset: &Asset) {
        let (library, id, bytes) = (asset.library.0, asset.id, asset.id.bytes());
        let Some(counted) = self.libraries.get_mut(&library) else {
            self.found.add(format!("The asset {id} is in a library that is not there."));
            return;
        };
        counted.add(asset);
        let organization = counted.organization;
        let is_at_home = self.lookup(ASSET_HOMES, bytes, |home| home) == Some((organization, library));
        let has_place = match (&asset.parent, asset.trashed) {
            (Some(parent), _) => self.lookup(VARIANTS, (library, parent.bytes(), bytes), |()| ()).is_some(),
            (None, None) => {
                self.lookup(LISTED, (library, newest_first(asset.created), bytes), |()| ()).is_some()
            }
            (None, Some(when)) => {
                self.lookup(TRASH, (when, library, bytes), |()| ()).is_some()
                    && self.lookup(LIBRARY_TRASH, (library, newest_first(when), bytes), |()| ()).is_some()
            }
        };
        if let Some(parent) = &asset.parent
            && self.lookup(ASSETS, (library, parent.bytes()), |_| ()).is_none()
        {
            self.found.add(format!("The variant {id} belongs to the asset {parent}, which is not there."));
        }
        let is_queued = match &asset.content.processing {
            ProcessingState::Waiting(pending) => {
                let key = (pending.due, newest_first(asset.created), bytes);
                self.lookup(WAITING_WORK, key, |_| ()).is_some()
            }
            ProcessingState::Failed { when, .. } => {
                self.lookup(FAILED_WORK, (organization, newest_first(*when), bytes), |()| ()).is_some()
            }
            ProcessingState::Nothing | ProcessingState::Done(_) => true,
        };
        for (holds, what) in [
            (is_at_home, "is not found by its url"),
            (has_place, "is missing in the list that it belongs to"),
            (is_queued, "waits for work that does not know of it"),
        ] {
            if !holds {
                self.found.add_derived(format!("The asset {id} {what}."));
            }
        }
        if asset.is_listed() {
            for tag in &asset.tags {
                let key = (library, &*fold(tag), newest_first(asset.created), bytes);
                if self.lookup(TAGGED, key, |()| ()).is_none() {
                    self.found.add_derived(format!("The asset {id} is missing under one of its tags."));
                }
            }
        }
    }

    /// The asset that an entry of a list is about.
    fn listed_asset(&self, library: u64, id: &[u8; 16]) -> Option<Asset> {
        self.lookup(ASSETS, (library, id), |bytes| decode::<Asset>(bytes).ok()).flatten()
    }

    /// The asset of this id, wherever it is.
    fn asset_anywhere(&self, id: &[u8; 16]) -> Option<Asset> {
        let (_, library) = self.lookup(ASSET_HOMES, id, |home| home)?;
        self.listed_asset(library, id)
    }

    fn expect_entry(&mut self, holds: bool, id: &[u8; 16], list: &str) {
        if !holds {
            let id = AssetId::from_bytes(id);
            self.found.add_derived(format!("The {list} has the asset {id}, which does not belong there."));
        }
    }

    /// Every entry of a list has an asset that belongs there.
    fn lists(&mut self) -> Result<()> {
        let mut counted: BTreeMap<(u64, u8, u64), u64> = BTreeMap::new();
        self.walk(LISTED, |checker, (library, age, id), ()| {
            for period in periods(library, age) {
                *counted.entry(period).or_default() += 1;
            }
            let asset = checker.listed_asset(library, id);
            let holds = asset.is_some_and(|asset| asset.is_listed() && newest_first(asset.created) == age);
            checker.expect_entry(holds, id, "list of a library");
            Ok(())
        })?;
        self.order(counted)?;
        self.walk(TAGGED, |checker, (library, tag, age, id), ()| {
            let holds = checker.listed_asset(library, id).is_some_and(|asset| {
                let has_tag = asset.tags.iter().any(|text| fold(text) == tag);
                asset.is_listed() && newest_first(asset.created) == age && has_tag
            });
            checker.expect_entry(holds, id, "list of a tag");
            Ok(())
        })?;
        self.walk(VARIANTS, |checker, (library, parent, id), ()| {
            let asset = checker.listed_asset(library, id);
            let holds = asset.is_some_and(|asset| asset.parent == Some(AssetId::from_bytes(parent)));
            checker.expect_entry(holds, id, "list of variants");
            Ok(())
        })?;
        self.walk(ASSET_HOMES, |checker, id, (_, library)| {
            let holds = checker.listed_asset(library, id).is_some();
            checker.expect_entry(holds, id, "list of urls");
            Ok(())
        })
    }

    /// The counts of the list, by which positions are found.
    fn order(&mut self, mut counted: BTreeMap<(u64, u8, u64), u64>) -> Result<()> {
        self.walk(LISTED_COUNTS, |checker, period, count| {
            if counted.remove(&period) != Some(count) {
                let library = period.0;
                checker.found.add_derived(format!("The library {library} counts its list wrongly."));
            }
            Ok(())
        })?;
        for (library, _, _) in counted.keys() {
            self.found.add_derived(format!("The library {library} does not count a part of its list."));
        }
        Ok(())
    }

    /// So has every entry of the trash.
    fn trash(&mut self) -> Result<()> {
        self.walk(TRASH, |checker, (when, library, id), ()| {
            let holds = checker.listed_asset(library, id).is_some_and(|asset| asset.trashed == Some(when));
            checker.expect_entry(holds, id, "trash");
            Ok(())
        })?;
        self.walk(LIBRARY_TRASH, |checker, (library, age, id), ()| {
            let asset = checker.listed_asset(library, id);
            let holds = asset.is_some_and(|asset| asset.trashed.map(newest_first) == Some(age));
            checker.expect_entry(holds, id, "trash of a library");
            Ok(())
        })
    }

    /// And every entry of the work after uploads.
    fn work(&mut self) -> Result<()> {
        self.walk(WAITING_WORK, |checker, (due, age, id), _| {
            let holds = checker.asset_anywhere(id).is_some_and(|asset| match &asset.content.processing {
                ProcessingState::Waiting(pending) => pending.due == due && newest_first(asset.created) == age,
                // The record of an older rasterd says nothing of work.
                ProcessingState::Nothing => true,
                ProcessingState::Done(_) | ProcessingState::Failed { .. } => false,
            });
            checker.expect_entry(holds, id, "list of waiting work");
            Ok(())
        })?;
        self.walk(FAILED_WORK, |checker, (_, age, id), ()| {
            let holds = checker.asset_anywhere(id).is_some_and(|asset| {
                matches!(&asset.content.processing, ProcessingState::Failed { when, .. } if newest_first(*when) == age)
            });
            checker.expect_entry(holds, id, "list of failed work");
            Ok(())
        })
    }

    /// The counts that are kept are those that are counted.
    fn counts(&mut self) -> Result<()> {
        let mut expected: BTreeMap<(u64, String), u64> = BTreeMap::new();
        let mut uses: BTreeMap<u64, (u64, u64, u64)> = BTreeMap::new();
        for (library, counted) in std::mem::take(&mut self.libraries) {
            let bytes = self.lookup(LIBRARY_BYTES, library, |bytes| bytes).unwrap_or_default();
            let found = (counted.listed, counted.trashed);
            let (kept, found) = ((counted.recorded.unwrap_or(found), bytes), (found, counted.bytes));
            if kept != found {
                let ((assets, trashed), bytes) = kept;
                self.found.add_derived(format!(
                    "The library {library} counts {assets} assets, {trashed} in the trash and {bytes} bytes, and has {}, {} and {}.",
                    counted.listed, counted.trashed, counted.bytes
                ));
            }
            let sums = uses.entry(counted.organization).or_default();
            *sums = (sums.0 + counted.bytes, sums.1 + counted.files, sums.2 + 1);
            let total = counted.tags.len() as u64;
            if self.lookup(TAG_TOTALS, library, |total| total).unwrap_or_default() != total {
                self.found.add_derived(format!("The library {library} counts its tags wrongly."));
            }
            expected.extend(counted.tags.into_iter().map(|(tag, count)| ((library, tag), count)));
        }
        self.uses(uses)?;
        self.tags(expected)
    }

    /// What each organization uses of its quotas.
    fn uses(&mut self, mut counted: BTreeMap<u64, (u64, u64, u64)>) -> Result<()> {
        self.walk(ORGANIZATION_USE, |checker, organization, kept| {
            if counted.remove(&organization).unwrap_or_default() != kept {
                checker
                    .found
                    .add_derived(format!("The organization {organization} counts what it uses wrongly."));
            }
            Ok(())
        })?;
        for organization in counted.keys() {
            self.found.add_derived(format!("The organization {organization} does not count what it uses."));
        }
        Ok(())
    }

    fn tags(&mut self, mut expected: BTreeMap<(u64, String), u64>) -> Result<()> {
        self.walk(TAGS, |checker, (library, folded), (text, count)| {
            let is_right = expected.remove(&(library, folded.to_owned())) == Some(count);
            let rank = (library, most_first(count), text, folded);
            if !is_right || checker.lookup(TAG_RANKS, rank, |()| ()).is_none() {
                checker.found.add_derived(format!("The library {library} counts one of its tags wrongly."));
            }
            Ok(())
        })?;
        if !expected.is_empty() {
            self.found.add_derived(format!("{} tags of assets are not counted.", expected.len()));
        }
        self.walk(TAG_RANKS, |checker, (library, rank, _, folded), ()| {
            if checker.lookup(TAGS, (library, folded), |(_, count)| count) != Some(most_first(rank)) {
                checker.found.add_derived(format!("The library {library} ranks one of its tags wrongly."));
            }
            Ok(())
        })
    }

    /// How many files are referenced is what the assets say, and each that is not any more is due to go.
    fn references(&mut self) -> Result<()> {
        let mut due: HashSet<ContentHash> = HashSet::new();
        self.walk(ORPHANS, |_, (_, hash), ()| {
            due.insert(ContentHash(*hash));
            Ok(())
        })?;
        let mut counted = 0;
        self.walk(BLOBS, |checker, hash, refs| {
            let hash = ContentHash(*hash);
            let expected = checker.found.files.get(&hash).map_or(0, |file| file.assets);
            counted += usize::from(expected > 0);
            // Assets that can't be read have files, too.
            let is_right = refs == expected || (refs > expected && checker.unreadable_assets > 0);
            let name = hash.to_hex();
            if !is_right {
                checker.found.add_derived(format!(
                    "The file {name} is counted {refs} times, and {expected} assets have it."
                ));
            }
            if refs == 0 && !due.contains(&hash) {
                checker
                    .found
                    .add_derived(format!("The file {name} has no assets and is not due to be deleted."));
            }
            Ok(())
        })?;
        if counted < self.found.files.len() {
            let count = self.found.files.len() - counted;
            self.found.add_derived(format!("{count} files of assets are not counted."));
        }
        Ok(())
    }
}

impl Counted {
    fn add(&mut self, asset: &Asset) {
        self.files += 1;
        self.bytes += asset.content.size;
        match (&asset.parent, asset.trashed) {
            (Some(_), _) => {}
            (None, Some(_)) => self.trashed += 1,
            (None, None) => {
                self.listed += 1;
                for tag in &asset.tags {
                    *self.tags.entry(fold(tag)).or_default() += 1;
                }
            }
        }
    }
}
