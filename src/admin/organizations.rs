//! Administration of organizations.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::core::Core;
use crate::core::access::Administrator;
use crate::core::model::Organization;
use crate::core::model::time::Millis;
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
}

impl From<Organization> for OrganizationRecord {
    fn from(organization: Organization) -> Self {
        Self { id: organization.slug.to_string(), name: organization.name, created: organization.created }
    }
}

pub(super) async fn perform(core: &Core, by: Administrator, request: OrganizationRequest) -> Result<Reply> {
    match request {
        OrganizationRequest::Create { name, slug } => {
            let made = core.create_organization(by.clone(), &name, slug.as_deref()).await?;
            Ok(Reply::Organization(made.into()))
        }
        OrganizationRequest::List => {
            let all = core.list_organizations(&by)?;
            Ok(Reply::Organizations(all.into_iter().map(Into::into).collect()))
        }
        OrganizationRequest::Rename { organization, name } => {
            let renamed = core.rename_organization(by, &organization, &name).await?;
            Ok(Reply::Organization(renamed.into()))
        }
    }
}
