//! Going back to an earlier snapshot: each table is compared with what it was, and what differs is written.

use std::cmp::Ordering;

use redb::{AccessGuard, Key, ReadableTable, TableDefinition, TableHandle, Value};

use super::tables::{
    ASSETS, BLOBS, CHANGES, LIBRARY_CHANGES, LIBRARY_NAMINGS, META, ORGANIZATIONS, decode, with_every_table,
};
use super::{Reader, Snapshot, Tx, everything, storage, tables};
use crate::core::model::id::{AssetId, LibraryId, OrganizationId};
use crate::core::model::{Asset, ContentHash};
use crate::core::store::records::RewindCommands;
use crate::error::{Error, Result};

/// An entry of a table that differs: its key, and its value before and after.
struct Difference {
    key: Vec<u8>,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// Tables that are not taken back: counters and stamps, and what others read in order to notice a change.
fn is_not_taken_back(name: &str) -> bool {
    [META.name(), CHANGES.name(), LIBRARY_CHANGES.name(), LIBRARY_NAMINGS.name()].contains(&name)
}

impl RewindCommands for Tx<'_> {
    fn rewind(&self, to: &Snapshot) -> Result<Vec<ContentHash>> {
        let assets = self.differences(ASSETS, to)?;
        let files = self.differences(BLOBS, to)?;
        macro_rules! rewind {
            ($($table:ident)+) => { $(
                if !is_not_taken_back(tables::$table.name()) {
                    self.rewind_table(tables::$table, to)?;
                }
            )+ };
        }
        with_every_table!(rewind);
        for difference in &assets {
            self.log_difference(difference)?;
        }
        self.count_namings()?;
        let dropped = files.iter().filter(|difference| difference.after.is_none());
        dropped.map(|difference| file_hash(&difference.key)).collect()
    }
}

impl Tx<'_> {
    fn differences<K: Key + 'static, V: Value + 'static>(
        &self,
        table: TableDefinition<'static, K, V>,
        to: &Snapshot,
    ) -> Result<Vec<Difference>> {
        let current = self.table(table)?;
        let target = to.tx.open_table(table).map_err(storage)?;
        compared::<K, V>(
            current.iter().map_err(storage)?.map(|entry| entry.map_err(storage)),
            target.iter().map_err(storage)?.map(|entry| entry.map_err(storage)),
        )
    }

    fn rewind_table<K: Key + 'static, V: Value + 'static>(
        &self,
        table: TableDefinition<'static, K, V>,
        to: &Snapshot,
    ) -> Result<()> {
        let differences = self.differences(table, to)?;
        let mut current = self.table(table)?;
        for Difference { key, after, .. } in &differences {
            match after {
                Some(value) => current.insert(K::from_bytes(key), V::from_bytes(value)).map(drop),
                None => current.remove(K::from_bytes(key)).map(drop),
            }
            .map_err(storage)?;
        }
        Ok(())
    }

    /// Tells the search index that an asset is another one now.
    fn log_difference(&self, difference: &Difference) -> Result<()> {
        let (library, id) = <(u64, &[u8; 16])>::from_bytes(&difference.key);
        let asset = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(decode::<Asset>).transpose();
        let (before, after) = (asset(&difference.before)?, asset(&difference.after)?);
        self.log_change(LibraryId(library), &AssetId::from_bytes(id), before.as_ref(), after.as_ref())
    }

    /// Counts a change of the names of libraries in each organization.
    fn count_namings(&self) -> Result<()> {
        let mut organizations = Vec::new();
        self.scan(ORGANIZATIONS, everything(), |id, _| {
            organizations.push(OrganizationId(id));
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        organizations.into_iter().try_for_each(|organization| self.count_naming(organization))
    }
}

type Entry<'a, K, V> = Result<(AccessGuard<'a, K>, AccessGuard<'a, V>)>;

/// The bytes of an entry.
fn bytes<K: Key + 'static, V: Value + 'static>(entry: Entry<'_, K, V>) -> Result<(Vec<u8>, Vec<u8>)> {
    let (key, value) = entry?;
    Ok((K::as_bytes(&key.value()).as_ref().to_vec(), V::as_bytes(&value.value()).as_ref().to_vec()))
}

/// Compares the entries of two tables, both in the order of their keys.
fn compared<'a, K: Key + 'static, V: Value + 'static>(
    current: impl Iterator<Item = Entry<'a, K, V>>,
    target: impl Iterator<Item = Entry<'a, K, V>>,
) -> Result<Vec<Difference>> {
    let (mut current, mut target) = (current.map(bytes), target.map(bytes));
    let (mut before, mut after) = (current.next().transpose()?, target.next().transpose()?);
    let mut differences = Vec::new();
    loop {
        let order = match (&before, &after) {
            (None, None) => return Ok(differences),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((one, _)), Some((other, _))) => K::compare(one, other),
        };
        let old =
            if order.is_le() { std::mem::replace(&mut before, current.next().transpose()?) } else { None };
        let new =
            if order.is_ge() { std::mem::replace(&mut after, target.next().transpose()?) } else { None };
        if let Some(key) = old.as_ref().or(new.as_ref()).map(|(key, _)| key.clone())
            && old != new
        {
            let value = |entry: Option<(Vec<u8>, Vec<u8>)>| entry.map(|(_, value)| value);
            differences.push(Difference { key, before: value(old), after: value(new) });
        }
    }
}

fn file_hash(key: &[u8]) -> Result<ContentHash> {
    let hash = key.try_into().map_err(|_| Error::internal("a hash has another length"))?;
    Ok(ContentHash(hash))
}
