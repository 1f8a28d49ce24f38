//! Imports a folder into a library. A file whose bytes the library has is skipped, so that an interrupted import
//! continues when it is run again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::known::{KnownFiles, KnownFrom};
use super::manifest::{FolderManifest, MANIFEST};
use super::walk::{WalkedEntry, open_file, walk};
use super::{NamedFiles, unusable, within};
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::backup::copying::read_whole;
use crate::core::long_work::{Reporter, Stage};
use crate::core::model::audit::Action;
use crate::core::model::id::AssetId;
use crate::core::model::name::file_name;
use crate::core::model::time::Millis;
use crate::core::model::{Asset, ContentHash, Library};
use crate::core::store::files::KeptFile;
use crate::core::store::{AuditCommands, ImportCommands, ImportQueries};
use crate::error::{Code, Error, Result};
use crate::pictures::media;

mod record;

/// How many files are committed together.
const BATCH: usize = 64;
/// How many bytes of a file tell whether its type may be accepted.
const START: u64 = 64 << 10;

/// What to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FolderImport {
    /// The folder; absolute.
    pub folder: PathBuf,
    /// The organization, by id.
    pub organization: String,
    /// The library, by id.
    pub library: String,
    /// Whether the names of the folders that a file is in become its tags.
    pub tags_from_folders: bool,
    /// Whether everything is looked at and nothing is stored.
    pub dry_run: bool,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FolderImportSummary {
    /// How many assets were added; in a dry run, how many would be.
    pub imported: u64,
    /// How many variants.
    pub variants: u64,
    /// The bytes of both.
    pub bytes: u64,
    /// How many files the library had before.
    pub existing: u64,
    /// How many files have the same bytes as another one of this import.
    pub duplicates: u64,
    /// Files that are left out on purpose.
    pub left_out: NamedFiles,
    /// Folders whose names can't be tags.
    pub tags_left_out: NamedFiles,
    /// Files that could not be imported.
    pub failed: NamedFiles,
}

/// What a manifest says about a file: the number of its asset, and of the variant if it is one.
type ManifestPosition = (usize, Option<usize>);

/// An import that runs.
struct Import<'a> {
    core: &'a Core,
    by: &'a Administrator,
    library: &'a Library,
    options: &'a FolderImport,
    reporter: &'a Reporter,
    manifest: Option<FolderManifest>,
    known: KnownFiles,
    /// What the assets of the manifest have become, by their number.
    originals: HashMap<usize, AssetId>,
    batch: Vec<(Asset, KeptFile)>,
    latest: Millis,
    summary: FolderImportSummary,
}

/// A file that can be imported.
struct Candidate {
    file: File,
    path: PathBuf,
    hash: ContentHash,
    size: u64,
}

impl Core {
    /// Imports a folder into a library.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND` or `NOT_FOUND`; `BAD_USER_INPUT` for a folder or a manifest that can't be read;
    /// `STORAGE_LIMIT_EXCEEDED` or `STORAGE_FULL`. What was imported before stays.
    pub async fn import_folder(
        &self,
        by: &Administrator,
        options: FolderImport,
        reporter: &Reporter,
    ) -> Result<FolderImportSummary> {
        let library = self.folder_library(by, &options.organization, &options.library)?;
        let (core, by) = (self.clone(), by.clone());
        reporter.run("import", move |reporter| core.run_import(&by, &library, &options, reporter)).await
    }

    fn run_import(
        &self,
        by: &Administrator,
        library: &Library,
        options: &FolderImport,
        reporter: &Reporter,
    ) -> Result<FolderImportSummary> {
        let folder = options.folder.as_path();
        let found =
            std::fs::canonicalize(folder).and_then(|folder| std::fs::read_dir(&folder).map(|_| folder));
        self.expect_apart(&found.map_err(|cause| unusable(folder, &cause))?)?;
        let mut known = KnownFiles::default();
        self.store().snapshot()?.visit_assets_in(by, library, &mut |asset| {
            known.add(&asset);
            Ok(())
        })?;
        let mut import = Import {
            core: self,
            by,
            library,
            options,
            reporter,
            manifest: FolderManifest::read(folder)?,
            known,
            originals: HashMap::new(),
            batch: Vec::new(),
            latest: 0,
            summary: FolderImportSummary::default(),
        };
        let outcome = import.run().and_then(|()| import.commit());
        // What was added is in the audit log, also when the rest could not be.
        let recorded = import.record();
        let summary = import.summary;
        outcome.map_err(|error| after_some(error, &summary))?;
        recorded.map(|()| summary)
    }

