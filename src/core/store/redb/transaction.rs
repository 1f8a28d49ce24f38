//! A write transaction, as the closures in it see it.

use std::cell::Cell;
use std::ops::{Bound, ControlFlow};

use redb::{TableDefinition, WriteTransaction};

use super::tables::META;
use super::{Reader, lookup_in, scan_in, storage};
use crate::error::{Error, Result};

/// One closure's part of a write transaction.
pub struct Tx<'a> {
    transaction: &'a WriteTransaction,
    changed: Cell<bool>,
    /// False when the disk is full, except for what may use its reserve.
    may_put: bool,
}

impl<'a> Tx<'a> {
    /// A closure's part of this transaction.
    pub(super) fn of(transaction: &'a WriteTransaction, may_put: bool) -> Self {
        Self { transaction, changed: Cell::new(false), may_put }
    }

    /// Whether the closure changed something, as far as is known.
    pub(super) fn has_changed(&self) -> bool {
        self.changed.get()
    }

    /// Takes the closure for one that changed something.
    pub(super) fn mark_changed(&self) {
        self.changed.set(true);
    }
}

impl Tx<'_> {
    /// Sets the value under `key`.
    ///
    /// # Errors
    /// `STORAGE_FULL` when the disk is full and this transaction may not use the reserve; when the disk fails.
    pub(super) fn put<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
        key: K::SelfType<'_>,
        value: V::SelfType<'_>,
    ) -> Result<()> {
        self.table(table)?.insert(key, value).map_err(storage)?;
        Ok(())
    }

    /// Removes what is under `key`.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn delete<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
        key: K::SelfType<'_>,
    ) -> Result<()> {
        self.changed.set(true);
        self.transaction.open_table(table).map_err(storage)?.remove(key).map_err(storage)?;
        Ok(())
    }

    /// Opens a table to change it in other ways than by [`Tx::put`] and [`Tx::delete`].
    ///
    /// # Errors
    /// As [`Tx::put`].
    pub(super) fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
    ) -> Result<redb::Table<'_, K, V>> {
        if !self.may_put {
            return Err(Error::storage_full());
        }
        self.changed.set(true);
        self.transaction.open_table(table).map_err(storage)
    }

    /// The transaction itself, for tests that damage it.
    #[cfg(test)]
    pub(super) fn transaction(&self) -> &WriteTransaction {
        self.transaction
    }

    /// Removes everything from a table.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn clear<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
    ) -> Result<()> {
        self.changed.set(true);
        self.transaction.delete_table(table).map_err(storage)?;
        self.transaction.open_table(table).map_err(storage).map(drop)
    }

    /// Counts a counter of the database up by one and returns it.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn next(&self, counter: &'static str) -> Result<u64> {
        let next = self.lookup(META, counter, Ok)?.unwrap_or(0) + 1;
        self.put(META, counter, next)?;
        Ok(next)
    }
}

impl Reader for Tx<'_> {
    fn lookup<K: redb::Key + 'static, V: redb::Value + 'static, R>(
        &self,
        table: TableDefinition<'_, K, V>,
        key: K::SelfType<'_>,
        read: impl FnOnce(V::SelfType<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        lookup_in(&self.transaction.open_table(table).map_err(storage)?, &key, read)
    }

    fn scan<'a, K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        table: TableDefinition<'_, K, V>,
        range: (Bound<K::SelfType<'a>>, Bound<K::SelfType<'a>>),
        visit: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        scan_in(&self.transaction.open_table(table).map_err(storage)?, range, visit)
    }

    fn lookup_each<'k, K: redb::Key + 'static, V: redb::Value + 'static, R>(
        &self,
        table: TableDefinition<'_, K, V>,
        keys: impl Iterator<Item = K::SelfType<'k>>,
        mut read: impl FnMut(V::SelfType<'_>) -> Result<R>,
    ) -> Result<Vec<Option<R>>> {
        let table = self.transaction.open_table(table).map_err(storage)?;
        keys.map(|key| lookup_in(&table, &key, &mut read)).collect()
    }
}
