//! The change log that the search index follows: what changed that search can see, in the order of the commits.
//!
//! An entry names a library and an asset: look again whether, and as what, the asset is found in that library. A
//! transfer therefore makes two. What neither words nor filters can see (placeholders, the work after an upload, variants) makes
//! none, so that no search ever waits for it.

use std::ops::{Bound, ControlFlow};

use super::tables::{ASSETS, CHANGES, LIBRARY_CHANGES, META, decode};
use super::{Reader, Snapshot, Tx};
use crate::core::model::Asset;
use crate::core::model::id::{AssetId, LibraryId};
use crate::core::store::records::{ChangeCommands, ChangeQueries, Changed};
use crate::error::{Error, Result};

/// Counts the changes.
pub(super) const SEQUENCE: &str = "sequence";
/// Up to where the log was cut off at its old end.
pub(super) const PRUNED: &str = "pruned";

/// The random number that tells this database from any other.
pub(super) const DATABASE: &str = "database";

impl ChangeQueries for Snapshot {
    fn database(&self) -> Result<u64> {
        self.lookup(META, DATABASE, Ok)?.ok_or_else(|| Error::internal("the database has no number"))
    }

    fn sequence(&self) -> Result<u64> {
        Ok(self.lookup(META, SEQUENCE, Ok)?.unwrap_or(0))
    }

    fn last_change_in(&self, libraries: &[u64]) -> Result<u64> {
        let numbers = self.lookup_each(LIBRARY_CHANGES, libraries.iter().copied(), Ok)?;
        Ok(numbers.into_iter().flatten().max().unwrap_or(0))
    }

    fn changes_after(&self, sequence: u64, most: usize) -> Result<Option<(Vec<Changed>, u64)>> {
        let pruned = self.lookup(META, PRUNED, Ok)?.unwrap_or(0);
        if sequence < pruned || sequence > self.sequence()? {
            return Ok(None);
        }
        let mut entries: Vec<(u64, u64, [u8; 16])> = Vec::new();
        self.scan(CHANGES, (Bound::Excluded(sequence), Bound::Unbounded), |number, (library, id)| {
            entries.push((number, library, *id));
            Ok(if entries.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        let keys = entries.iter().map(|(_, library, id)| (*library, id));
        // One that can't be read is not found, and keeps no other from being found.
        let assets = self.lookup_each(ASSETS, keys, |bytes| Ok(decode(bytes).ok()))?;
        let last = entries.last().map_or(sequence, |(number, _, _)| *number);
        let changed = entries
            .into_iter()
            .zip(assets)
            .map(|((sequence, library, id), asset)| Changed {
                sequence,
                library,
                id: AssetId::from_bytes(&id),
                asset: asset.flatten(),
            })
            .collect();
        Ok(Some((changed, last)))
    }

    fn every_asset(&self, after: Option<&Asset>, most: usize) -> Result<Vec<Asset>> {
        let start = match after {
            Some(asset) => Bound::Excluded((asset.library.0, asset.id.bytes())),
            None => Bound::Unbounded,
        };
        let mut assets = Vec::new();
        self.scan(ASSETS, (start, Bound::Unbounded), |(library, id), bytes| {
            // A damaged record that names another place would send its reader back, again and again.
            let is_here = |asset: &Asset| asset.library.0 == library && asset.id.bytes() == id;
            assets.extend(decode::<Asset>(bytes).ok().filter(is_here));
            Ok(if assets.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(assets)
    }
}

impl ChangeCommands for Tx<'_> {
    fn prune_changes(&self, sequence: u64, most: usize) -> Result<()> {
        let mut numbers = Vec::new();
        self.scan(CHANGES, (Bound::Unbounded, Bound::Included(sequence)), |number, _| {
            numbers.push(number);
            Ok(if numbers.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        for &number in &numbers {
            self.delete(CHANGES, number)?;
        }
        match numbers.last() {
            Some(&last) => self.put(META, PRUNED, last),
            None => Ok(()),
        }
    }
}

impl Tx<'_> {
    /// Records that a library's asset was `before` and is `after`, if search can tell the two apart.
    pub(super) fn log_change(
        &self,
        library: LibraryId,
        id: &AssetId,
        before: Option<&Asset>,
        after: Option<&Asset>,
    ) -> Result<()> {
        if !differs_in_search(before, after) {
            return Ok(());
        }
        let number = self.next(SEQUENCE)?;
        self.put(LIBRARY_CHANGES, library.0, number)?;
        self.put(CHANGES, number, (library.0, id.bytes()))
    }
}

/// Whether a search can answer otherwise after this change: whether the asset is listed, and what it is searched and
/// ordered by.
fn differs_in_search(before: Option<&Asset>, after: Option<&Asset>) -> bool {
    let listed = |asset: &&Asset| asset.is_listed();
    match (before.filter(listed), after.filter(listed)) {
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
        (Some(before), Some(after)) => {
            before.name != after.name
                || before.description != after.description
                || before.tags != after.tags
                || before.created != after.created
                || before.uploaded_by != after.uploaded_by
                || before.approval_state() != after.approval_state()
                || before.content.media_type != after.content.media_type
                || before.orientation() != after.orientation()
        }
    }
}
