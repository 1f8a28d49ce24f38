//! The audit log: whether the chain of each organization is whole.

use super::{Area, Diagnosis, Job, Severity, reason};
use crate::core::access::Administrator;
use crate::core::store::{AuditChainQueries, KeyQueries};
use crate::error::Result;

impl Job {
    pub(super) fn audit(&self, diagnosis: &mut Diagnosis) {
        match self.damaged_chains() {
            Ok(damaged) if damaged.is_empty() => {
                diagnosis.add(
                    Severity::Fine,
                    Area::Audit,
                    "Each event of the audit log is as it was written.",
                );
            }
            Ok(damaged) => {
                for text in damaged {
                    diagnosis.add(Severity::Error, Area::Audit, text);
                }
            }
            Err(error) => {
                let text = format!("The audit log could not be checked: {}", reason(&error));
                diagnosis.add(Severity::Error, Area::Audit, text);
            }
        }
    }

    fn damaged_chains(&self) -> Result<Vec<String>> {
        let (snapshot, by) = (self.core.store().snapshot()?, Administrator::local());
        let mut damaged = Vec::new();
        for organization in snapshot.organizations(&by)? {
            if let Some((number, damage)) = snapshot.check_chain(&by, organization.id, None)?.damage {
                damaged.push(format!(
                    "In the audit log of {}, event {number} {}. Compare it with an export or a backup.",
                    organization.slug,
                    damage.as_str()
                ));
            }
        }
        Ok(damaged)
    }
}
