//! `rasterd restore`: restores a backup into an empty data directory.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};

use clap::Args;

use super::CommandError;
use super::output::print;
use super::progress::{PULSE, ProgressLine, bytes};
use crate::config::{Certificate, Config};
use crate::core::long_work::Reporter;
use crate::core::restore::{Authority, RestoreOptions, RestoreSummary, restore};

#[derive(Args)]
pub(super) struct RestoreArgs {
    /// The backup: a folder, or a file that ends in .tar.zst
    source: PathBuf,
    /// The snapshot, or the beginning of its name, such as 2026-11-27 [default: the newest]
    #[arg(long, value_name = "WHEN")]
    snapshot: Option<String>,
    /// Reads everything back from the disk at the end and compares it with its hash
    #[arg(long)]
    verify: bool,
    /// Leaves out files that are missing or damaged in the backup, instead of failing
    #[arg(long)]
    skip_damaged: bool,
}

pub(super) fn run(config: &Config, args: RestoreArgs) -> Result<(), CommandError> {
    let options = RestoreOptions {
        source: std::path::absolute(&args.source)?,
        snapshot: args.snapshot,
        data_dir: config.data_dir.clone(),
        certificates: match &config.certificate {
            Certificate::Development { dir, .. } => Some(dir.clone()),
            Certificate::Files { .. } => None,
        },
        verify: args.verify,
        skip_damaged: args.skip_damaged,
    };
    let summary = with_progress(|reporter| restore(&options, reporter))?;
    print(&in_words(&options, &summary))?;
    if summary.lost.is_empty() {
        return Ok(());
    }
    Err(CommandError(format!(
        "{} files of assets are not in the backup; everything else was restored. Their hashes:\n  {}",
        summary.lost.len(),
        summary.lost.join("\n  ")
    )))
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

fn in_words(options: &RestoreOptions, summary: &RestoreSummary) -> String {
    let verified = if options.verify { ", read back and compared" } else { "" };
    let mut text = format!(
        "Restored {} to {}\n  Files      {} ({}){verified}",
        summary.snapshot,
        options.data_dir.display(),
        summary.files,
        bytes(summary.file_bytes),
    );
    match &summary.authority {
        Some(Authority::Restored(dir)) => {
            text.push_str(&format!(
                "\n  Authority  in {}; clients that trust it need nothing new",
                dir.display()
            ));
        }
        Some(Authority::Kept(dir)) => {
            text.push_str(&format!("\n  Authority  {} has one already, which stays", dir.display()));
        }
        None => {}
    }
    text.push_str(
        "\nStart the server with `rasterd serve`. People sign in again; keys that were deleted after the backup work again, so look through `rasterd key list`.",
    );
    text
}
