//! `--seed`: loads a folder of pictures. Files in it go into the first library, its sub-folders become libraries, and the
//! names of deeper folders tags. In the order of their names, so that ids come out the same in each run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::CommandError;
use crate::core::Core;
use crate::core::access::{Caller, LibraryPath};
use crate::core::model::name::Slug;
use crate::core::test_control::TestOrganization;
use crate::core::uploads::Uploaded;

/// A file to load.
struct SeedFile {
    path: PathBuf,
    tags: Vec<String>,
}

/// Loads a folder into an organization.
pub(super) async fn load(
    core: &Core,
    organization: &mut TestOrganization,
    folder: &Path,
) -> Result<(), CommandError> {
    let first = organization.libraries.first().map(|library| library.slug.clone()).unwrap_or_default();
    for path in entries(folder)? {
        let name = name_of(&path);
        if path.is_dir() {
            let slug = Slug::derive(&name);
            let known = organization.libraries.iter().find(|library| library.slug == slug.as_str());
            let library = match known {
                Some(library) => library.slug.clone(),
                None => core.add_test_library(organization, &name).await?.slug,
            };
            for file in files_below(&path, &[])? {
                upload(core, organization, &library, &file).await?;
            }
        } else {
            upload(core, organization, &first, &SeedFile { path, tags: Vec::new() }).await?;
        }
    }
    Ok(())
}

/// The files in a folder and below it, each with the names of the folders between.
fn files_below(folder: &Path, tags: &[String]) -> Result<Vec<SeedFile>, CommandError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(files_below(&path, &[tags, &[name_of(&path)]].concat())?);
        } else {
            files.push(SeedFile { path, tags: tags.to_vec() });
        }
    }
    Ok(files)
}

/// What is in a folder, by name, without hidden files.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed = |error| CommandError(format!("the folder {} can't be read: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !name_of(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn upload(
    core: &Core,
    organization: &TestOrganization,
    library: &str,
    file: &SeedFile,
) -> Result<(), CommandError> {
    let path = LibraryPath { organization: &organization.organization, library };
    let bytes = fs::read(&file.path)
        .map_err(|error| CommandError(format!("{} can't be read: {error}", file.path.display())))?;
    let caller = core.authenticate(&organization.keys.write)?;
    let assets = match upload_file(core, &caller, &path, &name_of(&file.path), &bytes).await {
        Ok(uploaded) => uploaded.assets,
        // A file that is not a picture is left out.
        Err(error) if error.is_user_fixable() => {
            tracing::warn!("{} is left out: {error}", file.path.display());
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if file.tags.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = assets.iter().map(|detail| detail.asset.id.to_string()).collect();
    let caller = core.authenticate(&organization.keys.write)?;
    core.tag_assets(&caller, &path, &ids, &file.tags).await?;
    Ok(())
}

async fn upload_file(
    core: &Core,
    caller: &Caller,
    path: &LibraryPath<'_>,
    name: &str,
    bytes: &[u8],
) -> crate::error::Result<Uploaded> {
    let mut upload = core.begin_upload(caller, path)?;
    let mut file = upload.begin_file(name)?;
    file.write(bytes).await?;
    upload.end_file(file).await?;
    upload.finish().await
}
