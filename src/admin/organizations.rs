//! Organizations, as an administrator asks for them and sees them.

use serde::{Deserialize, Serialize};

use super::Reply;
use crate::app::App;
use crate::app::access::Administrator;
use crate::app::clock::Millis;
use crate::app::model::Organization;
use crate::error::Result;

/// What can be asked about organizations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum OrganizationRequest {
    /// Make one.
    Create {
        /// What people call it.
        name: String,
        /// Its id on the wire; derived from the name when not given.
        slug: Option<String>,
    },
    /// List all.
    List,
    /// Give one another name.
    Rename {
        /// Its slug.
        organization: String,
        /// The new name.
        name: String,
    },
}

/// An organization, as people and programs see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationRecord {
    /// Its slug.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was made, in unix milliseconds.
    pub created: Millis,
}

impl From<Organization> for OrganizationRecord {
    fn from(organization: Organization) -> Self {
        Self { id: organization.slug.to_string(), name: organization.name, created: organization.created }
    }
}

pub(super) async fn perform(app: &App, by: Administrator, request: OrganizationRequest) -> Result<Reply> {
    match request {
        OrganizationRequest::Create { name, slug } => {
            let made = app.create_organization(by.clone(), &name, slug.as_deref()).await?;
            Ok(Reply::Organization(made.into()))
        }
        OrganizationRequest::List => {
            let all = app.list_organizations(&by)?;
            Ok(Reply::Organizations(all.into_iter().map(Into::into).collect()))
        }
        OrganizationRequest::Rename { organization, name } => {
            let renamed = app.rename_organization(by, &organization, &name).await?;
            Ok(Reply::Organization(renamed.into()))
        }
    }
}
