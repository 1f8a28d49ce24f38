//! Takes libraries and assets out of a backup into a running server. Ids, names, tags, descriptions and variants are as
//! they were; what is there already stays as it is, but for files that are missing or known to be damaged.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::source::BackupSource;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::backup::copying::{Copied, read_whole};
use crate::core::backup::layout::{DATABASE, SNAPSHOTS, at, place};
use crate::core::data_dir::refusal;
use crate::core::file_check::check_bytes;
use crate::core::long_work::{Reporter, Stage};
use crate::core::model::audit::Action;
use crate::core::model::id::AssetId;
use crate::core::model::{Asset, Library};
use crate::core::store::files::KeptFile;
use crate::core::store::{
    AuditCommands, FileQueries, ImportCommands, ImportQueries, KeyQueries, LibraryQueries, Store,
    StoreOptions,
};
use crate::error::{Code, Error, Result};

/// The memory for the pages of a backup's records.
const CACHE: usize = 32 << 20;

/// What to take out of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelectedRestoreOptions {
    /// The backup; absolute.
    pub source: PathBuf,
    /// The snapshot, or the beginning of its name; the newest when none.
    pub snapshot: Option<String>,
    /// Libraries, each with its organization, by id.
    pub libraries: Vec<(String, String)>,
    /// Assets, by id.
    pub assets: Vec<String>,
}

/// What was taken out of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SelectedRestoreSummary {
    /// The snapshot.
    pub snapshot: String,
    /// The ids of the assets that were added, variants included.
    pub restored: Vec<String>,
    /// The ids of those that are on the server already, and stay as they are.
    pub existing: Vec<String>,
    /// The ids of those among the server's own whose files were missing or damaged, and were put back.
    pub repaired: Vec<String>,
    /// What could not be restored, and why.
    pub failed: Vec<String>,
    /// The libraries that were created for them, as `organization/library`.
    pub created_libraries: Vec<String>,
}

/// The assets of one library in a backup.
struct Planned {
    organization: String,
    library: Library,
    assets: Vec<Asset>,
    /// Whether one of them was named, and not the whole library.
    is_named: bool,
}

/// An open backup with what is wanted of it.
struct Plan {
    source: BackupSource,
    snapshot: String,
    planned: Vec<Planned>,
    missing: Vec<String>,
    _staging: TempDir,
}

impl Core {
    /// Takes libraries and assets out of a backup.
    ///
    /// # Errors
    /// When the backup is incomplete or damaged, a library is not in it, or its organization is not on this server.
    pub async fn restore_selected(
        &self,
        by: &Administrator,
        options: SelectedRestoreOptions,
        reporter: &Reporter,
    ) -> Result<SelectedRestoreSummary> {
        by.expect_whole_server()?;
        let (temp, admin) = (self.blobs().temp_folder().to_owned(), by.clone());
        let plan = reporter.run("restore", move |reporter| open(&admin, &options, &temp, reporter)).await?;
        let mut summary = SelectedRestoreSummary {
            snapshot: plan.snapshot.clone(),
            failed: plan.missing.clone(),
            ..SelectedRestoreSummary::default()
        };
        let mut targets = Vec::new();
        for planned in &plan.planned {
            targets.push(self.target_library(by, planned, &mut summary).await?);
        }
        let (core, by) = (self.clone(), by.clone());
        let work = move |reporter: &Reporter| {
            let bytes =
                plan.planned.iter().flat_map(|planned| &planned.assets).map(|asset| asset.content.size);
            reporter.begin(Stage::Files, bytes.sum());
            let mut restore =
                SelectedRestore { core: &core, by: &by, source: &plan.source, summary, reporter };
            for (planned, library) in plan.planned.iter().zip(&targets) {
                restore
                    .library(planned, library.as_ref())
                    .map_err(|error| after_some(error, restore.summary.restored.len()))?;
            }
            Ok(restore.summary)
        };
        reporter.run("restore", work).await
    }

