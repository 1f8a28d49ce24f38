//! `rasterd config`: checks and shows the configuration.

use clap::Subcommand;

use super::output::{hint, print, print_table};
use super::preflight::Refusal;
use super::{CommandError, guide_pointers, preflight};
use crate::config::{Config, Invalid};

#[derive(Clone, Copy, Subcommand)]
pub(super) enum ConfigurationCommand {
    /// Checks whether the configuration can be used, and reports everything that is wrong with it
    Check,
    /// Lists every key with its value and where the value came from
    Show,
}

/// Takes the result of reading the configuration, since checking continues after a failure.
pub(super) fn run(
    config: Result<Config, Invalid>,
    command: ConfigurationCommand,
) -> Result<(), CommandError> {
    match command {
        ConfigurationCommand::Check => check(config),
        ConfigurationCommand::Show => {
            let config = config?;
            for warning in config.warnings() {
                hint(&format!("rasterd: warning: {warning}"));
            }
            let rows = config.shown().iter();
            print_table(
                &["KEY", "VALUE", "FROM"],
                rows.map(|shown| vec![shown.key.clone(), shown.value.clone(), shown.origin.to_string()]),
            )
        }
    }
}

/// Reports every reason why `rasterd serve` would not start, and what it would warn about.
fn check(config: Result<Config, Invalid>) -> Result<(), CommandError> {
    let (config, mistakes) = preflight::parts(config);
    let mut problems = Vec::new();
    if let Some(config) = config {
        let report = preflight::check(&config);
        let found = report.warnings.iter().map(|finding| &finding.text);
        for warning in config.warnings().iter().chain(found) {
            hint(&format!("rasterd: warning: {warning}"));
        }
        for note in &report.notes {
            hint(&format!("rasterd: note: {}", note.text));
        }
        if !report.warnings.is_empty() {
            hint(&guide_pointers::of_findings(&report.warnings));
        }
        problems = report.problems;
    }
    if mistakes.is_empty() && problems.is_empty() {
        return print("The configuration can be used.");
    }
    Err(Refusal { mistakes, problems }.into())
}