    /// Refuses a folder that the data directory is in, or that is in it: its files are not pictures of anybody.
    pub(super) fn expect_apart(&self, folder: &Path) -> Result<()> {
        let data_dir = std::fs::canonicalize(&self.settings().data_dir)?;
        if folder.starts_with(&data_dir) || data_dir.starts_with(folder) {
            return Err(Error::bad_input(format!(
                "{} and the data directory {} contain one another. Choose another folder.",
                folder.display(),
                data_dir.display()
            )));
        }
        Ok(())
    }
}

impl Import<'_> {
    fn run(&mut self) -> Result<()> {
        let folder = self.options.folder.clone();
        let bytes = |entry| if let WalkedEntry::File(_, size) = entry { size } else { 0 };
        self.reporter.begin(Stage::Importing, walk(&folder).map(bytes).sum());
        let positions = self.positions();
        let mut variants = Vec::new();
        for entry in walk(&folder) {
            match entry {
                WalkedEntry::File(path, size) if within(&folder, &path) == Path::new(MANIFEST) => {
                    self.reporter.advance(size)?;
                }
                WalkedEntry::File(path, size) => match positions.get(&within(&folder, &path)).copied() {
                    // An original has to be there before its variants.
                    Some(position @ (_, Some(_))) => variants.push((path, size, position)),
                    position => self.file(&path, size, position)?,
                },
                WalkedEntry::LeftOut(path, reason) => {
                    self.summary.left_out.add(&within(&folder, &path), reason);
                }
                WalkedEntry::Failed(path, reason) => self.summary.failed.add(&within(&folder, &path), reason),
            }
        }
        self.commit()?;
        variants.into_iter().try_for_each(|(path, size, position)| self.file(&path, size, Some(position)))
    }

    /// Where the manifest has each file.
    fn positions(&self) -> HashMap<PathBuf, ManifestPosition> {
        let mut positions = HashMap::new();
        for (number, asset) in self.manifest.iter().flat_map(|manifest| &manifest.assets).enumerate() {
            positions.insert(asset.file.file.clone(), (number, None));
            for (variant, file) in asset.variants.iter().enumerate() {
                positions.insert(file.file.clone(), (number, Some(variant)));
            }
        }
        positions
    }

    /// Imports one file. Only what concerns all of them is an error.
    fn file(&mut self, path: &Path, size: u64, position: Option<ManifestPosition>) -> Result<()> {
        let named = within(&self.options.folder, path);
        let most = self.core.settings().limits.file_bytes;
        if size > most {
            self.summary.failed.add(&named, format!("it is larger than {most} bytes"));
            return self.reporter.advance(size);
        }
        let mut file = match open_file(path) {
            Ok(file) => file,
            Err(error) => return self.unread(&named, size, &error),
        };
        match starts_acceptably(&mut file) {
            Ok(true) => {}
            Ok(false) => {
                self.summary.left_out.add(&named, "its type is not accepted");
                return self.reporter.advance(size);
            }
            Err(error) => return self.unread(&named, size, &error),
        }
        let read = match read_whole(&mut file, self.reporter, |_| Ok(()))? {
            Ok(read) => read,
            Err(error) => return self.unread(&named, 0, &error),
        };
        let candidate = Candidate { file, path: named, hash: read.hash, size: read.size };
        if self.is_new(&candidate, position) { self.add(candidate, position) } else { Ok(()) }
    }

    fn unread(&mut self, named: &Path, size: u64, error: &std::io::Error) -> Result<()> {
        self.summary.failed.add(named, format!("it can't be read: {error}"));
        self.reporter.advance(size)
    }

    /// Whether the library lacks a file; counts it otherwise.
    fn is_new(&mut self, candidate: &Candidate, position: Option<ManifestPosition>) -> bool {
        let hash = candidate.hash;
        if let Some(position) = position {
            let file = self.manifest_file(position).map(|file| (file_name(&file.name), file.created));
            let (name, created) = file.unwrap_or_default();
            let is_known = match position {
                (number, None) => {
                    let known = self.known.take_original(hash, &name, created);
                    self.originals.extend(known.map(|id| (number, id)));
                    known.is_some()
                }
                (number, Some(_)) => {
                    let original = self.originals.get(&number).copied();
                    original.is_some_and(|original| self.known.take_variant(original, hash, &name))
                }
            };
            self.summary.existing += u64::from(is_known);
            return !is_known;
        }
        match self.known.find(hash) {
            None => return true,
            Some(KnownFrom::Library) => self.summary.existing += 1,
            Some(KnownFrom::ThisImport) => self.summary.duplicates += 1,
            Some(KnownFrom::Trash) => {
                self.summary.left_out.add(&candidate.path, "the trash of the library has it");
            }
        }
        false
    }

    fn add(&mut self, mut candidate: Candidate, position: Option<ManifestPosition>) -> Result<()> {
        let max_pixels = self.core.settings().limits.image_pixels;
        let inspected = match media::inspect(&mut candidate.file, max_pixels) {
            Ok(inspected) => inspected,
            Err(reason) if reason == media::NOT_ACCEPTED => {
                self.summary.left_out.add(&candidate.path, "its type is not accepted");
                return Ok(());
            }
            Err(reason) => {
                self.summary.failed.add(&candidate.path, reason);
                return Ok(());
            }
        };
        let asset = match self.asset(&candidate, inspected, position) {
            Ok(asset) => asset,
            Err(reason) => {
                self.summary.failed.add(&candidate.path, reason);
                return Ok(());
            }
        };
        if self.options.dry_run {
            return self.added(&asset, position);
        }
        let mut incoming = self.core.begin_incoming_file()?;
        // Its bytes were counted when they were hashed.
        let silent = Reporter::default();
        let copied = read_whole(&mut candidate.file, &silent, |chunk| incoming.write(chunk))?;
        if !copied.is_ok_and(|copied| copied.hash == candidate.hash) {
            self.summary.failed.add(&candidate.path, "it changed while it was read");
            return Ok(());
        }
        let kept = self.core.blobs().keep(incoming)?;
        self.added(&asset, position)?;
        self.batch.push((asset, kept));
        if self.batch.len() >= BATCH { self.commit() } else { Ok(()) }
    }

    fn added(&mut self, asset: &Asset, position: Option<ManifestPosition>) -> Result<()> {
        self.known.add_new(asset.content.hash);
        match asset.parent {
            None => self.summary.imported += 1,
            Some(_) => self.summary.variants += 1,
        }
        if let Some((number, None)) = position {
            self.originals.insert(number, asset.id);
        }
        self.summary.bytes += asset.content.size;
        // Stops when nobody waits any more.
        self.reporter.advance(0)
    }

    /// Commits what was put in place.
    fn commit(&mut self) -> Result<()> {
        let (assets, kept): (Vec<Asset>, Vec<KeptFile>) = std::mem::take(&mut self.batch).into_iter().unzip();
        if assets.is_empty() {
            return Ok(());
        }
        let (by, library, now) = (self.by.clone(), self.library.clone(), self.core.now());
        let most = self.core.settings().limits.tags_per_library as u64;
        let (count, variants) =
            (assets.len() as u64, assets.iter().filter(|asset| asset.parent.is_some()).count());
        let bytes: u64 = assets.iter().map(|asset| asset.content.size).sum();
        let committed = self.core.store().write_blocking(move |tx| {
            let before = tx.tag_total_in(&by, &library)?;
            for asset in &assets {
                if !tx.import_asset(&by, &library, asset.clone(), now)? {
                    return Err(Error::new(Code::Conflict, "An original was deleted during the import."));
                }
            }
            let after = tx.tag_total_in(&by, &library)?;
            if after > before && after > most {
                return Err(Error::bad_input(format!("A library has at most {most} different tags.")));
            }
            Ok(())
        });
        let Err(error) = committed else { return Ok(()) };
        self.summary.imported -= count - variants as u64;
        self.summary.variants -= variants as u64;
        self.summary.bytes -= bytes;
        // As after an upload: with this code, nobody knows whether the records were committed.
        if error.code() != Code::ServiceUnavailable {
            kept.into_iter().try_for_each(|file| file.discard(self.core.store()))?;
        }
        Err(error)
    }

    fn record(&self) -> Result<()> {
        let count = self.summary.imported + self.summary.variants;
        if count == 0 || self.options.dry_run {
            return Ok(());
        }
        let (by, library, now) = (self.by.clone(), self.library.clone(), self.core.now());
        let detail = format!("{count} from the folder {}", self.options.folder.display());
        self.core.store().write_always_blocking(move |tx| {
            let slug = library.slug.as_str();
            tx.record_event(
                now,
                library.organization,
                by.actor(),
                Action::AssetsImported,
                slug,
                detail.clone(),
            )
        })
    }
}

fn starts_acceptably(file: &mut File) -> std::io::Result<bool> {
    let mut start = Vec::new();
    Read::take(&mut *file, START).read_to_end(&mut start)?;
    file.rewind()?;
    // An empty one is refused with its own reason.
    Ok(start.is_empty() || media::may_be_accepted(&start))
}

/// An error that ended an import, with what was imported before.
fn after_some(error: Error, summary: &FolderImportSummary) -> Error {
    let count = summary.imported + summary.variants;
    if count == 0 {
        return error;
    }
    let text =
        format!("{error} Before that, {count} files were imported; run the same command again to continue.");
    error.with_message(text)
}
