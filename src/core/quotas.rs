//! What organizations may have: set by the administrator of the server, and shown with what they have.

use super::Core;
use super::model::{Organization, OrganizationUse, Quota};
use super::store::{AuditCommands, KeyQueries, QuotaCommands, QuotaQueries, Snapshot};
use crate::core::access::Administrator;
use crate::core::model::audit::Action;
use crate::error::Result;

/// An organization with what it may have and what it has.
#[derive(Debug, Clone)]
pub struct OrganizationQuota {
    /// The organization.
    pub organization: Organization,
    /// The limits.
    pub quota: Quota,
    /// What counts towards them.
    pub used: OrganizationUse,
}

/// A change of a quota: each limit that is not `None` is set, to a number or to no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuotaChange {
    /// The bytes of all files.
    pub storage: Option<Option<u64>>,
    /// The libraries.
    pub libraries: Option<Option<u64>>,
    /// The files.
    pub assets: Option<Option<u64>>,
}

impl QuotaChange {
    fn of(self, quota: Quota) -> Quota {
        Quota {
            storage: self.storage.unwrap_or(quota.storage),
            libraries: self.libraries.unwrap_or(quota.libraries),
            assets: self.assets.unwrap_or(quota.assets),
        }
    }
}

impl Core {
    /// All organizations that the administrator may manage, by slug, with their quotas.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list_quotas(&self, by: &Administrator) -> Result<Vec<OrganizationQuota>> {
        let snapshot = self.store().snapshot()?;
        let organizations = snapshot.organizations(by)?;
        organizations.into_iter().map(|organization| quota(&snapshot, by, organization)).collect()
    }

    /// The quota of an organization.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub fn get_quota(&self, by: &Administrator, organization: &str) -> Result<OrganizationQuota> {
        let snapshot = self.store().snapshot()?;
        let organization = snapshot.expect_organization(by, organization)?;
        quota(&snapshot, by, organization)
    }

    /// Changes the quota of an organization, for the administrator of the server. What is there already stays, also
    /// above a limit.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`.
    pub async fn set_quota(
        &self,
        by: Administrator,
        organization: &str,
        change: QuotaChange,
    ) -> Result<OrganizationQuota> {
        let organization = organization.to_owned();
        self.administrate(by, move |tx, by, now| {
            let organization = tx.expect_organization(by, &organization)?;
            let quota = change.of(tx.quota(by, organization.id)?);
            tx.put_quota(by, organization.id, &quota)?;
            let (target, detail) = (&organization.name, in_words(&quota));
            tx.record_event(now, organization.id, by.actor(), Action::OrganizationChanged, target, detail)?;
            let used = tx.organization_use(by, organization.id)?;
            Ok(OrganizationQuota { organization, quota, used })
        })
        .await
    }
}

fn quota(snapshot: &Snapshot, by: &Administrator, organization: Organization) -> Result<OrganizationQuota> {
    Ok(OrganizationQuota {
        quota: snapshot.quota(by, organization.id)?,
        used: snapshot.organization_use(by, organization.id)?,
        organization,
    })
}

fn in_words(quota: &Quota) -> String {
    let limit = |limit: Option<u64>, what: &str| match limit {
        Some(most) => format!("{most} {what}"),
        None => format!("any number of {what}"),
    };
    let limits =
        [limit(quota.storage, "bytes"), limit(quota.libraries, "libraries"), limit(quota.assets, "files")];
    format!("limited to {}", limits.join(", "))
}
