//! The change log that the search index follows: which assets changed, in the order of their commits.

use std::ops::{Bound, ControlFlow};

use super::tables::{ASSET_HOMES, ASSETS, CHANGES, META, decode};
use super::{Reader, Tx, View};
use crate::app::id::AssetId;
use crate::app::model::Asset;
use crate::error::{Error, Result};

/// Counts the changes.
const SEQUENCE: &str = "sequence";
/// Up to where the log was cut off at its old end.
const PRUNED: &str = "pruned";

/// The random number that tells this database from any other.
pub(super) const DATABASE: &str = "database";

/// An asset that changed, as it is now; `None` when it is gone.
pub type Changed = (AssetId, Option<Asset>);

impl View {
    /// The number that tells this database from any other, drawn when it was made.
    pub fn database(&self) -> Result<u64> {
        self.lookup(META, DATABASE, Ok)?.ok_or_else(|| Error::internal("the database has no number"))
    }

    /// The number of the last change.
    pub fn sequence(&self) -> Result<u64> {
        Ok(self.lookup(META, SEQUENCE, Ok)?.unwrap_or(0))
    }

    /// The assets that changed after `sequence`, at most `most` changes, and the number of the last of them.
    /// `None` when the log does not reach back that far.
    pub fn changes_after(&self, sequence: u64, most: usize) -> Result<Option<(Vec<Changed>, u64)>> {
        let pruned = self.lookup(META, PRUNED, Ok)?.unwrap_or(0);
        if sequence < pruned || sequence > self.sequence()? {
            return Ok(None);
        }
        let mut ids: Vec<[u8; 16]> = Vec::new();
        let mut last = sequence;
        self.scan(CHANGES, (Bound::Excluded(sequence), Bound::Unbounded), |number, id| {
            last = number;
            ids.push(*id);
            Ok(if ids.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        let homes = self.lookup_each(ASSET_HOMES, ids.iter(), Ok)?;
        let mut changed = Vec::with_capacity(ids.len());
        for (id, home) in ids.iter().zip(homes) {
            let asset = home.map(|(_, library)| self.lookup(ASSETS, (library, id), decode)).transpose()?;
            changed.push((AssetId::from_bytes(id), asset.flatten()));
        }
        Ok(Some((changed, last)))
    }

    /// The assets of the whole server in the order of their keys, from behind `after`, at most `most`:
    /// for an index that starts from nothing.
    pub fn every_asset(&self, after: Option<&Asset>, most: usize) -> Result<Vec<Asset>> {
        let start = match after {
            Some(asset) => Bound::Excluded((asset.library.0, asset.id.bytes())),
            None => Bound::Unbounded,
        };
        let mut assets = Vec::new();
        self.scan(ASSETS, (start, Bound::Unbounded), |_, bytes| {
            assets.push(decode(bytes)?);
            Ok(if assets.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(assets)
    }
}

impl Tx<'_> {
    /// Notes that an asset changed.
    pub(super) fn log_change(&self, id: &AssetId) -> Result<()> {
        let number = self.next(SEQUENCE)?;
        self.put(CHANGES, number, id.bytes())
    }

    /// Cuts off the old end of the log, up to and with `sequence`, at most `most` entries at a time.
    pub fn prune_changes(&self, sequence: u64, most: usize) -> Result<()> {
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
