//! The copy of the database that is made before its schema is upgraded, to go back to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use redb::TableError;

use super::database::OpenDatabase;
use super::migrate::SCHEMA;
use super::storage;
use super::tables::META;
use crate::core::disk::Disk;
use crate::error::Result;

/// What is added to the name of the database, before the number of the new schema.
const SUFFIX: &str = ".before-schema-";

/// Whether an upgrade is due: the database has records of an older schema.
pub fn is_due(database: &OpenDatabase) -> Result<bool> {
    let tx = database.begin_read()?;
    let meta = match tx.open_table(META) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(false),
        opened => opened.map_err(storage)?,
    };
    let schema = meta.get("schema").map_err(storage)?.map(|schema| schema.value());
    Ok(schema.is_some_and(|schema| schema < SCHEMA))
}

/// Copies a closed database, and removes the copies of earlier upgrades.
pub fn keep_copy(path: &Path, disk: &dyn Disk) -> Result<()> {
    let copy = copy_of(path, SCHEMA);
    let unfinished = copy.with_extension("unfinished");
    disk.remove(&unfinished)?;
    fs::copy(path, &unfinished)?;
    File::open(&unfinished)?.sync_all()?;
    disk.rename(&unfinished, &copy)?;
    for older in 0..SCHEMA {
        disk.remove(&copy_of(path, older))?;
    }
    path.parent().map_or(Ok(()), |folder| disk.sync_folder(folder))?;
    tracing::info!("the database is upgraded to schema {SCHEMA}; as it was, it is in {}", copy.display());
    Ok(())
}

fn copy_of(path: &Path, schema: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{SUFFIX}{schema}"));
    PathBuf::from(name)
}
