//! `rasterd doctor`: examines everything, through the running server or directly, and says what is wrong. Exit codes: 0
//! nothing, 1 warnings, 2 errors.

use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use super::ask::ask;
use super::output::{json_text, print};
use super::{CommandError, data_owner, guide_pointers, preflight};
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
    let mut diagnosis = match data_owner::as_owner(&config.data_dir)? {
        None => examined(config, options)?,
        Some(command) => examined_by(command, args)?,
    };
    let certificates = preflight::certificates(config);
    if certificates.problems.is_empty() && certificates.warnings.is_empty() {
        diagnosis.add(
            Severity::Fine,
            Area::Certificates,
            "The certificate can be used and does not expire soon.",
        );
    }
    for (severity, findings) in
        [(Severity::Error, certificates.problems), (Severity::Warning, certificates.warnings)]
    {
        for finding in findings {
            diagnosis.add(severity, Area::Certificates, finding.text);
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
    lines.push(
        match diagnosis.severity() {
            Severity::Fine => "Everything is fine.",
            Severity::Warning => "Nothing is lost; see the warnings.",
            Severity::Error => "Something is wrong; see the errors.",
        }
        .to_owned(),
    );
    let wrong = diagnosis.findings.iter().filter(|finding| finding.severity != Severity::Fine);
    // What keeps the data directory from being opened says by itself where to read on.
    let unsaid = wrong.filter(|finding| !finding.repaired && !finding.text.contains(guide_pointers::COMMAND));
    let pointers =
        guide_pointers::lines(unsaid.map(|finding| guide_pointers::area(finding.area, finding.severity)));
    lines.extend(Some(pointers).filter(|pointers| !pointers.is_empty()));
    lines.join("\n")
}

/// What was found in the data directory.
fn examined(config: &Config, options: DoctorOptions) -> Result<Diagnosis, CommandError> {
    let mut diagnosis = Diagnosis::default();
    match ask(config, Request::Doctor(options)) {
        Ok(Reply::Diagnosis(found)) => diagnosis = found,
        Ok(_) => {
            return Err(CommandError("the server gave another answer. Is it of another version?".to_owned()));
        }
        // What keeps the server from starting is the finding.
        Err(failure) => diagnosis.add(Severity::Error, Area::Pages, failure.0),
    }
    Ok(diagnosis)
}

/// The same, found by a process of the data directory's owner. Root stays here for the certificate, which the owner may not
/// be able to read.
fn examined_by(mut owner: Command, args: &DoctorArgs) -> Result<Diagnosis, CommandError> {
    // It has the arguments of this command already.
    if !args.json {
        owner.arg("--json");
    }
    let output = owner.stderr(Stdio::inherit()).output()?;
    let mut diagnosis: Diagnosis = serde_json::from_slice(&output.stdout)
        .map_err(|_| CommandError("the data directory was not examined".to_owned()))?;
    diagnosis.findings.retain(|finding| finding.area != Area::Certificates);
    Ok(diagnosis)
}
