//! A digest of each table, for tests that compare stores.

use std::collections::BTreeMap;

use redb::{Key, ReadableTable, TableDefinition, TableHandle, Value};

use super::super::Snapshot;
use super::super::tables::{self, with_every_table};

impl Snapshot {
    /// The digest of each table. What a start writes by itself is left out.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let mut digests = BTreeMap::new();
        macro_rules! add {
            ($($table:ident)+) => { $( digests.insert(tables::$table.name().to_owned(), self.digest(tables::$table)); )+ };
        }
        with_every_table!(add);
        digests
    }

    fn digest<K: Key + 'static, V: Value + 'static>(&self, table: TableDefinition<'static, K, V>) -> String {
        let mut hasher = blake3::Hasher::new();
        for entry in self.tx.open_table(table).unwrap().iter().unwrap() {
            let (key, value) = entry.unwrap();
            let (key, value) = (key.value(), value.value());
            let (key, value) = (K::as_bytes(&key), V::as_bytes(&value));
            let key = key.as_ref();
            if key.starts_with(b"seen_") || [b"reopened".as_slice(), b"files_marked"].contains(&key) {
                continue;
            }
            for part in [key, value.as_ref()] {
                hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
            }
        }
        hasher.finalize().to_hex().to_string()
    }
}
