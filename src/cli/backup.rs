//! `rasterd backup`: backs up everything, through the running server or directly.

use std::path::{Path, PathBuf};

use clap::Args;

use super::ask::ask;
use super::output::{hint, json_text, print};
use super::progress::bytes;
use super::{CommandError, absolute_path};
use crate::admin::{Reply, Request};
use crate::config::Config;
use crate::core::backup::{BackupOptions, BackupSummary, is_archive};
use crate::core::data_dir::counted;

/// How the names of archives end that a backup is not.
const OTHER_ARCHIVES: [&str; 8] = [".zst", ".gz", ".tgz", ".tar", ".zip", ".xz", ".bz2", ".7z"];

#[derive(Args)]
pub(super) struct BackupArgs {
    /// A folder, where only new files are copied to, or a file that ends in .tar.zst [default: `backup.dir`]
    target: Option<PathBuf>,
    /// Keeps this many snapshots in the folder, with their files, and removes older ones [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Leaves out the private key of the development authority; a restore on a new machine then makes a new authority,
    /// which every client has to trust
    #[arg(long)]
    without_authority: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, args: BackupArgs) -> Result<(), CommandError> {
    let configured = || config.settings(config.bind).backup.dir;
    let target = args.target.or_else(configured).ok_or_else(|| {
        CommandError("where to? Give a folder or a file that ends in .tar.zst, or set backup.dir".to_owned())
    })?;
    expect_known_ending(&target)?;
    let options = BackupOptions {
        // The server runs in another folder.
        target: absolute_path(&target)?,
        keep: args.keep.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX)),
        authority: !args.without_authority,
    };
    let Reply::Backup(summary) = ask(config, Request::Backup(options))? else {
        return Err(CommandError("the server gave another answer. Is it of another version?".to_owned()));
    };
    print(&if args.json { json_text(&summary)? } else { in_words(&summary) })?;
    if summary.has_authority && !args.json {
        hint(
            "It has the private key of the development authority, which clients trust: keep it where only you can read it.",
        );
    }
    let mut problems = Vec::new();
    if summary.unreadable > 0 {
        problems.push(format!(
            "missing or damaged on the server: {}; the backup lacks {} of them. `rasterd doctor` names the assets",
            counted(summary.unreadable),
            summary.lost.len()
        ));
    }
    if let Some(why) = &summary.not_removed {
        problems.push(format!("the backup was made, but older snapshots were not removed: {why}"));
    }
    if problems.is_empty() { Ok(()) } else { Err(CommandError(problems.join("\n"))) }
}

/// Refuses what looks like an archive of a kind that is not written: it would become a folder.
fn expect_known_ending(target: &Path) -> Result<(), CommandError> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let is_other_archive = OTHER_ARCHIVES.iter().any(|ending| name.ends_with(ending)) && !is_archive(target);
    if target.is_dir() || !is_other_archive {
        return Ok(());
    }
    Err(CommandError(format!(
        "{}: a backup in one file must end in .tar.zst; the path of a folder has no such ending",
        target.display()
    )))
}

fn in_words(summary: &BackupSummary) -> String {
    let mut text = format!(
        "Backed up to {}\n  Snapshot   {}\n  Files      {} ({}), {} of them new ({})",
        summary.target.display(),
        summary.snapshot,
        summary.files,
        bytes(summary.file_bytes),
        summary.new_files,
        bytes(summary.new_bytes)
    );
    if summary.removed_snapshots > 0 || summary.removed_files > 0 {
        let removed = format!(
            "\n  Removed    {} snapshots, {} files",
            summary.removed_snapshots, summary.removed_files
        );
        text.push_str(&removed);
    }
    text
}
