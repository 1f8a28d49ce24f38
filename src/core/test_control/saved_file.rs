//! A state of the server in one file, to start from: an uncompressed archive of the database, the files, and what the
//! server began with.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};
use tokio::task::spawn_blocking;

use super::TestOrganization;
use super::states::SavedState;
use crate::core::Core;
use crate::core::data_dir::{DATABASE, FILES, hash_of, refusal};
use crate::core::model::id::SeededIds;
use crate::core::store::files::Blobs;
use crate::core::store::{CopyQueries, FileQueries};
use crate::error::{Error, Result};
use crate::file_mode;

/// The layout of the file.
const VERSION: u32 = 1;
/// The entry with what is not in the database.
const ABOUT: &str = "snapshot.json";

/// What is not in the database.
#[derive(Serialize, Deserialize)]
struct About {
    version: u32,
    first: TestOrganization,
    ids: BTreeMap<String, u64>,
}

impl Core {
    /// Writes the state into a file, in place of an earlier one. Sessions and invitations are not in it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn save_state_to(&self, path: &Path) -> Result<()> {
        let control = self.expect_test_control()?;
        let first = control.first().cloned();
        let first = first.ok_or_else(|| Error::internal("the server has not begun yet"))?;
        control.files.get_or_init(|| self.blobs().hold());
        let (state, blobs, path) = (self.state()?, self.blobs().clone(), path.to_owned());
        let scratch = self.budget().folder.clone();
        let about = About { version: VERSION, first, ids: state.ids.clone() };
        spawn_blocking(move || write(&path, &scratch, &about, &state, &blobs))
            .await
            .map_err(Error::internal)?
    }
}

fn write(path: &Path, scratch: &Path, about: &About, state: &SavedState, blobs: &Blobs) -> Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| not_written(path, &error);
    let temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut archive = Builder::new(BufWriter::new(temporary));
    let text = serde_json::to_vec(about).map_err(Error::internal)?;
    append(&mut archive, ABOUT, text.len() as u64, text.as_slice()).map_err(failed)?;
    let work = tempfile::tempdir_in(scratch)?;
    let copy = work.path().join(DATABASE);
    state.snapshot.copy_to(&copy, &mut |_| Ok(()))?;
    append_file(&mut archive, DATABASE, &copy).map_err(failed)?;
    for byte in 0..=u8::MAX {
        for (hash, _) in state.snapshot.blobs_starting_with(byte)? {
            let name = format!("{FILES}/{byte:02x}/{}", hash.to_hex());
            append_file(&mut archive, &name, &blobs.local_path(hash)).map_err(failed)?;
        }
    }
    let written = archive.into_inner().map_err(failed)?;
    let temporary = written.into_inner().map_err(|error| failed(error.into_error()))?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn append(archive: &mut Builder<impl Write>, name: &str, size: u64, bytes: impl Read) -> std::io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(file_mode::FILE);
    archive.append_data(&mut header, name, bytes)
}

fn append_file(archive: &mut Builder<impl Write>, name: &str, path: &Path) -> std::io::Result<()> {
    let file = File::open(path)?;
    append(archive, name, file.metadata()?.len(), file)
}

fn not_written(path: &Path, error: &std::io::Error) -> Error {
    Error::bad_input(format!("The snapshot can't be written to {}: {error}.", path.display()))
}

/// Unpacks a saved state into a data directory that does not exist yet, and returns what its server began with.
///
/// # Errors
/// When the file can't be read, or is something else.
pub fn unpack(path: &Path, data_dir: &Path) -> Result<TestOrganization> {
    let wrong = |what: &str| {
        refusal(path, what, "Make one with `POST /_test/snapshots {\"file\": …}` on an ephemeral server")
    };
    let file = File::open(path).map_err(|error| wrong(&format!("can't be read: {error}")))?;
    let mut archive = Archive::new(BufReader::with_capacity(1 << 18, file));
    let mut about: Option<About> = None;
    let entries = archive.entries().map_err(|_| wrong("is not a snapshot"))?;
    for entry in entries {
        let mut entry = entry.map_err(|_| wrong("is damaged or cut off"))?;
        let name = entry.path().map_err(|_| wrong("is damaged"))?.into_owned();
        if name == Path::new(ABOUT) {
            about = serde_json::from_reader(&mut entry).ok();
        } else if is_of_a_snapshot(&name) {
            let target = data_dir.join(&name);
            target.parent().map_or(Ok(()), file_mode::create_folder)?;
            let mut file = file_mode::create_file(&target)?;
            std::io::copy(&mut entry, &mut file).map_err(|_| wrong("is damaged or cut off"))?;
        } else {
            return Err(wrong("is not a snapshot"));
        }
    }
    let about = about
        .filter(|about| about.version == VERSION && fs::exists(data_dir.join(DATABASE)).unwrap_or(false));
    let about = about.ok_or_else(|| wrong("is not a snapshot of this version"))?;
    SeededIds::restore(&about.ids);
    Ok(about.first)
}

/// Whether this is a name that a snapshot has: no other, and none that leads out of the folder.
fn is_of_a_snapshot(name: &Path) -> bool {
    let parts: Vec<_> = name.components().collect();
    match parts.as_slice() {
        [Component::Normal(database)] => *database == DATABASE,
        [Component::Normal(files), Component::Normal(_), Component::Normal(file)] => {
            *files == FILES
                && hash_of(file).is_some_and(|hash| {
                    let hex = hash.to_hex();
                    name == Path::new(FILES).join(hex.get(..2).unwrap_or_default()).join(&hex)
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_a_snapshot_are_unpacked() {
        let hash = "ab".repeat(32);
        for name in ["rasterd.redb", &format!("files/ab/{hash}")] {
            assert!(is_of_a_snapshot(Path::new(name)), "{name}");
        }
        for name in [
            "",
            "/rasterd.redb",
            "../rasterd.redb",
            "files",
            "files/ab/x",
            &format!("files/ac/{hash}"),
            "index/x",
        ] {
            assert!(!is_of_a_snapshot(Path::new(name)), "{name}");
        }
    }
}
