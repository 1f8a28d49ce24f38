//! What a snapshot in a backup says about itself. Written last, so that a snapshot without it was interrupted.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::layout::{MANIFEST, at, new_file, read_small};
use crate::core::data_dir::refusal;
use crate::core::model::ContentHash;
use crate::core::model::time::Millis;
use crate::core::store::{RecordCounts, SCHEMA};
use crate::error::Result;

/// The layout of backups that this rasterd writes and reads.
pub const FORMAT: u32 = 1;
/// The most bytes of a line of the list: a hash, a size and what is between them.
const LINE: u64 = 128;

/// The description of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupManifest {
    /// The layout of the backup.
    pub format: u32,
    /// The rasterd that wrote it.
    pub rasterd: String,
    /// When the snapshot was taken, in unix milliseconds.
    pub created: Millis,
    /// The schema of the records.
    pub schema: u64,
    /// The number of the installation's database, in hexadecimal.
    pub database: String,
    /// The bytes of the copy of the database.
    pub database_bytes: u64,
    /// Their blake3 hash.
    pub database_hash: String,
    /// How many records there are.
    pub records: RecordCounts,
    /// How many files there are.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// The blake3 hash of the list of files.
    pub list_hash: String,
    /// Files that assets have, but that were missing or damaged when the backup was made; they are not in it.
    pub lost: Vec<String>,
    /// The blake3 hashes of the authority's files, where they are in it, by name.
    pub authority: Vec<(String, String)>,
}

/// A file of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedFile {
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// How many bytes.
    pub size: u64,
}

impl BackupManifest {
    /// Writes it into a snapshot's folder.
    pub fn write(&self, snapshot: &Path) -> Result<()> {
        let path = snapshot.join(MANIFEST);
        let mut text = serde_json::to_vec_pretty(self).map_err(crate::error::Error::internal)?;
        text.push(b'\n');
        let mut file = new_file(&path)?;
        at(&path, file.write_all(&text).and_then(|()| file.sync_all()))
    }

    /// Reads that of a snapshot's folder.
    ///
    /// # Errors
    /// When it is missing, damaged, or of a newer rasterd.
    pub fn read(snapshot: &Path) -> Result<Self> {
        let path = snapshot.join(MANIFEST);
        if !path.exists() {
            let wrong = format!("is not complete: it has no {MANIFEST}, which a backup writes last");
            return Err(refusal(snapshot, &wrong, "Choose another snapshot, or make a new backup"));
        }
        let text = read_small(&path)?;
        let newer = |what: &str, found: u64, known: u64| {
            let wrong = format!("has {what} {found}, and this rasterd knows {known}");
            refusal(&path, &wrong, "Use a newer rasterd")
        };
        // First the format alone: a newer one may have other fields.
        let format = serde_json::from_slice::<ManifestFormat>(&text).map(|found| found.format);
        if let Ok(format) = format
            && format > FORMAT
        {
            return Err(newer("the format", format.into(), FORMAT.into()));
        }
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| refusal(&path, &format!("is damaged: {error}"), "Choose another snapshot"))?;
        if manifest.schema > SCHEMA {
            return Err(newer("the schema", manifest.schema, SCHEMA));
        }
        Ok(manifest)
    }
}

#[derive(Deserialize)]
struct ManifestFormat {
    format: u32,
}

/// Writes the list of a snapshot's files, and computes its hash.
pub struct ListWriter {
    file: std::io::BufWriter<File>,
    hasher: blake3::Hasher,
    path: std::path::PathBuf,
}

impl ListWriter {
    /// Begins a list.
    pub fn new(path: &Path) -> Result<Self> {
        let file = std::io::BufWriter::new(new_file(path)?);
        Ok(Self { file, hasher: blake3::Hasher::new(), path: path.to_owned() })
    }

    /// Adds a file.
    pub fn add(&mut self, listed: ListedFile) -> Result<()> {
        let line = format!("{} {}\n", listed.hash.to_hex(), listed.size);
        self.hasher.update(line.as_bytes());
        at(&self.path, self.file.write_all(line.as_bytes()))
    }

    /// Writes everything to the disk, and returns the hash of the list.
    pub fn finish(self) -> Result<String> {
        let Self { file, hasher, path } = self;
        let file = at(&path, file.into_inner().map_err(std::io::IntoInnerError::into_error))?;
        at(&path, file.sync_all())?;
        Ok(hasher.finalize().to_hex().to_string())
    }
}

/// Reads the list of a snapshot's files.
///
/// # Errors
/// When it is missing, or is not the one of the manifest.
pub fn read_list(path: &Path, manifest: &BackupManifest) -> Result<Vec<ListedFile>> {
    let damaged = || refusal(path, "is damaged", "Choose another snapshot");
    let mut reader = BufReader::new(at(path, File::open(path))?);
    let (mut hasher, mut line, mut files) = (blake3::Hasher::new(), String::new(), Vec::new());
    let mut bytes: u64 = 0;
    loop {
        line.clear();
        if reader.by_ref().take(LINE).read_line(&mut line).map_err(|_| damaged())? == 0 {
            break;
        }
        hasher.update(line.as_bytes());
        let file = listed(line.trim_end()).ok_or_else(damaged)?;
        bytes = bytes.checked_add(file.size).ok_or_else(damaged)?;
        files.push(file);
    }
    let is_described = (files.len() as u64, bytes) == (manifest.files, manifest.file_bytes);
    let is_whole = hasher.finalize().to_hex().as_str() == manifest.list_hash;
    if is_described && is_whole { Ok(files) } else { Err(damaged()) }
}

fn listed(line: &str) -> Option<ListedFile> {
    let (hash, size) = line.split_once(' ')?;
    let hash = ContentHash(*blake3::Hash::from_hex(hash).ok()?.as_bytes());
    Some(ListedFile { hash, size: size.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_is_a_hash_and_a_size() {
        let hash = ContentHash([7; 32]);
        let text = format!("{} 12", hash.to_hex());
        assert_eq!(listed(&text), Some(ListedFile { hash, size: 12 }));
        for damaged in ["", "12", &text[1..], &format!("{text}x"), &format!("{text} 1")] {
            assert_eq!(listed(damaged), None, "{damaged}");
        }
    }
}
