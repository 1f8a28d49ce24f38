//! Reads everything that was restored back from the disk.

use std::fs::File;
use std::path::Path;

use crate::core::backup::copying::{self, Copied};
use crate::core::backup::layout::{DATABASE, at, place};
use crate::core::backup::manifest::{BackupManifest, ListedFile};
use crate::core::data_dir::{FILES, refusal};
use crate::core::long_work::{Reporter, Stage};
use crate::error::{Error, Result};

/// Compares the restored database and these files with the hashes in the backup.
///
/// # Errors
/// When one of them differs, or can't be read.
pub fn verify<'f>(
    restored: &Path,
    manifest: &BackupManifest,
    files: impl Iterator<Item = &'f ListedFile>,
    reporter: &Reporter,
) -> Result<()> {
    let bytes = manifest.file_bytes.saturating_add(manifest.database_bytes);
    reporter.begin(Stage::Verifying, bytes);
    let database = restored.join(DATABASE);
    if read_back(&database, reporter)?.hash.to_hex() != manifest.database_hash {
        return Err(wrong(&database));
    }
    for file in files {
        let path = restored.join(FILES).join(place(file.hash));
        if read_back(&path, reporter)?.hash != file.hash {
            return Err(wrong(&path));
        }
    }
    Ok(())
}

fn wrong(path: &Path) -> Error {
    refusal(path, "was read back with other bytes than were written", "Nothing was changed. Check this disk")
}

/// Reads a file from the disk itself, as far as the system allows: what it has of the file in memory is dropped first.
fn read_back(path: &Path, reporter: &Reporter) -> Result<Copied> {
    let file = at(path, File::open(path))?;
    let _from_memory = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    at(path, copying::hash(path, reporter)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::core::model::ContentHash;

    #[test]
    fn a_byte_that_the_disk_gives_back_wrong_is_found() {
        let restored = tempfile::tempdir().unwrap();
        let hash = |bytes: &[u8]| ContentHash(*blake3::hash(bytes).as_bytes());
        let listed = ListedFile { hash: hash(b"picture"), size: 7 };
        let file = restored.path().join(FILES).join(place(listed.hash));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let manifest =
            BackupManifest { database_hash: hash(b"records").to_hex(), ..BackupManifest::default() };
        let outcome = || verify(restored.path(), &manifest, [listed].iter(), &Reporter::default());
        for (database, picture, is_right) in
            [("records", "picture", true), ("records", "pictura", false), ("recorda", "picture", false)]
        {
            fs::write(restored.path().join(DATABASE), database).unwrap();
            fs::write(&file, picture).unwrap();
            assert_eq!(outcome().is_ok(), is_right, "{database}, {picture}");
        }
    }
}
