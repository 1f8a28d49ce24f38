//! Copies a snapshot of the database into a new file, table by table, for backups. redb has no copy of a file in use.

use std::collections::BTreeSet;
use std::path::Path;

use redb::{Database, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, TableHandle};
use redb::{ReadOnlyTable, WriteTransaction};

use super::blobs::MARKED;
use super::guard::guarded;
use super::tables::{
    DAMAGED, LINKS, META, OPEN_UPLOADS, SESSION_USE, SESSIONS, UPLOADS_OF, with_every_table,
};
use super::{Snapshot, storage, tables};
use crate::core::data_dir::refusal;
use crate::core::store::records::{CopyQueries, RecordCounts};
use crate::error::{Error, Result};

/// The memory for the pages of the copy.
const CACHE: usize = 32 << 20;
/// After how many entries the progress is reported.
const REPORT: u64 = 1000;

/// Reports that entries were copied, and stops the copy with an error.
type Report<'a> = dyn FnMut(u64) -> Result<()> + 'a;

/// Whether a table stays empty in a copy. A session, an invitation or an upload that was ended after the backup must not
/// work again after a restore, the bytes of open uploads are not in it, and files that were damaged on this disk are whole where they are restored.
fn stays_empty(name: &str) -> bool {
    let empty = [SESSIONS.name(), SESSION_USE.name(), LINKS.name(), DAMAGED.name()];
    empty.contains(&name) || [OPEN_UPLOADS.name(), UPLOADS_OF.name()].contains(&name)
}

/// A failure of the new file, which may be on another disk than the server's.
fn unwritten(path: &Path, cause: impl Into<redb::Error>) -> Error {
    match cause.into() {
        redb::Error::Io(cause) => {
            let advice = "See that there is room and that its disk works, or choose another place";
            refusal(path, &format!("can't be written: {cause}"), advice)
        }
        other => storage(other),
    }
}

impl CopyQueries for Snapshot {
    fn record_counts(&self) -> Result<RecordCounts> {
        Ok(RecordCounts {
            organizations: self.count(tables::ORGANIZATIONS)?,
            libraries: self.count(tables::LIBRARIES)?,
            assets: self.count(tables::ASSETS)?,
            keys: self.count(tables::KEYS)?,
            members: self.count(tables::MEMBERS)?,
        })
    }

    fn entries(&self) -> Result<u64> {
        guarded(|| {
            let mut entries = 0;
            macro_rules! count {
                ($($table:ident)+) => { $(
                    if !stays_empty(tables::$table.name()) {
                        entries += self.tx.open_table(tables::$table).map_err(storage)?.len().map_err(storage)?;
                    }
                )+ };
            }
            with_every_table!(count);
            Ok(entries)
        })
    }

    fn copy_to(&self, path: &Path, report: &mut Report<'_>) -> Result<()> {
        guarded(|| {
            let created = Database::builder().set_cache_size(CACHE).create(path);
            let db = created.map_err(|cause| unwritten(path, cause))?;
            let target = db.begin_write().map_err(|cause| unwritten(path, cause))?;
            let mut copied = BTreeSet::new();
            macro_rules! copy {
                ($($table:ident)+) => { $(
                    copied.insert(tables::$table.name().to_owned());
                    copy_table(&self.tx, (&target, path), tables::$table, report)?;
                )+ };
            }
            with_every_table!(copy);
            for table in self.tx.list_tables().map_err(storage)? {
                if !copied.contains(table.name()) {
                    return Err(Error::internal(format!("the table {} is not copied", table.name())));
                }
            }
            // The files get their marker where they are restored.
            target.open_table(META).map_err(storage)?.remove(MARKED).map_err(storage)?;
            target.commit().map_err(|cause| unwritten(path, cause))?;
            db.close().map_err(|cause| unwritten(path, cause))
        })
    }
}

fn copy_table<K: redb::Key + 'static, V: redb::Value + 'static>(
    from: &ReadTransaction,
    (to, path): (&WriteTransaction, &Path),
    table: TableDefinition<'static, K, V>,
    report: &mut Report<'_>,
) -> Result<()> {
    let mut target = to.open_table(table).map_err(|cause| unwritten(path, cause))?;
    if stays_empty(table.name()) {
        return Ok(());
    }
    let source: ReadOnlyTable<K, V> = from.open_table(table).map_err(storage)?;
    let mut unreported = 0;
    for entry in source.iter().map_err(storage)? {
        let (key, value) = entry.map_err(storage)?;
        target.insert(key.value(), value.value()).map_err(|cause| unwritten(path, cause))?;
        unreported += 1;
        if unreported == REPORT {
            report(unreported)?;
            unreported = 0;
        }
    }
    report(unreported)
}
