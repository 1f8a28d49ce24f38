//! The schema's version: makes all tables, refuses what a newer rasterd wrote, brings older ones up to date.

use redb::{Database, Durability, ReadableTable};

use super::changes::DATABASE;
use super::storage;
use super::tables::{
    ASSET_HOMES, ASSETS, AUDIT, BLOBS, CHANGES, FAILED_WORK, KEY_IDS, KEY_USE, KEYS, LIBRARIES,
    LIBRARY_SLUGS, LINKS, LISTED, MEMBER_EMAILS, MEMBERS, META, ORGANIZATION_SLUGS, ORGANIZATIONS, ORPHANS,
    SESSION_USE, SESSIONS, TAGGED, TAGS, TRASH, VARIANTS, WAITING_WORK,
};
use crate::error::{Code, Error, Result};

/// The version that this rasterd reads and writes.
const SCHEMA: u64 = 2;
/// The oldest that it takes over. 1 differs in nothing but the assets' records, which are read in both layouts.
const OLDEST: u64 = 1;

/// Makes what is missing and checks the version, in one durable transaction.
pub fn run(db: &Database) -> Result<()> {
    let mut tx = db.begin_write().map_err(storage)?;
    tx.set_durability(Durability::Immediate).map_err(storage)?;
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
    macro_rules! make {
        ($($table:ident)+) => { $( drop(tx.open_table($table).map_err(storage)?); )+ };
    }
    make!(ORGANIZATIONS ORGANIZATION_SLUGS LIBRARIES LIBRARY_SLUGS KEYS KEY_IDS KEY_USE ASSETS ASSET_HOMES
        LISTED TAGGED TAGS TRASH VARIANTS BLOBS ORPHANS CHANGES
        MEMBERS MEMBER_EMAILS SESSIONS SESSION_USE LINKS AUDIT WAITING_WORK FAILED_WORK);
    tx.commit().map_err(storage)
}

fn unknown_schema(found: u64) -> Error {
    Error::new(
        Code::ServiceUnavailable,
        format!(
            "The data directory has schema version {found}, and this rasterd knows {SCHEMA}. Use a newer rasterd."
        ),
    )
}
