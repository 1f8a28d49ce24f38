//! Exports a library into a folder: the original files under their names, and a manifest with what the files don't say. What
//! is there and right is kept, and no other file is ever overwritten.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tempfile::Builder;

use super::manifest::{FolderManifest, MANIFEST, ManifestAsset, ManifestFile};
use super::names::{TakenNames, UNFINISHED};
use super::walk::open_file;
use super::{NamedFiles, unusable};
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::backup::copying::read_whole;
use crate::core::data_dir::leads_into;
use crate::core::long_work::{Reporter, Stage};
use crate::core::model::id::AssetId;
use crate::core::model::{Asset, ContentHash, Library};
use crate::core::store::ImportQueries;
use crate::error::{Error, Result};
use crate::file_mode;

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FolderExport {
    /// The folder; absolute. Made if it is missing.
    pub folder: PathBuf,
    /// The organization, by id.
    pub organization: String,
    /// The library, by id.
    pub library: String,
}

/// What an export did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FolderExportSummary {
    /// How many assets the library has, without its trash.
    pub assets: u64,
    /// How many variants.
    pub variants: u64,
    /// How many files were written.
    pub written: u64,
    /// The bytes of those.
    pub bytes: u64,
    /// How many files were there already.
    pub existing: u64,
    /// Files of assets that the library no longer has. They stay.
    pub left_over: NamedFiles,
    /// Files that could not be exported.
    pub failed: NamedFiles,
}

/// A file to write: the asset or variant, and its name in the folder.
struct Planned {
    asset: Asset,
    file: String,
}

impl Core {
    /// Exports a library into a folder.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND` or `NOT_FOUND`; `BAD_USER_INPUT` for a folder that can't be used, or that has the export
    /// of another library; when its disk is full or fails.
    pub async fn export_folder(
        &self,
        by: &Administrator,
        options: FolderExport,
        reporter: &Reporter,
    ) -> Result<FolderExportSummary> {
        let library = self.folder_library(by, &options.organization, &options.library)?;
        let (core, by) = (self.clone(), by.clone());
        reporter.run("export", move |reporter| core.run_export(&by, &library, &options, reporter)).await
    }

    fn run_export(
        &self,
        by: &Administrator,
        library: &Library,
        options: &FolderExport,
        reporter: &Reporter,
    ) -> Result<FolderExportSummary> {
        let folder = options.folder.as_path();
        if leads_into(folder, &self.settings().data_dir)? {
            return Err(Error::bad_input(format!(
                "{} is in the data directory. Choose another folder.",
                folder.display()
            )));
        }
        let made = file_mode::create_folder(folder).and_then(|()| fs::canonicalize(folder));
        self.expect_apart(&made.map_err(|cause| unusable(folder, &cause))?)?;
        let earlier = FolderManifest::read(folder)?;
        expect_same_library(folder, earlier.as_ref(), options)?;
        remove_unfinished(folder).map_err(|cause| unusable(folder, &cause))?;
        let assets = self.store().snapshot()?.assets_in(by, library)?;
        let assets: Vec<Asset> = assets.into_iter().filter(|asset| asset.trashed.is_none()).collect();
        reporter.begin(Stage::Exporting, assets.iter().map(|asset| asset.content.size).sum());
        let mut summary = FolderExportSummary::default();
        let planned = plan(folder, assets, earlier.as_ref(), &mut summary);
        let manifest = manifest(options, library, &planned);
        manifest.write(folder).map_err(|cause| unusable(folder, &cause))?;
        for planned in &planned {
            self.export_file(folder, planned, &mut summary, reporter).map_err(|error| {
                let text = ended(&error, &summary);
                error.with_message(text)
            })?;
        }
        let synced = self.store().disk().sync_folder(folder);
        synced.map_err(|cause| unusable(folder, &cause))?;
        Ok(summary)
    }

    fn export_file(
        &self,
        folder: &Path,
        planned: &Planned,
        summary: &mut FolderExportSummary,
        reporter: &Reporter,
    ) -> Result<()> {
        let Planned { asset, file } = planned;
        match asset.parent {
            None => summary.assets += 1,
            Some(_) => summary.variants += 1,
        }
        let (path, name) = (folder.join(file), Path::new(file));
        if fs::symlink_metadata(&path).is_ok() {
            if has_content(&path, asset.content.hash, asset.content.size) {
                summary.existing += 1;
            } else {
                summary.failed.add(name, "another file of this name is there; move it away and export again");
            }
            return reporter.advance(asset.content.size);
        }
        let mut source = match self.blobs().open_local(asset.content.hash) {
            Ok(source) => source,
            Err(error) => {
                summary.failed.add(name, format!("its file on the server can't be read: {error}"));
                return reporter.advance(asset.content.size);
            }
        };
        let unusable = |cause: io::Error| unusable(folder, &cause);
        let mut target = Builder::new().prefix(UNFINISHED).tempfile_in(folder).map_err(unusable)?;
        let copied = read_whole(&mut source, reporter, |chunk| {
            io::Write::write_all(&mut target, chunk).map_err(unusable)
        })?;
        if !copied.is_ok_and(|copied| copied.hash == asset.content.hash) {
            summary.failed.add(name, "its file on the server is damaged");
            return Ok(());
        }
        let modified = UNIX_EPOCH + Duration::from_millis(asset.created);
        target
            .as_file()
            .set_modified(modified)
            .and_then(|()| target.as_file().sync_data())
            .map_err(unusable)?;
        match target.persist_noclobber(&path) {
            Ok(_) => {
                summary.written += 1;
                summary.bytes += asset.content.size;
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                summary.failed.add(name, "another file of this name appeared; export again");
            }
            Err(error) => return Err(unusable(error.error)),
        }
        Ok(())
    }
}

