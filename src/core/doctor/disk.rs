//! The space on the disks of the data directory, and who may read it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{Area, Diagnosis, Job, Severity};
use crate::core::data_folder::{FILES, INDEX, RENDITIONS};
use crate::error::Result;
use crate::file_mode;

/// The permissions of group and others.
const OTHERS: u32 = 0o077;
/// Less free space than this is an error.
const NOTHING_LEFT: u64 = 64 << 20;
/// Less free space than this is a warning.
const LITTLE_LEFT: u64 = 1 << 30;

impl Job {
    pub(super) fn space(&self, diagnosis: &mut Diagnosis) {
        let data_dir = &self.core.settings().data_dir;
        let mut is_fine = true;
        let mut seen = Vec::new();
        for path in [data_dir.clone(), data_dir.join(FILES), data_dir.join(INDEX), data_dir.join(RENDITIONS)]
        {
            let Ok(found) = rustix::fs::statvfs(&path) else { continue };
            if seen.contains(&found.f_fsid) {
                continue;
            }
            seen.push(found.f_fsid);
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let (is_out_of_names, megabytes) = (found.f_files > 0 && found.f_favail < 1000, free / 1_000_000);
            let severity = if free < NOTHING_LEFT || is_out_of_names {
                Severity::Error
            } else if free < LITTLE_LEFT {
                Severity::Warning
            } else {
                continue;
            };
            is_fine = false;
            let what = if is_out_of_names {
                "hardly any file can be created".to_owned()
            } else {
                format!("only {megabytes} MB are free")
            };
            diagnosis.add(
                severity,
                Area::Space,
                format!("On the disk of {} {what}. Make room.", path.display()),
            );
        }
        if is_fine {
            diagnosis.add(Severity::Fine, Area::Space, "There is free space on every disk.");
        }
    }

    pub(super) fn permissions(&self, diagnosis: &mut Diagnosis) -> Result<()> {
        let mut open = 0;
        restrict(&self.core.settings().data_dir, self.options.repair, &mut open)?;
        if open == 0 {
            diagnosis.add(Severity::Fine, Area::Permissions, "Only this user can read the data directory.");
        } else {
            let text =
                format!("{open} files or folders in the data directory could be accessed by other users");
            if self.options.repair {
                diagnosis.add_repaired(Severity::Warning, Area::Permissions, format!("{text}."));
            } else {
                let text = format!("{text}. `rasterd doctor --repair` restricts them.");
                diagnosis.add(Severity::Warning, Area::Permissions, text);
            }
        }
        Ok(())
    }
}

/// Whether a file is a certificate of the development authority, which everybody may read; keys are in files of their own.
fn is_certificate(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_in_its_folder = path.parent().is_some_and(|folder| folder.ends_with("certs"));
    is_in_its_folder && name.ends_with(".pem") && !name.ends_with("key.pem")
}

/// Counts what others may access, and restricts it on request.
fn restrict(path: &Path, repair: bool, open: &mut u64) -> Result<()> {
    let found = match fs::symlink_metadata(path) {
        // Something temporary that is gone by now.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if found.is_symlink() {
        return Ok(());
    }
    match file_mode::mode(path) {
        Ok(mode) if mode & OTHERS != 0 && !is_certificate(path) => {
            *open += 1;
            if repair {
                file_mode::restrict(path, OTHERS)?;
            }
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    if found.is_dir() {
        match fs::read_dir(path) {
            Ok(entries) => entries.flatten().try_for_each(|entry| restrict(&entry.path(), repair, open))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
