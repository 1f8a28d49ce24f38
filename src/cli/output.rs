//! What commands print: records and lists for people, JSON for programs, hints to standard error.

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::CommandError;
use crate::admin::Reply;
use crate::admin::audit::AuditChainRecord;
use crate::admin::keys::KeyRecord;
use crate::admin::libraries::LibraryRecord;
use crate::admin::members::{LinkRecord, MemberRecord, OpenLinkRecord};
use crate::admin::organizations::OrganizationRecord;
use crate::core::model::text::shown_in_line;
use crate::core::model::time::Millis;
use crate::telemetry::{is_in_journal, journal_priority};

/// The end of the year 9999; later years have more than four digits.
const LAST_DATE: Millis = 253_402_300_799_999;

/// Prints the output of a command.
pub(super) fn print(text: &str) -> Result<(), CommandError> {
    match write_out(text) {
        // The reader closed the pipe because it has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| not_written(&error)),
    }
}

/// Prints what can't be printed again. Here it is a failure when the reader has gone.
pub(super) fn print_once(text: &str) -> Result<(), CommandError> {
    write_out(text).map_err(|error| not_written(&error))
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn not_written(error: &io::Error) -> CommandError {
    CommandError(format!("the output can't be written: {error}"))
}

/// Prints a hint for the person to standard error, so that a program can read the output without it.
pub(super) fn hint(text: &str) {
    // A failure can't be reported anywhere.
    let _unread = writeln!(io::stderr(), "{text}");
}

/// Prints why a command failed. In the journal, each line has the priority of an error.
pub(super) fn failure(failure: &CommandError) {
    let text = format!("rasterd: {failure}");
    if !is_in_journal() {
        return hint(&text);
    }
    let priority = journal_priority(tracing::Level::ERROR);
    hint(&text.lines().map(|line| format!("{priority}{line}")).collect::<Vec<_>>().join("\n"));
}

/// Prints a value as JSON.
fn print_json(value: &impl Serialize) -> Result<(), CommandError> {
    print(&json_text(value)?)
}

/// A value as JSON for people and programs.
pub(super) fn json_text(value: &impl Serialize) -> Result<String, CommandError> {
    Ok(serde_json::to_string_pretty(value)?)
}

/// Prints a reply, for a person or as JSON.
pub(super) fn print_reply(reply: &Reply, json: bool) -> Result<(), CommandError> {
    match reply {
        Reply::Organization(record) => print_record(record, json),
        Reply::Organizations(list) => print_list(list, json),
        Reply::Library(record) => print_record(record, json),
        Reply::Libraries(list) => print_list(list, json),
        Reply::Key(record) => print_record(record, json),
        Reply::Keys(list) => print_list(list, json),
        Reply::Members(list) => print_list(list, json),
        Reply::Link(record) => print_record(record, json),
        Reply::OpenLinks(list) => print_list(list, json),
        Reply::Backup(summary) => print_json(summary),
        Reply::RestoreSelected(summary) => print_json(summary),
        Reply::Diagnosis(diagnosis) => print_json(diagnosis),
        Reply::AuditVerification(verification) if json => print_json(verification),
        Reply::AuditVerification(verification) => print_list(&verification.chains, false),
        Reply::AuditExport(part) => print_json(part),
        Reply::ImportFolder(summary) => print_json(summary),
        Reply::ExportFolder(summary) => print_json(summary),
    }
}

/// A record as a row of a table.
trait TableRow: Serialize {
    const HEADINGS: &'static [&'static str];
    fn cells(&self) -> Vec<String>;
}

impl TableRow for OrganizationRecord {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "CREATED", "STORAGE", "LIBRARIES", "FILES"];

    fn cells(&self) -> Vec<String> {
        let Self { limits, used, .. } = self;
        vec![
            self.id.clone(),
            self.name.clone(),
            date(self.created),
            of_limit(used.storage, limits.storage, size),
            of_limit(used.libraries, limits.libraries, |number| number.to_string()),
            of_limit(used.assets, limits.assets, |number| number.to_string()),
        ]
    }
}

impl TableRow for AuditChainRecord {
    const HEADINGS: &'static [&'static str] =
        &["ORGANIZATION", "EVENTS", "DELETED BY AGE", "FROM", "TO", "RESULT", "HEAD"];

    fn cells(&self) -> Vec<String> {
        let time = |time: Option<Millis>| time.map_or_else(|| "-".to_owned(), date);
        vec![
            self.organization_id.clone(),
            self.entries.to_string(),
            self.pruned.to_string(),
            time(self.from),
            time(self.to),
            self.first_bad.map_or_else(|| "whole".to_owned(), |number| format!("damaged at {number}")),
            self.head.clone(),
        ]
    }
}

