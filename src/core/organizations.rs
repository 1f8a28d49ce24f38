//! Organizations: create, list and rename.

use super::Core;
use super::model::Organization;
use super::store::{AuditCommands, KeyCommands, KeyQueries, Tx, WantedSlug};
use crate::core::access::Administrator;
use crate::core::model::audit::Action;
use crate::core::model::name::{Slug, parse_name};
use crate::core::model::time::Millis;
use crate::error::{Code, Error, Result};

impl Core {
    /// Creates an organization.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for the name or the slug, `CONFLICT` for a slug that is taken.
    pub async fn create_organization(
        &self,
        by: Administrator,
        name: &str,
        slug: Option<&str>,
    ) -> Result<Organization> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        let wanted = wanted_slug(&name, slug)?;
        self.administrate(by, move |tx, by, now| {
            by.require_server_admin()?;
            let slug = wanted
                .settle(|slug| {
                    Ok(slug.is_reserved_organization() || tx.organization_named(slug.as_str())?.is_some())
                })
                .map_err(|taken| Error::new(Code::Conflict, taken.message().to_owned()))?;
            let organization = tx.add_organization(by, slug, name.clone(), now)?;
            record_organization_event(tx, now, by, &organization, "made".to_owned())?;
            Ok(organization)
        })
        .await
    }

    /// All organizations that the administrator may manage, by slug.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list_organizations(&self, by: &Administrator) -> Result<Vec<Organization>> {
        self.store().snapshot()?.organizations(by)
    }

    /// Renames an organization; its slug stays.
    ///
    /// # Errors
    /// `ORGANIZATION_NOT_FOUND`, or `BAD_USER_INPUT` for the name.
    pub async fn rename_organization(
        &self,
        by: Administrator,
        slug: &str,
        name: &str,
    ) -> Result<Organization> {
        let name = parse_name(name, self.settings().limits.name_length)?;
        let slug = slug.to_owned();
        self.administrate(by, move |tx, by, now| {
            let mut organization = tx.expect_organization(by, &slug)?;
            let former = std::mem::replace(&mut organization.name, name.clone());
            tx.put_organization(by, &organization)?;
            record_organization_event(tx, now, by, &organization, format!("renamed from \"{former}\""))?;
            Ok(organization)
        })
        .await
    }
}

fn record_organization_event(
    tx: &Tx<'_>,
    now: Millis,
    by: &Administrator,
    organization: &Organization,
    detail: String,
) -> Result<()> {
    tx.record_event(now, organization.id, by.actor(), Action::OrganizationChanged, &organization.name, detail)
}

/// The given slug, or one derived from the name if it is missing or empty.
pub(super) fn wanted_slug(name: &str, slug: Option<&str>) -> Result<WantedSlug> {
    match slug.filter(|slug| !slug.is_empty()) {
        Some(slug) => Slug::parse(slug).map(WantedSlug::Exactly),
        None => Ok(WantedSlug::Like(Slug::derive(name))),
    }
}
