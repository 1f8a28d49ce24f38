//! Administration of organizations.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::model::time::Millis;
use crate::core::model::{OrganizationUse, Quota};
use crate::core::quotas::{OrganizationQuota, QuotaChange};
use crate::error::Result;

/// A request about organizations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum OrganizationRequest {
    /// Create one.
    Create {
        /// The name for people.
        name: String,
        /// Its id on the wire; derived from the name when not given.
        slug: Option<String>,
    },
    /// List all.
    List,
    /// Rename one.
    Rename {
        /// Its slug.
        organization: String,
        /// The new name.
        name: String,
    },
    /// Change what one may have. What is not given stays.
    Limit {
        /// Its slug.
        organization: String,
        /// The bytes of all its files.
        storage: Option<NewLimit>,
        /// Its libraries.
        libraries: Option<NewLimit>,
        /// Its files: assets, variants and trash.
        assets: Option<NewLimit>,
    },
}

/// A new limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NewLimit {
    /// There is none.
    None,
    /// At most this many.
    AtMost(u64),
}

impl NewLimit {
    const fn value(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::AtMost(most) => Some(most),
        }
    }
}

/// An organization, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationRecord {
    /// Its slug.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// When it was created, in unix milliseconds.
    pub created: Millis,
    /// What it may have; null is no limit.
    pub limits: Quota,
    /// What it has.
    pub used: OrganizationUse,
}

impl From<OrganizationQuota> for OrganizationRecord {
    fn from(OrganizationQuota { organization, quota, used }: OrganizationQuota) -> Self {
        Self {
            id: organization.slug.to_string(),
            name: organization.name,
            created: organization.created,
            limits: quota,
            used,
        }
    }
}

pub(super) async fn perform(core: &Core, by: Administrator, request: OrganizationRequest) -> Result<Reply> {
    match request {
        OrganizationRequest::Create { name, slug } => {
            let made = core.create_organization(by.clone(), &name, slug.as_deref()).await?;
            Ok(Reply::Organization(core.get_quota(&by, made.slug.as_str())?.into()))
        }
        OrganizationRequest::List => {
            let all = core.list_quotas(&by)?;
            Ok(Reply::Organizations(all.into_iter().map(Into::into).collect()))
        }
        OrganizationRequest::Rename { organization, name } => {
            core.rename_organization(by.clone(), &organization, &name).await?;
            Ok(Reply::Organization(core.get_quota(&by, &organization)?.into()))
        }
        OrganizationRequest::Limit { organization, storage, libraries, assets } => {
            let change = QuotaChange {
                storage: storage.map(NewLimit::value),
                libraries: libraries.map(NewLimit::value),
                assets: assets.map(NewLimit::value),
            };
            let changed = core.set_quota(by, &organization, change).await?;
            Ok(Reply::Organization(changed.into()))
        }
    }
}
