//! Checking and exporting the audit log.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::audit::{AuditCheck, AuditExport, parse_head};
use crate::core::model::audit::{AuditEntry, ChainCheck, ChainedEvent};
use crate::core::model::time::Millis;
use crate::error::Result;

/// A request about the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum AuditRequest {
    /// Check the hash chain of one organization, or of all.
    Verify {
        /// The organization.
        organization: Option<String>,
        /// The hash of an event that has to be in a chain.
        expect_head: Option<String>,
    },
    /// Get the next events of an organization with their hashes, oldest first.
    Export {
        /// The organization.
        organization: String,
        /// Only events after this number.
        after: u64,
    },
}

/// The result of checking the chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerification {
    /// Each organization's chain, by slug.
    pub chains: Vec<AuditChainRecord>,
    /// Whether the expected head is in one of them; none when none was expected.
    pub expected_head_found: Option<bool>,
}

/// The chain of an organization, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditChainRecord {
    /// The slug of the organization.
    pub organization_id: String,
    /// How many events there should be.
    pub entries: u64,
    /// How many were deleted because of their age.
    pub pruned: u64,
    /// The time of the first event, in unix milliseconds.
    pub from: Option<Millis>,
    /// The time of the last event that was found whole.
    pub to: Option<Millis>,
    /// The hash of the last event.
    pub head: String,
    /// Whether every event is there and as it was written.
    pub whole: bool,
    /// The number of the first event that is not.
    pub first_bad: Option<u64>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// A part of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditExportPart {
    /// The events, oldest first.
    pub events: Vec<AuditEventRecord>,
    /// The number to continue after; none at the end.
    pub next: Option<u64>,
}

/// An event with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEventRecord {
    /// The slug of the organization.
    pub organization_id: String,
    /// The event. Its compact JSON is what the hash covers, after the previous hash.
    pub event: AuditEntry,
    /// The hash of the event before it.
    pub previous: String,
    /// Its hash; empty when that is missing.
    pub hash: String,
}

impl From<AuditCheck> for AuditChainRecord {
    fn from(AuditCheck { organization, check }: AuditCheck) -> Self {
        let ChainCheck { chain, from, to, damage, .. } = check;
        Self {
            organization_id: organization.slug.to_string(),
            entries: chain.entries,
            pruned: chain.pruned,
            from,
            to,
            head: chain.head.to_string(),
            whole: damage.is_none(),
            first_bad: damage.map(|(number, _)| number),
            problem: damage.map(|(number, damage)| format!("event {number} {}", damage.as_str())),
        }
    }
}

pub(super) async fn perform(core: &Core, by: Administrator, request: AuditRequest) -> Result<Reply> {
    match request {
        AuditRequest::Verify { organization, expect_head } => {
            let expected = expect_head.as_deref().map(parse_head).transpose()?;
            let checks = core.verify_audit(by, organization.as_deref(), expected).await?;
            let found = expected.map(|_| checks.iter().any(|check| check.check.has_expected));
            let chains = checks.into_iter().map(Into::into).collect();
            Ok(Reply::AuditVerification(AuditVerification { chains, expected_head_found: found }))
        }
        AuditRequest::Export { organization, after } => {
            let AuditExport { events, next } = core.export_audit(by, &organization, after).await?;
            let record = |ChainedEvent { entry, previous, hash }| AuditEventRecord {
                organization_id: organization.clone(),
                event: entry,
                previous: previous.to_string(),
                hash: hash.map(|hash| hash.to_string()).unwrap_or_default(),
            };
            Ok(Reply::AuditExport(AuditExportPart { events: events.into_iter().map(record).collect(), next }))
        }
    }
}
