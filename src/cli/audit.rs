//! `rasterd audit`: checks the audit log, and exports it with its hashes.

use clap::{Args, Subcommand, ValueEnum};

use super::CommandError;
use super::ask::{AdminClient, ask};
use super::output::{print, print_reply};
use crate::admin::audit::{AuditEventRecord, AuditExportPart, AuditRequest, AuditVerification};
use crate::admin::organizations::OrganizationRequest;
use crate::admin::{Reply, Request};
use crate::config::Config;

/// The first line of an export as CSV.
const COLUMNS: &str =
    "organization,number,at,actor kind,actor id,actor name,address,action,target,detail,previous,hash";

#[derive(Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Checks that no event was changed, added or removed since it was written; exits with 1 otherwise
    Verify {
        /// Only the log of this organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: Option<String>,
        /// Also checks that this head, which an earlier check printed, is still in a log
        #[arg(long, value_name = "HASH")]
        expect_head: Option<String>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints the events with their hashes, oldest first
    Export {
        /// Only the log of this organization
        #[arg(long, value_name = "ORGANIZATION")]
        org: Option<String>,
        /// The format: JSON lines, which can be verified by another program, or CSV for a spreadsheet
        #[arg(long, value_enum, default_value = "jsonl")]
        format: Format,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

pub(super) fn run(config: &Config, args: AuditArgs) -> Result<(), CommandError> {
    match args.command {
        AuditCommand::Verify { org, expect_head, json } => {
            let request = AuditRequest::Verify { organization: org, expect_head };
            let reply = ask(config, Request::Audit(request))?;
            print_reply(&reply, json)?;
            let Reply::AuditVerification(verification) = reply else { return Err(unexpected()) };
            result_of(&verification)
        }
        AuditCommand::Export { org, format } => export(config, org, format),
    }
}

/// An error when the log is not as it should be.
fn result_of(verification: &AuditVerification) -> Result<(), CommandError> {
    let damaged: Vec<String> = verification
        .chains
        .iter()
        .filter_map(|chain| {
            let problem = chain.problem.as_deref()?;
            Some(format!("the audit log of {} is not whole: {problem}", chain.organization_id))
        })
        .collect();
    if !damaged.is_empty() {
        return Err(CommandError(damaged.join("\n")));
    }
    if verification.expected_head_found == Some(false) {
        return Err(CommandError(
            "the expected head is not in the audit log: events up to it were deleted because of their age (audit.keep_days), it is of another organization, or the log was written again"
                .to_owned(),
        ));
    }
    Ok(())
}

fn export(config: &Config, organization: Option<String>, format: Format) -> Result<(), CommandError> {
    let mut session = AdminClient::new(config)?;
    let organizations = match organization {
        Some(organization) => vec![organization],
        None => all_organizations(&mut session)?,
    };
    if format == Format::Csv {
        print(COLUMNS)?;
    }
    for organization in organizations {
        let mut after = Some(0);
        while let Some(number) = after {
            let request = AuditRequest::Export { organization: organization.clone(), after: number };
            let Reply::AuditExport(AuditExportPart { events, next }) =
                session.ask(Request::Audit(request))?
            else {
                return Err(unexpected());
            };
            let lines = events.iter().map(|event| line(event, format)).collect::<Result<Vec<_>, _>>()?;
            if !lines.is_empty() {
                print(&lines.join("\n"))?;
            }
            after = next;
        }
    }
    Ok(())
}

fn all_organizations(session: &mut AdminClient<'_>) -> Result<Vec<String>, CommandError> {
    let reply = session.ask(Request::Organization(OrganizationRequest::List))?;
    let Reply::Organizations(all) = reply else { return Err(unexpected()) };
    Ok(all.into_iter().map(|record| record.id).collect())
}

fn line(record: &AuditEventRecord, format: Format) -> Result<String, CommandError> {
    match format {
        Format::Jsonl => Ok(serde_json::to_string(record)?),
        Format::Csv => Ok(csv_line(record)),
    }
}

fn csv_line(record: &AuditEventRecord) -> String {
    let AuditEventRecord { organization_id, event, previous, hash } = record;
    let address = event.actor.address.map(|address| address.to_string()).unwrap_or_default();
    let (number, at) = (event.number.to_string(), super::output::date(event.at));
    let cells: [&str; 12] = [
        organization_id,
        &number,
        &at,
        event.actor.kind.as_str(),
        &event.actor.id,
        &event.actor.name,
        &address,
        &event.action,
        &event.target,
        &event.detail,
        previous,
        hash,
    ];
    cells.map(csv_cell).join(",")
}

/// A cell in quotes. A text that a spreadsheet would take for a formula gets an apostrophe before it.
fn csv_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, text.replace('"', "\"\""))
}

fn unexpected() -> CommandError {
    CommandError("the running server gave an unexpected reply; is it of another version?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_is_never_a_formula() {
        assert_eq!(csv_cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(csv_cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
        assert_eq!(csv_cell(""), "\"\"");
    }
}