/// Gives each file its name: the one of an earlier export, or a new one that nothing in the folder has.
fn plan(
    folder: &Path,
    assets: Vec<Asset>,
    earlier: Option<&FolderManifest>,
    summary: &mut FolderExportSummary,
) -> Vec<Planned> {
    let mut names = TakenNames::default();
    names.take(MANIFEST);
    let mut before: HashMap<String, String> = HashMap::new();
    for (id, file) in earlier.map(FolderManifest::files).unwrap_or_default() {
        // Only a name in this folder: the manifest may have been changed by anybody.
        let name = file.to_str().filter(|name| is_plain(name)).filter(|name| names.take(name));
        before.extend(name.map(|name| (id.to_owned(), name.to_owned())));
    }
    let planned = assets
        .into_iter()
        .map(|asset| {
            let known = before.remove(asset.id.as_str());
            let file = known.unwrap_or_else(|| {
                names.take_for(&asset.name, asset.content.media_type, |name| {
                    let path = folder.join(name);
                    fs::symlink_metadata(&path).is_err()
                        || has_content(&path, asset.content.hash, asset.content.size)
                })
            });
            Planned { asset, file }
        })
        .collect();
    let mut left: Vec<String> = before.into_values().filter(|name| folder.join(name).exists()).collect();
    left.sort();
    for name in left {
        summary.left_over.add(Path::new(&name), "its asset is not in the library any more");
    }
    planned
}

fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(parts.next(), Some(std::path::Component::Normal(part)) if part == name) && parts.next().is_none()
}

fn manifest(options: &FolderExport, library: &Library, planned: &[Planned]) -> FolderManifest {
    let mut manifest = FolderManifest::new(&options.organization, &options.library, &library.name);
    let mut numbers: HashMap<AssetId, usize> = HashMap::new();
    for Planned { asset, file } in planned {
        let entry = ManifestFile {
            id: asset.id.to_string(),
            file: PathBuf::from(file),
            name: asset.name.clone(),
            hash: asset.content.hash.to_hex(),
            size: asset.content.size,
            created: asset.created,
            uploaded_by: asset.uploaded_by.clone(),
        };
        // Originals come before variants.
        let original = asset.parent.and_then(|parent| numbers.get(&parent).copied());
        if let Some(original) = original.and_then(|number| manifest.assets.get_mut(number)) {
            original.variants.push(entry);
            continue;
        }
        numbers.insert(asset.id, manifest.assets.len());
        let (description, tags) = (asset.description.clone(), asset.tags.clone());
        manifest.assets.push(ManifestAsset { file: entry, description, tags, variants: Vec::new() });
    }
    manifest
}

fn expect_same_library(
    folder: &Path,
    earlier: Option<&FolderManifest>,
    options: &FolderExport,
) -> Result<()> {
    match earlier {
        Some(found) if (&found.organization, &found.library) != (&options.organization, &options.library) => {
            Err(Error::bad_input(format!(
                "{} has the export of the library {}/{}. Choose another folder.",
                folder.display(),
                found.organization,
                found.library
            )))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a file has these bytes. A link never has.
fn has_content(path: &Path, hash: ContentHash, size: u64) -> bool {
    let read = |file: &mut File| read_whole(file, &Reporter::default(), |_| Ok(()));
    let Ok(mut file) = open_file(path) else { return false };
    file.metadata().is_ok_and(|found| found.len() == size)
        && matches!(read(&mut file), Ok(Ok(found)) if found.hash == hash)
}

/// Removes what an export that was ended left half-written.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let mut names = HashSet::new();
    for entry in fs::read_dir(folder)? {
        names.insert(entry?.file_name());
    }
    let unfinished = names.iter().filter(|name| name.to_string_lossy().starts_with(UNFINISHED));
    unfinished.map(|name| folder.join(name)).try_for_each(fs::remove_file)
}

fn ended(error: &Error, summary: &FolderExportSummary) -> String {
    let written = summary.written;
    format!("{error} Before that, {written} files were written; run the same command again to continue.")
}
