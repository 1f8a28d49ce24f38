//! The pages of the database, checked on a copy of its file.

use std::fs::File;

use super::{Area, Diagnosis, Job, Severity, reason};
use crate::core::backup::copying;
use crate::core::backup::layout::at;
use crate::core::data_dir::{DataDir, TEMP, refusal};
use crate::core::long_work::{Reporter, Stage};
use crate::core::store::{PageCheck, check_pages};
use crate::error::Result;

impl Job {
    /// Checks the pages, and says whether a repair may write to them.
    pub(super) fn pages(&self, diagnosis: &mut Diagnosis, reporter: &Reporter) -> Result<bool> {
        match self.checked_pages(reporter) {
            Ok(PageCheck::Whole) => {
                diagnosis.add(
                    Severity::Fine,
                    Area::Pages,
                    "Every page of the database is as it was written.",
                );
            }
            Ok(PageCheck::Damaged(what)) => {
                let text = format!(
                    "The database is damaged: {what}. Restore it from a backup, with `rasterd restore`; keep this one until that is done. Nothing in it is repaired."
                );
                diagnosis.add(Severity::Error, Area::Pages, text);
                return Ok(false);
            }
            Err(error) => {
                // Not when nobody waits any more.
                reporter.advance(0)?;
                let text = format!("The pages of the database could not be checked: {}", reason(&error));
                diagnosis.add(Severity::Warning, Area::Pages, text);
            }
        }
        Ok(true)
    }

    fn checked_pages(&self, reporter: &Reporter) -> Result<PageCheck> {
        let (data_dir, store) = (&self.core.settings().data_dir, self.core.store());
        let database = DataDir::new(data_dir).database_path();
        let size = at(&database, std::fs::metadata(&database))?.len();
        // The copy may take as much room, and must leave the reserve.
        let temp = data_dir.join(TEMP);
        if !store.reserve().has_room_for(size) {
            let megabytes = size.div_ceil(1_000_000);
            return Err(refusal(&temp, &format!("has no room for a copy of {megabytes} MB"), "Make room"));
        }
        let folder = at(&temp, tempfile::Builder::new().prefix("doctor-").tempdir_in(&temp))?;
        let copy = folder.path().join("copy");
        reporter.begin(Stage::Checking, size);
        let target = copy.clone();
        // A report to a sender that no longer waits would end the copy in the middle of the writer's work.
        store.while_quiet(move || {
            let mut source = at(&database, File::open(&database))?;
            let _left_by_an_earlier_run = std::fs::remove_file(&target);
            let copied = copying::copy(&mut source, &target, &Reporter::default())?;
            at(&database, copied).map(drop)
        })?;
        check_pages(&copy)
    }
}
