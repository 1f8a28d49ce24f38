//! Libraries as folders of files: imports a folder into a library, and exports a library into one. Both go on where an
//! earlier run was ended, and an exported folder can be imported as the same library again. For anyone who administers the
//! machine; the files are read and written by the process that holds the data directory.

use std::path::{Path, PathBuf};

use super::Core;
use super::model::Library;
use super::store::{KeyQueries, LibraryQueries};
use crate::core::access::Administrator;
use crate::error::{Code, Error, Result};

mod export;
mod import;
mod known;
mod manifest;
mod names;
mod walk;

pub use export::{FolderExport, FolderExportSummary};
pub use import::{FolderImport, FolderImportSummary};
pub use walk::SkippedFile;

/// How many files a summary names of each kind. Of more, it has the number.
const NAMED: usize = 1000;

impl Core {
    /// The library of an import or an export.
    fn folder_library(&self, by: &Administrator, organization: &str, library: &str) -> Result<Library> {
        let snapshot = self.store().snapshot()?;
        let found = snapshot.expect_organization(by, organization)?;
        snapshot.library_named(by, found.id, library)?.ok_or_else(|| {
            let text = format!(
                "There is no library \"{library}\" in the organization {organization}. `rasterd library list --org {organization}` shows those that are there, and `rasterd library create` makes one."
            );
            Error::new(Code::NotFound, text)
        })
    }
}

/// Files that are named with a reason: the first ones, and the number of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedFiles {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub files: Vec<SkippedFile>,
}

impl NamedFiles {
    /// Adds a file.
    fn add(&mut self, path: &Path, reason: impl Into<String>) {
        self.count += 1;
        if self.files.len() < NAMED {
            self.files.push(SkippedFile { path: path.to_owned(), reason: reason.into() });
        }
    }
}

/// An error of a folder, for its administrator.
fn unusable(folder: &Path, cause: &std::io::Error) -> Error {
    Error::bad_input(format!(
        "{} can't be used: {cause}. The process that holds the data directory uses it: a running server, as its own user and with what its service may see.",
        folder.display()
    ))
}

/// A path within a folder, for people.
fn within(folder: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}
