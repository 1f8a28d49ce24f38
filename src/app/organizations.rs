//! Organizations: made and named by whoever holds the data directory.

use super::App;
use super::access::Administrator;
use super::audit::Action;
use super::clock::Millis;
use super::model::Organization;
use super::name::{Slug, parse_name};
use super::store::{KeyQueries, Tx, WantedSlug};
use crate::error::{Code, Error, Result};

impl App {
    /// Makes an organization.
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
            by.expect_whole_box()?;
            let slug = wanted
                .settle(|slug| {
                    Ok(slug.is_reserved_organization() || tx.organization_named(slug.as_str())?.is_some())
                })
                .map_err(|taken| Error::new(Code::Conflict, taken.message().to_owned()))?;
            let organization = tx.add_organization(by, slug, name.clone(), now)?;
            note_organization(tx, now, by, &organization, "made".to_owned())?;
            Ok(organization)
        })
        .await
    }

    /// All organizations within reach, by slug.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list_organizations(&self, by: &Administrator) -> Result<Vec<Organization>> {
        self.store().view()?.organizations(by)
    }

    /// Gives an organization another name; its slug stays.
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
            note_organization(tx, now, by, &organization, format!("renamed from \"{former}\""))?;
            Ok(organization)
        })
        .await
    }
}

fn note_organization(
    tx: &Tx<'_>,
    now: Millis,
    by: &Administrator,
    organization: &Organization,
    detail: String,
) -> Result<()> {
    tx.note(now, organization.id, by.actor(), Action::OrganizationChanged, &organization.name, detail)
}

/// The slug that was chosen, or one derived from the name. An empty choice is none.
pub(super) fn wanted_slug(name: &str, slug: Option<&str>) -> Result<WantedSlug> {
    match slug.filter(|slug| !slug.is_empty()) {
        Some(slug) => Slug::parse(slug).map(WantedSlug::Exactly),
        None => Ok(WantedSlug::Like(Slug::derive(name))),
    }
}
