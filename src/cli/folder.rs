//! `rasterd import` and `rasterd export`: libraries as folders of files.

use std::path::PathBuf;

use clap::Args;

use super::ask::ask;
use super::output::{json_text, print};
use super::progress::bytes;
use super::{CommandError, absolute_path};
use crate::admin::{Reply, Request};
use crate::config::Config;
use crate::core::data_dir::counted;
use crate::core::folders::{
    FolderExport, FolderExportSummary, FolderImport, FolderImportSummary, NamedFiles,
};

#[derive(Args)]
pub(super) struct ImportArgs {
    /// The folder; the folders in it are imported, too. Links in it are not followed
    dir: PathBuf,
    /// The id of the organization
    #[arg(long, value_name = "ORGANIZATION", visible_alias = "organization")]
    org: String,
    /// The id of the library
    #[arg(long, value_name = "LIBRARY")]
    library: String,
    /// Tags each asset with the names of the folders that its file is in
    #[arg(long)]
    tags_from_folders: bool,
    /// Looks at everything, says what would be done, and stores nothing
    #[arg(long)]
    dry_run: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ExportArgs {
    /// The folder, which is made if it is missing. No other file in it is overwritten
    dir: PathBuf,
    /// The id of the organization
    #[arg(long, value_name = "ORGANIZATION", visible_alias = "organization")]
    org: String,
    /// The id of the library
    #[arg(long, value_name = "LIBRARY")]
    library: String,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn import(config: &Config, args: ImportArgs) -> Result<(), CommandError> {
    let options = FolderImport {
        // The server runs in another folder.
        folder: absolute_path(&args.dir)?,
        organization: args.org,
        library: args.library,
        tags_from_folders: args.tags_from_folders,
        dry_run: args.dry_run,
    };
    let Reply::ImportFolder(summary) = ask(config, Request::ImportFolder(options))? else {
        return Err(other_version());
    };
    print(&if args.json { json_text(&summary)? } else { imported(&summary, args.dry_run) })?;
    expect_none(&summary.failed, "imported")
}

pub(super) fn export(config: &Config, args: ExportArgs) -> Result<(), CommandError> {
    let options =
        FolderExport { folder: absolute_path(&args.dir)?, organization: args.org, library: args.library };
    let Reply::ExportFolder(summary) = ask(config, Request::ExportFolder(options))? else {
        return Err(other_version());
    };
    print(&if args.json { json_text(&summary)? } else { exported(&summary) })?;
    expect_none(&summary.failed, "exported")
}

fn other_version() -> CommandError {
    CommandError("the server gave another answer. Is it of another version?".to_owned())
}

fn imported(summary: &FolderImportSummary, dry_run: bool) -> String {
    let done = if dry_run { "Would import" } else { "Imported" };
    let mut lines = vec![format!(
        "{done} {} ({}), {} of them as variants",
        counted(summary.imported + summary.variants),
        bytes(summary.bytes),
        summary.variants
    )];
    if summary.existing > 0 {
        lines.push(format!("  Already there  {}", counted(summary.existing)));
    }
    if summary.duplicates > 0 {
        lines.push(format!("  Duplicates     {} with the bytes of another", counted(summary.duplicates)));
    }
    add_named(&mut lines, "Left out", &summary.left_out);
    add_named(&mut lines, "No tag from", &summary.tags_left_out);
    lines.join("\n")
}

fn exported(summary: &FolderExportSummary) -> String {
    let mut lines = vec![format!(
        "Exported {} assets and {} variants: {} written ({}), {} there already",
        summary.assets,
        summary.variants,
        counted(summary.written),
        bytes(summary.bytes),
        summary.existing
    )];
    add_named(&mut lines, "Left over", &summary.left_over);
    lines.join("\n")
}

fn add_named(lines: &mut Vec<String>, what: &str, named: &NamedFiles) {
    if named.count > 0 {
        lines.push(format!("  {what}: {}", named.count));
        lines.extend(names(named).map(|line| format!("    {line}")));
    }
}

/// A line for each file, and one for those that are too many to name.
fn names(named: &NamedFiles) -> impl Iterator<Item = String> {
    let more = named.count.saturating_sub(named.files.len() as u64);
    let each = named.files.iter().map(|file| {
        let path = file.path.to_string_lossy();
        format!("{}: {}", path.escape_debug(), file.reason)
    });
    each.chain((more > 0).then(|| format!("and {more} more")))
}

fn expect_none(failed: &NamedFiles, done: &str) -> Result<(), CommandError> {
    if failed.count == 0 {
        return Ok(());
    }
    let lines: Vec<String> = names(failed).collect();
    Err(CommandError(format!("{} could not be {done}:\n  {}", counted(failed.count), lines.join("\n  "))))
}
