//! Who may look into the data directory: this user alone. What an earlier version, another umask or systemd left open to
//! others is closed at the next start, and said.

use std::io::ErrorKind;
use std::path::Path;

use super::{DATABASE, FILES, INDEX, RENDITIONS, TEMP, UNNAMED, refusal};
use crate::error::Result;
use crate::file_mode::{self, ModeChange};

/// What group and others may do.
const OTHERS: u32 = 0o077;

/// Closes the data directory, and what is in it of ours, to group and others.
///
/// # Errors
/// When the system does not allow it.
pub(super) fn tighten(dir: &Path) -> Result<()> {
    close(dir)?;
    [DATABASE, FILES, UNNAMED, TEMP, INDEX, RENDITIONS].iter().try_for_each(|name| close(&dir.join(name)))
}

fn close(path: &Path) -> Result<()> {
    match file_mode::restrict(path, OTHERS) {
        Ok(None) => Ok(()),
        Ok(Some(ModeChange { from, to })) => {
            tracing::warn!(
                "{} was open to others (mode {from:o}); it is this user's alone now ({to:o})",
                path.display()
            );
            Ok(())
        }
        // What it is instead, and what to do then, is said where it is opened.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unclosed(path, &error.to_string())),
    }
}

fn unclosed(path: &Path, cause: &str) -> crate::error::Error {
    refusal(
        path,
        &format!("is open to other users, and can't be closed to them: {cause}"),
        "Give it to the user that rasterd runs as, with `chown`, or choose another data directory",
    )
}
