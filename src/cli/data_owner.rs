//! The user to whom the data directory belongs. What root would create in it, the server could not read.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::CommandError;

/// Runs this command again as the owner of the data directory, if this is root and the owner is another user. Then it does
/// not return, unless that fails.
pub(super) fn continue_as_owner(data_dir: &Path) -> Result<(), CommandError> {
    let Some(mut command) = as_owner(data_dir)? else { return Ok(()) };
    let failure = command.exec();
    Err(CommandError(format!(
        "the command can't go on as the owner of {}: {failure}. Run it as that user",
        data_dir.display()
    )))
}

/// This command again, as the owner of the data directory, if this is root and the owner is another user.
pub(super) fn as_owner(data_dir: &Path) -> Result<Option<Command>, CommandError> {
    let Some(User { uid, gid }) = other_owner(data_dir) else { return Ok(None) };
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1)).uid(uid).gid(gid);
    Ok(Some(command))
}

/// A user and its group.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    pub uid: u32,
    pub gid: u32,
}

/// The owner of the data directory, if this is root and the owner is another user.
pub(super) fn other_owner(data_dir: &Path) -> Option<User> {
    let owner = fs::metadata(data_dir).ok().filter(|owner| geteuid().is_root() && owner.uid() != 0)?;
    Some(User { uid: owner.uid(), gid: owner.gid() })
}

/// Refuses to read a file in a data directory that this user may not enter, with what to do.
pub(super) fn expect_entry_for(file: &Path, data_dir: &Path) -> Result<(), CommandError> {
    if file.starts_with(data_dir) { expect_entry(data_dir) } else { Ok(()) }
}

/// Refuses a data directory that this user may not enter, with what to do.
pub(super) fn expect_entry(data_dir: &Path) -> Result<(), CommandError> {
    match access(data_dir, Access::READ_OK | Access::EXEC_OK) {
        Err(Errno::ACCESS) => Err(CommandError(format!(
            "this user may not read the data directory {}. Run the command as root, with `sudo`, or as the server's user",
            data_dir.display()
        ))),
        Ok(()) | Err(_) => Ok(()),
    }
}