    /// The library that assets are added to, which is created when it is not there; none when there is nothing to add.
    async fn target_library(
        &self,
        by: &Administrator,
        planned: &Planned,
        summary: &mut SelectedRestoreSummary,
    ) -> Result<Option<Library>> {
        let snapshot = self.store().snapshot()?;
        let are_there = planned.assets.iter().map(|asset| snapshot.asset_id_is_taken(by, &asset.id));
        let are_there: Vec<bool> = are_there.collect::<Result<_>>()?;
        if !are_there.is_empty() && are_there.iter().all(|is_there| *is_there) {
            return Ok(None);
        }
        let organization = snapshot.expect_organization(by, &planned.organization).map_err(|error| {
            let slug = &planned.organization;
            let text = format!("The organization {slug} is not on this server. Create it with `rasterd org create NAME --slug {slug}`.");
            Error::new(error.code(), text)
        })?;
        let slug = planned.library.slug.as_str();
        if let Some(library) = snapshot.library_named(by, organization.id, slug)? {
            return Ok(Some(library));
        }
        let name = &planned.library.name;
        match self.create_library_as_admin(by.clone(), &planned.organization, name, Some(slug)).await {
            Ok(library) => {
                summary.created_libraries.push(format!("{}/{slug}", planned.organization));
                Ok(Some(library))
            }
            // Another restore may have created it meanwhile.
            Err(error) => match self.store().snapshot()?.library_named(by, organization.id, slug)? {
                Some(library) => Ok(Some(library)),
                None => Err(error),
            },
        }
    }
}

/// A restore that runs.
struct SelectedRestore<'a> {
    core: &'a Core,
    by: &'a Administrator,
    source: &'a BackupSource,
    summary: SelectedRestoreSummary,
    reporter: &'a Reporter,
}

impl SelectedRestore<'_> {
    fn library(&mut self, planned: &Planned, library: Option<&Library>) -> Result<()> {
        let before = self.summary.restored.len();
        let outcome = planned.assets.iter().try_for_each(|asset| self.asset(planned, asset, library));
        let count = self.summary.restored.len() - before;
        // What was added is in the audit log, also when the rest could not be.
        let recorded = match library {
            Some(library) if count > 0 => self.record(library, count),
            Some(_) | None => Ok(()),
        };
        outcome.and(recorded)
    }

    fn asset(&mut self, planned: &Planned, asset: &Asset, library: Option<&Library>) -> Result<()> {
        let (core, id) = (self.core, asset.id.to_string());
        let is_there = core.store().snapshot()?.asset_id_is_taken(self.by, &asset.id)?;
        if is_there && !self.lacks_file(planned, asset)? {
            self.summary.existing.push(id);
            return self.reporter.advance(asset.content.size);
        }
        let kept = match self.file(asset)? {
            Ok(kept) => kept,
            Err(why) => {
                self.summary.failed.push(format!("{id}: {why}"));
                return Ok(());
            }
        };
        if is_there {
            self.summary.repaired.push(id);
            // A file that was missing is removed again if the asset was deleted meanwhile.
            return kept.discard(core.store());
        }
        let Some(library) = library.cloned() else {
            kept.discard(core.store())?;
            self.summary.failed.push(format!("{id}: it was deleted meanwhile; run the same command again"));
            return Ok(());
        };
        let (by, asset, now) = (self.by.clone(), asset.clone(), core.now());
        match core.store().write_blocking(move |tx| tx.import_asset(&by, &library, asset.clone(), now)) {
            Ok(true) => self.summary.restored.push(id),
            Ok(false) => {
                kept.discard(core.store())?;
                let why = "it is a variant, and its original is not in the library";
                self.summary.failed.push(format!("{id}: {why}"));
            }
            Err(error) => {
                // As after an upload: with this code, nobody knows whether the record was committed.
                if error.code() != Code::ServiceUnavailable {
                    kept.discard(core.store())?;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether assets of this server have the same bytes, in a file that is missing or damaged. The file of an asset that was
    /// named is read; of a whole library, only what is known counts.
    fn lacks_file(&self, planned: &Planned, asset: &Asset) -> Result<bool> {
        let (blobs, content) = (self.core.blobs(), &asset.content);
        if self.core.store().snapshot()?.blob_refs(content.hash)? == 0 {
            return Ok(false);
        }
        if blobs.open_file(content.hash, content.size).is_err() {
            return Ok(true);
        }
        Ok(planned.is_named && check_bytes(blobs, content.hash, &Reporter::default())?.is_some())
    }

    fn record(&self, library: &Library, count: usize) -> Result<()> {
        let (by, library, now) = (self.by.clone(), library.clone(), self.core.now());
        self.core.store().write_blocking(move |tx| {
            let detail = format!("{count} from a backup");
            let action = Action::AssetsRestored;
            tx.record_event(now, library.organization, by.actor(), action, library.slug.as_str(), detail)
        })
    }

    /// Copies an asset's file into the store, or says why that is not possible.
    fn file(&self, asset: &Asset) -> Result<std::result::Result<KeptFile, String>> {
        let path = self.source.files().join(place(asset.content.hash));
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Err("its file is not in the backup".to_owned()));
            }
            Err(error) => {
                return Ok(Err(format!("its file in the backup can't be read: {}: {error}", path.display())));
            }
        };
        let mut incoming = self.core.begin_incoming_file()?;
        let read = read_whole(&mut file, self.reporter, |chunk| incoming.write(chunk))?;
        let expected = Copied { hash: asset.content.hash, size: asset.content.size };
        if !read.is_ok_and(|read| read == expected) {
            return Ok(Err("its file is damaged in the backup".to_owned()));
        }
        self.core.blobs().keep(incoming).map(Ok)
    }
}

