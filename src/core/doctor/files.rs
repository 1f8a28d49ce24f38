//! The assets' files: whether each is there, with its size and its bytes, and which files no record names.

use super::{Area, Diagnosis, Job, Severity};
use crate::core::backup::copying::read_whole;
use crate::core::data_folder::counted;
use crate::core::long_work::{Reporter, Stage};
use crate::core::model::ContentHash;
use crate::core::store::{CheckedRecords, NamedFile};
use crate::error::Result;

/// The most files that are named one by one.
const NAMED: usize = 100;

impl Job {
    pub(super) fn files(
        &self,
        records: &CheckedRecords,
        diagnosis: &mut Diagnosis,
        reporter: &Reporter,
    ) -> Result<()> {
        let bytes = records.files.values().map(|file| file.size).sum();
        reporter.begin(Stage::Verifying, if self.options.quick { 0 } else { bytes });
        let mut wrong = 0;
        for (hash, file) in &records.files {
            let Some(what) = self.file(*hash, file, reporter)? else { continue };
            wrong += 1;
            if wrong <= NAMED {
                let (path, others) = (self.core.blobs().local_path(*hash), file.assets - 1);
                let more = if others > 0 { format!(" and of {others} more") } else { String::new() };
                let text = format!(
                    "The file of the asset {}{more} {what}: {}. Put it back from a backup.",
                    file.asset,
                    path.display()
                );
                diagnosis.add(Severity::Error, Area::Files, text);
            }
        }
        if wrong > NAMED {
            let text = format!("{} more are missing or damaged.", counted((wrong - NAMED) as u64));
            diagnosis.add(Severity::Error, Area::Files, text);
        }
        if wrong == 0 {
            let how = if self.options.quick {
                "is there with its size"
            } else {
                "has the bytes that were uploaded"
            };
            let text = format!("Each of {} {how}.", counted(records.files.len() as u64));
            diagnosis.add(Severity::Fine, Area::Files, text);
        }
        self.unnamed(diagnosis)
    }

    /// What is wrong with a file.
    fn file(&self, hash: ContentHash, named: &NamedFile, reporter: &Reporter) -> Result<Option<String>> {
        let blobs = self.core.blobs();
        let mut file = match blobs.open_local(hash) {
            Ok(file) => file,
            // It may have been deleted with its asset since the records were read.
            Err(_) if self.is_gone(hash)? => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Some("is missing".to_owned()));
            }
            Err(error) => return Ok(Some(format!("can't be read ({error})"))),
        };
        let size = file.metadata().map_or(0, |found| found.len());
        if size != named.size {
            return Ok(Some(format!("has {size} bytes instead of {}", named.size)));
        }
        if self.options.quick {
            return Ok(None);
        }
        Ok(match read_whole(&mut file, reporter, |_| Ok(()))? {
            Ok(read) if read.hash == hash => None,
            Ok(_) => Some("is damaged, its bytes are not those that were uploaded".to_owned()),
            Err(cause) => Some(format!("can't be read ({cause})")),
        })
    }

    fn is_gone(&self, hash: ContentHash) -> Result<bool> {
        use crate::core::store::FileQueries;
        Ok(self.core.store().snapshot()?.blob_refs(hash)? == 0)
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
            let (since, now) = (core.time_to_keep_from(), core.time_to_delete());
            core.blobs().reclaim(store, since, now, core.settings().unnamed_keep)?;
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
