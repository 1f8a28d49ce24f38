//! Who may access a private key. Access for every user of the machine is removed, or the key is refused.

use std::io;
use std::path::Path;

use super::TlsError;
use super::files::unreadable;
use crate::file_mode::{self, ModeChange};

/// The permissions of users who neither own the file nor are in its group. The group stays: some systems have one for
/// the programs that serve TLS.
const OTHERS: u32 = 0o007;

/// Removes the access of every other user of the machine to a key file, and logs that. On a read-only file system, as
/// containers mount their secrets, it can only warn.
///
/// # Errors
/// When they may access the file and the system does not allow to change that.
pub(super) fn restrict(key_file: &Path) -> Result<(), TlsError> {
    let mode = mode(key_file)?;
    let path = key_file.display();
    match file_mode::restrict(key_file, OTHERS) {
        Ok(None) => {}
        Ok(Some(ModeChange { from, to })) => tracing::warn!(
            "every user of this machine could access {path} (mode {from:o}); now only its owner and group can ({to:o})"
        ),
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => tracing::warn!(
            "every user of this machine can access {path} (mode {mode:o}), and its file system is read-only. Mount it \
             with mode 0400 or 0440"
        ),
        Err(error) => return Err(not_restricted(key_file, mode, &error)),
    }
    Ok(())
}

/// What [`restrict`] would do with a key file, without doing it: an error where it would fail, a sentence where it would
/// change something or warn.
///
/// # Errors
/// As [`restrict`].
pub fn check_key(key_file: &Path) -> Result<Option<String>, TlsError> {
    let mode = mode(key_file)?;
    if mode & OTHERS == 0 {
        return Ok(None);
    }
    // Setting the mode that it already has changes nothing, and shows whether setting it is allowed.
    match file_mode::set_mode(key_file, mode) {
        Err(error) if error.kind() != io::ErrorKind::ReadOnlyFilesystem => {
            Err(not_restricted(key_file, mode, &error))
        }
        outcome => {
            let what_happens = if outcome.is_ok() {
                "`serve` changes that"
            } else {
                "its file system is read-only. Mount it with mode 0400 or 0440"
            };
            Ok(Some(format!("every user of this machine can access the key (mode {mode:o}); {what_happens}")))
        }
    }
}

fn mode(key_file: &Path) -> Result<u32, TlsError> {
    file_mode::mode(key_file).map_err(|error| TlsError::new(key_file, unreadable(&error)))
}

fn not_restricted(key_file: &Path, mode: u32, error: &io::Error) -> TlsError {
    TlsError::new(
        key_file,
        format_args!(
            "every user of this machine can access the key (mode {mode:o}), and that can't be changed: {error}. Run as \
             its owner: chmod o= {}",
            key_file.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_owner_and_group_keep_access_to_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("key.pem");
        fs::write(&key_file, "").unwrap();
        for (before, after) in
            [(0o600, 0o600), (0o640, 0o640), (0o644, 0o640), (0o666, 0o660), (0o604, 0o600)]
        {
            file_mode::set_mode(&key_file, before).unwrap();
            let finding = check_key(&key_file).unwrap();
            assert_eq!((finding.is_some(), mode(&key_file).unwrap()), (before != after, before));
            restrict(&key_file).unwrap();
            assert_eq!((mode(&key_file).unwrap(), check_key(&key_file).unwrap()), (after, None));
        }
    }

    #[test]
    fn a_key_whose_mode_can_not_be_changed_is_refused() {
        // Nobody can change the mode of this file, and everyone can read it.
        let fixed = Path::new("/proc/self/status");
        let refused =
            [restrict(fixed).unwrap_err(), check_key(fixed).unwrap_err()].map(|error| error.to_string());
        for message in refused {
            assert!(
                message.contains("(mode 444)") && message.contains("chmod o= /proc/self/status"),
                "{message}"
            );
        }
    }
}
