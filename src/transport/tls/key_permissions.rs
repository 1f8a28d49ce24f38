//! Who may read a private key. One that other users can read is refused, as databases and SSH do.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::TlsError;
use super::files::unreadable;

/// The permissions of group and others.
const OTHERS: u32 = 0o077;
/// What a group may do with a key of root: some systems have a group for the programs that serve TLS.
const GROUP_READS: u32 = 0o040;
/// The administrator of the machine.
const ROOT: u32 = 0;

/// Checks that only its owner can access a key file. If root owns it, its group may read it.
///
/// # Errors
/// When others can access it. The message has the command that changes that.
pub fn check_key(key_file: &Path) -> Result<(), TlsError> {
    let metadata = std::fs::metadata(key_file)
        .map_err(|error: io::Error| TlsError::new(key_file, unreadable(&error)))?;
    let mode = metadata.permissions().mode() & 0o7777;
    let allowed = allowed_to_others(metadata.uid());
    if mode & OTHERS & !allowed == 0 {
        return Ok(());
    }
    // Without its group's permission, a server that does not run as root could not read a key of root.
    let needs_group = allowed != 0 && mode & GROUP_READS != 0 && !rustix::process::geteuid().is_root();
    let advised = if needs_group { "640" } else { "600" };
    let path = key_file.display();
    Err(TlsError::new(
        key_file,
        format_args!(
            "other users of this machine can access the private key (mode {mode:o}). Run as its owner: chmod {advised} {path} (a read-only secret of a container must be mounted with mode 0400)"
        ),
    ))
}

const fn allowed_to_others(owner: u32) -> u32 {
    if owner == ROOT { GROUP_READS } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::file_mode::set_mode;

    #[test]
    fn only_the_owner_can_access_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("key.pem");
        fs::write(&key_file, "").unwrap();
        let is_roots = fs::metadata(&key_file).unwrap().uid() == ROOT;
        for (mode, is_accepted) in [
            (0o600, true),
            (0o400, true),
            (0o640, is_roots),
            (0o660, false),
            (0o644, false),
            (0o604, false),
            (0o602, false),
            (0o620, false),
        ] {
            set_mode(&key_file, mode).unwrap();
            let checked = check_key(&key_file);
            assert_eq!(checked.is_ok(), is_accepted, "{mode:o}");
            if let Err(error) = checked {
                let (message, path) = (error.to_string(), key_file.display());
                assert!(message.contains(&format!("(mode {mode:o})")), "{message}");
                assert!(message.contains(&format!("chmod 600 {path}")) || !is_roots, "{message}");
            }
        }
    }

    #[test]
    fn a_group_may_read_only_the_keys_of_root() {
        assert_eq!((allowed_to_others(ROOT), allowed_to_others(1000)), (0o040, 0));
    }
}
