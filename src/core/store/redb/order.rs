//! Positions in the list of a library: which asset is at a place, and how many come before one. For that, the listed
//! assets are counted by their age in four sizes of periods, from 49 days down to a quarter of a second. Finding a place
//! reads the counts of the long periods before it, then those of the shorter ones within the next, and at last the
//! assets within a quarter of a second: a thousand entries or so, however long the list is.

use std::ops::ControlFlow;

use redb::{ReadableTable, WriteTransaction};

use super::libraries::adjusted;
use super::tables::{FIRST_ID, LAST_ID, LISTED, LISTED_COUNTS};
use super::{Reader, Tx, between, storage};
use crate::core::access::grant::ReadGrant;
use crate::core::model::id::{AssetId, LibraryId};
use crate::core::model::page::Cursor;
use crate::core::store::records::OrderQueries;
use crate::error::{Error, Result};

/// How long the periods of each level are: two to the power of this, in milliseconds.
const LEVELS: [(u8, u32); 4] = [(0, 32), (1, 24), (2, 16), (3, 8)];

impl<R: Reader> OrderQueries for R {
    fn listed_at(&self, grant: &ReadGrant, position: usize) -> Result<Option<Cursor>> {
        let library = grant.library().0;
        let mut left = u64::try_from(position).map_err(Error::internal)?;
        let (mut first, mut last) = (0_u64, u64::MAX);
        for (level, length) in LEVELS {
            let mut found = None;
            let periods = between((library, level, first >> length), (library, level, last >> length));
            self.scan(LISTED_COUNTS, periods, |(_, _, period), count| {
                if left < count {
                    found = Some(period);
                    return Ok(ControlFlow::Break(()));
                }
                left -= count;
                Ok(ControlFlow::Continue(()))
            })?;
            let Some(period) = found else { return Ok(None) };
            first = period << length;
            last = first | ((1 << length) - 1);
        }
        let mut found = None;
        let assets = between((library, first, FIRST_ID), (library, last, LAST_ID));
        self.scan(LISTED, assets, |(_, age, id), ()| {
            if left == 0 {
                found = Some(Cursor { age, id: AssetId::from_bytes(id) });
                return Ok(ControlFlow::Break(()));
            }
            left -= 1;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    fn listed_before_age(&self, grant: &ReadGrant, age: u64) -> Result<usize> {
        let library = grant.library().0;
        let (mut before, mut first) = (0_u64, 0_u64);
        for (level, length) in LEVELS {
            let period = age >> length;
            if let Some(last) = period.checked_sub(1).filter(|last| *last >= first >> length) {
                let periods = between((library, level, first >> length), (library, level, last));
                self.scan(LISTED_COUNTS, periods, |_, count| {
                    before += count;
                    Ok(ControlFlow::Continue(()))
                })?;
            }
            first = period << length;
        }
        if let Some(last) = age.checked_sub(1).filter(|last| *last >= first) {
            let assets = between((library, first, FIRST_ID), (library, last, LAST_ID));
            self.scan(LISTED, assets, |_, ()| {
                before += 1;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        usize::try_from(before).map_err(Error::internal)
    }
}

impl Tx<'_> {
    /// Counts a listed asset in or out of the periods of its age.
    pub(super) fn adjust_order(&self, library: LibraryId, age: u64, change: i64) -> Result<()> {
        for (level, length) in LEVELS {
            let key = (library.0, level, age >> length);
            let before = self.lookup(LISTED_COUNTS, key, Ok)?.unwrap_or(0);
            match adjusted(before, change)? {
                0 => self.delete(LISTED_COUNTS, key)?,
                after => self.put(LISTED_COUNTS, key, after)?,
            }
        }
        Ok(())
    }
}

/// The periods of an age: what is counted for a listed asset.
pub(super) fn periods(library: u64, age: u64) -> impl Iterator<Item = (u64, u8, u64)> {
    LEVELS.into_iter().map(move |(level, length)| (library, level, age >> length))
}

/// Counts the listed assets, which a rasterd before schema 5 did not.
pub(super) fn count_listed(tx: &WriteTransaction) -> Result<()> {
    let mut counts = tx.open_table(LISTED_COUNTS).map_err(storage)?;
    for entry in tx.open_table(LISTED).map_err(storage)?.iter().map_err(storage)? {
        let (library, age, _) = entry.map_err(storage)?.0.value();
        for key in periods(library, age) {
            let before = counts.get(key).map_err(storage)?.map_or(0, |count| count.value());
            counts.insert(key, before + 1).map_err(storage)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
