//! The search index: whether it has every listed asset, and nothing else.

use super::{Area, Diagnosis, Job, Severity, reason};
use crate::core::index::IndexDifference;
use crate::core::long_work::{Reporter, Stage};
use crate::core::store::{CopyQueries, RepairCommands};
use crate::error::Result;

impl Job {
    pub(super) fn index(
        &self,
        can_repair: bool,
        diagnosis: &mut Diagnosis,
        reporter: &Reporter,
    ) -> Result<()> {
        let store = self.core.store();
        reporter.begin(Stage::Checking, store.snapshot()?.record_counts()?.assets);
        let compared = self.core.indexer().index().compare(store, &mut |assets| reporter.advance(assets));
        let wrong = match compared {
            Ok(Some(difference)) if difference.is_none() => {
                let text = format!("The search index has the {} listed assets.", difference.compared);
                diagnosis.add(Severity::Fine, Area::Index, text);
                return Ok(());
            }
            Ok(None) => {
                let text = "The search index is being built. Run this again when that is done; if it never is, see the log.";
                diagnosis.add(Severity::Warning, Area::Index, text);
                return Ok(());
            }
            Ok(Some(IndexDifference { missing, extra, .. })) => {
                format!("The search index lacks {missing} assets, and has {extra} that are not listed")
            }
            Err(error) => {
                // Not when nobody waits any more.
                reporter.advance(0)?;
                format!("The search index can't be compared with the records: {}", reason(&error))
            }
        };
        self.rebuild_index(&wrong, can_repair, diagnosis);
        Ok(())
    }

    fn rebuild_index(&self, wrong: &str, can_repair: bool, diagnosis: &mut Diagnosis) {
        if !self.options.repair || !can_repair {
            let text = format!("{wrong}. `rasterd doctor --repair` lets it be built again.");
            return diagnosis.add(Severity::Error, Area::Index, text);
        }
        match self.core.store().write_always_blocking(|tx| tx.rebuild_index()) {
            Ok(()) => {
                let text = format!("{wrong}. It is built again in the background.");
                diagnosis.add_repaired(Severity::Error, Area::Index, text);
            }
            Err(error) => {
                let text = format!("{wrong}. The repair failed: {}.", reason(&error));
                diagnosis.add(Severity::Error, Area::Index, text);
            }
        }
    }
}
