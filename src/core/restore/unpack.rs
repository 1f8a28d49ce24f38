//! Unpacks a backup in one file. Takes only the names that a backup has, whatever the archive says.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use super::not_a_backup;
use crate::core::backup::layout::{
    AUTHORITY, CERTIFICATES, DATABASE, FILES, LIST, MANIFEST, MARKER, SNAPSHOTS, at, make_folder, new_file,
    place,
};
use crate::core::data_dir::{hash_of, refusal};
use crate::core::long_work::{Reporter, Stage};
use crate::error::{Error, Result};

/// Unpacks the entries that are wanted into a folder.
///
/// # Errors
/// When the archive is damaged, cut off, or not a backup.
pub fn unpack(
    archive: &Path,
    folder: &Path,
    is_wanted: impl Fn(&Path) -> bool,
    reporter: &Reporter,
) -> Result<()> {
    let file = at(archive, File::open(archive))?;
    reporter.begin(Stage::Unpacking, at(archive, file.metadata())?.len());
    make_folder(folder)?;
    let reader = MeteredReader { file, reporter, cause: None };
    let mut reader = tar::Archive::new(at(archive, zstd::Decoder::new(reader))?);
    let outcome = unpack_entries(&mut reader, archive, folder, is_wanted);
    let mut decoder = reader.into_inner();
    // To its very end, where the checksum is.
    let outcome = outcome.and_then(|()| {
        io::copy(&mut decoder, &mut io::sink()).map(drop).map_err(|cause| damaged(archive, &cause))
    });
    let mut metered = decoder.finish().into_inner();
    if let Some(cause) = metered.cause.take() {
        return Err(cause);
    }
    outcome
}

fn unpack_entries<R: Read>(
    reader: &mut tar::Archive<R>,
    archive: &Path,
    folder: &Path,
    is_wanted: impl Fn(&Path) -> bool,
) -> Result<()> {
    let damaged = |cause: io::Error| damaged(archive, &cause);
    for entry in reader.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        // `tar` puts "./" before the names of what is in a folder.
        let name = entry.path().map_err(damaged)?;
        let name = name.strip_prefix(".").unwrap_or(&name).to_owned();
        if entry.header().entry_type().is_dir() {
            continue;
        }
        if !entry.header().entry_type().is_file() || !is_of_a_backup(&name) {
            return Err(not_a_backup(archive, &format!("is not a backup: it holds {}", name.display())));
        }
        if !is_wanted(&name) {
            continue;
        }
        let path = folder.join(&name);
        make_folder(path.parent().unwrap_or(folder))?;
        let mut target = new_file(&path)?;
        // The two ends fail differently: one is damage, the other a full disk.
        copy(&mut entry, &mut target, &path, &damaged)?;
    }
    Ok(())
}

/// The error for an archive that can't be read to its end.
fn damaged(archive: &Path, cause: &io::Error) -> Error {
    refusal(
        archive,
        &format!("is damaged or cut off: {cause}"),
        "Nothing was changed. Copy it again from where it came, or use another backup",
    )
}

fn copy(
    from: &mut impl Read,
    to: &mut File,
    path: &Path,
    damaged: &impl Fn(io::Error) -> Error,
) -> Result<()> {
    let mut chunk = vec![0; 1 << 18];
    loop {
        let read = from.read(&mut chunk).map_err(damaged)?;
        let read = chunk.get(..read).unwrap_or_default();
        if read.is_empty() {
            return Ok(());
        }
        at(path, io::Write::write_all(to, read))?;
    }
}

/// Whether this is a name that a backup has: no other, and none that leads out of the folder.
pub fn is_of_a_backup(name: &Path) -> bool {
    let mut parts = Vec::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => parts.push(part),
            Component::CurDir | Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return false;
            }
        }
    }
    let texts: Option<Vec<&str>> = parts.iter().map(|part| part.to_str()).collect();
    match texts.as_deref() {
        Some([MARKER]) => true,
        Some([FILES, folder, file]) => {
            hash_of(file.as_ref()).is_some_and(|hash| place(hash) == Path::new(folder).join(file))
        }
        Some([SNAPSHOTS, snapshot, file]) => {
            !snapshot.starts_with('.') && [DATABASE, LIST, MANIFEST].contains(file)
        }
        Some([SNAPSHOTS, snapshot, CERTIFICATES, file]) => {
            !snapshot.starts_with('.') && AUTHORITY.contains(file)
        }
        Some(_) | None => false,
    }
}

/// Reports how much of the archive was read.
struct MeteredReader<'a> {
    file: File,
    reporter: &'a Reporter,
    cause: Option<Error>,
}

impl Read for MeteredReader<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        if let Err(error) = self.reporter.advance(read as u64) {
            self.cause = Some(error);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_that_was_packed_again_from_a_folder_is_the_same_backup() {
        let temp = tempfile::tempdir().unwrap();
        let (archive, folder) = (temp.path().join("b.tar.zst"), temp.path().join("unpacked"));
        let mut header = tar::Header::new_gnu();
        let name = format!("./{MARKER}");
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(1);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, b"x".as_slice()).unwrap();
        let packed = zstd::encode_all(builder.into_inner().unwrap().as_slice(), 1).unwrap();
        std::fs::write(&archive, packed).unwrap();
        unpack(&archive, &folder, |name| name == Path::new(MARKER), &Reporter::default()).unwrap();
        assert_eq!(std::fs::read(folder.join(MARKER)).unwrap(), b"x");
    }

    #[test]
    fn only_names_of_a_backup_are_unpacked() {
        let hash = "ab".repeat(32);
        for name in [
            "rasterd-backup",
            "snapshots/2026-01-02T030405Z/manifest.json",
            "snapshots/x/certs/ca.pem",
            &format!("files/ab/{hash}"),
        ] {
            assert!(is_of_a_backup(Path::new(name)), "{name}");
        }
        for name in [
            "",
            "/rasterd-backup",
            "./rasterd-backup",
            "../rasterd-backup",
            "snapshots/../manifest.json",
            "snapshots/.x/manifest.json",
            "snapshots/x/certs/server.pem",
            "snapshots/x/other",
            &format!("files/ac/{hash}"),
            &format!("files/ab/{hash}/x"),
            "files/ab/short",
        ] {
            assert!(!is_of_a_backup(Path::new(name)), "{name}");
        }
    }
}
