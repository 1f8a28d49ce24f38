//! The bytes of open uploads: one file for each, which survives a restart, in a folder on the file system of the files.
//! Nothing serves them. What belongs to no open upload is removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use tempfile::Builder;

use super::{Blobs, IncomingFile};
use crate::core::model::id::UploadId;
use crate::error::Result;

/// How many bytes are read at a time to hash a complete file.
const HASH_BATCH: usize = 256 << 10;

/// The file of an open upload.
pub struct PartialFile {
    blobs: Blobs,
    file: File,
    path: PathBuf,
    size: u64,
    /// Whether its name survives a power cut.
    is_named: bool,
}

impl Blobs {
    /// Opens the file of an open upload, or creates it. Of what it holds, the first `received` bytes count; there may be
    /// fewer when the disk lost some.
    ///
    /// # Errors
    /// `STORAGE_FULL`; when the disk fails.
    pub fn open_partial(&self, id: &UploadId, received: u64) -> Result<PartialFile> {
        self.reserve.expect_room()?;
        let path = self.partial_path(id);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let length = file.metadata()?.len();
        let size = length.min(received);
        if length > size {
            self.disk.set_len(&file, &path, size)?;
        }
        Ok(PartialFile { blobs: self.clone(), file, path, size, is_named: false })
    }

    /// How many of the bytes that were received of an open upload are on the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn partial_size(&self, id: &UploadId, received: u64) -> io::Result<u64> {
        match fs::metadata(self.partial_path(id)) {
            Ok(found) => Ok(found.len().min(received)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Removes the file of an open upload, if it is there.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn remove_partial(&self, id: &UploadId) -> io::Result<()> {
        self.disk.remove(&self.partial_path(id))
    }

    /// The uploads that have a file.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn partials(&self) -> io::Result<Vec<UploadId>> {
        let name =
            |entry: io::Result<fs::DirEntry>| Ok(UploadId::from_text(&entry?.file_name().to_string_lossy()));
        fs::read_dir(&self.partial)?.map(name).collect()
    }

    fn partial_path(&self, id: &UploadId) -> PathBuf {
        self.partial.join(id.as_str())
    }
}

impl PartialFile {
    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends bytes. Blocks when the disk is slower than the sender.
    ///
    /// # Errors
    /// `STORAGE_FULL`; when the disk fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.blobs.reserve.expect_room()?;
        self.blobs.disk.write(&self.file, &self.path, self.size, bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Waits until what was written survives a power cut. Blocks.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn sync(&mut self) -> Result<()> {
        self.blobs.disk.sync(&self.file, &self.path)?;
        if !self.is_named {
            self.blobs.disk.sync_folder(&self.blobs.partial)?;
            self.is_named = true;
        }
        Ok(())
    }

    /// The complete file on its way into the store. Its bytes stay here as well, until the upload is committed. Reads all
    /// of it, for its hash. Blocks.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn into_incoming(self) -> Result<IncomingFile> {
        let Self { blobs, path, size, .. } = self;
        let file = Builder::new().make_in(&blobs.temp, |name| {
            // Where a file system has no second names, the file gets another one.
            fs::hard_link(&path, name).or_else(|_| fs::rename(&path, name))?;
            File::open(name)
        })?;
        let hasher = hashed(file.as_file(), size)?;
        Ok(IncomingFile { blobs, file, hasher: Box::new(hasher), size })
    }
}

fn hashed(mut file: &File, size: u64) -> Result<blake3::Hasher> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; HASH_BATCH];
    let mut read = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        read += count as u64;
    }
    if read == size {
        Ok(hasher)
    } else {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a complete upload has lost bytes").into())
    }
}
