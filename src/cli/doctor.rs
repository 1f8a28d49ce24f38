//! `rasterd doctor`: examines everything, through the running server or directly, and says what is wrong. Exit codes: 0
//! nothing, 1 warnings, 2 errors.

use std::process::ExitCode;

use clap::Args;

use super::ask::ask;
use super::output::{json_text, print};
use super::{CommandError, HELP_HINT, preflight};
use crate::admin::{Reply, Request};
use crate::config::Config;
use crate::core::doctor::{Area, Diagnosis, DoctorOptions, Finding, Severity};

#[derive(Args)]
pub(super) struct DoctorArgs {
    /// Leaves out what reads everything: the hashes of files, and the pages of the database unless it repairs
    #[arg(long)]
    quick: bool,
    /// Derives again what can be derived (lists, counts, references, the index), moves files that no record names to
    /// `unnamed`, and restricts permissions; deletes nothing
    #[arg(long)]
    repair: bool,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(config: &Config, args: &DoctorArgs) -> Result<ExitCode, CommandError> {
    let options = DoctorOptions { quick: args.quick, repair: args.repair };
    let mut diagnosis = match ask(config, Request::Doctor(options)) {
        Ok(Reply::Diagnosis(diagnosis)) => diagnosis,
        Ok(_) => {
            return Err(CommandError("the server gave another answer. Is it of another version?".to_owned()));
        }
        // What keeps the server from starting is the finding.
        Err(failure) => {
            let mut diagnosis = Diagnosis::default();
            diagnosis.add(Severity::Error, Area::Pages, failure.0);
            diagnosis
        }
    };
    let certificates = preflight::certificates(config);
    if certificates.problems.is_empty() && certificates.warnings.is_empty() {
        diagnosis.add(
            Severity::Fine,
            Area::Certificates,
            "The certificate can be used and does not expire soon.",
        );
    }
    let warnings = certificates.warnings.into_iter().map(|finding| finding.text).collect();
    for (severity, texts) in [(Severity::Error, certificates.problems), (Severity::Warning, warnings)] {
        for text in texts {
            diagnosis.add(severity, Area::Certificates, text);
        }
    }
    print(&if args.json { json_text(&diagnosis)? } else { in_words(&diagnosis) })?;
    Ok(match diagnosis.severity() {
        Severity::Fine => ExitCode::SUCCESS,
        Severity::Warning => ExitCode::from(1),
        Severity::Error => ExitCode::from(2),
    })
}

fn in_words(diagnosis: &Diagnosis) -> String {
    let line = |finding: &Finding| {
        let mark = match finding.severity {
            _ if finding.repaired => "repaired",
            Severity::Fine => "fine",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        format!("{mark:<9} {:<13} {}", finding.area.name(), finding.text)
    };
    let mut lines: Vec<String> = diagnosis.findings.iter().map(line).collect();
    lines.push(match diagnosis.severity() {
        Severity::Fine => "Everything is fine.".to_owned(),
        Severity::Warning => format!("Nothing is lost; see the warnings. {HELP_HINT}"),
        Severity::Error => format!("Something is wrong; see the errors. {HELP_HINT}"),
    });
    lines.join("\n")
}
