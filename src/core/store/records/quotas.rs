//! What an organization may have, and what it has.

use crate::core::access::grant::{Administrator, WriteGrant};
use crate::core::model::id::OrganizationId;
use crate::core::model::{OrganizationUse, Quota, StorageRoom};
use crate::error::Result;

/// Reads of quotas and of what counts towards them.
pub trait QuotaQueries {
    /// The quota of an organization.
    fn quota(&self, by: &Administrator, organization: OrganizationId) -> Result<Quota>;

    /// What an organization has.
    fn organization_use(&self, by: &Administrator, organization: OrganizationId) -> Result<OrganizationUse>;

    /// How many bytes the organization of a library may still add; none without a quota. Only for a refusal before the
    /// bytes arrive: adding an asset checks the quota again.
    fn storage_room(&self, grant: &WriteGrant) -> Result<Option<StorageRoom>>;
}

/// Changes of quotas.
pub trait QuotaCommands {
    /// Sets the quota of an organization, for an administrator of the whole server.
    fn put_quota(&self, by: &Administrator, organization: OrganizationId, quota: &Quota) -> Result<()>;
}
