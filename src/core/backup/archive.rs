//! A backup in one file, a tar archive that is compressed with Zstandard. Unpacked, it is a backup in a folder. It is
//! written under a temporary name and renamed at the end.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;
use zstd::Encoder;

use super::folder::Added;
use super::layout::{
    AUTHORITY, CERTIFICATES, DATABASE, FILES, LIST, MANIFEST, MARKER, SNAPSHOTS, at, make_lasting_folder,
    place, sync_folder,
};
use crate::core::data_dir::refusal;
use crate::core::long_work::Reporter;
use crate::core::model::ContentHash;
use crate::error::{Error, Result};

/// The level of compression. Pictures are compressed already; the records are not.
const LEVEL: i32 = 1;
/// What the marker says.
const ABOUT: &str = "A backup of rasterd. Restore it with `rasterd restore`, unpacked or not.\n";

/// The archive, while it is written.
pub struct Archive {
    path: PathBuf,
    name: String,
    builder: Builder<Encoder<'static, NamedTempFile>>,
    /// Where the snapshot is prepared.
    work: tempfile::TempDir,
}

impl Archive {
    /// Begins an archive with a snapshot of this name.
    ///
    /// # Errors
    /// When there is one at `path`, or its folder can't be written.
    pub fn create(path: &Path, name: &str) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(refusal(path, "exists already", "Choose another name, or remove it first"));
        }
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_lasting_folder(folder)?;
        let named = |builder: &mut tempfile::Builder<'_, '_>| {
            builder.prefix(".rasterd-backup-").suffix(".unfinished");
        };
        let mut temporary = tempfile::Builder::new();
        named(&mut temporary);
        let file = at(folder, temporary.tempfile_in(folder))?;
        let work = at(folder, temporary.tempdir_in(folder))?;
        let mut encoder = at(path, Encoder::new(file, LEVEL))?;
        at(path, encoder.include_checksum(true))?;
        let mut archive =
            Self { path: path.to_owned(), name: name.to_owned(), builder: Builder::new(encoder), work };
        archive.append(Path::new(MARKER), ABOUT.len() as u64, ABOUT.as_bytes())?;
        Ok(archive)
    }

    /// The folder in which the snapshot is prepared.
    pub fn work(&self) -> &Path {
        self.work.path()
    }

    fn append(&mut self, name: &Path, size: u64, bytes: impl Read) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o600);
        let outcome = self.builder.append_data(&mut header, name, bytes);
        at(&self.path, outcome)
    }

    /// Appends a part of the snapshot, if it was prepared.
    fn append_part(&mut self, part: &Path) -> Result<()> {
        let prepared = self.work.path().join(part);
        if !prepared.exists() {
            return Ok(());
        }
        let file = at(&prepared, File::open(&prepared))?;
        let size = at(&prepared, file.metadata())?.len();
        self.append(&Path::new(SNAPSHOTS).join(&self.name).join(part), size, file)
    }

    /// Appends the copy of the database. It comes first, so that single assets are found without reading everything twice.
    pub fn append_database(&mut self) -> Result<()> {
        self.append_part(Path::new(DATABASE))
    }

    /// Appends a file.
    ///
    /// # Errors
    /// When the archive can't be written.
    pub fn add(
        &mut self,
        hash: ContentHash,
        source: &mut File,
        path: &Path,
        reporter: &Reporter,
    ) -> Result<Added> {
        let size = at(path, source.metadata())?.len();
        let mut reader =
            HashingReader { source, hasher: blake3::Hasher::new(), read: 0, size, cause: None, reporter };
        let outcome = self.append(&Path::new(FILES).join(place(hash)), size, &mut reader);
        if let Some(cause) = reader.cause {
            return Err(cause);
        }
        outcome?;
        let is_whole = reader.hasher.finalize().as_bytes() == &hash.0 && reader.read == size;
        Ok(if is_whole { Added::New(size) } else { Added::Damaged })
    }

    /// Appends the rest of the snapshot, the manifest last, and puts the archive in its place.
    pub fn finish(mut self) -> Result<()> {
        self.append_part(Path::new(LIST))?;
        for name in AUTHORITY {
            self.append_part(&Path::new(CERTIFICATES).join(name))?;
        }
        self.append_part(Path::new(MANIFEST))?;
        let Self { path, builder, work, .. } = self;
        let file = at(&path, builder.into_inner().and_then(Encoder::finish))?;
        at(&path, file.as_file().sync_all())?;
        drop(work);
        match file.persist_noclobber(&path) {
            Ok(_) => {}
            Err(failed) => return at(&path, Err(failed.error)),
        }
        path.parent().map_or(Ok(()), sync_folder)
    }
}

/// Reads exactly as many bytes as were announced, whatever becomes of the file meanwhile, and hashes them.
struct HashingReader<'a> {
    source: &'a mut File,
    hasher: blake3::Hasher,
    read: u64,
    size: u64,
    cause: Option<Error>,
    reporter: &'a Reporter,
}

impl Read for HashingReader<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(self.read)).unwrap_or(usize::MAX);
        let wanted = bytes.len().min(left);
        let Some(bytes) = bytes.get_mut(..wanted).filter(|bytes| !bytes.is_empty()) else { return Ok(0) };
        let mut count = match self.source.read(bytes) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => return Err(cause),
            read => read.unwrap_or(0),
        };
        if count == 0 {
            // It became shorter, or its disk fails: the archive goes on, and the hash says that the file is damaged.
            bytes.fill(0);
            count = bytes.len();
        }
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        self.read += count as u64;
        if let Err(error) = self.reporter.advance(count as u64) {
            self.cause = Some(error);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(count)
    }
}
