//! The schema's version: makes all tables, refuses what a newer rasterd wrote, brings older ones up to date.

use std::collections::BTreeMap;

use redb::{ReadableTable, TableDefinition, TableHandle, WriteTransaction};

use super::audit::chain_older_events;
use super::changes::DATABASE;
use super::database::OpenDatabase;
use super::order::count_listed;
use super::quotas::count_use;
use super::storage;
use super::tables::{
    ASSETS, AUDIT_CHAINS, LIBRARY_BYTES, LIBRARY_TRASH, LISTED_COUNTS, META, ORGANIZATION_USE, TAG_RANKS,
    TAG_TOTALS, TAGS, TRASH, decode, most_first, with_every_table,
};
use crate::core::model::Asset;
use crate::core::model::time::newest_first;
use crate::error::{Code, Error, Result};

/// The version that this rasterd reads and writes.
pub const SCHEMA: u64 = 5;
/// The oldest that it takes over. 1 and 4 differ in the assets' records, which are read in every layout; 2 to 4 in
/// tables that are derived from others, and made here; 4 also in tables that begin empty.
const OLDEST: u64 = 1;
/// The change log of the schemas before 3, which did not name libraries. The index that followed it is built again.
const OLD_CHANGES: TableDefinition<u64, &[u8; 16]> = TableDefinition::new("changes.v1");

/// Makes what is missing and checks the version, in one durable transaction.
pub fn run(database: &OpenDatabase) -> Result<()> {
    let tx = database.begin_write()?;
    {
        let mut meta = tx.open_table(META).map_err(storage)?;
        let found = meta.get("schema").map_err(storage)?.map(|version| version.value());
        match found {
            Some(SCHEMA) => {}
            None | Some(OLDEST..SCHEMA) => {
                meta.insert("schema", SCHEMA).map_err(storage)?;
            }
            Some(other) => return Err(unknown_schema(other)),
        }
        if meta.get(DATABASE).map_err(storage)?.is_none() {
            meta.insert(DATABASE, rand::random::<u64>()).map_err(storage)?;
        }
    }
    let counts_bytes = has_table(&tx, &LIBRARY_BYTES)?;
    let lists_trash = has_table(&tx, &LIBRARY_TRASH)?;
    let ranks_tags = has_table(&tx, &TAG_RANKS)?;
    let counts_use = has_table(&tx, &ORGANIZATION_USE)?;
    let counts_listed = has_table(&tx, &LISTED_COUNTS)?;
    let chains_events = has_table(&tx, &AUDIT_CHAINS)?;
    macro_rules! make {
        ($($table:ident)+) => { $( drop(tx.open_table(super::tables::$table).map_err(storage)?); )+ };
    }
    with_every_table!(make);
    tx.delete_table(OLD_CHANGES).map_err(storage)?;
    if !counts_bytes {
        count_bytes(&tx)?;
    }
    if !lists_trash {
        list_trash(&tx)?;
    }
    if !ranks_tags {
        rank_tags(&tx)?;
    }
    if !counts_use {
        count_use(&tx)?;
    }
    if !counts_listed {
        count_listed(&tx)?;
    }
    if !chains_events {
        chain_older_events(&tx)?;
    }
    tx.commit().map_err(storage)
}

fn has_table(tx: &WriteTransaction, wanted: &impl TableHandle) -> Result<bool> {
    Ok(tx.list_tables().map_err(storage)?.any(|table| table.name() == wanted.name()))
}

/// Lists the trash of each library, which a rasterd before the first that had a web app did not.
fn list_trash(tx: &WriteTransaction) -> Result<()> {
    let mut table = tx.open_table(LIBRARY_TRASH).map_err(storage)?;
    for entry in tx.open_table(TRASH).map_err(storage)?.iter().map_err(storage)? {
        let (key, _) = entry.map_err(storage)?;
        let (when, library, id) = key.value();
        table.insert((library, newest_first(when), id), ()).map_err(storage)?;
    }
    Ok(())
}

/// Puts the tags of each library in order and counts them, which was done for every list before.
fn rank_tags(tx: &WriteTransaction) -> Result<()> {
    let mut ranks = tx.open_table(TAG_RANKS).map_err(storage)?;
    let mut totals: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in tx.open_table(TAGS).map_err(storage)?.iter().map_err(storage)? {
        let (key, value) = entry.map_err(storage)?;
        let ((library, folded), (text, count)) = (key.value(), value.value());
        ranks.insert((library, most_first(count), text, folded), ()).map_err(storage)?;
        *totals.entry(library).or_default() += 1;
    }
    let mut table = tx.open_table(TAG_TOTALS).map_err(storage)?;
    for (library, total) in totals {
        table.insert(library, total).map_err(storage)?;
    }
    Ok(())
}

/// Counts the bytes of each library's files, which a rasterd before the first that had a web app did not.
fn count_bytes(tx: &WriteTransaction) -> Result<()> {
    let mut bytes: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in tx.open_table(ASSETS).map_err(storage)?.iter().map_err(storage)? {
        let (key, value) = entry.map_err(storage)?;
        let asset: Asset = decode(value.value())?;
        *bytes.entry(key.value().0).or_default() += asset.content.size;
    }
    let mut table = tx.open_table(LIBRARY_BYTES).map_err(storage)?;
    for (library, bytes) in bytes {
        table.insert(library, bytes).map_err(storage)?;
    }
    Ok(())
}

fn unknown_schema(found: u64) -> Error {
    Error::new(
        Code::ServiceUnavailable,
        format!(
            "The data directory has schema version {found}, and this rasterd knows {SCHEMA}. Use a newer rasterd."
        ),
    )
}
