//! The space on the disks of the data directory, and who may read it.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Area, Diagnosis, Job, Severity};
use crate::core::data_dir::{CERTIFICATES, FILES, INDEX, RENDITIONS};
use crate::core::disk::Room;
use crate::file_mode;

/// The permissions of group and others.
const OTHERS: u32 = 0o077;
/// Less free space than this is an error.
const NOTHING_LEFT: u64 = 64 << 20;
/// Less free space than this is a warning.
const LITTLE_LEFT: u64 = 1 << 30;
/// If fewer files than this can still be created, that is an error.
const FEW_FILES: u64 = 1000;

impl Job {
    pub(super) fn space(&self, diagnosis: &mut Diagnosis) {
        let (data_dir, store) = (&self.core.settings().data_dir, self.core.store());
        let before = diagnosis.findings.len();
        if store.reserve().is_short() {
            let text = format!(
                "The disk of {} is full except for the reserve, so uploads and other changes are refused. Make room.",
                data_dir.display()
            );
            diagnosis.add(Severity::Error, Area::Space, text);
        }
        let mut seen = Vec::new();
        for path in [data_dir.clone(), data_dir.join(FILES), data_dir.join(INDEX), data_dir.join(RENDITIONS)]
        {
            let Ok(found) = fs::metadata(&path) else { continue };
            let Ok(room) = store.disk().room(&path) else { continue };
            if seen.contains(&found.dev()) {
                continue;
            }
            seen.push(found.dev());
            let Some((severity, what)) = scarcity(room) else { continue };
            let text = format!("On the disk of {} {what}. Make room.", path.display());
            diagnosis.add(severity, Area::Space, text);
        }
        if diagnosis.findings.len() == before {
            diagnosis.add(Severity::Fine, Area::Space, "There is free space on every disk.");
        }
    }

    pub(super) fn permissions(&self, diagnosis: &mut Diagnosis) {
        let mut found = FileModes { repair: self.options.repair, ..FileModes::default() };
        found.examine(&self.core.settings().data_dir);
        for text in &found.problems {
            diagnosis.add(Severity::Warning, Area::Permissions, text);
        }
        if found.open > 0 {
            let text = match found.open {
                1 => "1 file or folder in the data directory could be accessed by other users".to_owned(),
                open => {
                    format!("{open} files or folders in the data directory could be accessed by other users")
                }
            };
            if self.options.repair {
                diagnosis.add_repaired(Severity::Warning, Area::Permissions, format!("{text}."));
            } else {
                let text = format!("{text}. `rasterd doctor --repair` restricts them.");
                diagnosis.add(Severity::Warning, Area::Permissions, text);
            }
        } else if found.problems.is_empty() {
            diagnosis.add(Severity::Fine, Area::Permissions, "Only this user can read the data directory.");
        }
    }
}

/// What a disk has little of, as a clause, and how bad that is.
pub(crate) fn scarcity(room: Room) -> Option<(Severity, String)> {
    if room.files.is_some_and(|files| files < FEW_FILES) {
        return Some((Severity::Error, "hardly any file can be created".to_owned()));
    }
    let severity = match room.available {
        ..NOTHING_LEFT => Severity::Error,
        NOTHING_LEFT..LITTLE_LEFT => Severity::Warning,
        LITTLE_LEFT.. => return None,
    };
    Some((severity, format!("only {} MB are free", room.available / 1_000_000)))
}

/// Whether a file is a certificate of the development authority, which everybody may read; keys are in files of their own.
fn is_certificate(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_in_its_folder = path.parent().is_some_and(|folder| folder.ends_with(CERTIFICATES));
    is_in_its_folder && name.ends_with(".pem") && !name.ends_with("key.pem")
}

/// What others may access, and what could not be examined or restricted.
#[derive(Default)]
struct FileModes {
    repair: bool,
    open: u64,
    problems: Vec<String>,
}

impl FileModes {
    fn examine(&mut self, path: &Path) {
        let entries = match self.restrict(path) {
            // Something temporary that is gone by now.
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => {
                self.problems.push(format!(
                    "The permissions of {} can't be restricted: {error}. Give it to this user with `chown`.",
                    path.display()
                ));
                return;
            }
            Ok(is_folder) if is_folder => fs::read_dir(path),
            Ok(_) => return,
        };
        match entries {
            Ok(entries) => entries.flatten().for_each(|entry| self.examine(&entry.path())),
            // What this user can't read is not a folder of ours, such as `lost+found`; others can't read it, either.
            Err(error) if [ErrorKind::NotFound, ErrorKind::PermissionDenied].contains(&error.kind()) => {}
            Err(error) => self.problems.push(format!("{} can't be read: {error}.", path.display())),
        }
    }

    /// Counts what others may access, and restricts it on request. Returns whether it is a folder.
    fn restrict(&mut self, path: &Path) -> io::Result<bool> {
        let found = fs::symlink_metadata(path)?;
        if found.is_symlink() {
            return Ok(false);
        }
        if found.mode() & OTHERS != 0 && !is_certificate(path) {
            if self.repair {
                file_mode::restrict(path, OTHERS)?;
            }
            self.open += 1;
        }
        Ok(found.is_dir())
    }
}
