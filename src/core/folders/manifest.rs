//! The manifest of an exported folder: what the files alone don't say.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::core::model::time::Millis;
use crate::error::{Error, Result};

/// The name of the manifest in its folder.
pub const MANIFEST: &str = "rasterd-library.json";
/// The largest manifest that is read, in bytes: some millions of assets.
const MAX_BYTES: u64 = 4 << 30;
/// The version of its layout.
const VERSION: u32 = 1;

/// What a folder is the export of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FolderManifest {
    /// The version of the layout.
    pub version: u32,
    /// The organization's id on the wire.
    pub organization: String,
    /// The library's id on the wire.
    pub library: String,
    /// The library's name.
    pub name: String,
    /// The assets, oldest first.
    pub assets: Vec<ManifestAsset>,
}

/// An asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestAsset {
    /// Its file, with what assets and variants have in common.
    #[serde(flatten)]
    pub file: ManifestFile,
    /// Its description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its variants, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<ManifestFile>,
}

/// A file of an asset or of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestFile {
    /// Its id on the server that it was exported from.
    pub id: String,
    /// Its file in the folder.
    pub file: PathBuf,
    /// Its name.
    pub name: String,
    /// The blake3 hash of the bytes, in hexadecimal.
    pub hash: String,
    /// The number of bytes.
    pub size: u64,
    /// When it was uploaded, in unix milliseconds.
    pub created: Millis,
    /// Who uploaded it.
    pub uploaded_by: String,
}

impl FolderManifest {
    /// A manifest without assets.
    pub fn new(organization: &str, library: &str, name: &str) -> Self {
        Self {
            version: VERSION,
            organization: organization.to_owned(),
            library: library.to_owned(),
            name: name.to_owned(),
            assets: Vec::new(),
        }
    }

    /// The manifest of a folder, if it has one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it can't be read.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        let unreadable = |reason: String| {
            Error::bad_input(format!(
                "{} can't be read: {reason}. Put back the one that was exported, or move it away to go on without names, tags and descriptions.",
                path.display()
            ))
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error.to_string())),
            Ok(found) if found.len() > MAX_BYTES => return Err(unreadable("it is too large".to_owned())),
            Ok(_) => {}
        }
        let text = fs::read(&path).map_err(|error| unreadable(error.to_string()))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
        if manifest.version == VERSION {
            Ok(Some(manifest))
        } else {
            Err(unreadable(format!("its version {} is of a newer rasterd", manifest.version)))
        }
    }

    /// Writes it into a folder, in place of an earlier one.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut file = NamedTempFile::with_prefix_in(super::names::UNFINISHED, folder)?;
        let mut text = io::BufWriter::new(file.as_file_mut());
        serde_json::to_writer_pretty(&mut text, self)?;
        text.write_all(b"\n")?;
        text.flush()?;
        drop(text);
        file.as_file().sync_all()?;
        file.persist(folder.join(MANIFEST)).map_err(|error| error.error)?;
        Ok(())
    }

    /// The file of every asset and variant, by its id.
    pub fn files(&self) -> HashMap<&str, &Path> {
        let all = self.assets.iter().flat_map(|asset| std::iter::once(&asset.file).chain(&asset.variants));
        all.map(|file| (file.id.as_str(), file.file.as_path())).collect()
    }
}