/// An error that ended a restore, with what was restored before.
fn after_some(error: Error, restored: usize) -> Error {
    if restored == 0 {
        return error;
    }
    let text = format!(
        "{error} Before that, {restored} of the assets were restored; run the same command again to continue."
    );
    error.with_message(text)
}

/// Opens a backup and finds what is wanted.
fn open(
    by: &Administrator,
    options: &SelectedRestoreOptions,
    temp: &Path,
    reporter: &Reporter,
) -> Result<Plan> {
    let staging = at(temp, tempfile::Builder::new().prefix("restore-").tempdir_in(temp))?;
    let source =
        BackupSource::open(&options.source, staging.path(), |name| name.starts_with(SNAPSHOTS), reporter)?;
    let (snapshot, manifest) = source.snapshot(options.snapshot.as_deref())?;
    let database = staging.path().join(DATABASE);
    let from = snapshot.join(DATABASE);
    let copied = at(&from, source.take(&from, &database, reporter)?)?;
    if copied.hash.to_hex() != manifest.database_hash {
        return Err(refusal(&from, "is damaged", "Choose another snapshot with --snapshot"));
    }
    let store = Store::open(&database, &StoreOptions::of_a_copy(staging.path(), CACHE)?)?;
    let (planned, missing) = plan(by, options, &store)?;
    drop(store);
    let wanted: std::collections::HashSet<PathBuf> = planned
        .iter()
        .flat_map(|planned| &planned.assets)
        .map(|asset| Path::new(crate::core::backup::layout::FILES).join(place(asset.content.hash)))
        .collect();
    source.fetch(&options.source, |name| wanted.contains(name), reporter)?;
    let snapshot = super::name_of(&snapshot);
    Ok(Plan { source, snapshot, planned, missing, _staging: staging })
}

fn plan(
    by: &Administrator,
    options: &SelectedRestoreOptions,
    store: &Store,
) -> Result<(Vec<Planned>, Vec<String>)> {
    let snapshot = store.snapshot()?;
    let (mut planned, mut missing) = (Vec::new(), Vec::new());
    for (organization, slug) in &options.libraries {
        let found = snapshot.expect_organization(by, organization).ok();
        let library = found.map(|found| snapshot.library_named(by, found.id, slug)).transpose()?.flatten();
        let library = library.ok_or_else(|| {
            Error::new(Code::NotFound, format!("The library {organization}/{slug} is not in this snapshot."))
        })?;
        let assets = snapshot.assets_in(by, &library)?;
        planned.push(Planned { organization: organization.clone(), library, assets, is_named: false });
    }
    for id in &options.assets {
        let found = AssetId::parse(id).map(|id| snapshot.asset_with_variants(by, &id)).transpose()?.flatten();
        let Some((library, assets)) = found else {
            missing.push(format!("{id}: it is not in this snapshot"));
            continue;
        };
        let organization = snapshot.organization(library.organization)?;
        let organization = organization.map(|found| found.slug.as_str().to_owned()).unwrap_or_default();
        planned.push(Planned { organization, library, assets, is_named: true });
    }
    Ok((planned, missing))
}
