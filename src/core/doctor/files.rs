//! The assets' files: whether each is there, with its size and its bytes, and which files no record names.

use super::{Area, Diagnosis, Job, Severity, reason};
use crate::core::data_dir::counted;
use crate::core::file_check::{FileProblem, check_bytes, check_size};
use crate::core::long_work::{Reporter, Stage};
use crate::core::maintenance::log_failure;
use crate::core::model::ContentHash;
use crate::core::scrub::CheckedFiles;
use crate::core::store::{CheckedRecords, FileQueries, NamedFile};
use crate::error::Result;

/// The most files that are named one by one.
const NAMED: u64 = 100;

impl Job {
    pub(super) fn files(
        &self,
        records: &CheckedRecords,
        diagnosis: &mut Diagnosis,
        reporter: &Reporter,
    ) -> Result<()> {
        let bytes = records.files.values().map(|file| file.size).sum();
        reporter.begin(Stage::Verifying, if self.options.quick { 0 } else { bytes });
        let (mut wrong, mut checked) = (0, CheckedFiles::default());
        for (&hash, file) in &records.files {
            let Some(problem) = self.file(hash, file, reporter)? else {
                if !self.options.quick && self.core.blobs().damaged().contains(&hash) {
                    checked.repaired.push(hash);
                }
                continue;
            };
            wrong += 1;
            if wrong <= NAMED {
                diagnosis.add(Severity::Error, Area::Files, self.in_words(hash, file, &problem));
            }
            // A file that is missing or of another size is never served.
            if matches!(problem, FileProblem::Damaged) {
                checked.damaged.push((hash, problem));
            }
        }
        log_failure("record which files are damaged", self.core.record_checked_files(checked));
        if wrong > NAMED {
            let text = format!("{} more are missing or damaged.", counted(wrong - NAMED));
            diagnosis.add(Severity::Error, Area::Files, text);
        } else if wrong == 0 {
            let whole = if self.options.quick {
                "is there with its size"
            } else {
                "has the bytes that were uploaded"
            };
            let text = format!("Each of {} {whole}.", counted(records.files.len() as u64));
            diagnosis.add(Severity::Fine, Area::Files, text);
        }
        if let Err(error) = self.unnamed(diagnosis) {
            let text = format!("The folders of files could not be looked through: {}", reason(&error));
            diagnosis.add(Severity::Error, Area::Files, text);
        }
        Ok(())
    }

    /// What is wrong with a file.
    fn file(&self, hash: ContentHash, named: &NamedFile, reporter: &Reporter) -> Result<Option<FileProblem>> {
        let blobs = self.core.blobs();
        let problem = match check_size(blobs, hash, named.size) {
            None if !self.options.quick => check_bytes(blobs, hash, reporter)?,
            found => found,
        };
        // It may have been deleted with its asset since the records were read.
        let is_gone = problem.is_some() && self.core.store().snapshot()?.blob_refs(hash)? == 0;
        Ok(problem.filter(|_| !is_gone))
    }

    fn in_words(&self, hash: ContentHash, file: &NamedFile, problem: &FileProblem) -> String {
        let (path, others) = (self.core.blobs().local_path(hash), file.assets - 1);
        let more = if others > 0 { format!(" and of {others} more") } else { String::new() };
        format!(
            "The file of the asset {}{more} {problem}: {}. Put it back with `rasterd restore BACKUP --asset {}`.",
            file.asset,
            path.display(),
            file.asset
        )
    }

    /// Files that no record names.
    fn unnamed(&self, diagnosis: &mut Diagnosis) -> Result<()> {
        let (core, store) = (&self.core, self.core.store());
        let count = core.blobs().count_unnamed(store)?;
        if count == 0 {
            return Ok(());
        }
        let text = format!("{} in the folder “files” belong to no record", counted(count));
        if self.options.repair {
            // At this time nothing is due to be deleted. That is left to the running server.
            let (since, beginning) = (core.time_to_keep_from(), 0);
            core.blobs().reclaim(store, since, beginning, core.settings().unnamed_keep)?;
            diagnosis.add_repaired(
                Severity::Warning,
                Area::Files,
                format!("{text}; they were moved to “unnamed”."),
            );
        } else {
            let text =
                format!("{text}. The next start, or `rasterd doctor --repair`, moves them to “unnamed”.");
            diagnosis.add(Severity::Warning, Area::Files, text);
        }
        Ok(())
    }
}
