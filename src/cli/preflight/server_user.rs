//! What root can use and the server can't: files and folders of the configuration, when root checks it for a server that
//! runs as another user. Found by owners and modes; who may be let in by a group or an access list is not doubted.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::getxattr;

use super::{PreflightReport, Topic};
use crate::cli::data_owner::{User, other_owner};
use crate::config::{Certificate, Config, Origin, copy_of_service};

const READ: u32 = 0o4;
const WRITE: u32 = 0o2;
const ENTER: u32 = 0o1;
/// Where the kernel keeps an access list.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Checks whether the owner of the data directory can use the files that are configured.
pub(super) fn check(config: &Config, report: &mut PreflightReport) {
    let Some(user) = other_owner(&config.data_dir) else { return };
    for (about, key, file) in files(config) {
        let Some(refusing) = refusing(&file, READ, user) else { continue };
        report.problems.push(about.finding(format!(
            "{key}: the server runs as user {}, which can't read {}: {} is closed to it. Give the file to that user (`chown {}:{}`), \
             in a folder that it can enter",
            user.uid,
            file.display(),
            refusing.display(),
            user.uid,
            user.gid
        )));
    }
    let backups = config.settings(config.bind).backup.dir;
    let existing = backups.as_deref().and_then(|dir| dir.ancestors().find(|above| above.is_dir()));
    if let Some(refusing) = existing.and_then(|dir| refusing(dir, WRITE | ENTER, user)) {
        let text = format!(
            "backup.dir: the server runs as user {}, which can't write to {}. Make the folder and give it to that user \
             (`install -d -o {} -m 700 FOLDER`)",
            user.uid,
            refusing.display(),
            user.uid
        );
        report.warnings.push(Topic::Backup.finding(text));
    }
}

/// The files that a server reads, each with what it is about and the key that names it. What the service gets a copy of is
/// not among them.
fn files(config: &Config) -> Vec<(Topic, &'static str, PathBuf)> {
    let mut files: Vec<(Topic, &str, Option<&PathBuf>)> = vec![
        (Topic::AuthorityFile, "tls.authority_file", config.authority_file.as_ref()),
        (Topic::Metrics, "metrics.token_file", config.metrics.token_file.as_ref()),
    ];
    match &config.certificate {
        Certificate::Files { cert, key } if copy_of_service(cert).is_none() => files.extend([
            (Topic::CertificateFiles, "tls.cert_file", Some(cert)),
            (Topic::CertificateFiles, "tls.key_file", Some(key)),
        ]),
        Certificate::Acme { settings, .. } => {
            files.push((Topic::Acme, "tls.acme.root_file", settings.root_file.as_ref()));
        }
        Certificate::Files { .. } | Certificate::Development { .. } => {}
    }
    let read = config.shown().iter().filter_map(|shown| match &shown.origin {
        Origin::File(file) if file.is_file() => Some(file.clone()),
        _ => None,
    });
    let mut configuration: Vec<PathBuf> = read.collect();
    configuration.sort();
    configuration.dedup();
    let configuration =
        configuration.into_iter().map(|file| (Topic::ConfigurationFile, "the configuration file", file));
    let configured = files.into_iter().filter_map(|(about, key, file)| Some((about, key, file?.clone())));
    configuration.chain(configured).collect()
}

/// The file or the folder above it that keeps the user from using the file in this way. `None` where nothing certainly does.
fn refusing(file: &Path, needed: u32, user: User) -> Option<PathBuf> {
    // Links are followed, as when the file is opened.
    let file = fs::canonicalize(file).ok()?;
    let folders: Vec<_> = file.ancestors().skip(1).map(|folder| (folder, ENTER)).collect();
    first_refusing(folders.into_iter().rev().chain([(file.as_path(), needed)]), user)
}

/// The first of these paths that the user can't use as is needed.
fn first_refusing<'a>(mut paths: impl Iterator<Item = (&'a Path, u32)>, user: User) -> Option<PathBuf> {
    paths.find(|(path, needed)| is_refused(path, *needed, user)).map(|(path, _)| path.to_owned())
}

fn is_refused(path: &Path, needed: u32, user: User) -> bool {
    let Ok(found) = fs::metadata(path) else { return false };
    let grants = |shift: u32| (found.mode() >> shift) & needed == needed;
    if found.uid() == user.uid {
        return !grants(6);
    }
    // With an access list, these bits are the most that anybody on it may do.
    let has_list = getxattr(path, ACCESS_LIST, &mut [0_u8; 0]).is_ok_and(|length| length > 0);
    let may_be_let_in = grants(3) && (has_list || found.gid() != 0 || user.gid == 0);
    !may_be_let_in && !grants(0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::process::{getegid, geteuid};

    use super::*;

    #[test]
    fn a_file_or_folder_that_is_closed_to_the_user_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, file) = (folder.path().join("inner"), folder.path().join("inner/key.pem"));
        fs::create_dir(&inner).unwrap();
        fs::write(&file, "").unwrap();
        let folder = folder.path().to_owned();
        // The folders above belong to the machine.
        let refusing = |needed, user| {
            let paths = [(folder.as_path(), ENTER), (inner.as_path(), ENTER), (file.as_path(), needed)];
            first_refusing(paths.into_iter(), user)
        };
        let me = User { uid: geteuid().as_raw(), gid: getegid().as_raw() };
        let other = User { uid: me.uid + 1, gid: me.gid + 1 };
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for (modes, needed, user, expected) in [
            ([0o755, 0o755, 0o644], READ, other, None),
            ([0o755, 0o755, 0o600], READ, other, Some(&file)),
            ([0o755, 0o700, 0o644], READ, other, Some(&inner)),
            ([0o700, 0o700, 0o600], READ, other, Some(&folder)),
            ([0o700, 0o700, 0o600], READ, me, None),
            ([0o755, 0o755, 0o644], WRITE, other, Some(&file)),
            ([0o755, 0o755, 0o666], WRITE, other, None),
            ([0o755, 0o755, 0o400], WRITE, me, Some(&file)),
        ] {
            for (path, bits) in [&folder, &inner, &file].into_iter().zip(modes) {
                mode(path, bits);
            }
            assert_eq!(refusing(needed, user).as_ref(), expected, "{modes:?} {user:?}");
        }
        mode(&folder, 0o755);
        mode(&inner, 0o755);
        mode(&file, 0o640);
        // It may be in the group, unless that is root's own.
        let is_named = refusing(READ, other).is_some();
        assert_eq!(is_named, me.gid == 0);
    }
}
