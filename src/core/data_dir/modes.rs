//! Makes the data directory accessible only to this user. Permissions that an earlier version, another umask or systemd
//! left for others are removed at the next start, and reported.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{DATABASE, FILES, INDEX, PARTIAL, RENDITIONS, TEMP, UNNAMED, refusal};
use crate::error::Result;
use crate::file_mode::{self, ModeChange};

/// The permissions of group and others.
const OTHERS: u32 = 0o077;

/// Removes the permissions of group and others from the data directory and our files in it.
///
/// # Errors
/// When the system does not allow that.
pub(super) fn tighten(dir: &Path) -> Result<()> {
    close(dir)?;
    [DATABASE, FILES, UNNAMED, TEMP, PARTIAL, INDEX, RENDITIONS]
        .iter()
        .try_for_each(|name| close(&dir.join(name)))?;
    // What is in them can't be accessed by others, but an archive of it could. Deeper files were always created private.
    [FILES, INDEX, RENDITIONS].iter().try_for_each(|name| close_entries(&dir.join(name)))
}

/// Whether other users have access to a folder.
pub(super) fn is_open(dir: &Path) -> bool {
    std::fs::metadata(dir).is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
}

fn close_entries(folder: &Path) -> Result<()> {
    // One that is missing or not a folder is reported where it is opened.
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        match file_mode::restrict(&path, OTHERS) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(unclosed(&path, &error.to_string()));
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn close(path: &Path) -> Result<()> {
    match file_mode::restrict(path, OTHERS) {
        Ok(None) => Ok(()),
        Ok(Some(ModeChange { from, to })) => {
            tracing::warn!(
                "{} was accessible to other users (mode {from:o}); now only this user can access it ({to:o})",
                path.display()
            );
            Ok(())
        }
        // A wrong type is reported where it is opened.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unclosed(path, &error.to_string())),
    }
}

fn unclosed(path: &Path, cause: &str) -> crate::error::Error {
    refusal(
        path,
        &format!("is accessible to other users, and that can't be changed: {cause}"),
        "Give it to the user that rasterd runs as, with `chown`, or choose another data directory",
    )
}
