//! The pages of the database, checked on a copy of its file.

use std::fs::File;

use super::{Area, Diagnosis, Job, Severity};
use crate::core::backup::copying;
use crate::core::backup::layout::at;
use crate::core::data_folder::DataFolder;
use crate::core::long_work::{Reporter, Stage};
use crate::core::store::{Pages, check_pages};
use crate::error::Result;

impl Job {
    pub(super) fn pages(&self, diagnosis: &mut Diagnosis, reporter: &Reporter) -> Result<()> {
        let database = DataFolder::new(&self.core.settings().data_dir).database_path();
        let temp = self.core.blobs().temp_folder();
        let folder = at(temp, tempfile::Builder::new().prefix("doctor-").tempdir_in(temp))?;
        let copy = folder.path().join("copy");
        let size = at(&database, std::fs::metadata(&database))?.len();
        reporter.begin(Stage::Checking, size);
        let target = copy.clone();
        // What the copy reports would end it with the sender's patience, in the middle of the writer's work.
        let copied = self.core.store().while_quiet(move || {
            let mut source = at(&database, File::open(&database))?;
            let _left_by_an_earlier_run = std::fs::remove_file(&target);
            let copied = copying::copy(&mut source, &target, &Reporter::default())?;
            at(&database, copied).map(drop)
        });
        if let Err(error) = copied {
            let text = format!("The pages of the database could not be checked: {error}");
            diagnosis.add(Severity::Warning, Area::Pages, text);
            return Ok(());
        }
        match check_pages(&copy)? {
            Pages::Whole => {
                diagnosis.add(Severity::Fine, Area::Pages, "Every page of the database is as it was written.");
            }
            Pages::Damaged(what) => diagnosis.add(
                Severity::Error,
                Area::Pages,
                format!("The database is damaged: {what}. Restore it from a backup, with `rasterd restore`; keep this one until that is done."),
            ),
        }
        Ok(())
    }
}
