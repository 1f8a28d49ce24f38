//! Examines everything that the server keeps, and says what is wrong in plain words. Repairs what can be derived again,
//! and sets aside what can't. Never deletes a record or a file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Core;
use super::long_work::{Reporter, Stage};
use crate::core::access::Administrator;
use crate::core::store::{CheckQueries, CheckedRecords, CopyQueries, RepairCommands};
use crate::error::{Error, Result};

mod audit;
mod disk;
mod files;
mod index;
mod pages;

pub(crate) use disk::scarcity;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Fine,
    /// Nothing is lost, and something should be done.
    Warning,
    /// Something is lost, wrong or does not work.
    Error,
}

/// What was examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// The pages of the database.
    Pages,
    /// The records in it, and what is derived from them.
    Records,
    /// The assets' files.
    Files,
    /// The search index.
    Index,
    /// The audit log.
    Audit,
    /// The space on the disk.
    Space,
    /// Who may read the data directory.
    Permissions,
    /// The certificates.
    Certificates,
    /// The clock of the machine.
    Clock,
}

impl Area {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Records => "records",
            Self::Files => "files",
            Self::Index => "index",
            Self::Audit => "audit",
            Self::Space => "space",
            Self::Permissions => "permissions",
            Self::Certificates => "certificates",
            Self::Clock => "clock",
        }
    }
}

/// One result of an examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub area: Area,
    /// What was found, and what to do.
    pub text: String,
    /// Whether it was repaired.
    pub repaired: bool,
}

/// What to examine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DoctorOptions {
    /// Leaves out what reads everything: the hashes of files, and the pages of the database unless it repairs.
    pub quick: bool,
    /// Repairs what can be repaired.
    pub repair: bool,
}

/// The results of an examination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The results, in the order of the examination.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// Adds a result.
    pub fn add(&mut self, severity: Severity, area: Area, text: impl Into<String>) {
        self.findings.push(Finding { severity, area, text: text.into(), repaired: false });
    }

    fn add_repaired(&mut self, severity: Severity, area: Area, text: impl Into<String>) {
        self.findings.push(Finding { severity, area, text: text.into(), repaired: true });
    }

    /// The worst of what was not repaired.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let open = self.findings.iter().filter(|finding| !finding.repaired);
        open.map(|finding| finding.severity).max().unwrap_or(Severity::Fine)
    }
}

impl Core {
    /// Examines everything, and repairs it on request, while requests go on.
    ///
    /// # Errors
    /// When the examination itself can't go on. What it finds is no error.
    pub async fn run_doctor(
        &self,
        by: &Administrator,
        options: DoctorOptions,
        reporter: &Reporter,
    ) -> Result<Diagnosis> {
        by.expect_whole_server()?;
        let job = Job { core: self.clone(), options };
        reporter.run("doctor", move |reporter| job.run(reporter)).await
    }
}

struct Job {
    core: Core,
    options: DoctorOptions,
}

impl Job {
    fn run(self, reporter: &Reporter) -> Result<Diagnosis> {
        let DoctorOptions { quick, repair } = self.options;
        let mut diagnosis = Diagnosis::default();
        if let Err(error) = self.core.store().expect_in_place() {
            let text = format!(
                "The database was moved away or replaced while the server ran: {error}. No change is taken until it is back, or the server is restarted."
            );
            diagnosis.add(Severity::Error, Area::Pages, text);
        }
        // A repair looks at the pages in any case: what it writes into damaged ones could overwrite what is whole.
        let can_repair = (quick && !repair) || self.pages(&mut diagnosis, reporter)?;
        let (records, are_derived_again) = self.records(can_repair, &mut diagnosis, reporter)?;
        if are_derived_again {
            diagnosis.add(Severity::Fine, Area::Index, "The search index is built again from the records.");
        } else {
            self.index(can_repair, &mut diagnosis, reporter)?;
        }
        self.audit(&mut diagnosis);
        self.files(&records, &mut diagnosis, reporter)?;
        self.space(&mut diagnosis);
        self.permissions(&mut diagnosis);
        self.clock(&mut diagnosis);
        Ok(diagnosis)
    }

    /// Checks the records, and derives again what is wrong. Returns what is there then, and whether anything was written.
    fn records(
        &self,
        can_repair: bool,
        diagnosis: &mut Diagnosis,
        reporter: &Reporter,
    ) -> Result<(CheckedRecords, bool)> {
        let found = self.check_records(reporter)?;
        if found.in_derived.is_empty() || !self.options.repair || !can_repair {
            report_records(&found, diagnosis, false);
            return Ok((found, false));
        }
        let now = self.core.now();
        let rebuilt = self.core.store().write_always_blocking(move |tx| tx.rebuild_derived(now));
        if let Err(error) = rebuilt {
            report_records(&found, diagnosis, false);
            let text = format!("The repair failed: {}.", reason(&error));
            diagnosis.add(Severity::Error, Area::Records, text);
            return Ok((found, false));
        }
        let left = self.check_records(reporter)?;
        report_records(&found, diagnosis, left.in_derived.is_empty());
        Ok((left, true))
    }

    fn check_records(&self, reporter: &Reporter) -> Result<CheckedRecords> {
        let snapshot = self.core.store().snapshot()?;
        reporter.begin(Stage::Checking, snapshot.entries().unwrap_or_default());
        snapshot.check_records(&mut |entries| reporter.advance(entries))
    }

    fn clock(&self, diagnosis: &mut Diagnosis) {
        let (seen, wall) = self.core.seen_times();
        let apart = seen.abs_diff(wall) / 1000;
        if apart > 600 {
            let side = if wall < seen { "behind" } else { "ahead of" };
            let by = humantime::format_duration(Duration::from_secs(apart));
            let text = format!(
                "The clock of this machine is {by} {side} the time that the server has seen pass. Correct it if it is wrong."
            );
            diagnosis.add(Severity::Warning, Area::Clock, text);
        } else {
            diagnosis.add(
                Severity::Fine,
                Area::Clock,
                "The clock agrees with the time that the server has seen pass.",
            );
        }
    }
}

fn report_records(found: &CheckedRecords, diagnosis: &mut Diagnosis, are_derived_again: bool) {
    for (problems, repaired) in [(&found.in_records, false), (&found.in_derived, are_derived_again)] {
        let more =
            (problems.more > 0).then(|| format!("There are {} more problems like these.", problems.more));
        for text in problems.texts.iter().cloned().chain(more) {
            diagnosis.findings.push(Finding {
                severity: Severity::Error,
                area: Area::Records,
                text,
                repaired,
            });
        }
    }
    if found.in_records.is_empty() && found.in_derived.is_empty() {
        let text =
            format!("All {} records and entries can be read and agree with each other.", found.entries);
        diagnosis.add(Severity::Fine, Area::Records, text);
    }
}

/// What an error says to the administrator.
fn reason(error: &Error) -> String {
    error.cause().map_or_else(|| error.to_string(), ToString::to_string)
}