impl TableRow for LibraryRecord {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "ORGANIZATION", "ASSETS", "TRASH", "CREATED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.organization_id.clone(),
            self.assets_count.to_string(),
            self.trash_count.to_string(),
            date(self.created),
        ]
    }
}

impl TableRow for KeyRecord {
    const HEADINGS: &'static [&'static str] =
        &["ID", "NAME", "ORGANIZATION", "STARTS WITH", "CREATED", "LAST USED", "EXPIRES", "GRANTS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.organization_id.clone(),
            self.start.clone(),
            date(self.created),
            or_never(self.last_used),
            or_never(self.expires),
            grants(self),
        ]
    }
}

impl TableRow for MemberRecord {
    const HEADINGS: &'static [&'static str] =
        &["E-MAIL", "NAME", "ROLE", "ORGANIZATION", "JOINED", "LAST SEEN"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.email.clone(),
            self.name.clone(),
            self.role.to_string(),
            self.organization_id.clone(),
            date(self.created),
            or_never(self.last_seen),
        ]
    }
}

impl TableRow for LinkRecord {
    const HEADINGS: &'static [&'static str] = &["LINK", "FOR", "ROLE", "ORGANIZATION", "EXPIRES"];

    fn cells(&self) -> Vec<String> {
        let email = if self.email.is_empty() { "anyone with the link" } else { &self.email };
        vec![
            self.url.clone(),
            email.to_owned(),
            self.role.map_or_else(|| "unchanged".to_owned(), |role| role.to_string()),
            self.organization_id.clone().unwrap_or_else(|| "all of their own".to_owned()),
            date(self.expires),
        ]
    }
}

impl TableRow for OpenLinkRecord {
    const HEADINGS: &'static [&'static str] = &["ID", "FOR", "ROLE", "CREATED BY", "CREATED", "EXPIRES"];

    fn cells(&self) -> Vec<String> {
        let email = if self.email.is_empty() { "anyone with the link" } else { &self.email };
        vec![
            self.id.clone(),
            email.to_owned(),
            self.role.map_or_else(|| "new password".to_owned(), |role| role.to_string()),
            self.made_by.clone(),
            date(self.created),
            date(self.expires),
        ]
    }
}

/// What is used of a limit, if there is one.
fn of_limit(used: u64, limit: Option<u64>, shown: fn(u64) -> String) -> String {
    match limit {
        Some(limit) => format!("{} of {}", shown(used), shown(limit)),
        None => shown(used),
    }
}

/// A size in decimal units, rounded down to a tenth: `3.4 GB`.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "KB")];
    match UNITS.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}", bytes / size, bytes % size / (size / 10)),
        None => format!("{bytes} B"),
    }
}

pub(super) fn or_never(time: Option<Millis>) -> String {
    time.map_or_else(|| "never".to_owned(), date)
}

/// A key's grants on one line.
pub(super) fn grants(key: &KeyRecord) -> String {
    if key.grants.is_empty() {
        return "none".to_owned();
    }
    let grants = key.grants.iter().map(|(library, access)| format!("{library}={}", access.as_str()));
    grants.collect::<Vec<_>>().join(" ")
}

fn print_record<R: TableRow>(record: &R, json: bool) -> Result<(), CommandError> {
    if json {
        return print_json(record);
    }
    let lines = R::HEADINGS.iter().zip(record.cells());
    let rows: Vec<Vec<String>> = lines.map(|(heading, cell)| vec![(*heading).to_owned(), cell]).collect();
    print(&aligned(&rows))
}

fn print_list<R: TableRow>(list: &[R], json: bool) -> Result<(), CommandError> {
    if json {
        return print_json(&list);
    }
    if list.is_empty() {
        hint("There are none.");
        return Ok(());
    }
    print_table(R::HEADINGS, list.iter().map(TableRow::cells))
}

/// Prints rows under headings, in aligned columns.
pub(super) fn print_table(
    headings: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<(), CommandError> {
    let mut table = vec![headings.iter().map(|heading| (*heading).to_owned()).collect()];
    table.extend(rows);
    print(&aligned(&table))
}

/// Rows in aligned columns.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    // Older names may contain characters that move a terminal's cursor; new ones can't.
    let shown = |cell: &String| shown_in_line(cell).into_owned();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let mut widths = Vec::new();
    for row in &rows {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) fn date(time: Millis) -> String {
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(time.min(LAST_DATE));
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(aligned(&[row(["ID", "NAME"]), row(["élan", "b"])]), "ID    NAME\nélan  b");
    }

    #[test]
    fn any_time_has_a_date() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(u64::MAX), "9999-12-31T23:59:59Z");
    }
}
