//! `rasterd restore`: restores a backup into an empty data directory, or takes libraries and assets out of it.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};

use clap::Args;

use super::ask::ask;
use super::output::print;
use super::progress::{PULSE, ProgressLine, bytes};
use super::{CommandError, absolute_path, data_owner, serve_command};
use crate::admin::{Reply, Request};
use crate::config::{Certificate, Config};
use crate::core::long_work::Reporter;
use crate::core::restore::{
    AuthorityOutcome, RestoreOptions, RestoreSummary, SelectedRestoreOptions, restore,
};

#[derive(Args)]
pub(super) struct RestoreArgs {
    /// The backup: a folder, or a file that ends in .tar.zst
    source: PathBuf,
    /// The snapshot, or the beginning of its name, such as 2026-11-27 [default: the newest]
    #[arg(long, value_name = "WHEN")]
    snapshot: Option<String>,
    /// Reads everything back from the disk at the end and compares it with its hash
    #[arg(long, conflicts_with_all = ["library", "asset"])]
    verify: bool,
    /// Takes this library out of the backup into the configured data directory, also while the server runs; repeatable
    #[arg(long, value_name = "ORGANIZATION/LIBRARY", value_parser = parse_library)]
    library: Vec<(String, String)>,
    /// Takes this asset with its variants out of the backup in the same way, or puts back its damaged file; repeatable
    #[arg(long, value_name = "ID")]
    asset: Vec<String>,
    /// Leaves out files that are missing or damaged in the backup, instead of failing
    #[arg(long, conflicts_with_all = ["library", "asset"])]
    skip_damaged: bool,
}

pub(super) fn run(config: &Config, args: RestoreArgs) -> Result<(), CommandError> {
    if !args.library.is_empty() || !args.asset.is_empty() {
        return restore_selected(config, args);
    }
    data_owner::continue_as_owner(&config.data_dir)?;
    let options = RestoreOptions {
        source: absolute_path(&args.source)?,
        snapshot: args.snapshot,
        data_dir: config.data_dir.clone(),
        certificates: match &config.certificate {
            Certificate::Development { dir, .. } => Some(dir.clone()),
            Certificate::Files { .. } | Certificate::Acme { .. } => None,
        },
        verify: args.verify,
        skip_damaged: args.skip_damaged,
    };
    let summary = with_progress(|reporter| restore(&options, reporter))?;
    print(&in_words(&options, &summary, &serve_command(config)))?;
    if summary.lost.is_empty() {
        return Ok(());
    }
    Err(CommandError(format!(
        "{} files of assets are not in the backup; everything else was restored. Their hashes:\n  {}",
        summary.lost.len(),
        summary.lost.join("\n  ")
    )))
}

fn parse_library(text: &str) -> Result<(String, String), String> {
    let parts = text
        .split_once('/')
        .filter(|(organization, library)| !organization.is_empty() && !library.is_empty());
    let (organization, library) =
        parts.ok_or("expected the ids of an organization and a library, such as default/photos")?;
    Ok((organization.to_owned(), library.to_owned()))
}

/// Takes libraries and assets out of a backup into an existing data directory.
fn restore_selected(config: &Config, args: RestoreArgs) -> Result<(), CommandError> {
    let options = SelectedRestoreOptions {
        source: absolute_path(&args.source)?,
        snapshot: args.snapshot,
        libraries: args.library,
        assets: args.asset,
    };
    let Reply::RestoreSelected(summary) = ask(config, Request::RestoreSelected(options))? else {
        return Err(CommandError("the server gave another answer. Is it of another version?".to_owned()));
    };
    let mut lines = vec![format!("Restored {} assets from {}", summary.restored.len(), summary.snapshot)];
    lines.extend(summary.created_libraries.iter().map(|library| {
        format!("  Created the library {library}. No key reaches it yet: see `rasterd key grant --help`")
    }));
    if !summary.repaired.is_empty() {
        let ids = summary.repaired.join(", ");
        lines
            .push(format!("  Put back {} files that were missing or damaged: {ids}", summary.repaired.len()));
    }
    if !summary.existing.is_empty() {
        let ids = summary.existing.join(", ");
        lines.push(format!(
            "  {} are on the server already, or in its trash, and stay as they are: {ids}",
            summary.existing.len()
        ));
    }
    print(&lines.join("\n"))?;
    if summary.failed.is_empty() {
        return Ok(());
    }
    Err(CommandError(format!("not restored:\n  {}", summary.failed.join("\n  "))))
}

/// Runs work that takes long, and shows its progress.
fn with_progress<T: Send>(
    work: impl FnOnce(&Reporter) -> crate::error::Result<T> + Send,
) -> Result<T, CommandError> {
    let reporter = Reporter::default();
    let progress = reporter.follow();
    let (done, result) = mpsc::channel();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            let _nobody = done.send(work(&reporter));
        });
        let mut line = ProgressLine::new();
        loop {
            match result.recv_timeout(PULSE) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Timeout) => line.show(*progress.borrow()),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    });
    match outcome {
        Some(outcome) => Ok(outcome?),
        None => Err(CommandError("the restore ended without a result".to_owned())),
    }
}

fn in_words(options: &RestoreOptions, summary: &RestoreSummary, serve: &str) -> String {
    let verified = if options.verify { ", read back and compared" } else { "" };
    let mut text = format!(
        "Restored {} to {}\n  Files      {} ({}){verified}",
        summary.snapshot,
        options.data_dir.display(),
        summary.files,
        bytes(summary.file_bytes),
    );
    let authority = match &summary.authority {
        Some(AuthorityOutcome::Restored(dir)) => {
            format!("\n  Authority  in {}; clients that trust it need nothing new", dir.display())
        }
        Some(AuthorityOutcome::Kept(dir)) => {
            format!("\n  Authority  {} has one already, which stays", dir.display())
        }
        None => String::new(),
    };
    text += &authority;
    text + &format!(
        "\nStart the server with `{serve}`. People sign in again; keys that were deleted after the backup work again, so look through `rasterd key list`."
    )
}
