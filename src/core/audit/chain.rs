//! Checks and exports the hash chains of the audit log, for the administrator of the server.

use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::model::Organization;
use crate::core::model::audit::{ChainCheck, ChainHash, ChainedEvent};
use crate::core::store::{AuditChainQueries, KeyQueries};
use crate::error::{Error, Result};

/// How many events one part of an export has.
const EXPORTED: usize = 10_000;

/// The result of checking one organization's chain.
#[derive(Debug, Clone)]
pub struct AuditCheck {
    /// The organization.
    pub organization: Organization,
    /// The result.
    pub check: ChainCheck,
}

/// A part of an export.
#[derive(Debug, Clone)]
pub struct AuditExport {
    /// The events, oldest first.
    pub events: Vec<ChainedEvent>,
    /// The number to continue after; none at the end.
    pub next: Option<u64>,
}

impl Core {
    /// Checks the chain of one organization, or of all. `expected` is a hash that has to be in a chain.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`; when the store can't be read. A damaged chain is in the result.
    pub async fn verify_audit(
        &self,
        by: Administrator,
        organization: Option<&str>,
        expected: Option<ChainHash>,
    ) -> Result<Vec<AuditCheck>> {
        let (core, organization) = (self.clone(), organization.map(str::to_owned));
        self.scans()
            .run(by.client_id(), move || {
                let snapshot = core.store().snapshot()?;
                let organizations = match organization {
                    Some(slug) => vec![snapshot.expect_organization(&by, &slug)?],
                    None => snapshot.organizations(&by)?,
                };
                let check = |organization: Organization| {
                    let check = snapshot.check_chain(&by, organization.id, expected)?;
                    Ok(AuditCheck { organization, check })
                };
                organizations.into_iter().map(check).collect()
            })
            .await
    }

    /// The events of an organization after the one with this number, oldest first, with their hashes.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`; when an event can't be read.
    pub async fn export_audit(
        &self,
        by: Administrator,
        organization: &str,
        after: u64,
    ) -> Result<AuditExport> {
        let (core, organization) = (self.clone(), organization.to_owned());
        self.scans()
            .run(by.client_id(), move || {
                let snapshot = core.store().snapshot()?;
                let organization = snapshot.expect_organization(&by, &organization)?;
                let events = snapshot.chained_events(&by, organization.id, after, EXPORTED)?;
                let last = events.last().map(|event| event.entry.number);
                Ok(AuditExport { next: last.filter(|_| events.len() == EXPORTED), events })
            })
            .await
    }
}

/// The hash in this text.
///
/// # Errors
/// `BAD_USER_INPUT` when it is not one.
pub fn parse_head(text: &str) -> Result<ChainHash> {
    ChainHash::parse(text).ok_or_else(|| {
        Error::bad_input("The expected head is not a hash: it has 64 hexadecimal digits, as `rasterd audit verify` prints it.")
    })
}
