//! The sections of the documentation that messages point at.

use super::CommandError;
use super::preflight::{PreflightFinding, Refusal, Topic};
use crate::config::Invalid;
use crate::core::doctor::{Area, Severity};

/// The command that shows a section in a terminal.
pub(super) const COMMAND: &str = "rasterd docs ";
/// The page about everything that has no section of its own.
pub(super) const ANYTHING: &str = "when-something-is-wrong";
/// A data directory that is not where the server looks, or not what it expects.
pub(super) const DATA_DIRECTORY: &str = "when-something-is-wrong#the-data-directory-cant-be-opened";
/// A database or a file of an asset with other bytes than were written.
pub(super) const DAMAGE: &str = "when-something-is-wrong#the-database-or-a-file-is-damaged";
/// A server that does not start or does not answer.
pub(super) const NO_START: &str = "when-something-is-wrong#the-server-does-not-start-or-does-not-answer";
const FULL_DISK: &str = "when-something-is-wrong#the-disk-is-full";
const REFUSED_CERTIFICATE: &str = "when-something-is-wrong#clients-refuse-the-certificate";
const CLOCK: &str = "when-something-is-wrong#the-clock-was-wrong";
const DEVELOPMENT_CERTIFICATE: &str = "certificates#the-built-in-authority";
const CERTIFICATE_FILES: &str = "certificates#files-of-your-own";
const ACME: &str = "certificates#acme";
const AUTHORITY_FILE: &str = "behind-a-proxy#the-certificate-between-the-proxy-and-rasterd";
const NETWORK: &str = "install#serve-a-network";
const REQUIREMENTS: &str = "install#what-it-needs";
const METRICS: &str = "monitoring#metrics";
const BACKUPS: &str = "back-up-and-restore#make-one";
const EXAMINATION: &str = "backup#what-the-doctor-examines";

/// A line for each section about what was found.
pub(super) fn of_findings<'a>(findings: impl IntoIterator<Item = &'a PreflightFinding>) -> String {
    lines(findings.into_iter().map(|finding| topic(finding.about)))
}

/// A line for each of these sections, once.
pub(super) fn lines(sections: impl IntoIterator<Item = &'static str>) -> String {
    let mut found: Vec<&str> = Vec::new();
    for section in sections {
        if !found.contains(&section) {
            found.push(section);
        }
    }
    found.iter().map(|section| line(section)).collect::<Vec<_>>().join("\n")
}

/// The line that points at a section.
pub(super) fn line(section: &str) -> String {
    format!("`{COMMAND}{section}` says what to do.")
}

/// The address of the section on the server, for the log.
pub(super) fn path(about: Topic) -> String {
    format!("/docs/{}", topic(about))
}

/// The section about what the check before a start found.
const fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::Acme => ACME,
        Topic::Address | Topic::ConfigurationFile => NO_START,
        Topic::AuthorityFile => AUTHORITY_FILE,
        Topic::Backup => BACKUPS,
        Topic::Certificate => REFUSED_CERTIFICATE,
        Topic::CertificateFiles => CERTIFICATE_FILES,
        Topic::Clock => CLOCK,
        Topic::DataDir => DATA_DIRECTORY,
        Topic::DevelopmentCertificate => DEVELOPMENT_CERTIFICATE,
        Topic::Disk => FULL_DISK,
        Topic::FileSystem => REQUIREMENTS,
        Topic::Metrics => METRICS,
        Topic::PublicUrl => NETWORK,
    }
}

impl From<Refusal> for CommandError {
    fn from(Refusal { mistakes, problems }: Refusal) -> Self {
        let pointers = of_findings(&problems);
        let problems = mistakes.into_iter().chain(problems.into_iter().map(|problem| problem.text)).collect();
        let refused = CommandError::from(Invalid { problems, rest: None });
        if pointers.is_empty() { refused } else { CommandError(format!("{refused}\n{pointers}")) }
    }
}

/// The section about an area in which the doctor found a fault.
pub(super) fn area(area: Area, severity: Severity) -> &'static str {
    match area {
        // Its copy of the database had no room.
        Area::Pages if severity == Severity::Warning => FULL_DISK,
        Area::Files if severity == Severity::Warning => EXAMINATION,
        Area::Pages | Area::Records | Area::Files => DAMAGE,
        Area::Index | Area::Audit | Area::Permissions => EXAMINATION,
        Area::Space => FULL_DISK,
        Area::Certificates => REFUSED_CERTIFICATE,
        Area::Clock => CLOCK,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::AddAssign;
    use std::path::Path;

    use super::*;
    use crate::core::settings::Limits;
    use crate::docs::{DocPage, Documentation, PAGES};

    /// What a page's name is surrounded by where it is a pointer.
    const BEFORE: [&str; 3] = ["rasterd docs ", "/docs/", "\""];

    /// The texts of all files in a folder that say something to people.
    fn texts(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kinds = ["rs", "html", "js", "toml", "yaml", "md", "txt", "sh", "service"];
            if path.is_dir() {
                texts(&path, found);
            } else if !path.ends_with("tests.rs")
                && path.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known))
            {
                let text = fs::read_to_string(&path).unwrap();
                // Tests have pointers that lead nowhere.
                let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
                found.push((path.display().to_string(), text));
            }
        }
    }

    /// The pages that a text points at, each with the section that follows, which may be empty.
    fn pointers(text: &str) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for name in PAGES.iter().map(DocPage::name) {
            for before in BEFORE {
                for (at, begun) in text.match_indices(&format!("{before}{name}")) {
                    let rest = &text[at + begun.len()..];
                    let is_section = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
                    match rest.strip_prefix('#') {
                        Some(id) => {
                            let id = id.split(|letter| !is_section(letter)).next().unwrap();
                            found.push((name, id.trim_end_matches('.').to_owned()));
                        }
                        // A text in quotes may mean anything, and another page's name may begin like this one's.
                        None if before == "\"" || rest.starts_with(is_section) => {}
                        None => found.push((name, String::new())),
                    }
                }
            }
        }
        found
    }

    #[test]
    fn every_pointer_leads_to_a_page_and_a_section() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = vec![("README.md".to_owned(), fs::read_to_string(root.join("README.md")).unwrap())];
        for folder in ["src", "config"] {
            texts(&root.join(folder), &mut found);
        }
        let documentation = Documentation::new(&Limits::default());
        let (mut sections, mut pages) = (0, 0);
        for (file, text) in &found {
            for (name, id) in pointers(text) {
                let headings = documentation.page(name).unwrap().headings();
                let exists = id.is_empty() || headings.iter().any(|heading| heading.id == id);
                assert!(exists, "{file} points at {name}#{id}: {headings:?}");
                (if id.is_empty() { &mut pages } else { &mut sections }).add_assign(1);
            }
        }
        assert!(sections > 15 && pages > 5, "only {sections} sections and {pages} pages were found");
    }

    #[test]
    fn pointers_are_found_in_each_form() {
        let text =
            "\"keys#a-b\" `rasterd docs keys#c.` /docs/keys#d_e, /docs/keys \"keys\" rasterd docs keyss";
        let mut found = pointers(text);
        found.sort();
        let expected = ["", "a-b", "c", "d_e"].map(|id| ("keys", id.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn each_section_is_named_once() {
        let shown = lines([CLOCK, ACME, CLOCK]);
        assert_eq!(
            shown,
            format!("`rasterd docs {CLOCK}` says what to do.\n`rasterd docs {ACME}` says what to do.")
        );
    }
}
