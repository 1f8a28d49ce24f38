//! Organizations: made and named by whoever holds the data directory.

use super::App;
use super::access::Administrator;
use super::model::Organization;
use super::name::{Slug, parse_name};
use super::store::{KeyQueries, WantedSlug};
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
        let now = self.now();
        self.store()
            .write(move |tx| {
                let slug = wanted
                    .settle(|slug| Ok(tx.organization_named(slug.as_str())?.is_some()))
                    .map_err(|taken| Error::new(Code::Conflict, taken.message().to_owned()))?;
                tx.add_organization(&by, slug, name.clone(), now)
            })
            .await
    }

    /// All organizations, by slug.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list_organizations(&self, by: Administrator) -> Result<Vec<Organization>> {
        self.store().view()?.organizations(&by)
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
        self.store()
            .write(move |tx| {
                let mut organization = tx.expect_organization(&by, &slug)?;
                organization.name.clone_from(&name);
                tx.put_organization(&by, &organization)?;
                Ok(organization)
            })
            .await
    }
}

/// The slug that was chosen, or one derived from the name. An empty choice is none.
pub(super) fn wanted_slug(name: &str, slug: Option<&str>) -> Result<WantedSlug> {
    match slug.filter(|slug| !slug.is_empty()) {
        Some(slug) => Slug::parse(slug).map(WantedSlug::Exactly),
        None => Ok(WantedSlug::Like(Slug::derive(name))),
    }
}
